import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DecoderConfig, defineTask, randomDecoder, saveModel, Tokenizer, user } from "aha-rl";
import { tinyDecoder } from "../tiny-decoder.ts";

const base = fileURLToPath(new URL("../../models/tiny-base", import.meta.url));

/** Writes a random model of the embedded base's tokenizer, small enough for a rollout in tenths of a second. */
export function writeTinyModel(folder: string, seed = 1, changes: Partial<DecoderConfig> = {}): string {
  mkdirSync(folder, { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
    copyFileSync(join(base, name), join(folder, name));
  const config = tinyDecoder({
    vocabSize: Tokenizer.load(folder).vocabSize,
    width: 32,
    numHeads: 2,
    numKvHeads: 1,
    headSize: 16,
    mlpSize: 64,
    maxPositions: 128,
    ...changes,
  });
  const decoder = randomDecoder(config, seed, 0.2);
  saveModel({ decoder, files: new Map() }, folder);
  decoder.dispose();
  return folder;
}

/** A task at which a random model earns something: rewards differ in nearly every group, and depend on the text alone. */
export const parity = defineTask<{ n: number }>({
  name: "parity",
  load: (split) => Array.from({ length: 24 }, (_, i) => ({ n: split === "train" ? i : 24 + (i % 8) })),
  prompt: ({ n }) => [user(`Make ${n} from ${n + 1}, ${n + 2}, ${n % 7}.`)],
  rewards: {
    correct: ({ text }) => Number([...text].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 2 === 0),
    spread: ({ text }) => new Set(text).size / 64,
  },
});

/** Another such task. */
export const vowels = defineTask<{ n: number }>({
  name: "vowels",
  load: (split) => Array.from({ length: 10 }, (_, i) => ({ n: split === "train" ? i : 10 + (i % 4) })),
  prompt: ({ n }) => [user(`Count ${n}.`)],
  rewards: { correct: ({ text }) => Number((text.match(/[aeiou]/g) ?? []).length % 3 === 0) },
});
