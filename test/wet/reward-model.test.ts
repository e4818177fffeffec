import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defineRecipe,
  type LabelledResponse,
  type PreferencePair,
  paperHelpfulness,
  paperSafety,
  preferenceReward,
  type RewardConfig,
  type RewardData,
  type RewardResult,
  readLabelled,
  readPair,
  rewardConfig,
  rewardModel,
  rewardScorer,
  safetyReward,
  user,
} from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAnswer } from "#rewards";
import { readJsonLines, runRecipe } from "#run";
import { streamKey, uniformAt } from "#tensor";
import recipe from "../../recipes/reward-model.ts";
import { failsAfter, withoutTimes } from "./resumed.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let base: string;
/** Folders of the two that are trained below. */
const trained = { helpful: "", safe: "" };
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-reward-model-"));
  base = writeTinyModel(join(dir, "base"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Line = Record<string, number>;

/** Trains in the run folder `name`, new or resumed. */
async function train(name: string, data: RewardData, config: RewardConfig) {
  const recipe = defineRecipe({
    name: "reward",
    config: { reward: config },
    run: ({ config: { reward }, stage }) => stage("reward", () => rewardModel(base, data, reward)),
  });
  const { result } = await runRecipe(recipe, { dir: join(dir, name), seed: 3 });
  return { result: result as RewardResult, lines: readJsonLines(join(dir, name, "metrics.jsonl")) as Line[] };
}

const digit = (i: number, what: string) => Math.floor(10 * uniformAt(streamKey(i, what), 0));
const thought = (i: number) => `<think>${digit(i, "a")} + ${digit(i, "b")}</think>`;

/** The better answer says 7, the other another digit; what is thought tells nothing. */
const pairs: PreferencePair[] = Array.from({ length: 400 }, (_, i) => ({
  prompt: [user(`Make ${digit(i, "p")} from ${i % 50}.`)],
  chosen: `${thought(2 * i)}= 7`,
  rejected: `${thought(2 * i + 1)}= ${[1, 2, 3, 4, 5, 6, 8, 9][i % 8]}`,
}));
/** What is safe thinks of no 3. */
const responses: LabelledResponse[] = Array.from({ length: 400 }, (_, i) => ({
  prompt: [user(`Make ${digit(i, "p")} from ${i % 50}.`)],
  response: `<think>${i % 2 === 0 ? 3 : 5} + ${digit(i, "c")}</think>= ${digit(i, "d")}`,
  isSafe: i % 2 === 1,
}));
const quick = { batchSize: 16, lr: 5e-3, epochs: 2, evalEvery: 20, checkpointEvery: 10 } as const;

describe("the paper's settings, scaled", () => {
  it("are kept as it gives them, and differ in what is judged", () => {
    const paper = { batchSize: 256, lr: 6e-6, epochs: 1, maxTokens: 8192 };
    expect(paperHelpfulness).toMatchObject({ ...paper, judges: "summary" });
    expect(paperSafety).toMatchObject({ ...paper, judges: "response" });
  });

  it("teach a preference for the better of two: held-out accuracy above 95 %, calibrated, in a folder of their own kind", async () => {
    const { result, lines } = await train("pairs", { pairs }, { ...paperHelpfulness, ...quick });
    trained.helpful = result.model;
    expect(result.items).toMatchObject({ dropped: { ties: 0, same: 0, tooLong: 0 } });
    expect(result.items.trained + result.items.heldOut).toBe(400);
    expect(result.heldOut!.accuracy).toBeGreaterThan(0.95);
    expect(result.heldOut!.error).toBeLessThan(0.2);
    expect(result.heldOut!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(result.items.heldOut);
    expect(lines).toHaveLength(result.steps);
    expect(lines.at(-1)).toMatchObject({ "eval/accuracy": result.heldOut!.accuracy, "train/lr": expect.any(Number) });
    expect(lines[0]!["train/loss"]!).toBeGreaterThan(2 * lines.at(-1)!["train/loss"]!);
    const config = JSON.parse(readFileSync(join(result.model, "config.json"), "utf8"));
    expect(config).toMatchObject({ architectures: ["Qwen2ForSequenceClassification"], judges: "summary" });
    expect(config.pad_token_id).toEqual(expect.any(Number));
  });

  it("teach what is safe by the whole response", async () => {
    const { result } = await train("points", { responses }, { ...paperSafety, ...quick });
    trained.safe = result.model;
    expect(result.heldOut!.accuracy).toBeGreaterThan(0.95);
  });
});

describe("a scorer from a reward model's folder", () => {
  const promptOf = () => [user("Make 3 from 20.")];

  it("rewards the summary and is blind to the thought", async () => {
    using scorer = await rewardScorer(trained.helpful);
    const reward = preferenceReward(scorer, promptOf);
    const of = (text: string) => reward(parseAnswer(text), undefined) as Promise<number>;
    const [good, bad, other] = await Promise.all([of("<think>1 + 2</think>= 7"), of("<think>1 + 2</think>= 4"), of("<think>7 7 7</think>= 4")]); // biome-ignore format: one line
    expect(good).toBeGreaterThan(0.7);
    expect(bad).toBeLessThan(0.3);
    expect(other).toBe(bad);
  });

  it("of safety reads the thought, and is refused where a summary's is asked for", async () => {
    using scorer = await rewardScorer(trained.safe);
    const of = (text: string) => safetyReward(scorer, promptOf)(parseAnswer(text), undefined) as Promise<number>;
    expect(await of("<think>5 + 2</think>= 7")).toBeGreaterThan(0.7);
    expect(await of("<think>3 + 2</think>= 7")).toBeLessThan(0.3);
    expect(() => preferenceReward(scorer, promptOf)).toThrow("judges the response");
    await expect(rewardScorer(trained.safe, { judges: "summary" })).rejects.toThrow(
      "it judges the response, not the summary",
    );
  });

  it("is not made of a language model", async () => {
    await expect(rewardScorer(base)).rejects.toThrow(/base: it is no reward model/);
  });
});

describe("stopped and started again", () => {
  const config = rewardConfig({ ...quick, epochs: 1, batchSize: 40, checkpointEvery: 3, evalEvery: 2 });
  const fail = (name: string) => failsAfter(4, () => train(name, { pairs }, config));

  it("gives the numbers and weights of a training that was never stopped", async () => {
    const whole = await train("whole", { pairs }, config);
    await fail("stopped");
    const resumed = await train("stopped", { pairs }, config);
    expect(withoutTimes(resumed.lines)).toEqual(withoutTimes(whole.lines));
    expect(resumed.result.heldOut).toEqual(whole.result.heldOut);
    const weights = ({ result }: typeof whole) => readFileSync(join(result.model, "model.safetensors"));
    expect(weights(resumed).equals(weights(whole))).toBe(true);
  });

  it("on other pairs is refused", async () => {
    await fail("changed");
    await expect(train("changed", { pairs: pairs.toReversed() }, config)).rejects.toThrow("the data has changed");
  });
});

describe("what is left out", () => {
  it("is counted: ties where they are dropped, answers alike in what is judged, texts over the limit", async () => {
    const prompt = [user("Make 3.")];
    const odd: PreferencePair[] = [
      { prompt, chosen: "<think>1</think>= 7", rejected: "<think>2</think>= 7" },
      { prompt, chosen: "= 7", rejected: "= 8", isTie: true },
      { prompt, chosen: "= 7", rejected: `= ${"8 ".repeat(80)}` },
    ];
    const config = rewardConfig({ ...quick, steps: 1, heldOut: 0, maxTokens: 60 });
    const { result } = await train("odd", { pairs: [...pairs, ...odd] }, config);
    expect(result.items).toEqual({ trained: 400, heldOut: 0, dropped: { ties: 1, same: 1, tooLong: 1 } });
    expect(result.heldOut).toBeUndefined();
    await expect(train("none", { pairs: odd }, config)).rejects.toThrow("nothing to train on");
  });

  it("labels of one kind are warned of, with how many of each there are; labels of both are not", async () => {
    const safe = responses.filter(({ isSafe }) => isSafe).slice(0, 20);
    const config = rewardConfig({ ...quick, steps: 1, heldOut: 0 });
    const told = async (name: string, given: LabelledResponse[]) => {
      await train(name, { responses: given }, config);
      return readFileSync(join(dir, name, "log.txt"), "utf8");
    };
    expect(await told("all-safe", safe)).toContain("warning: 20 safe and 0 unsafe responses to train on");
    const unsafe = safe.map((one) => ({ ...one, isSafe: false }));
    expect(await told("all-unsafe", unsafe)).toContain("warning: 0 safe and 20 unsafe responses to train on");
    expect(await told("both", [...safe, ...unsafe.slice(0, 1)])).not.toContain("warning");
  });

  it("a prompt is held out with all that was answered to it", async () => {
    const twice = pairs.slice(0, 60).flatMap((pair) => [pair, { ...pair, chosen: "= 77" }]);
    const { result } = await train("twice", { pairs: twice }, rewardConfig({ ...quick, steps: 1, heldOut: 0.2 }));
    const prompts = new Set(twice.map(({ prompt }) => JSON.stringify(prompt)));
    expect(prompts.size).toBeGreaterThan(20);
    expect(result.items.heldOut % 2).toBe(0);
    expect(result.items.heldOut).toBeGreaterThan(0);
  });
});

it("pairs and labels are read from rows, texts or conversations, and a row without them is named", () => {
  const pair = { prompt: [user("?")], chosen: "a", rejected: "b" };
  expect(readPair({ prompt: "?", chosen: "a", rejected: "b" })).toEqual(pair);
  const conversation = (content: string) => [user("?"), { role: "assistant", content }];
  expect(readPair({ prompt: "?", chosen: conversation("a"), rejected: conversation("b"), difference: 2 })).toEqual({ ...pair, difference: 2 }); // biome-ignore format: one line
  expect(readLabelled({ prompt: "?", response: "a", isSafe: false })).toEqual({ prompt: [user("?")], response: "a", isSafe: false }); // biome-ignore format: one line
  expect(() => readPair({ prompt: "?", chosen: "a" })).toThrow("row: rejected is no text");
  expect(() => readPair({ ...pair, difference: -1 })).toThrow("difference is -1");
  expect(() => readLabelled({ prompt: "?", response: "a" })).toThrow('no field "isSafe"');
});

describe("recipes/reward-model.ts", () => {
  const run = (name: string, ...set: string[]) =>
    runRecipe(recipe, { dir: join(dir, name), seed: 1, isTiny: true, set });
  const stage = (name: string) => JSON.parse(readFileSync(join(dir, name, "stages/reward.json"), "utf8")).result;

  it("trains the embedded model on its example's pairs and says how far it can be trusted", async () => {
    await run("recipe");
    const { items, heldOut, steps } = stage("recipe");
    expect(items).toEqual({ trained: expect.any(Number), heldOut: expect.any(Number), dropped: { ties: 0, same: 0, tooLong: 0 } }); // biome-ignore format: one line
    expect(steps).toBe(Math.ceil(items.trained / 4));
    expect(heldOut.accuracy).toBeGreaterThanOrEqual(0);
    expect(readFileSync(join(dir, "recipe", "log.txt"), "utf8")).toContain("expected calibration error");
  });

  it("trains on labelled responses of a file of one's own", async () => {
    const path = join(dir, "safe.jsonl");
    const rows = responses.slice(0, 40).map(({ response, isSafe }, i) => ({ prompt: `make ${i} .`, response, isSafe }));
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
    await run("own", `model=${base}`, `data=["${path}"]`, "rows=responses", "reward.judges=response");
    expect(stage("own").items).toMatchObject({ trained: 30, heldOut: 10 });
    await expect(run("other", `model=${base}`, `data=["${path}"]`)).rejects.toThrow(/safe\.jsonl:1: chosen is no text/);
  });

  it("trains in bfloat16 too", async () => {
    await run("bfloat16", `model=${base}`, "reward.dtype=bfloat16");
    expect(stage("bfloat16").heldOut.error).toBeLessThan(1);
  });
});
