import type { Decoder } from "#models";
import { noGrad, type Tensor, tidy } from "#tensor";
import { hiddenOf, microBatches, type Packed, pack } from "./pack.ts";

/** log p of ids[1…] of each sequence under softmax(logits / temperature), in float32. */
export function logprobsOf(
  decoder: Decoder,
  sequences: readonly Int32Array[],
  temperature: number,
  microBatchTokens: number,
): Promise<Float32Array[]> {
  return eachOf(
    decoder,
    sequences,
    microBatchTokens,
    (hidden, { targets }) => decoder.logprobs(hidden, targets, temperature).logprobs,
  );
}

/** The scalar head where each of ids[1…] is chosen, in float32. */
export function valuesOf(
  decoder: Decoder,
  sequences: readonly Int32Array[],
  microBatchTokens: number,
): Promise<Float32Array[]> {
  return eachOf(decoder, sequences, microBatchTokens, (hidden) => decoder.scalars(hidden));
}

/** What `read` makes [N] of the hidden states [N, D], cut into its sequences. */
async function eachOf(
  decoder: Decoder,
  sequences: readonly Int32Array[],
  microBatchTokens: number,
  read: (hidden: Tensor, packed: Packed) => Tensor,
): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const group of microBatches(sequences, (ids) => ids.length, microBatchTokens)) {
    const all = noGrad(() =>
      tidy(() => {
        const packed = pack(group, decoder.device);
        return read(hiddenOf(decoder, packed), packed).toFloat32();
      }),
    );
    let at = 0;
    for (const ids of group) {
      results.push(all.slice(at, at + ids.length - 1));
      at += ids.length - 1;
    }
    await nextTurn();
  }
  return results;
}

/** Lets timers and signals run between two pieces of device work. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
