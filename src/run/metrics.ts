/** One metric: its unit ("1" for a plain ratio or number) and one line that says what was measured. */
export type MetricDefinition = { unit: string; meaning: string };

/** Every metric, by its name in metrics.jsonl; `<name>` stands for a name that a task gives. docs/metrics.md is made from this. */
export const metricDefinitions: Record<string, MetricDefinition> = {
  "reward/mean": {
    unit: "1",
    meaning: "Weighted total reward with the overlong punishment, mean over the answers that are trained on.",
  },
  "reward/<name>": { unit: "1", meaning: "One reward before its weight, mean over the answers of the rollout." },
  "reward/<task>/<name>": { unit: "1", meaning: "The same of one task, where several are mixed." },
  "verdict/<name>": {
    unit: "answers",
    meaning:
      "Answers of the rollout that got this verdict (correct, wrong, noAnswer, truncated, badGold, timeout, verifierError).",
  },
  "eval/accuracy": {
    unit: "share",
    meaning: "pass@1 on held-out problems: mean over the samples of each problem, then over problems.",
  },
  "eval/standardError": { unit: "share", meaning: "Standard error of eval/accuracy, clustered by problem." },
  "eval/consensus": {
    unit: "share",
    meaning: "Share of held-out problems whose most frequent answer is right; ties count in part.",
  },
  "eval/nll": {
    unit: "nats",
    meaning: "Negative log-likelihood per trained token of held-out rows, in supervised training.",
  },
  "eval/calibrationError": {
    unit: "share",
    meaning: "A reward model's mean distance between how sure it is and how often it is right, on held-out prompts.",
  },
  "eval/squaredError": {
    unit: "1",
    meaning: "Squared difference of the chance that a model of steps said and the chance found, on held-out problems.",
  },
  "eval/length": { unit: "tokens", meaning: "Mean length of held-out answers, thinking included." },
  "eval/<task>/<name>": {
    unit: "",
    meaning:
      "accuracy, standardError and length of one task, where several are mixed; eval/accuracy is then their mean by weight, without those that only a model judges.",
  },
  "eval/truncated": { unit: "share", meaning: "Held-out answers cut at their length limit." },
  "sample/length": {
    unit: "tokens",
    meaning: "Mean length of the rollout's answers, thinking and end token included.",
  },
  "sample/<task>/length": { unit: "tokens", meaning: "The same of one task, where several are mixed." },
  "sample/maxNewTokens": { unit: "tokens", meaning: "Length limit in force in this rollout." },
  "sample/tooLong": {
    unit: "rows",
    meaning: "Rows left out in this rollout: their prompts leave no room for an answer.",
  },
  "sample/truncated": { unit: "share", meaning: "Answers of the rollout cut at the length limit." },
  "sample/logprobGap": {
    unit: "nats",
    meaning: "Largest |sampler's − trainer's logprob| of a sampled token, before the first update on it.",
  },
  "group/useless": {
    unit: "share",
    meaning: "Groups whose answers all earned the same, of those that could be judged: they teach nothing.",
  },
  "group/dropped": {
    unit: "groups",
    meaning: "Groups left out of training (no gold answer, verifier failed, or resampled for being useless).",
  },
  "train/loss": { unit: "1", meaning: "The loss that was differentiated, over all tokens of the step." },
  "train/kl": { unit: "nats", meaning: "k3 estimate of KL(policy ‖ reference) per token, before its coefficient." },
  "train/nll": { unit: "nats", meaning: "Negative log-likelihood per trained token, in supervised training." },
  "train/accuracy": {
    unit: "share",
    meaning: "Pairs of the step whose better answer scores higher, or responses on the right side of 0; ties are half.",
  },
  "train/score": {
    unit: "1",
    meaning: "A reward model's score, mean over the step's texts, or over the steps of thought in them.",
  },
  "train/squaredError": {
    unit: "1",
    meaning: "Squared difference of the chance said and the chance found, mean over the steps of thought.",
  },
  "train/scoreGap": { unit: "1", meaning: "Score of the better answer less the other's, mean over the step's pairs." },
  "train/value": { unit: "1", meaning: "What the value head expects still to be earned, mean over trained tokens." },
  "train/valueLoss": { unit: "1", meaning: "Half the squared error of the value, before its coefficient." },
  "train/valueClipShare": { unit: "share", meaning: "Trained tokens whose value moved beyond its clip." },
  "train/explained": {
    unit: "share",
    meaning:
      "Variance of the returns that the values at sampling explain: 1 is all, 0 no more than their mean; absent where all returns are the same.",
  },
  "train/entropy": {
    unit: "nats",
    meaning: "Entropy of the policy's next-token distribution, mean over trained tokens.",
  },
  "train/clipShare": {
    unit: "share",
    meaning: "Trained tokens whose ratio the clip cut off; at sequence level, those of the answers it cut off.",
  },
  "train/gradNorm": { unit: "1", meaning: "Global norm of the gradient before it was clipped." },
  "train/lr": { unit: "1", meaning: "Learning rate that this step applied." },
  "train/staleness": { unit: "steps", meaning: "Updates made since the answers of this mini-batch were sampled." },
  "train/tokens": { unit: "tokens", meaning: "Tokens trained on in this step." },
  "train/sequences": { unit: "sequences", meaning: "Sequences trained on in this step, in supervised training." },
  "time/rolloutMs": { unit: "ms", meaning: "Wall time of sampling." },
  "time/scoreMs": { unit: "ms", meaning: "Wall time that scoring added after sampling had ended." },
  "time/updateMs": {
    unit: "ms",
    meaning:
      "Wall time of forward, backward and optimizer of this step; the first on a rollout includes the reference's pass, and the value head's, over all of it.",
  },
  "time/evalMs": { unit: "ms", meaning: "Wall time of the held-out evaluation." },
  "time/stepMs": {
    unit: "ms",
    meaning: "Wall time of the step, its share of the rollout included, without evaluation and checkpoint.",
  },
  "time/tokensPerSecond": { unit: "tokens/s", meaning: "Trained tokens of the step over time/stepMs." },
  "time/left": { unit: "s", meaning: "Expected time to the last step, from the steps so far." },
};

/** The definition of a metric, `reward/correct` by way of `reward/<name>`; undefined for a name that nobody defined. */
export function metricDefinition(name: string): MetricDefinition | undefined {
  if (Object.hasOwn(metricDefinitions, name)) return metricDefinitions[name];
  const [room, , own] = name.split("/");
  const families = own === undefined ? [`${room}/<name>`] : [`${room}/<task>/${own}`, `${room}/<task>/<name>`];
  const family = families.find((one) => Object.hasOwn(metricDefinitions, one));
  return family === undefined ? undefined : metricDefinitions[family];
}

/** docs/metrics.md, whole. */
export function metricsMarkdown(): string {
  const rows = Object.entries(metricDefinitions).map(
    ([name, { unit, meaning }]) => `| \`${name}\` | ${unit} | ${meaning} |`,
  );
  return [
    "# Metrics",
    "",
    "`out/<run>/metrics.jsonl` has one line per step (one optimizer update): `stage`, `step` and these names. A metric that was not measured in a step is not in its line.",
    "`time/*` is all that differs between a run that was stopped and resumed and one that never was.",
    "",
    "| name | unit | meaning |",
    "|---|---|---|",
    ...rows,
    "",
    "Made from `src/run/metrics.ts` by its test: `npx vitest run --project dry src/run/metrics.test.ts -u`.",
    "",
  ].join("\n");
}
