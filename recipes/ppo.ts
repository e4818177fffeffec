import { countdown, defineRecipe, embeddedModel, ppo, ppoConfig } from "aha-rl";
import r1Zero from "./r1-zero.ts";

const { advantage: _, deviation: __, ...shared } = r1Zero.config.grpo;

/**
 * R1-Zero's task by proximal policy optimisation with a value head, for the paper's comparison with GRPO: the settings of
 * recipes/r1-zero.ts where both have them, longer. `--set ppo.lambda=0.95` is the paper's other λ.
 */
export default defineRecipe({
  name: "ppo",
  config: {
    model: embeddedModel,
    ppo: ppoConfig({ ...shared, steps: 600, evalTemperature: 1, evalTopP: 1 }),
  },
  tiny: {
    ppo: { steps: 4, promptsPerStep: 2, groupSize: 4, miniBatches: 2, maxNewTokens: 48, evalEvery: 2, evalPrompts: 4 },
  },
  async run({ config, stage, run }) {
    const { model } = await stage("ppo", () => ppo(config.model, countdown, config.ppo));
    run.terminal?.note(`model    ${model}\nchat     npx aha chat ${model}`);
  },
});
