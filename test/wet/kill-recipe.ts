import { defineRecipe, grpo, grpoConfig } from "aha-rl";
import { watch } from "./kill-at.ts";
import { parity } from "./tiny.ts";

/** Every thing that has to be resumed: stale mini-batches, a reference that is replaced, a limit raised, rotation, a schedule. */
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
    }),
  },
  async run({ config, stage, run }) {
    watch(run);
    await stage("grpo", () => grpo(config.model, parity, config.grpo));
  },
});
