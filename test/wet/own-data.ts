import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtInTask, type DecoderConfig, randomDecoder, saveModel } from "aha-rl";
import { tinyDecoder } from "../tiny-decoder.ts";
import { root } from "./cli.ts";
import { writePrompts } from "./knowing-teacher.ts";

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

/** Rows that nobody else has: two tasks that a rule grades, and one for the judge. */
export function writeSources(dir: string): Record<string, Source> {
  const numbers = Array.from({ length: 30 }, (_, n) => n);
  return {
    math: writeSource(join(dir, "math"), numbers.map((n) => ({ problem: `What is ${n} + ${n % 9}?`, answer: n + (n % 9) }))), // biome-ignore format: one line
    choice: writeSource(join(dir, "choice"), numbers.map((n) => ({ question: `${n}: which is the largest?`, choices: [n % 7, (3 * n) % 11, 12 + (n % 5)], answer: "C" }))), // biome-ignore format: one line
    own: writeSource(join(dir, "own"), numbers.map((n) => ({ question: `Why does a river bend at mile ${n}?`, answer: "Water wears the outer bank." }))), // biome-ignore format: one line
  };
}

/** Gold answers to the training rows of a task, by their questions. */
export async function learnSolutions(solutions: Map<string, string>, name: string, { rows, heldOut }: Source) {
  const task = builtInTask(name, { data: { train: rows, test: heldOut } })!;
  for (const row of await task.load("train"))
    solutions.set((row as { question: string }).question, task.gold!(row) ?? "");
}

/** R1 over these rows on two models of random weights, asking a server at `url`: two steps and a few answers of each stage. */
export function ownSettings(dir: string, sources: Record<string, Source>, url: string): string[] {
  return [
    "world=data",
    `model=${writeModel(join(dir, "base"))}`,
    `student=${writeModel(join(dir, "student"), { family: "llama", numLayers: 1, isTied: false, hasQkvBias: false })}`,
    ...Object.entries(sources).flatMap(([name, { rows, heldOut }]) => [
      `data.${name}.rows=${rows}`,
      `data.${name}.heldOut=${heldOut}`,
    ]),
    "data.own.graded=judge",
    // Fewer than the recipe's, so that every task is drawn beside them.
    "generalWeights.helpful=0.5",
    "generalWeights.safe=0.25",
    `data.requests=${join(root, "examples/requests.jsonl")}`,
    `data.author.url=${url}`,
    "data.author.model=author",
    "data.judge.model=judge",
    `data.prompts=${writePrompts(join(dir, "prompts"))}`,
    `data.exemplars=${writeJsonLines(join(dir, "exemplars.jsonl"), [{ question: "1 + 1?", response: "<think>one more</think>\n\n2" }])}`,
    ...["zero", "dev2", "r1", "studentRl", "distilledRl"].flatMap((name) => [
      `${name}.steps=2`,
      `${name}.miniBatches=1`,
      `${name}.promptsPerStep=12`,
      `${name}.groupSize=2`,
      // What no rule rewards still differs by its length.
      `${name}.overlongBuffer=47`,
    ]),
    // Random words end by chance: half of such answers within 200 tokens.
    "sampling.maxNewTokens=200",
    "sampling.minLanguageShare=0",
    "answers.maxNewTokens=200",
    "answers.samples=4",
    "answers.pairsPerPrompt=3",
    "measure.maxNewTokens=16",
    "measure.problems=2",
  ];
}
