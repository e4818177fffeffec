// What `npm run claims -- --quick` sets of each recipe.

/** One seed in minutes: fewer steps of everything, fewer problems. The order of things is what it can show. */
export const quick = {
  r1: [
    "zero.steps=120",
    "dev2.steps=80",
    "sampling.numPrompts=1000",
    "r1.steps=80",
    "studentRl.steps=60",
    "distilledRl.steps=40",
    "measure.problems=100",
  ],
  prm: ["grpo.steps=200", "labels.problems=200", "answers.problems=150"],
  mcts: ["found.problems=150", "first.problems=300", "evaluation.problems=100"],
  claims: ["variant.steps=32", "ppo.steps=32", "hacking.steps=120", "evaluation.problems=100", "evaluation.samples=8"],
};
