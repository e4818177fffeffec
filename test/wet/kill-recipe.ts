import { defineRecipe, grpo, grpoConfig, share } from "aha-rl";
import { watch } from "./kill-at.ts";
import { parity, vowels } from "./tiny.ts";

/**
 * Every thing that has to be resumed: stale mini-batches, a reference that is replaced, a limit raised, rotation, a
 * schedule, a task that enters later, rows that rest, a plateau that is looked for.
 */
export default defineRecipe({
  name: "killed",
  config: {
    model: "",
    grpo: grpoConfig({
      steps: 24,
      promptsPerStep: 2,
      groupSize: 4,
      miniBatches: 2,
      maxRounds: 2,
      lr: 3e-3,
      warmupSteps: 3,
      schedule: "cosine",
      kl: 0.02,
      referenceEvery: 8,
      maxNewTokens: 16,
      longerFrom: 11,
      longerTokens: 24,
      evalEvery: 4,
      evalPrompts: 4,
      checkpointEvery: 4,
      keepCheckpoints: 2,
      keepRollouts: 4,
      maxSolved: 0.7,
      plateau: 12,
      alarm: 1,
    }),
  },
  async run({ config, stage, run }) {
    watch(run);
    await stage("grpo", () =>
      grpo(config.model, [share(parity, { weight: 2 }), share(vowels, { fromStep: 8 })], config.grpo),
    );
  },
});
