import { afterAll, describe, expect, it } from "vitest";
import { type Attend, Decoder, type DecoderConfig, randomDecoder } from "#models";
import { attention } from "#nn";
import { fused, liveTensors, noGrad, streamKey, tensor, tidy, uniformAt } from "#tensor";
import { type Completion, Engine, type EngineOptions, type Group, type Prompt, type SamplingOptions } from "./index.ts";

const config: DecoderConfig = {
  family: "qwen2",
  vocabSize: 61,
  width: 48,
  numLayers: 2,
  numHeads: 6,
  numKvHeads: 2,
  headSize: 8,
  mlpSize: 80,
  maxPositions: 160,
  normEps: 1e-6,
  rope: { theta: 10_000, type: "default", size: 8 },
  isTied: true,
  hasQkvBias: true,
  hasOutputBias: false,
  hasMlpBias: false,
  hasQkNorm: false,
  savedDtype: "float32",
};
const eos = 60;
const decoder = randomDecoder(config, 11, 0.35);
afterAll(() => decoder.dispose());

const prompt = (id: number, length = 5 + ((id * 11) % 40)): Prompt => ({
  id,
  ids: Int32Array.from({ length }, (_, i) => Math.floor(uniformAt(streamKey(2, "prompt", id), i) * 60)),
});
const options: SamplingOptions = {
  groupSize: 2,
  temperature: 1,
  maxNewTokens: 24,
  eosIds: [eos],
  stream: (id, sample) => streamKey(5, "sample", id, sample),
};

async function sample(prompts: Prompt[], changes: Partial<SamplingOptions> = {}, engine: EngineOptions = {}) {
  using own = new Engine(decoder, engine);
  return await collect(own, prompts, changes);
}
async function collect(engine: Engine, prompts: Prompt[], changes: Partial<SamplingOptions> = {}) {
  const groups = new Map<number, Group>();
  for await (const group of engine.sample(prompts, { ...options, ...changes })) groups.set(group.prompt.id, group);
  return groups;
}
const bits = ({ ids, logprobs }: Completion) => [[...ids], [...new Uint32Array(logprobs.slice().buffer)]];

/** Logits [positions, V] after each token of a sequence, by the ordinary forward pass. */
function logitsOf(ids: Int32Array): number[][] {
  return noGrad(() =>
    tidy(() => {
      const starts = [0, ids.length];
      const offsets = { starts, tensor: tensor(Int32Array.from(starts)) };
      const positions = tensor(Int32Array.from(ids, (_, i) => i));
      const scale = config.headSize ** -0.5;
      const attend: Attend = (_, q, k, v) => attention(q, k, v, offsets, scale);
      const { hidden } = decoder.forward(tensor(ids), positions, ids.length - 1, attend);
      const flat = decoder.logits(hidden).toArray();
      return Array.from(ids, (_, i) => flat.slice(i * config.vocabSize, (i + 1) * config.vocabSize));
    }),
  );
}
const joined = (group: Group, { ids }: Completion) => Int32Array.from([...group.prompt.ids, ...ids]);
const logSoftmax = (logits: number[], temperature: number) => {
  const scaled = logits.map((z) => z / temperature);
  const top = Math.max(...scaled);
  const total = top + Math.log(scaled.reduce((sum, z) => sum + Math.exp(z - top), 0));
  return scaled.map((z) => z - total);
};

describe("a completion", () => {
  const wanted = prompt(1000, 37);
  const fillers = (count: number) => Array.from({ length: count }, (_, i) => prompt(i));

  it("is bit for bit the same alone, among fillers, in a batch of 64, in one row at a time and when it joins late", async () => {
    const alone = (await sample([wanted])).get(1000)!;
    const settings: [Prompt[], EngineOptions][] = [
      [[wanted], { maxRows: 1 }],
      [[...fillers(3), wanted], {}],
      [[wanted, ...fillers(31)], {}],
      [[...fillers(31), wanted], {}],
      [[...fillers(9), wanted, ...fillers(20).slice(9)], { maxRows: 6 }],
      [[...fillers(6), wanted], { maxPrefillTokens: 50 }],
    ];
    for (const [prompts, engine] of settings) {
      const group = (await sample(prompts, {}, engine)).get(1000)!;
      expect(group.completions.map(bits)).toEqual(alone.completions.map(bits));
    }
  });

  it("differs from the other samples of its prompt and from an equal prompt of another id", async () => {
    const twin = { id: 2000, ids: wanted.ids };
    const groups = await sample([wanted, twin], { groupSize: 3 });
    const all = [...groups.values()].flatMap(({ completions }) => completions.map(({ ids }) => `${ids}`));
    expect(new Set(all).size).toBe(6);
  });

  it("does not depend on the size of its group", async () => {
    const [two, five] = [await sample([wanted]), await sample([wanted], { groupSize: 5 })];
    expect(five.get(1000)!.completions.slice(0, 2).map(bits)).toEqual(two.get(1000)!.completions.map(bits));
  });

  it("is the same when its engine has sampled other things before", async () => {
    using engine = new Engine(decoder);
    const first = await collect(engine, [wanted]);
    await collect(engine, fillers(20), { groupSize: 4 });
    const again = await collect(engine, [wanted]);
    expect(again.get(1000)!.completions.map(bits)).toEqual(first.get(1000)!.completions.map(bits));
  });

  it("is the same while another is sampled by the same engine at the same time", async () => {
    using engine = new Engine(decoder);
    const [alone] = [await collect(engine, [wanted])];
    const [one, other] = await Promise.all([collect(engine, [wanted]), collect(engine, fillers(5))]);
    expect(one.get(1000)!.completions.map(bits)).toEqual(alone.get(1000)!.completions.map(bits));
    expect(other.size).toBe(5);
  });
});

describe("log-probabilities of the sampler", () => {
  it.each([1, 0.7])(
    "at temperature %f are those of an ordinary forward pass, around every block boundary",
    async (temperature) => {
      const prompts = [1, 15, 16, 17, 31, 32, 33].map((length) => prompt(length, length));
      const groups = await sample(prompts, { temperature, maxNewTokens: 40 });
      let worst = 0;
      for (const group of groups.values())
        for (const completion of group.completions) {
          const logits = logitsOf(joined(group, completion));
          for (const [i, id] of completion.ids.entries()) {
            const exact = logSoftmax(logits[group.prompt.ids.length - 1 + i]!, temperature)[id]!;
            worst = Math.max(worst, Math.abs(exact - completion.logprobs[i]!));
          }
        }
      expect(worst).toBeLessThan(1e-4);
    },
  );

  it("of greedy answers belong to the likeliest tokens", async () => {
    const groups = await sample([prompt(3, 17)], { temperature: 0, groupSize: 2 });
    const [a, b] = groups.get(3)!.completions;
    expect(bits(a!)).toEqual(bits(b!));
    const logits = logitsOf(joined(groups.get(3)!, a!));
    for (const [i, id] of a!.ids.entries()) {
      const row = logSoftmax(logits[16 + i]!, 1);
      expect(id).toBe(row.indexOf(Math.max(...row)));
      expect(Math.abs(row[id]! - a!.logprobs[i]!)).toBeLessThan(1e-4);
    }
  });

  it("are of the unfiltered distribution under top-k, top-p and min-p, which keep just what they define", async () => {
    for (const filter of [{ topK: 3 }, { topP: 0.5 }, { minP: 0.4 }, { topK: 8, topP: 0.6, minP: 0.1 }]) {
      const groups = await sample([prompt(3, 17)], { ...filter, groupSize: 8 });
      const seen = new Set<number>();
      for (const completion of groups.get(3)!.completions) {
        const logits = logitsOf(joined(groups.get(3)!, completion));
        for (const [i, id] of completion.ids.entries()) {
          const row = logSoftmax(logits[16 + i]!, 1);
          const p = row.map(Math.exp);
          const order = [...p.keys()].sort((a, b) => p[b]! - p[a]!).slice(0, filter.topK ?? p.length);
          const mass = order.reduce((sum, j) => sum + p[j]!, 0);
          const rank = order.indexOf(id);
          expect(rank).toBeGreaterThanOrEqual(0);
          const before = order.slice(0, rank).reduce((sum, j) => sum + p[j]!, 0);
          expect(before).toBeLessThan((filter.topP ?? 1) * mass + 1e-5);
          expect(p[id]!).toBeGreaterThanOrEqual((filter.minP ?? 0) * p[order[0]!]! - 1e-5);
          expect(Math.abs(row[id]! - completion.logprobs[i]!)).toBeLessThan(1e-4);
          seen.add(rank);
        }
      }
      expect(seen.size).toBeGreaterThan(1);
    }
  });
});

describe("sampled tokens", () => {
  it("come as often as the softmax says", () => {
    const logits = Array.from({ length: 12 }, (_, i) => Math.sin(i * 1.7) * 2);
    for (const temperature of [1, 0.5]) {
      const [rows, key] = [4000, streamKey(1, "frequency")];
      const counts = new Array<number>(12).fill(0);
      tidy(() => {
        const all = tensor(logits, [1, 12]).expand([rows, 12]).contiguous();
        const { ids } = fused.sampleLogits(
          all,
          Float64Array.from({ length: rows }, (_, i) => uniformAt(key, i)),
          { temperature },
        );
        for (const id of ids) counts[id]!++;
      });
      const expected = logSoftmax(logits, temperature).map((logprob) => rows * Math.exp(logprob));
      const chiSquare = counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
      expect(chiSquare).toBeLessThan(31.3); // the 99.9 % point of 11 degrees of freedom
    }
  });

  it("are the last likely one for the largest uniform number, never one of no probability", () => {
    tidy(() => {
      const logits = tensor([0, -1e4, 0, -1e4], [1, 4]);
      const draw = (uniform: number) => fused.sampleLogits(logits, Float64Array.of(uniform), { temperature: 1 }).ids[0];
      expect([draw(0), draw(0.4999), draw(0.5001), draw(1 - 2 ** -53)]).toEqual([0, 0, 2, 2]);
    });
  });
});

describe("an answer ends", () => {
  it("with the end token, which is part of it, or at its longest", async () => {
    const groups = await sample(
      Array.from({ length: 12 }, (_, i) => prompt(i)),
      { maxNewTokens: 60, groupSize: 4 },
    );
    const all = [...groups.values()].flatMap(({ completions }) => completions);
    const [stopped, cut] = [
      all.filter((c) => c.finishReason === "stop"),
      all.filter((c) => c.finishReason === "length"),
    ];
    expect(stopped.length).toBeGreaterThan(3);
    expect(cut.length).toBeGreaterThan(3);
    for (const { ids } of stopped) expect([ids.at(-1), ids.indexOf(eos)]).toEqual([eos, ids.length - 1]);
    for (const { ids } of cut) expect([ids.length, ids.includes(eos)]).toEqual([60, false]);
    for (const { ids, logprobs, sampled, weightsVersion } of all)
      expect([logprobs.length, sampled.length, weightsVersion.length]).toEqual([ids.length, ids.length, ids.length]);
  });

  it("at its prompt's own limit, the same as if the others had it too", async () => {
    const limited = { ...prompt(3, 150), maxNewTokens: 10 };
    const together = await sample([prompt(1), limited, { ...prompt(2), maxNewTokens: 99 }]);
    const lengths = [1, 3, 2].map((id) => Math.max(...together.get(id)!.completions.map(({ ids }) => ids.length)));
    expect(lengths).toEqual([24, 10, 24]);
    const alone = await sample([prompt(3, 150)], { maxNewTokens: 10 });
    expect(together.get(3)!.completions.map(bits)).toEqual(alone.get(3)!.completions.map(bits));
    await expect(sample([{ ...prompt(3, 151), maxNewTokens: 10 }])).rejects.toThrow(/an answer of up to 10 exceed/);
    await expect(sample([{ ...prompt(3), maxNewTokens: 0 }])).rejects.toThrow("maxNewTokens is 0");
  });

  it("where onToken says so, at its very first token too, and its neighbours are untouched", async () => {
    const plain = await sample([prompt(1), prompt(2)], { groupSize: 1 });
    const counts = new Map<number, number>();
    const onToken = (id: number) => {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      return id === 1;
    };
    const groups = await sample([prompt(1), prompt(2)], { groupSize: 1, onToken });
    expect(groups.get(1)!.completions[0]).toMatchObject({
      finishReason: "stop",
      ids: plain.get(1)!.completions[0]!.ids.slice(0, 1),
    });
    expect(groups.get(2)!.completions.map(bits)).toEqual(plain.get(2)!.completions.map(bits));
    expect(counts.get(2)).toBe(plain.get(2)!.completions[0]!.ids.length);
  });

  it("with onProgress having been told of every token", async () => {
    let last = [0, 0];
    const groups = await sample([prompt(1), prompt(2), prompt(3)], { onProgress: (...now) => (last = now) });
    const all = [...groups.values()].flatMap(({ completions }) => completions);
    expect(last).toEqual([all.reduce((sum, { ids }) => sum + ids.length, 0), 6]);
  });
});

describe("an engine", () => {
  it("is as usable as before, with nothing lost, after a throw in onToken or a caller that leaves", async () => {
    using engine = new Engine(decoder);
    const first = await collect(engine, [prompt(1), prompt(2)]);
    const before = liveTensors();
    let calls = 0;
    const onToken = () => {
      if (++calls === 7) throw new Error("on purpose");
      return false;
    };
    await expect(collect(engine, [prompt(1), prompt(2)], { onToken })).rejects.toThrow("on purpose");
    expect(liveTensors()).toBe(before);
    for await (const _ of engine.sample([prompt(1), prompt(2)], { ...options, groupSize: 1 })) break;
    expect(liveTensors()).toBe(before);
    const again = await collect(engine, [prompt(1), prompt(2)]);
    expect(again.get(2)!.completions.map(bits)).toEqual(first.get(2)!.completions.map(bits));
    expect(liveTensors()).toBe(before);
  });

  it("gives all its memory back", async () => {
    const before = liveTensors();
    await sample([prompt(1), prompt(2), prompt(3)]);
    expect(liveTensors()).toBe(before);
  });

  it("refuses what does not fit before it computes anything, and says what to change", async () => {
    await expect(sample([prompt(1, 140)])).rejects.toThrow(
      "sample: a prompt of 140 tokens and an answer of up to 24 exceed the model's context of 160. Shorten the prompt or lower maxNewTokens.",
    );
    await expect(sample([prompt(1)], {}, { kvBytes: 4096 })).rejects.toThrow(
      "sample: 2 answers of up to 24 tokens need 1 MiB of keys and values, 0 are allowed. Lower maxNewTokens or groupSize.",
    );
    await expect(sample([prompt(4, 0)])).rejects.toThrow("sample: prompt 4 has no tokens. Give it at least one.");
    await expect(sample([prompt(4), prompt(4)])).rejects.toThrow("sample: two prompts have the same id");
    await expect(sample([prompt(1)], { maxNewTokens: 0 })).rejects.toThrow("maxNewTokens is 0. Expected at least 1.");
    await expect(sample([prompt(1)], { groupSize: 1.5 })).rejects.toThrow("groupSize is 1.5. Expected at least 1.");
    await expect(sample([prompt(1)], { temperature: -1 })).rejects.toThrow("temperature is -1. Expected 0 (greedy)");
  });

  it("samples within little key-value memory what it samples within much", async () => {
    const prompts = Array.from({ length: 6 }, (_, i) => prompt(i));
    const [much, little] = [await sample(prompts), await sample(prompts, {}, { kvBytes: 100_000 })];
    for (const [id, group] of much) expect(little.get(id)!.completions.map(bits)).toEqual(group.completions.map(bits));
  });

  it("has room for a shorter prompt that needs more blocks than the longest", async () => {
    // 16 tokens fill a block that all answers share; of 15, each answer needs the rest of the block for itself.
    const prompts = [prompt(1, 16), prompt(2, 15)];
    const changes = { groupSize: 300, maxNewTokens: 10 };
    const groups = await sample(prompts, changes, { maxRows: 300 });
    expect([...groups.values()].map(({ completions }) => completions.length)).toEqual([300, 300]);
  });

  it("with no prompts yields nothing", async () => {
    expect((await sample([])).size).toBe(0);
  });

  it("keeps nothing of a sample that it was released during", async () => {
    const before = liveTensors();
    const engine = new Engine(decoder);
    const groups = engine.sample([prompt(1), prompt(2), prompt(3)], options);
    expect((await groups.next()).done).toBe(false);
    engine.release();
    for await (const { completions } of groups) expect(completions).toHaveLength(options.groupSize);
    expect(liveTensors()).toBe(before);
  });

  it("samples in bfloat16 with log-probabilities near float32's", async () => {
    const narrow = randomDecoder(config, 11, 0.35);
    const { weights } = narrow;
    const half = (t: typeof weights.norm) => t.to("bfloat16");
    const layers = weights.layers.map(
      (layer) => Object.fromEntries(Object.entries(layer).map(([k, t]) => [k, half(t)])) as typeof layer,
    );
    const embedding = half(weights.embedding);
    const rounded = new Decoder(config, { embedding, layers, norm: half(weights.norm), head: embedding });
    narrow.dispose();
    const engine = new Engine(rounded);
    const group = (await collect(engine, [prompt(1, 17)], { maxNewTokens: 12 })).get(1)!;
    for (const completion of group.completions) {
      const logits = logitsOf(joined(group, completion));
      for (const [i, id] of completion.ids.entries())
        expect(Math.abs(logSoftmax(logits[16 + i]!, 1)[id]! - completion.logprobs[i]!)).toBeLessThan(0.5);
    }
    engine.release();
    rounded.dispose();
  });
});
