import { addScalarHead, type DecoderConfig, randomDecoder, saveModel } from "#models";
import { tinyDecoder } from "../../tiny-decoder.ts";

const shared = tinyDecoder({
  vocabSize: 60,
  width: 16,
  numHeads: 2,
  numKvHeads: 1,
  headSize: 8,
  mlpSize: 24,
  maxPositions: 64,
});
const models: Record<string, Partial<DecoderConfig>> = {
  "ours-qwen2": {},
  "ours-qwen3": { family: "qwen3", hasQkvBias: false, hasQkNorm: true, isTied: false },
  "ours-llama": { family: "llama", hasQkvBias: false, isTied: false, savedDtype: "bfloat16" },
};

export const oursFolders = Object.keys(models);

/** A reward model on a random decoder, saved by this project; the same bytes each time. */
export function writeOurs(name: string, folder: string): void {
  const base = { decoder: randomDecoder({ ...shared, ...models[name] }, 3, 0.3), files: new Map() };
  const model = addScalarHead(base, "score", { seed: 5, padId: 0 });
  saveModel(model, folder);
  model.decoder.dispose();
}
