import { defineRecipe, grpo, grpoConfig } from "aha-rl";
import { addition } from "./my-task.ts";

/** `npx aha train examples/my-recipe.ts`, or `--tiny` for a run of seconds. */
export default defineRecipe({
  name: "addition-zero",
  config: {
    model: "tiny-base",
    grpo: grpoConfig({ steps: 200, groupSize: 8, lr: 2e-4, maxNewTokens: 64 }),
  },
  tiny: { grpo: { steps: 3, promptsPerStep: 2, groupSize: 4 } },
  async run({ config, stage }) {
    await stage("grpo", () => grpo(config.model, addition, config.grpo));
  },
});
