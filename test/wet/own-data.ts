import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DecoderConfig, randomDecoder, saveModel } from "aha-rl";
import { tinyDecoder } from "../tiny-decoder.ts";
import { root } from "./cli.ts";

/** A model of random weights in Qwen2.5's shape (grouped heads, biases, tied, more rows than its byte-level BPE has tokens). */
export function writeModel(folder: string, changes: Partial<DecoderConfig> = {}): string {
  const tokenizer = join(root, "test/golden/tokenizer/chatml");
  mkdirSync(folder);
  for (const file of readdirSync(tokenizer)) copyFileSync(join(tokenizer, file), join(folder, file));
  const shape = { vocabSize: 528, width: 48, numHeads: 6, numKvHeads: 2, headSize: 8, mlpSize: 96, maxPositions: 2048 };
  const decoder = randomDecoder(tinyDecoder({ ...shape, savedDtype: "bfloat16", ...changes }), 1, 0.1);
  saveModel({ decoder, files: new Map() }, folder);
  decoder.dispose();
  return folder;
}

export function writeJsonLines(path: string, rows: readonly object[]): string {
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

export type Source = { rows: string; heldOut: string };

/** Rows in two files, the first part to train on. */
export const writeSource = (path: string, rows: readonly object[], numHeldOut = 6): Source => ({
  rows: writeJsonLines(`${path}-rows.jsonl`, rows.slice(0, -numHeldOut)),
  heldOut: writeJsonLines(`${path}-held-out.jsonl`, rows.slice(-numHeldOut)),
});
