import { fileURLToPath } from "node:url";
import {
  defineRecipe,
  embeddedModel,
  oneOf,
  optional,
  readAllRows,
  readLabelled,
  readPair,
  resolveData,
  rewardConfig,
  rewardModel,
} from "aha-rl";

const example = fileURLToPath(new URL("../examples/preferences.jsonl", import.meta.url));

/**
 * A reward model from any model folder and your own rows: pairs (prompt, chosen, rejected) or responses that are safe or
 * not (prompt, response, isSafe). Presets of the paper's two: `paperHelpfulness`, `paperSafety`.
 */
export default defineRecipe({
  name: "reward-model",
  config: {
    model: embeddedModel,
    /** Files (.jsonl, .json, .parquet, .gz), folders or hub ids. */
    data: [example],
    /** Of folders and hub ids; all of their files where absent. */
    split: optional("string"),
    rows: oneOf("pairs", ["pairs", "responses"]),
    reward: rewardConfig({ batchSize: 8, epochs: 3, lr: 1e-4, heldOut: 0.25 }),
  },
  tiny: { reward: { epochs: 1, batchSize: 4 } },
  async run({ config, stage, run }) {
    const { model } = await stage("reward", async () => {
      const read = async (source: string) => readAllRows(await resolveData(source), { split: config.split });
      const rows = (await Promise.all(config.data.map(read))).flat();
      const data = config.rows === "pairs" ? { pairs: rows.map(readPair) } : { responses: rows.map(readLabelled) };
      return rewardModel(config.model, data, config.reward);
    });
    run.terminal?.note(`model    ${model}`);
  },
});
