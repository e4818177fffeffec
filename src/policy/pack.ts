import type { Decoder } from "#models";
import { attention } from "#nn";
import { type Device, type Tensor, tensor } from "#tensor";

/** Several sequences in one row of tokens, none padded. */
export type Packed = {
  inputs: Tensor; // [N] int64
  targets: Tensor; // [N] int64
  positions: Tensor; // [N] int64
  lastPosition: number;
  offsets: { starts: number[]; tensor: Tensor };
};

/** Packs sequences for next-token prediction: N = Σ (length − 1). */
export function pack(sequences: readonly Int32Array[], device: Device): Packed {
  const starts = [0];
  for (const ids of sequences) starts.push(starts.at(-1)! + ids.length - 1);
  const N = starts.at(-1)!;
  const [inputs, targets, positions] = [new Int32Array(N), new Int32Array(N), new Int32Array(N)];
  for (const [s, ids] of sequences.entries()) {
    inputs.set(ids.subarray(0, -1), starts[s]!);
    targets.set(ids.subarray(1), starts[s]!);
    for (let i = 0; i + 1 < ids.length; i++) positions[starts[s]! + i] = i;
  }
  const on = (values: Int32Array) => tensor(values, undefined, { device });
  return {
    inputs: on(inputs),
    targets: on(targets),
    positions: on(positions),
    lastPosition: positions.reduce((max, p) => Math.max(max, p), 0),
    offsets: { starts, tensor: on(Int32Array.from(starts)) },
  };
}

/** Final hidden states [N, D] of a packed batch. */
export function hiddenOf(decoder: Decoder, { inputs, positions, lastPosition, offsets }: Packed): Tensor {
  const scale = decoder.config.headSize ** -0.5;
  return decoder.forward(inputs, positions, lastPosition, (_, q, k, v) => attention(q, k, v, offsets, scale)).hidden;
}

/**
 * Splits sequences, in order, into micro-batches of at most `maxTokens` predicted tokens (a longer one goes alone);
 * each `together` consecutive ones share theirs.
 */
export function microBatches<T>(
  items: readonly T[],
  lengthOf: (item: T) => number,
  maxTokens: number,
  together = 1,
): T[][] {
  const batches: T[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (let at = 0; at < items.length; at += together) {
    const group = items.slice(at, at + together);
    const length = group.reduce((sum, item) => sum + lengthOf(item) - 1, 0);
    if (used + length > maxTokens) {
      batches.push([]);
      used = 0;
    }
    batches.at(-1)!.push(...group);
    used += length;
  }
  return batches;
}
