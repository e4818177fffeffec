import { permutation, streamKey } from "#tensor";
import type { Sequence } from "./conversation.ts";

/** A data set that is mixed with others: the ratio of weights is the ratio in which their sequences come. */
export type Source = { name: string; weight: number; sequences: readonly Sequence[] };

type Sizes = { epochs: number; steps?: number; batchSize: number; batchTokens?: number };

/**
 * The sequences of all sources, without end. Each source goes through its own in a new random order per pass, a stream
 * of the seed, its name and the pass. The next source is the one that is furthest behind its share (stride scheduling),
 * so that every stretch holds the ratio within one; weights that are numbers of sequences give each exactly once an epoch.
 */
export function* mixed(sources: readonly Source[], seed: number): Generator<Sequence, never> {
  const taken = sources.map(() => 0);
  const orders = sources.map((source) => orderOf(source, seed, 0));
  for (;;) {
    let next = 0;
    const due = (s: number) => (taken[s]! + 0.5) / sources[s]!.weight;
    for (let s = 1; s < sources.length; s++) if (due(s) < due(next)) next = s;
    const { sequences } = sources[next]!;
    const at = taken[next]!++;
    if (at > 0 && at % sequences.length === 0) orders[next] = orderOf(sources[next]!, seed, at / sequences.length);
    yield sequences[orders[next]![at % sequences.length]!]!;
  }
}

const orderOf = ({ name, sequences }: Source, seed: number, pass: number) =>
  permutation(streamKey(seed, name, pass), sequences.length);

/** Sequences of all sources: an epoch is so many, taken in the ratio of the weights. */
export const epochSize = (sources: readonly Source[]): number =>
  sources.reduce((sum, { sequences }) => sum + sequences.length, 0);

/** The updates of a training: `steps` of them, else as many as take `epochs`. The last may be smaller. */
export function* batchesOf(
  sources: readonly Source[],
  seed: number,
  { epochs, steps = Number.POSITIVE_INFINITY, batchSize, batchTokens }: Sizes,
): Generator<Sequence[]> {
  let left = Number.isFinite(steps) ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(epochs * epochSize(sources)));
  let batch: Sequence[] = [];
  let used = 0;
  let step = 0;
  for (const sequence of mixed(sources, seed)) {
    const length = sequence.ids.length - 1;
    const isFull = batchTokens === undefined ? batch.length === batchSize : used + length > batchTokens;
    if (batch.length > 0 && isFull) {
      yield batch;
      if (++step === steps) return;
      [batch, used] = [[], 0];
    }
    batch.push(sequence);
    used += length;
    if (--left === 0) return yield batch;
  }
}

/** How many updates `batchesOf` gives. */
export function countSteps(sources: readonly Source[], seed: number, sizes: Sizes): number {
  if (sizes.steps !== undefined) return sizes.steps;
  let steps = 0;
  for (const _ of batchesOf(sources, seed, sizes)) steps++;
  return steps;
}
