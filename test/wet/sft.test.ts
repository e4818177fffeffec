import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  defineRecipe,
  liveTensors,
  paperColdStart,
  paperDistill,
  paperSft,
  type SftConfig,
  type SftData,
  type SftResult,
  type SftRow,
  sft,
  sftConfig,
} from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalPolicy } from "#policy";
import { type DeepPartial, readJsonLines, runRecipe } from "#run";
import { readSafetensors, tidy } from "#tensor";
import { microBatches } from "../../src/policy/pack.ts";
import { bestFit } from "../../src/train/best-fit.ts";
import type { Sequence } from "../../src/train/conversation.ts";
import { crossEntropy } from "../../src/train/losses.ts";
import { supervisedExamples } from "../../src/train/supervised-examples.ts";
import { aha } from "./cli.ts";
import { failsAfter, withoutTimes } from "./resumed.ts";
import { writeTinyModel } from "./tiny.ts";

type Golden = {
  seed: number;
  settings: Partial<SftConfig>;
  rows: SftRow[];
  sequences: { ids: number[]; trained: number[] }[];
  steps: { loss: number; gradNorm: number; lr: number; tokens: number }[];
};
const goldenDir = join(import.meta.dirname, "../golden");
const golden: Golden = JSON.parse(readFileSync(join(goldenDir, "sft/golden.json"), "utf8"));

let dir: string;
let tiny: string;
let goldenModel: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-sft-"));
  tiny = writeTinyModel(join(dir, "tiny"));
  goldenModel = join(dir, "golden");
  for (const part of ["tokenizer/tiny", "sft/model"]) cpSync(join(goldenDir, part), goldenModel, { recursive: true });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Line = Record<string, number>;

/** Runs a recipe of one supervised stage in the run folder `name`, new or resumed. */
async function train(name: string, model: string, data: SftData, changes: DeepPartial<SftConfig> = {}, seed = 1) {
  const recipe = defineRecipe({
    name: "sft",
    config: { sft: sftConfig({ checkpointEvery: 1000, ...changes }) },
    run: ({ config, stage }) => stage("sft", () => sft(model, data, config.sft)),
  });
  const { result } = await runRecipe(recipe, { dir: join(dir, name), seed });
  return { result: result as SftResult, lines: readJsonLines<Line>(join(dir, name, "metrics.jsonl")) };
}

/** Largest difference between the weights of two folders, or files. */
function distance(a: string, b: string): number {
  return tidy(() => {
    const [mine, theirs] = [a, b].map((path) =>
      readSafetensors(path.endsWith(".safetensors") ? path : join(path, "model.safetensors")),
    );
    expect(Object.keys(mine!).sort()).toEqual(Object.keys(theirs!).sort());
    return Math.max(...Object.entries(mine!).map(([name, value]) => value.sub(theirs![name]!).abs().amax().item()));
  });
}

describe("beside a plain PyTorch loop over the same rows", () => {
  it.each(["bestFit", "inOrder"] as const)(
    "losses, norms and final weights are the same, packed %s",
    async (packing) => {
      const { result, lines } = await train(
        `golden-${packing}`,
        goldenModel,
        golden.rows,
        { ...golden.settings, packing, microBatchTokens: 70 },
        golden.seed,
      );
      expect(result).toMatchObject({ steps: golden.steps.length, sequences: { trained: 6, heldOut: 0, tooLong: 0 } });
      expect(lines).toHaveLength(golden.steps.length);
      for (const [i, { loss, gradNorm, lr, tokens }] of golden.steps.entries()) {
        expect(lines[i]).toMatchObject({ step: i + 1, "train/tokens": tokens, "train/sequences": 3 });
        expect(lines[i]!["train/lr"]).toBeCloseTo(lr, 12);
        expect(Math.abs(lines[i]!["train/loss"]! - loss)).toBeLessThan(1e-5);
        expect(Math.abs(lines[i]!["train/nll"]! - loss)).toBeLessThan(1e-5);
        expect(Math.abs(lines[i]!["train/gradNorm"]! - gradNorm)).toBeLessThan(1e-4);
      }
      const [first, last] = [golden.steps[0]!, golden.steps.at(-1)!];
      expect(last.loss).toBeLessThan(first.loss - 0.5); // It did learn.
      expect(distance(result.model, join(goldenDir, "sft/trained.safetensors"))).toBeLessThan(5e-6);
    },
  );
});

describe("a packed sequence", () => {
  const sequence = (ids: number[], from = 1): Sequence => ({
    ids: Int32Array.from(ids),
    trained: Uint8Array.from(ids, (_, i) => Number(i >= from)),
    numTrained: ids.length - from,
  });
  const one = sequence([7, 9, 11, 30, 31, 8, 2], 3);

  /** Loss and gradient of `one` where the given ids are packed around it, themselves not trained. */
  async function beside(before: number[][], after: number[][]) {
    const policy = await LocalPolicy.open(tiny, { microBatchTokens: 1000 });
    const [example] = supervisedExamples([one], sftConfig());
    const mute = (ids: number[]) => ({
      ids: Int32Array.from(ids),
      weights: new Float32Array(ids.length - 1),
      fields: {},
    });
    const { loss } = await policy.forwardBackward([...before.map(mute), example!, ...after.map(mute)], crossEntropy);
    const gradient = [...policy.model.decoder.parameters()].flatMap(([, { grad }]) => Array.from(grad!.toFloat32()));
    policy.dispose();
    return { loss, gradient };
  }

  it("has the same loss and gradient alone as among neighbours, whatever they are", async () => {
    const alone = await beside([], []);
    expect(alone.gradient.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    const neighbours: [number[][], number[][]][] = [
      [[[3, 4, 5, 6]], []],
      [[[12, 13], [14, 15, 16]], [[7, 9, 11, 30]]], // biome-ignore format: one line
    ];
    for (const [before, after] of neighbours) {
      const packed = await beside(before, after);
      expect(Math.abs(packed.loss - alone.loss)).toBeLessThan(1e-6);
      const gaps = packed.gradient.map((value, i) => Math.abs(value - alone.gradient[i]!));
      expect(Math.max(...gaps)).toBeLessThan(1e-6);
    }
  });

  it("shares its pass with those that best-fit put beside it: the policy's passes are the bins", () => {
    const lengths = Array.from({ length: 60 }, (_, i) => 2 + ((i * 29) % 53));
    const batch = lengths.map((length) => sequence(new Array<number>(length).fill(5)));
    const examples = supervisedExamples(batch, { aggregation: "token", packing: "bestFit", microBatchTokens: 64 });
    const passes = microBatches(examples, ({ ids }) => ids.length, 64);
    const predicted = lengths.map((length) => length - 1);
    const bins = bestFit(predicted, 64).map((bin) => bin.map((i) => predicted[i]!));
    expect(passes.map((pass) => pass.map(({ weights }) => weights.length))).toEqual(bins);
  });

  it("weighs by its own tokens where every token counts the same, and as one where every sequence does", () => {
    const other = sequence([5, 6, 7]);
    const sums = (aggregation: "token" | "sequence") =>
      supervisedExamples([one, other], { aggregation, packing: "inOrder", microBatchTokens: 100 }).map(({ weights }) =>
        weights.reduce((a, b) => a + b, 0),
      );
    expect(sums("token")).toEqual([expect.closeTo(4 / 6, 6), expect.closeTo(2 / 6, 6)]);
    expect(sums("sequence")).toEqual([expect.closeTo(1 / 2, 6), expect.closeTo(1 / 2, 6)]);
  });
});

const sum = (a: number, b: number): SftRow => ({
  messages: [
    { role: "user", content: `${a} + ${b}` },
    { role: "assistant", content: `<think> ${a} + ${b} = ${a + b} </think> <answer> ${a + b} </answer>` },
  ],
});
const sums = Array.from({ length: 40 }, (_, i) => sum(i % 8, Math.floor(i / 8)));

describe("held-out rows", () => {
  it("are not trained on, are measured when due and at the end, and choose the checkpoint that is kept", async () => {
    const { result, lines } = await train("held-out", tiny, sums, {
      epochs: 5,
      batchSize: 9,
      lr: 3e-3,
      heldOut: 0.1,
      evalEvery: 8,
      checkpointEvery: 4,
      keepCheckpoints: 1,
    });
    expect(result.sequences).toEqual({ trained: 36, heldOut: 4, tooLong: 0 });
    expect(result.steps).toBe(20);
    const measured = lines.filter((line) => line["eval/nll"] !== undefined);
    expect(measured.map(({ step }) => step)).toEqual([8, 16, 20]);
    expect(measured.at(-1)!["eval/nll"]).toBeLessThan(measured[0]!["eval/nll"]!);
    const best = measured.reduce((a, b) => (b["eval/nll"]! < a["eval/nll"]! ? b : a));
    expect(result.best).toMatchObject({ step: best.step, nll: best["eval/nll"] });
  });

  it("that get worse keep the checkpoint of the step at which they were best", async () => {
    const wrong = sums.map((_, i) => sum(i % 8, 9 + Math.floor(i / 8)));
    const data: SftData = { sums: { rows: sums.slice(0, 4), heldOut: wrong } };
    const settings = { steps: 30, batchSize: 4, lr: 1e-2, evalEvery: 3, checkpointEvery: 10, keepCheckpoints: 1 };
    const { result, lines } = await train("worse", tiny, data, settings);
    const { step, nll, model } = result.best!;
    expect(nll).toBeLessThan(lines.at(-1)!["eval/nll"]!);
    expect(step % 3 === 0 && step < 30).toBe(true);
    expect(readdirSync(dirname(model)).sort()).toEqual([String(step), "30"].sort());
  });
});

describe("stopped and started again", () => {
  const settings = {
    epochs: 3,
    batchTokens: 120,
    lr: 1e-3,
    warmupSteps: 2,
    heldOut: 0.1,
    evalEvery: 5,
    checkpointEvery: 3,
  };
  const data = { sums: { rows: sums, weight: 3 }, texts: { rows: [{ text: "1 + 2 = 3" }, { text: "so 4 - 1 = 3" }], weight: 1 } } satisfies SftData; // biome-ignore format: one line
  async function fail(name: string, numSteps: number): Promise<void> {
    await failsAfter(numSteps, () => train(name, tiny, data, settings));
    expect(readJsonLines(join(dir, name, "metrics.jsonl"))).toHaveLength(numSteps);
  }

  it("gives the numbers and weights of a training that was never stopped", async () => {
    const whole = await train("whole", tiny, data, settings);
    expect(whole.lines.length).toBeGreaterThan(12);
    await fail("stopped", 7); // The last checkpoint is of step 6.
    const resumed = await train("stopped", tiny, data, settings);
    expect(withoutTimes(resumed.lines)).toEqual(withoutTimes(whole.lines));
    expect(distance(resumed.result.model, whole.result.model)).toBe(0);
    expect(resumed.result.best).toMatchObject({ step: whole.result.best!.step, nll: whole.result.best!.nll });
    expect(resumed.result.tokens).toBe(whole.result.tokens);
  });

  it("on other rows is refused", async () => {
    await fail("changed", 4);
    await expect(
      train("changed", tiny, { ...data, sums: { rows: sums.toReversed(), weight: 3 } }, settings),
    ).rejects.toThrow(/checkpoints\/sft\/3: the rows have changed since this checkpoint/);
    expect(readJsonLines(join(dir, "changed", "metrics.jsonl"))).toHaveLength(4); // Nothing was cut back.
  });
});

describe("the paper's settings", () => {
  const students = Object.entries(paperDistill);
  it("are kept as it gives them", () => {
    const shared = { schedule: "cosine", lrFloor: 0.1, maxLength: 32_768 };
    for (const config of [paperColdStart, paperSft])
      expect(config).toMatchObject({ ...shared, lr: 5e-5, batchSize: 128 });
    for (const [, config] of students) expect(config).toMatchObject({ ...shared, batchSize: 64 });
    expect(students.map(([, { lr }]) => lr)).toEqual([1e-4, 8e-5, 7e-5, 6e-5, 5e-5, 2e-5]);
    for (const { epochs } of [paperColdStart, paperSft, ...Object.values(paperDistill)])
      expect([2, 3]).toContain(epochs);
  });

  it.each([["cold start", paperColdStart], ["the 800k", paperSft], ...students] as [string, SftConfig][])(
    "train, scaled down: %s",
    async (name, config) => {
      // A batch of an eighth of the rows' number; all else is the paper's.
      const { result, lines } = await train(name.replaceAll(/\W/g, "-"), tiny, sums, { ...config, batchSize: 5 });
      expect(result.steps).toBe(8 * config.epochs);
      const rates = lines.map((line) => line["train/lr"]!);
      expect(rates[0]).toBe(config.lr);
      for (const [i, rate] of rates.entries()) if (i > 0) expect(rate).toBeLessThan(rates[i - 1]!);
      expect(rates.at(-1)).toBeGreaterThan(config.lr / 10);
      expect(rates.at(-1)).toBeLessThan(config.lr / 8);
      const mean = (some: Line[]) => some.reduce((total, line) => total + line["train/nll"]!, 0) / some.length;
      expect(mean(lines.slice(-8))).toBeLessThan(mean(lines.slice(0, 8)));
    },
  );
});

it("a training leaves no tensor behind, however many its steps", async () => {
  await train("once", tiny, sums, { steps: 1, batchSize: 4 });
  const before = liveTensors();
  await train("often", tiny, sums, { steps: 20, batchSize: 4, heldOut: 0.1, evalEvery: 5 });
  expect(liveTensors()).toBe(before);
});

it("a training that cannot fit into memory is refused before it begins, with the setting to change", async () => {
  await expect(train("large", tiny, sums, { microBatchTokens: 9e9 })).rejects.toThrow(
    /memory: this run needs about \d+ MiB .* Lower microBatchTokens \(now 9000000000\) or maxLength \(the longest sequence has \d+ tokens\)/,
  );
});

describe("aha train recipes/sft.ts", () => {
  const recipe = (run: string, ...more: string[]) => aha("train", "recipes/sft.ts", "--tiny", "--out", dir, "--run", run, ...more); // biome-ignore format: one line

  it("finishes with --tiny, and gives a model to chat with", async () => {
    const { code, stdout } = await recipe("recipe");
    expect(code).toBe(0);
    const [, model] = /chat {5}npx aha chat (.+)\n/.exec(stdout)!;
    expect(readdirSync(model!)).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]));
  });

  it("names a bad row of a user's file by its line, before the first step", async () => {
    const rows = join(dir, "mine.jsonl");
    writeFileSync(rows, '{"prompt": "1", "completion": "2"}\n\n{"prompt": "1"}\n');
    const { code, stdout, stderr } = await recipe("bad", "--set", `data=["${rows}"]`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `aha: ${rows}:3: nothing to train on. Expected messages, prompt and completion, text, or ids. Fields here: prompt.\n`,
    });
    expect(stdout).not.toContain("step");
  });
});
