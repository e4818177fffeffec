import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import {
  defineRecipe,
  embeddedModel,
  optional,
  readRows,
  resolveData,
  type SftSource,
  sft,
  sftConfig,
  UserError,
} from "aha-rl";

const example = fileURLToPath(new URL("../examples/conversations.jsonl", import.meta.url));

/**
 * Supervised training of any model folder on your own rows: conversations, prompts with completions, or texts
 * (`SftRow` has the fields). Presets of the paper's stages: `paperColdStart`, `paperSft`, `paperDistill`.
 */
export default defineRecipe({
  name: "sft",
  config: {
    model: embeddedModel,
    /** Files (.jsonl, .json, .parquet, .gz), folders or hub ids. */
    data: [example],
    /** Of folders and hub ids; all of their files where absent. */
    split: optional("string"),
    /** The ratio in which the sets are mixed; empty: every row once an epoch. */
    weights: [] as number[],
    sft: sftConfig({ epochs: 3, batchSize: 8, lr: 1e-4 }),
  },
  tiny: { sft: { epochs: 2, batchSize: 4, heldOut: 0.1 } },
  async run({ config, stage, run }) {
    const { data, weights, split } = config;
    if (weights.length > 0 && weights.length !== data.length)
      throw new UserError(
        `weights has ${weights.length} numbers for ${data.length} data sets. Expected one each, or [].`,
      );
    const { model } = await stage("sft", async () => {
      const sources: Record<string, SftSource> = {};
      for (const [i, source] of data.entries()) {
        // A file's name, wherever it lies: the order of its rows follows from it.
        const name = basename(source) in sources ? source : basename(source);
        sources[name] = { rows: readRows(await resolveData(source), { split }), weight: weights[i] };
      }
      return sft(config.model, sources, config.sft);
    });
    run.terminal?.note(`model    ${model}\nchat     npx aha chat ${model}`);
  },
});
