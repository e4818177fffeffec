import { describe, expect, it } from "vitest";
import { bestFit } from "./best-fit.ts";
import type { Sequence } from "./conversation.ts";
import { batchesOf, countSteps, mixed, type Source } from "./mixture.ts";

/** A source whose sequences are told apart by their first id. */
const source = (name: string, first: number, count: number, weight = count): Source => ({
  name,
  weight,
  sequences: Array.from({ length: count }, (_, i): Sequence => {
    const ids = new Int32Array(2 + (i % 5)).fill(1);
    ids[0] = first + i;
    return { ids, trained: new Uint8Array(ids.length).fill(1, 1), numTrained: ids.length - 1 };
  }),
});
const take = (sources: readonly Source[], seed: number, count: number) => {
  const stream = mixed(sources, seed);
  return Array.from({ length: count }, () => stream.next().value.ids[0]!);
};
const first = (batch: readonly Sequence[]) => batch.map(({ ids }) => ids[0]!);
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe("a mixture", () => {
  it("by numbers gives every sequence exactly once an epoch, in another order each time and for each seed", () => {
    const sources = [source("a", 0, 7), source("b", 100, 31), source("c", 200, 3)];
    const all = [...range(0, 7), ...range(100, 31), ...range(200, 3)];
    const two = take(sources, 1, 82);
    const epochs = [two.slice(0, 41), two.slice(41)];
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual(all);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(take(sources, 1, 82)).toEqual(two);
    expect(take(sources, 2, 41)).not.toEqual(epochs[0]);
  });

  it("by weights holds their ratio within one sequence in every stretch from the start", () => {
    const sources = [source("reasoning", 0, 50, 600), source("general", 100, 500, 200)];
    const taken = take(sources, 1, 400);
    for (let n = 1; n <= 400; n++) {
      const reasoning = taken.slice(0, n).filter((id) => id < 100).length;
      expect(Math.abs(reasoning - 0.75 * n)).toBeLessThanOrEqual(1);
    }
    // A source that is asked for more often than it has sequences begins again, in a new order.
    const own = taken.filter((id) => id < 100);
    for (const pass of range(0, 6)) expect(own.slice(50 * pass, 50 * pass + 50).toSorted((a, b) => a - b)).toEqual(range(0, 50)); // biome-ignore format: one line
  });

  it("leaves a source's own order as it is when another one is added", () => {
    const [a, b] = [source("a", 0, 9), source("b", 100, 9)];
    expect(take([a, b], 3, 18).filter((id) => id < 100)).toEqual(take([a], 3, 9));
  });
});

describe("updates", () => {
  const sources = [source("a", 0, 10)];
  const all = (sizes: object) => [...batchesOf(sources, 1, { epochs: 1, batchSize: 4, ...sizes })];

  it("go through the epochs asked for, the last one with what is left", () => {
    expect(all({}).map((batch) => batch.length)).toEqual([4, 4, 2]);
    expect(all({ epochs: 2 }).map((batch) => batch.length)).toEqual([4, 4, 4, 4, 4]);
    expect(all({ epochs: 0.5 }).flatMap(first)).toHaveLength(5);
  });

  it("are as many as asked for, however few the sequences", () => {
    expect(all({ steps: 7 }).map((batch) => batch.length)).toEqual([4, 4, 4, 4, 4, 4, 4]);
  });

  it("by tokens hold as many sequences as fit, and a longer one alone", () => {
    const batches = all({ batchTokens: 6 });
    const tokens = (batch: readonly Sequence[]) => batch.reduce((sum, { ids }) => sum + ids.length - 1, 0);
    expect(batches.flatMap(first).toSorted((a, b) => a - b)).toEqual(range(0, 10));
    for (const [i, batch] of batches.entries()) {
      expect(tokens(batch)).toBeLessThanOrEqual(6);
      const next = batches[i + 1];
      if (next !== undefined) expect(tokens(batch) + next[0]!.ids.length - 1).toBeGreaterThan(6);
    }
    expect(all({ batchTokens: 1 }).every((batch) => batch.length === 1)).toBe(true);
  });

  it.each([{}, { epochs: 3 }, { epochs: 2, batchTokens: 7 }, { steps: 5 }])("are counted before: %j", (sizes) => {
    expect(countSteps(sources, 1, { epochs: 1, batchSize: 4, ...sizes })).toBe(all(sizes).length);
  });
});

describe("best-fit packing", () => {
  const lengths = Array.from({ length: 200 }, (_, i) => 1 + ((i * 37) % 61));
  const sum = (bin: readonly number[]) => bin.reduce((total, i) => total + lengths[i]!, 0);

  it("puts everything into a bin once, none over its capacity", () => {
    const bins = bestFit(lengths, 64);
    expect(bins.flat().toSorted((a, b) => a - b)).toEqual(range(0, 200));
    for (const bin of bins) expect(sum(bin)).toBeLessThanOrEqual(64);
  });

  it("fills bins to 98 % where filling them in order leaves a quarter empty", () => {
    const total = lengths.reduce((a, b) => a + b, 0);
    let [numInOrder, used] = [0, 64];
    for (const length of lengths) {
      if (used + length > 64) [numInOrder, used] = [numInOrder + 1, 0];
      used += length;
    }
    expect(total / (64 * bestFit(lengths, 64).length)).toBeGreaterThan(0.98);
    expect(total / (64 * numInOrder)).toBeLessThan(0.75);
  });

  it("gives an item longer than a bin one of its own", () => {
    expect(bestFit([5, 100, 5], 10)).toEqual([[1], [0, 2]]);
  });
});
