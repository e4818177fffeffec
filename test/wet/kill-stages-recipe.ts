import { defineRecipe, grpo, grpoConfig, type SftData, sft, sftConfig } from "aha-rl";
import { watch } from "./kill-at.ts";
import { parity } from "./tiny.ts";

const sums = (operator: string) =>
  Array.from({ length: 12 }, (_, i) => ({ prompt: `${i % 4} ${operator} 1`, completion: `${i % 4} = ${i % 3}` }));
const data: SftData = { plus: { rows: sums("+"), weight: 2 }, minus: { rows: sums("-"), weight: 1 } };

/** Supervised, reinforced, and supervised again, each from where the one before it ended. */
export default defineRecipe({
  name: "kill-stages",
  config: {
    model: "",
    sft: sftConfig({ steps: 7, batchSize: 5, lr: 2e-3, heldOut: 0.2, evalEvery: 2, checkpointEvery: 2 }),
    grpo: grpoConfig({
      steps: 4,
      promptsPerStep: 2,
      groupSize: 4,
      lr: 2e-3,
      kl: 0.02,
      maxNewTokens: 12,
      evalPrompts: 2,
    }),
  },
  async run({ config, stage, run }) {
    watch(run);
    const cold = await stage("cold-start", () => sft(config.model, data, config.sft));
    const reinforced = await stage("rl", () => grpo(cold.model, parity, config.grpo));
    await stage("again", () => sft(reinforced.model, data, config.sft));
  },
});
