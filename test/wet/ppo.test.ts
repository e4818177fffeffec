import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defineRecipe,
  defineTask,
  type GrpoResult,
  LocalPolicy,
  type PpoConfig,
  ppo,
  ppoConfig,
  ppoRollout,
} from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addScalarHead, loadModel } from "#models";
import type { Example, FrozenPolicy, Policy } from "#policy";
import { readJsonLines, runRecipe } from "#run";
import { Tokenizer } from "#tokenizer";
import { ppoLoss } from "#train";
import recipe from "../../recipes/ppo.ts";
import type { RewardedGroup } from "../../src/train/collect.ts";
import type { PolicyFields } from "../../src/train/losses.ts";
import type { ValueFields } from "../../src/train/losses-value.ts";
import { failsAfter, withoutTimes } from "./resumed.ts";
import { parity, writeTinyModel } from "./tiny.ts";

/** Pays for digits: what can be learned in seconds. */
const digits = defineTask<{ n: number }>({
  ...parity,
  name: "digits",
  rewards: { share: ({ text }) => (text.match(/\d/g)?.length ?? 0) / Math.max(1, text.length) },
});

let dir: string;
let base: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-ppo-"));
  base = writeTinyModel(join(dir, "base"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Given = { reward: number; sampled?: number[]; logprobs?: number[] };

/** One answer of three tokens after a prompt of two. */
function group({ reward, sampled = [1, 1, 1], logprobs = [-1, -2, -3] }: Given): RewardedGroup {
  return {
    promptId: 0,
    promptIds: Int32Array.of(11, 12),
    scored: [
      {
        promptId: 0,
        sample: 0,
        ids: Int32Array.of(21, 22, 0),
        sampled: Uint8Array.from(sampled),
        logprobs: Float32Array.from(logprobs),
        weightsVersion: Int32Array.of(0, 0, 0),
        finishReason: "stop",
        answer: { text: "", thought: "", answer: undefined, numTokens: 3, finishReason: "stop" },
        score: { rewards: {}, total: reward, verdicts: {} },
        reward,
      },
    ],
  };
}

/** What a rollout of one answer trains on, where V is 0.2, 0.5 and 0.7 before its tokens. */
async function credit(given: Given, changes: Partial<PpoConfig>, believed?: number[]) {
  let examples: readonly Example<PolicyFields | ValueFields>[] = [];
  const measured: Record<string, number> = {};
  const policy = {
    outputs: new Set(["logprobs", "entropy", "values"]),
    values: async () => [Float32Array.of(9, 0.2, 0.5, 0.7)],
    forwardBackward: async (batch: typeof examples) => {
      examples = batch;
      return { loss: 0, numTokens: 0, metrics: {}, maxima: {} };
    },
    step: async () => ({ gradNorm: 0 }),
  } as unknown as Policy;
  const reference =
    believed && ({ logprobs: async () => [Float32Array.from([9, ...believed])] } as unknown as FrozenPolicy);
  await ppoRollout(
    {
      policy,
      reference,
      seed: 1,
      collect: async () => [group(given)],
      lrAt: () => 0,
      onRollout: (figures) => Object.assign(measured, figures),
      onStep() {},
    },
    ppoConfig({ whiten: "none", ...changes }),
    0,
  );
  const { weights, fields } = examples[0]!;
  const { advantages, returns, oldValues } = fields;
  return { weights: Array.from(weights), advantages: Array.from(advantages), returns: Array.from(returns), oldValues: Array.from(oldValues), measured }; // biome-ignore format: one line
}
const near = (...values: number[]) => values.map((value) => expect.closeTo(value, 6));

describe("what each token of an answer is credited with, by hand", () => {
  it("at λ 1 the reward less what was expected, from the prompt's last token on", async () => {
    const { weights, advantages, returns, oldValues } = await credit({ reward: 1 }, { lambda: 1 });
    expect(weights).toEqual(near(0, 1 / 3, 1 / 3, 1 / 3));
    expect(advantages).toEqual(near(0, 0.8, 0.5, 0.3));
    expect(returns).toEqual(near(0, 1, 1, 1));
    expect(oldValues).toEqual(near(0, 0.2, 0.5, 0.7));
  });

  it("at λ 0.95 it fades with the distance to the reward", async () => {
    const { advantages, returns } = await credit({ reward: 1 }, { lambda: 0.95 });
    expect(advantages).toEqual(near(0, 0.76075, 0.485, 0.3));
    expect(returns).toEqual(near(0, 0.96075, 0.985, 1));
  });

  it("a token that an environment wrote has neither credit nor weight, and the next one follows the last one chosen", async () => {
    // Chosen are the first and the third: δ are 0.7 − 0.2 and 1 − 0.7.
    const { weights, advantages, oldValues } = await credit({ reward: 1, sampled: [1, 0, 1] }, { lambda: 0.95 });
    expect(weights).toEqual(near(0, 1 / 2, 0, 1 / 2));
    expect(advantages).toEqual(near(0, 0.5 + 0.95 * 0.3, 0, 0.3));
    expect(oldValues).toEqual(near(0, 0.2, 0, 0.7));
  });

  it("the distance to the reference is paid at each token where it counts as reward, and not twice", async () => {
    // log π − log π_ref is 0.5, 0 and −1, of which β takes a tenth: what is left to earn is 1 + 0.05, 1.1 and 1.1.
    const believed = [-1.5, -2, -2];
    const inReward = await credit({ reward: 1 }, { kl: 0.1, klIn: "reward" }, believed);
    expect(inReward.returns).toEqual(near(0, 1.05, 1.1, 1.1));
    expect(inReward.measured["reward/kl"]).toBeCloseTo(0.5, 6);
    const inLoss = await credit({ reward: 1 }, { kl: 0.1, klIn: "loss" }, believed);
    expect(inLoss.returns).toEqual(near(0, 1, 1, 1));
  });

  it("whitened, the rollout's advantages have mean 0 and deviation 1; returns stay as they are", async () => {
    const { advantages, returns } = await credit({ reward: 1 }, { whiten: "batch" });
    const own = advantages.slice(1);
    expect(own.reduce((a, b) => a + b)).toBeCloseTo(0, 5);
    expect(own.reduce((sum, a) => sum + a * a, 0) / 3).toBeCloseTo(1, 5);
    expect(returns).toEqual(near(0, 1, 1, 1));
  });

  it("how much of the returns the values explain is 1 less the share of variance that is left", async () => {
    // At λ 0.95 returns are 0.96075, 0.985, 1 and errors 0.76075, 0.485, 0.3.
    const variance = (...x: number[]) => {
      const mean = x.reduce((a, b) => a + b) / x.length;
      return x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    };
    const { measured } = await credit({ reward: 1 }, { lambda: 0.95 });
    expect(measured["train/explained"]).toBeCloseTo(1 - variance(0.76075, 0.485, 0.3) / variance(0.96075, 0.985, 1), 3);
    // At λ 1 every return is the reward: there is no variance to explain, but for rounding.
    for (const reward of [0, 1 / 3, 1])
      expect((await credit({ reward }, { lambda: 1 })).measured).not.toHaveProperty(["train/explained"]);
  });
});

it("a policy without a value head is refused by name before anything is sampled", async () => {
  const policy = await LocalPolicy.open(base);
  let isSampled = false;
  const collect = async () => {
    isSampled = true;
    return [];
  };
  const parts = { policy, reference: undefined, seed: 1, collect, lrAt: () => 0, onStep() {} };
  await expect(ppoRollout(parts, ppoConfig(), 0)).rejects.toThrow(
    "ppo: this policy gives logprobs, entropy, not values. Expected a local model with a scalar head.",
  );
  expect(isSampled).toBe(false);
  policy.dispose();
});

it("with an advantage of 1 and a value that is right, the gradient is that of −log p: the head adds none", async () => {
  const policy = new LocalPolicy(addScalarHead(loadModel(base), "value", { seed: 1 }), Tokenizer.load(base));
  const ids = Int32Array.of(3, 4, 5, 6);
  const [logprobs] = await policy.logprobs([ids]);
  const ones = new Float32Array(3).fill(1);
  const zeros = new Float32Array(3);
  const fields = { oldLogprobs: logprobs!, refLogprobs: logprobs!, advantages: ones, returns: zeros, oldValues: zeros };
  const weights = new Float32Array(3).fill(1 / 3);
  const gradient = () => {
    const flat = [...policy.model.decoder.parameters()].flatMap(([, { grad }]) => Array.from(grad?.toFloat32() ?? []));
    policy.clearGradients();
    return flat;
  };
  const config = { ...ppoConfig(), kl: 0, valueCoefficient: 0.5 };
  await policy.forwardBackward([{ ids, weights, fields }], ppoLoss(config));
  const withHead = gradient().slice(0, -32);
  await policy.forwardBackward([{ ids, weights, fields: {} }], ({ logprobs: own }, batch) => ({ loss: own.mul(batch.weights).neg(), metrics: {} })); // biome-ignore format: one line
  const plain = gradient();
  expect(withHead).toHaveLength(plain.length);
  expect(Math.max(...plain.map((value, i) => Math.abs(value - withHead[i]!)))).toBeLessThan(1e-6);
  expect(Math.hypot(...plain)).toBeGreaterThan(0.01);
  policy.dispose();
});

describe("a run", () => {
  type Line = Record<string, number>;
  const config = ppoConfig({
    steps: 96,
    promptsPerStep: 4,
    groupSize: 4,
    miniBatches: 2,
    lr: 3e-3,
    lambda: 0.95,
    kl: 0.001,
    maxNewTokens: 16,
    valueCoefficient: 0.5,
    evalPrompts: 2,
    checkpointEvery: 4,
  });
  async function train(name: string, steps = config.steps) {
    const recipe = defineRecipe({
      name: "ppo",
      config: { ppo: { ...config, steps } },
      run: ({ config: { ppo: settings }, stage }) => stage("ppo", () => ppo(base, digits, settings)),
    });
    const { result } = await runRecipe(recipe, { dir: join(dir, name), seed: 1 });
    return { result: result as GrpoResult, lines: readJsonLines(join(dir, name, "metrics.jsonl")) as Line[] };
  }
  const mean = (lines: readonly Line[], name: string) =>
    lines.reduce((sum, line) => sum + line[name]!, 0) / lines.length;

  it("earns more and more, its values come to explain the returns, and its folder keeps the head", async () => {
    const { result, lines } = await train("whole");
    const [first, last] = [lines.slice(0, 8), lines.slice(-8)];
    expect(mean(last, "train/valueLoss")).toBeLessThan(mean(first, "train/valueLoss"));
    expect(mean(last, "reward/mean")).toBeGreaterThan(2 * mean(first, "reward/mean"));
    expect(mean(last, "train/explained")).toBeGreaterThan(mean(first, "train/explained"));
    expect(Math.max(...lines.flatMap((line) => line["sample/logprobGap"] ?? []))).toBeLessThan(1e-4);
    const saved = JSON.parse(readFileSync(join(result.model, "config.json"), "utf8"));
    expect(saved).toMatchObject({ architectures: ["Qwen2ForCausalLM"], scalar_head: "value" });
  });

  it("that was stopped gives, number for number, what one never stopped gives", async () => {
    const whole = await train("twelve", 12);
    await failsAfter(6, () => train("stopped", 12));
    const resumed = await train("stopped", 12);
    expect(withoutTimes(resumed.lines)).toEqual(withoutTimes(whole.lines));
    const weights = ({ result }: typeof whole) => readFileSync(join(result.model, "model.safetensors"));
    expect(weights(resumed).equals(weights(whole))).toBe(true);
  });
});

it("recipes/ppo.ts finishes with its tiny settings, at the paper's other λ too", async () => {
  for (const lambda of [1, 0.95]) {
    const run = join(dir, `recipe-${lambda}`);
    const set = [`model=${base}`, `ppo.lambda=${lambda}`];
    expect((await runRecipe(recipe, { dir: run, seed: 1, isTiny: true, set })).isFinished).toBe(true);
    expect(readJsonLines(join(run, "metrics.jsonl"))).toHaveLength(4);
  }
});
