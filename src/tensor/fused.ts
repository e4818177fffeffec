import { native } from "./native.ts";
import { type Tensor, wrap, wrapAll } from "./tensor.ts";

/**
 * The fused CPU kernels of native/fused, in float32 and float64, each with its own backward. The rooms above call
 * `#nn`, which takes the plain form where these do not run (CUDA, bfloat16).
 */

/** x [N, D] or [N, H, D], weight [D] → like x. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return wrap(native.rmsNorm(x.handle, weight.handle, eps));
}

/** x and y [N, D], weight [D] → rmsNorm(x + y) and x + y. */
export function addRmsNorm(x: Tensor, y: Tensor, weight: Tensor, eps: number): { normed: Tensor; sum: Tensor } {
  const [normed, sum] = wrapAll(native.addRmsNorm(x.handle, y.handle, weight.handle, eps));
  return { normed: normed!, sum: sum! };
}

/** x [N, H, C], cos and sin [P, R/2], positions int64 [N] → [N, H, C], the first R values of each head rotated. */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor): Tensor {
  return wrap(native.rotary(x.handle, cos.handle, sin.handle, positions.handle));
}

/** x [N, 2F], the gate beside the up projection → silu(gate) · up [N, F]. */
export function swiglu(x: Tensor): Tensor {
  return wrap(native.swiglu(x.handle));
}

/** q [N, H, C], k and v [N, K, C], offsets int64 [S + 1] → [N, H, C]: causal within each of the S packed sequences. */
export function attention(q: Tensor, k: Tensor, v: Tensor, offsets: Tensor, scale: number): Tensor {
  return wrap(native.attention(q.handle, k.handle, v.handle, offsets.handle, scale));
}

/** hidden [N, D], weight [V, D], targets int64 [N] → log p(target) [N] and the entropy [N] of softmax(hidden · weightᵀ / temperature). */
export function linearLogprobs(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  temperature: number,
): { logprobs: Tensor; entropy: Tensor } {
  const [logprobs, entropy] = wrapAll(native.linearLogprobs(hidden.handle, weight.handle, targets.handle, temperature));
  return { logprobs: logprobs!, entropy: entropy! };
}

/** x [N, I] times weight [O, I] transposed, plus bias [O] → [N, O]; float32. */
export function linearFloat(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return wrap(native.linearFloat(x.handle, weight.handle, bias?.handle));
}

/** A float32 weight [O, I] in the order that `linearPacked` reads it. A copy: pack again when the weight has changed. */
export function packWeight(weight: Tensor): Tensor {
  return wrap(native.packWeight(weight.handle));
}

/** x [N, I] times a packed weight [O, I], plus bias [O] → [N, O]. The bits of a row do not depend on the other rows. */
export function linearPacked(x: Tensor, packed: Tensor, numOutputs: number, bias?: Tensor): Tensor {
  return wrap(native.linearPacked(x.handle, packed.handle, bias?.handle, numOutputs));
}

/** Positions per block of the paged key-value pools. */
export const kvBlockSize = 16;

/** Puts k and v [N, K, C] at `slots` int64 [N] (block · 16 + offset) of the pools [B, K, C, 16] and [B, K, 16, C]. */
export function kvWrite(keyPool: Tensor, valuePool: Tensor, k: Tensor, v: Tensor, slots: Tensor): void {
  native.kvWrite(keyPool.handle, valuePool.handle, k.handle, v.handle, slots.handle);
}

/**
 * q [S, H, C], k and v [S, K, C], one new token per sequence; blocks int32 [S, M] say where its keys are → [S, H, C].
 * k and v are written to each sequence's last position, which lengths int32 [S] count.
 */
export function pagedAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  keyPool: Tensor,
  valuePool: Tensor,
  blocks: Tensor,
  lengths: Tensor,
  scale: number,
): Tensor {
  const all = [q, k, v, keyPool, valuePool, blocks, lengths].map(({ handle }) => handle);
  return wrap(native.pagedAttention(...all, scale));
}

/** Copies whole blocks within a pool [B, …]. */
export function copyBlocks(pool: Tensor, from: readonly number[], to: readonly number[]): void {
  native.copyBlocks(pool.handle, from, to);
}

export type SampleOptions = {
  /** 0 takes the likeliest token. */
  temperature: number;
  /** 0 switches it off. */
  topK?: number;
  topP?: number;
  minP?: number;
};

/** One token per row of logits [S, V] for the given uniform numbers [S]; the log-probabilities are of the unfiltered softmax. */
export function sampleLogits(
  logits: Tensor,
  uniforms: Float64Array,
  { temperature, topK = 0, topP = 1, minP = 0 }: SampleOptions,
): { ids: Int32Array; logprobs: Float32Array } {
  const ids = new Int32Array(logits.dim(0));
  const logprobs = new Float32Array(logits.dim(0));
  native.sampleLogits(logits.handle, uniforms, temperature, topK, topP, minP, ids, logprobs);
  return { ids, logprobs };
}

export type AdamWUpdate = {
  lr: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** 1 at the first update. */
  step: number;
  /** Multiplied into each gradient: the clipping coefficient. */
  gradScale: number;
};

/** AdamW over lists of tensors, in place (Loshchilov & Hutter 2019, algorithm 2). */
export function adamw(params: Tensor[], grads: Tensor[], m: Tensor[], v: Tensor[], update: AdamWUpdate): void {
  const handles = (list: Tensor[]) => list.map((tensor) => tensor.handle);
  const { lr, beta1, beta2, eps, weightDecay, step, gradScale } = update;
  const rest = new Float64Array([step, gradScale]);
  native.adamw(handles(params), handles(grads), handles(m), handles(v), lr, beta1, beta2, eps, weightDecay, rest);
}

/** The L2 norm over all values of all tensors. */
export function globalNorm(tensors: Tensor[]): number {
  return native.globalNorm(tensors.map((tensor) => tensor.handle));
}
