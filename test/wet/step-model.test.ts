import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defineRecipe,
  type LabelledSteps,
  LocalFrozen,
  type StepModelConfig,
  type StepModelResult,
  stepModel,
  stepModelConfig,
} from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines, runRecipe } from "#run";
import { streamKey, uniformAt } from "#tensor";
import { failsAfter, withoutTimes } from "./resumed.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let base: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-step-model-"));
  base = writeTinyModel(join(dir, "base"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Three steps of three ids. After each the chance is 1/4 for every 20 that stood so far, whatever else did. */
const texts: LabelledSteps[] = Array.from({ length: 400 }, (_, t) => {
  const ids = Array.from({ length: 9 }, (_, i) => 10 + Math.floor(20 * uniformAt(streamKey(7, "ids", t), i)));
  for (const at of [1, 4, 7]) ids[at] = uniformAt(streamKey(7, "marks", t), at) < 0.5 ? 20 : 9;
  const ends = [2, 5, 8];
  const chances = ends.map((end) => ids.slice(0, end + 1).filter((id) => id === 20).length / 4);
  return { problem: `problem ${t % 80}`, ids, ends, chances: chances.map((chance) => Math.min(1, chance)) };
});
const quick = stepModelConfig({ batchSize: 16, lr: 5e-3, epochs: 4, heldOut: 0.2, evalEvery: 20, checkpointEvery: 10 });

async function train(name: string, config: StepModelConfig = quick, given = texts) {
  const recipe = defineRecipe({
    name: "steps",
    config: { steps: config },
    run: ({ config: { steps }, stage }) => stage("steps", () => stepModel(base, given, steps)),
  });
  const { result } = await runRecipe(recipe, { dir: join(dir, name), seed: 3 });
  return {
    result: result as StepModelResult,
    lines: readJsonLines<Record<string, number>>(join(dir, name, "metrics.jsonl")),
  };
}

describe("a model of steps", () => {
  let trained: Awaited<ReturnType<typeof train>>;
  beforeAll(async () => {
    trained = await train("whole");
  });

  it("learns from soft labels what may be expected after each step, on problems that it has not seen", () => {
    const { result, lines } = trained;
    expect(result.texts).toEqual({ trained: 320, heldOut: 80, tooLong: 0 });
    expect(result.heldOut!.numSteps).toBe(240);
    expect(result.heldOut!.explained).toBeGreaterThan(0.8);
    expect(lines).toHaveLength(80);
    expect(lines.at(-1)!["eval/squaredError"]).toBe(result.heldOut!.squaredError);
  });

  it("says the chance of a step from what stands before its end, not from what follows", async () => {
    using model = await LocalFrozen.load(trained.result.model);
    const { ids, ends } = texts.find(({ chances }) => chances[0]! > 0)!;
    const [whole, cut] = await model.values([
      Int32Array.from([...Array.from(ids), 0]),
      Int32Array.from([...Array.from(ids).slice(0, ends[0]! + 1), 0]),
    ]);
    expect(cut!.at(-1)).toBeCloseTo(whole![ends[0]!]!, 4);
  });

  it("that was stopped and goes on has the numbers and weights of one never stopped", async () => {
    await failsAfter(25, () => train("stopped"));
    const resumed = await train("stopped");
    expect(withoutTimes(resumed.lines)).toEqual(withoutTimes(trained.lines));
    const weights = ({ model }: StepModelResult) => readFileSync(join(model, "model.safetensors"));
    expect(weights(resumed.result).equals(weights(trained.result))).toBe(true);
  });

  it("goes on from one that is there, and can explain nothing where all chances are the same", async () => {
    const same = texts.slice(0, 40).map((text) => ({ ...text, chances: [0, 0, 0] }));
    const { result } = await train("same", { ...quick, steps: 2 }, same);
    expect(result.heldOut).toEqual({ numSteps: expect.any(Number), squaredError: expect.any(Number) });
    const recipe = defineRecipe({
      name: "on",
      config: { steps: { ...quick, steps: 1 } },
      run: ({ config, stage }) => stage("steps", () => stepModel(result.model, same, config.steps)),
    });
    await runRecipe(recipe, { dir: join(dir, "on"), seed: 3 });
    const scores = readJsonLines<Record<string, number>>(join(dir, "on", "metrics.jsonl"));
    expect(scores[0]!["train/score"]).toBeLessThan(-0.1);
  });

  it("takes more texts than a call has room for arguments", async () => {
    const many = Array.from({ length: 200_000 }, () => texts[0]!);
    const { result } = await train("many", { ...quick, steps: 1, heldOut: 0 }, many);
    expect(result.texts).toEqual({ trained: 200_000, heldOut: 0, tooLong: 0 });
  });

  it("leaves texts out that are too long, and refuses labels that fit no step", async () => {
    const long = { ...texts[0]!, ids: [...Array.from(texts[0]!.ids), 9, 9, 9] };
    const { result } = await train("long", { ...quick, steps: 1, maxTokens: 9 }, [...texts, long]);
    expect(result.texts.tooLong).toBe(1);
    const wrong = (change: Partial<LabelledSteps>) => train("wrong", quick, [{ ...texts[0]!, ...change }]);
    await expect(wrong({ ends: [2, 5] })).rejects.toThrow("text 0: 2 ends with 3 chances");
    await expect(wrong({ ends: [2, 5, 9] })).rejects.toThrow("ends 2, 5, 9 among 9 ids");
    await expect(wrong({ chances: [0, 0.5, 1.5] })).rejects.toThrow("chances 0, 0.5, 1.5");
    await expect(train("none", { ...quick, maxTokens: 5 })).rejects.toThrow("nothing to train on");
  });
});
