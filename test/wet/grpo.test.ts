import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineRecipe, defineTask, type GrpoConfig, grpo, grpoConfig, grpoRollout, LocalPolicy, type Policy, user } from "aha-rl"; // biome-ignore format: one line
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runRecipe } from "#run";
import { liveTensors } from "#tensor";
import { type CollectParts, collect, type RewardedGroup } from "../../src/train/collect.ts";
import { type Sample, toExamples } from "../../src/train/examples.ts";
import { freshSource, PromptSource } from "../../src/train/prompt-source.ts";
import { share } from "../../src/train/task-mix.ts";
import { parity, writeTinyModel } from "./tiny.ts";

let dir: string;
let policy: LocalPolicy;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-grpo-"));
  policy = await LocalPolicy.open(writeTinyModel(join(dir, "model")));
});
afterAll(() => {
  policy.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** What `collect` needs, over the random model. */
function parts(changes: Partial<GrpoConfig> = {}, task = parity): CollectParts & { config: GrpoConfig } {
  const config = grpoConfig({ promptsPerStep: 6, groupSize: 4, maxNewTokens: 24, ...changes });
  const tasks = [{ ...share(task), rows: task.load("train") as { n: number }[] }];
  const source = new PromptSource(tasks, policy.tokenizer, {
    ...config,
    seed: 1,
    state: freshSource(),
    maxPromptTokens: 100,
  });
  return { policy, source, config, isMixture: false, seed: 1, step: 0, rollout: 0, maxNewTokens: config.maxNewTokens };
}

describe("a whole rollout's gradient", () => {
  /** Its gradients by parameter, where `arrange` orders the groups and the policy packs as told. */
  async function gradients(
    groups: RewardedGroup[],
    config: GrpoConfig,
    microBatchTokens: number,
  ): Promise<Map<string, Float32Array>> {
    using opened = Object.assign(await LocalPolicy.open(join(dir, "model"), { microBatchTokens }), {
      [Symbol.dispose]: () => opened.dispose(),
    });
    const found = new Map<string, Float32Array>();
    const watched: Policy = Object.create(opened, {
      forwardBackward: { value: opened.forwardBackward.bind(opened) },
      step: {
        value: async () => {
          for (const [name, { grad }] of opened.model.decoder.parameters())
            if (grad !== undefined) found.set(name, grad.toFloat32());
          opened.clearGradients();
          return { gradNorm: 1 };
        },
      },
    });
    await grpoRollout(
      { policy: watched, reference: undefined, seed: 1, collect: async () => groups, lrAt: () => 0, onStep() {} },
      config,
      0,
    );
    return found;
  }
  const distance = (a: Map<string, Float32Array>, b: Map<string, Float32Array>) => {
    const norm = (values: number[]) => Math.hypot(...values);
    const flat = (of: Map<string, Float32Array>) => [...of.values()].flatMap((values) => Array.from(values));
    const [x, y] = [flat(a), flat(b)];
    expect(norm(x)).toBeGreaterThan(1e-3);
    return norm(x.map((value, i) => value - y[i]!)) / norm(x);
  };

  it.each(["token", "sequence", "constant"] as const)(
    "does not depend on micro-batches, packing or the groups' order (weights by %s)",
    async (aggregation) => {
      const { groups } = await collect(parts());
      const config = parts({ aggregation }).config;
      const whole = await gradients(groups, config, 100_000);
      expect(distance(whole, await gradients(groups, config, 40))).toBeLessThan(1e-5);
      expect(distance(whole, await gradients([...groups].reverse(), config, 300))).toBeLessThan(1e-5);
    },
  );

  it("changes with the length of a group's answers where each token weighs the same (the test above can fail)", async () => {
    const { groups } = await collect(parts());
    const config = parts().config;
    expect(distance(await gradients(groups, config, 900), await gradients(groups.slice(1), config, 900))).toBeGreaterThan(0.01); // biome-ignore format: one line
  });
});

describe("examples of a step", () => {
  const sample = (changes: Partial<Sample> = {}): Sample => ({
    promptId: 1,
    sample: 0,
    promptIds: Int32Array.of(11, 12, 13),
    ids: Int32Array.of(21, 22, 0),
    sampled: Uint8Array.of(1, 1, 1),
    logprobs: Float32Array.of(-1, -2, -3),
    weightsVersion: Int32Array.of(0, 0, 0),
    finishReason: "stop",
    answer: { text: "", thought: "", answer: undefined, numTokens: 3, finishReason: "stop" },
    score: { rewards: {}, total: 1, verdicts: {} },
    reward: 1,
    advantage: 0.5,
    ...changes,
  });
  const made = (samples: Sample[], truncated: "train" | "mask" = "train") => {
    const sequences = samples.map(({ promptIds, ids }) => Int32Array.from([...promptIds, ...ids]));
    const settings = { aggregation: "token", maxNewTokens: 8, truncated } as const;
    return toExamples(samples, sequences, undefined, settings).weigh(samples.map((_, i) => i));
  };

  it("train every sampled token, the end token too, and none of the prompt", () => {
    const [example] = made([sample()]);
    expect(Array.from(example!.ids)).toEqual([11, 12, 13, 21, 22, 0]);
    expect(Array.from(example!.weights)).toEqual([0, 0, 1 / 3, 1 / 3, 1 / 3].map(Math.fround));
    expect(Array.from(example!.fields.oldLogprobs)).toEqual([0, 0, -1, -2, -3]);
    expect(Array.from(example!.fields.advantages)).toEqual([0, 0, 0.5, 0.5, 0.5]);
  });

  it("leave out tokens that an environment wrote", () => {
    const [example] = made([sample({ sampled: Uint8Array.of(1, 0, 1) })]);
    expect(Array.from(example!.weights)).toEqual([0, 0, 0.5, 0, 0.5]);
  });

  it('"mask" leaves truncated answers out and does not count them; "train" keeps them', () => {
    const both = [sample(), sample({ finishReason: "length" })];
    const weights = (truncated: "train" | "mask") => made(both, truncated).map(({ weights: w }) => w.reduce((a, b) => a + b, 0)); // biome-ignore format: one line
    expect(weights("train")).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
    expect(weights("mask")).toEqual([expect.closeTo(1, 6), 0]);
  });
});

describe("collecting a rollout", () => {
  it("keeps groups in prompt order and answers in sample order", async () => {
    const { groups } = await collect(parts());
    expect(groups.map(({ promptId }) => promptId)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { scored } of groups) expect(scored.map(({ sample }) => sample)).toEqual([0, 1, 2, 3]);
  });

  it("gives a prompt that comes again other answers, and the same rollout the same", async () => {
    const texts = async (rollout: number) =>
      (await collect({ ...parts(), rollout })).groups.flatMap(({ scored }) => scored.map(({ answer }) => answer.text));
    const first = await texts(0);
    expect(await texts(0)).toEqual(first);
    expect(await texts(1)).not.toEqual(first);
  });

  /** The same rollouts with rewards that we choose. */
  const withReward = (reward: (n: number, text: string) => number | null, changes: Partial<GrpoConfig> = {}) => {
    const rows = Array.from({ length: 24 }, (_, n) => ({ n }));
    const task = defineTask<{ n: number }>({
      name: "chosen",
      load: () => rows,
      prompt: ({ n }) => [user(`Make ${n}.`)],
      rewards: { correct: ({ text }, { n }) => reward(n, text) },
    });
    return parts(changes, task);
  };
  const varied = (_: number, text: string) => text.length;

  it("samples again in place of groups without signal only, and takes each prompt once", async () => {
    const isDull = new Set<number>();
    const given = withReward((n, text) => (n % 2 === 0 ? 1 : varied(n, text)), { maxRounds: 6 });
    const { groups, all, metrics } = await collect(given);
    expect(groups).toHaveLength(6);
    for (const { scored } of groups) expect(new Set(scored.map(({ reward }) => reward)).size).toBeGreaterThan(1);
    for (const { promptId, scored } of all)
      if (new Set(scored.map(({ score }) => score.total)).size === 1) isDull.add(promptId);
    expect(isDull.size).toBeGreaterThan(0);
    expect(all.length).toBe(groups.length + isDull.size);
    expect(new Set(all.map(({ promptId }) => promptId)).size).toBe(all.length);
    expect(given.source.state.numPrompts).toBe(all.length);
    expect(metrics["group/dropped"]).toBe(isDull.size);
    expect(metrics["group/useless"]).toBeCloseTo(isDull.size / all.length, 12);
  });

  it("without dynamic sampling keeps groups without signal, and counts them", async () => {
    const { groups, metrics } = await collect(withReward(() => 0));
    expect(groups).toHaveLength(6);
    expect(metrics).toMatchObject({ "group/useless": 1, "group/dropped": 0 });
  });

  it("never trains an answer without a reward, and counts it nowhere as wrong", async () => {
    let asked = 0;
    const given = withReward((n, text) => (asked++ % 3 === 0 ? null : 1 + varied(n, text)));
    const { groups, all, metrics } = await collect(given);
    const unscored = all.flatMap(({ scored }) => scored).filter(({ score }) => score.total === null);
    expect(unscored.length).toBeGreaterThan(3);
    const kept = groups.flatMap(({ scored }) => scored);
    expect(kept.length).toBe(24 - unscored.length);
    const mean = kept.reduce((sum, { reward }) => sum + reward, 0) / kept.length;
    expect(metrics["reward/correct"]).toBeCloseTo(mean, 9);
    expect(metrics["reward/mean"]).toBeCloseTo(mean, 9);
  });

  it("a group all of whose scored answers earned the same is useless, whatever failed beside them", async () => {
    let asked = 0;
    const { metrics } = await collect(withReward(() => (asked++ % 4 === 0 ? null : 1)));
    expect(metrics["group/useless"]).toBe(1);
  });

  it("a group that nobody could judge is dropped, and is not useless", async () => {
    let asked = 0;
    const { all, metrics } = await collect(withReward((n) => (n % 2 === 0 ? null : asked++)));
    const unjudged = all.filter(({ scored }) => scored.every(({ score }) => score.total === null));
    expect(unjudged.length).toBeGreaterThan(0);
    expect(metrics).toMatchObject({ "group/useless": 0, "group/dropped": unjudged.length });
  });

  it("a verifier that fails too often stops the run and says what it said", async () => {
    const failing = (share: number) =>
      withReward((n, text) => {
        if ((text.length + n) % 10 < share) throw new Error("algebra is down");
        return 1;
      });
    await expect(collect(failing(10))).rejects.toThrow(/24 of 24 answers have no reward.*algebra is down.*maxVerifierErrors.*aha check/s); // biome-ignore format: one line
    const { config, ...rest } = failing(3);
    const { groups, all } = await collect({ ...rest, config: grpoConfig({ ...config, maxVerifierErrors: 1 }) });
    const judged = all.map(({ scored }) => scored.filter(({ score }) => score.verdicts.correct !== "verifierError"));
    expect(judged.flat().length).toBeLessThan(24);
    // One answer that is left alone has nothing to be compared with.
    const compared = judged.filter(({ length }) => length >= 2).flat();
    expect(groups.flatMap(({ scored }) => scored)).toHaveLength(compared.length);
  });

  it("a verifier's own timeouts count as its failures; a program's timeout does not", async () => {
    const timeouts = (reward: 0 | null) => {
      const grade = () => ({ verdict: "timeout" as const, reward, detail: { clock: "its own" } });
      return parts({}, { ...parity, rewards: { correct: grade } });
    };
    await expect(collect(timeouts(null))).rejects.toThrow(/24 of 24 answers have no reward.*its own/);
    expect((await collect(timeouts(0))).groups).toHaveLength(6);
  });

  it("punishes long answers softly where a buffer is set, and not otherwise", async () => {
    const { groups } = await collect(withReward(() => 1, { overlongBuffer: 12 }));
    for (const { answer, reward } of groups.flatMap(({ scored }) => scored))
      expect(reward).toBeCloseTo(1 - Math.max(0, (answer.numTokens - 12) / 12), 12);
  });
});

describe("settings", () => {
  it.each([
    ["grupSize", /grupSize: no such setting\. Did you mean "groupSize"\?/],
    ["learningRate", /no such setting/],
    ["maxNewToken", /Did you mean "maxNewTokens"\?/],
  ])("an unknown one (%s) is an error", (name, message) => {
    expect(() => grpoConfig({ [name]: 1 } as object)).toThrow(message);
  });

  it("values that do not fit are errors that name what does", () => {
    expect(() => grpoConfig({ advantage: "rank" as "std" })).toThrow(/advantage is "rank".*std.*leaveOneOut/);
    expect(() => grpoConfig({ lr: -1 })).toThrow(/lr is -1/);
    expect(() => grpoConfig({ groupSize: 1 })).toThrow(/groupSize is 1.*at least 2|groupSize is 1/);
    expect(() => grpoConfig({ temperature: 0 })).toThrow(/temperature is 0/);
  });

  it("none narrows the distribution while training: there is no top-p, top-k, min-p or repetition penalty", () => {
    for (const name of ["topP", "topK", "minP", "repetitionPenalty"])
      expect(() => grpoConfig({ [name]: 0.9 } as object)).toThrow(/no such setting/);
  });

  it("steps that are no multiple of a rollout's updates are refused before anything begins", async () => {
    const expected = /steps is 10, each rollout makes 4.*multiple of 4/;
    const odd = { steps: 10, miniBatches: 2, innerEpochs: 2 };
    expect(() => grpoConfig(odd)).toThrow(expected);
    expect(() => defineRecipe({ name: "odd", config: { grpo: { ...grpoConfig(), ...odd } }, run: () => {} })).toThrow(expected); // biome-ignore format: one line
    // Also where no recipe's settings are asked.
    const byHand = defineRecipe({
      name: "by-hand",
      config: {},
      run: () => grpo(join(dir, "nowhere"), parity, { ...grpoConfig(), ...odd }),
    });
    await expect(runRecipe(byHand, { dir: join(dir, "by-hand"), seed: 1 })).rejects.toThrow(expected);
  });
});

describe("the code", () => {
  it("from rollout to update is one function of at most 40 lines", () => {
    const source = readFileSync(join(import.meta.dirname, "../../src/train/grpo.ts"), "utf8");
    const body = /^export async function grpoRollout[\s\S]*?^\}/m.exec(source)![0];
    expect(body).toContain("forwardBackward");
    expect(body.split("\n").length).toBeLessThanOrEqual(40);
  });

  it("ids that were sampled are the ids that are trained, also where decoding and encoding would change them", async () => {
    // As in real models: the embedding has rows that no token of the tokenizer has.
    const { tokenizer } = policy;
    const padded = writeTinyModel(join(dir, "padded"), 1, { vocabSize: tokenizer.vocabSize + 200 });
    const wide = await LocalPolicy.open(padded);
    const { groups } = await collect({ ...parts(), policy: wide });
    wide.dispose();
    const again = groups.flatMap(({ scored }) => scored).filter(({ ids }) => `${tokenizer.encode(tokenizer.decode(Array.from(ids)))}` !== `${Array.from(ids)}`); // biome-ignore format: one line
    expect(again.length).toBeGreaterThan(0);
    let trained: Int32Array[] = [];
    const watched: Policy = Object.create(policy, {
      forwardBackward: {
        value: async (examples: { ids: Int32Array }[]) => {
          trained = examples.map(({ ids }) => ids);
          return { loss: 0, numTokens: 1, metrics: {}, maxima: {} };
        },
      },
      step: { value: async () => ({ gradNorm: 0 }) },
    });
    await grpoRollout({ policy: watched, reference: undefined, seed: 1, collect: async () => groups, lrAt: () => 0, onStep() {} }, parts().config, 0); // biome-ignore format: one line
    const sampled = groups.flatMap(({ promptIds, scored }) => scored.map(({ ids }) => `${[...promptIds, ...ids]}`));
    expect(trained.map((ids) => `${Array.from(ids)}`).sort()).toEqual(sampled.sort());
  });

  it("a step whose every answer was cut and masked changes nothing and is finite", async () => {
    const { groups } = await collect(parts({ maxNewTokens: 1 }));
    const steps: { gradNorm: number; trained: { numTokens: number } }[] = [];
    const before = [...policy.model.decoder.parameters().values()].map((tensor) => tensor.toFloat32());
    const cut = groups.map((group) => ({
      ...group,
      scored: group.scored.map((one) => ({ ...one, finishReason: "length" as const })),
    }));
    await grpoRollout(
      { policy, reference: undefined, seed: 1, collect: async () => cut, lrAt: () => 0.1, onStep: (step) => steps.push(step) }, // biome-ignore format: one line
      grpoConfig({ truncated: "mask" }),
      0,
    );
    expect(steps).toMatchObject([{ gradNorm: 0, trained: { numTokens: 0 } }]);
    expect([...policy.model.decoder.parameters().values()].map((tensor) => tensor.toFloat32())).toEqual(before);
  });

  it("rollouts leave no tensor behind", async () => {
    const once = async (rollout: number) => {
      const { groups } = await collect({ ...parts(), rollout });
      await grpoRollout({ policy, reference: undefined, seed: 1, collect: async () => groups, lrAt: () => 1e-4, onStep() {} }, parts().config, rollout); // biome-ignore format: one line
      return liveTensors();
    };
    const after = await once(0);
    for (let rollout = 1; rollout < 4; rollout++) expect(await once(rollout)).toBe(after);
  });
});
