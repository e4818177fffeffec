import { fused, outside, type Tensor } from "#tensor";
import * as plain from "./plain.ts";

/** Where the fused CPU kernels run; elsewhere the plain formulas of the same ops stand in. */
const isFused = (x: Tensor): boolean => x.device === "cpu" && (x.dtype === "float32" || x.dtype === "float64");

/** Boundaries of packed sequences, S + 1 of them, as numbers and as the tensor the kernel reads. */
export type Offsets = { starts: readonly number[]; tensor: Tensor };

/** Root-mean-square norm (Zhang & Sennrich 2019). x [N, D] or [N, H, D], weight [D] → like x. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  return isFused(x) ? fused.rmsNorm(x, weight, eps) : plain.rmsNorm(x, weight, eps);
}

/** rmsNorm of x + y and that sum, as a residual stream has it. x and y [N, D], weight [D] → like x. */
export function addRmsNorm(x: Tensor, y: Tensor, weight: Tensor, eps: number): { normed: Tensor; sum: Tensor } {
  return isFused(x) ? fused.addRmsNorm(x, y, weight, eps) : plain.addRmsNorm(x, y, weight, eps);
}

/** Rotary position embedding (Su et al. 2021). x [N, H, C], cos and sin [P, R/2], positions int64 [N] → [N, H, C]. */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor): Tensor {
  return isFused(x) ? fused.rotary(x, cos, sin, positions) : plain.rotary(x, cos, sin, positions);
}

/** SwiGLU (Shazeer 2020). x [N, 2F], the gate beside the up projection → [N, F]. */
export function swiglu(x: Tensor): Tensor {
  return isFused(x) ? fused.swiglu(x) : plain.swiglu(x);
}

/** Causal attention within packed sequences. q [N, H, C], k and v [N, K, C], H a multiple of K → [N, H, C]. */
export function attention(q: Tensor, k: Tensor, v: Tensor, offsets: Offsets, scale: number): Tensor {
  return isFused(q) ? fused.attention(q, k, v, offsets.tensor, scale) : plain.attention(q, k, v, offsets.starts, scale);
}

/** log p(target) [N] and entropy [N] of softmax(hidden · weightᵀ / temperature), [N, V] never kept. float32 whatever the input. */
export function linearLogprobs(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  temperature: number,
): { logprobs: Tensor; entropy: Tensor } {
  return isFused(hidden)
    ? fused.linearLogprobs(hidden, weight, targets, temperature)
    : plain.linearLogprobs(hidden, weight, targets, temperature);
}

/** The one door for weight products: x [N, I], weight [O, I], bias [O] → [N, O]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const packed = x.requiresGrad ? undefined : packs.get(weight);
  if (packed !== undefined) return fused.linearPacked(x, packed, weight.dim(0), bias);
  return isFused(x) && x.dtype === "float32" ? fused.linearFloat(x, weight, bias) : x.linear(weight, bias);
}

/** Weights that are packed at present. */
const packs = new WeakMap<Tensor, Tensor>();

/**
 * Packs weights for sampling, where they have not been; what is returned unpacks them. Products without a gradient then
 * use the packed copy, which must be thrown away before the weights change.
 */
export function packWeights(weights: Iterable<Tensor>): Disposable {
  const packed = [...weights].filter((weight) => isFused(weight) && weight.dtype === "float32" && !packs.has(weight));
  for (const weight of packed)
    packs.set(
      weight,
      outside(() => fused.packWeight(weight)),
    );
  return {
    [Symbol.dispose]() {
      for (const weight of packed) packs.get(weight)?.dispose();
      for (const weight of packed) packs.delete(weight);
    },
  };
}

/** Puts k and v [N, K, C] at `slots` int64 [N] (block · 16 + offset) of the pools [B, K, C, 16] and [B, K, 16, C]. */
export function kvWrite(keyPool: Tensor, valuePool: Tensor, k: Tensor, v: Tensor, slots: Tensor): void {
  if (isFused(k)) fused.kvWrite(keyPool, valuePool, k, v, slots);
  else plain.kvWrite(keyPool, valuePool, k, v, slots);
}

/**
 * Attention of one new token per sequence over its blocks. q [S, H, C], blocks int32 [S, M], lengths int32 [S] with the new
 * token → [S, H, C]. Its k and v [S, K, C] are written to the pools.
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
  return isFused(q)
    ? fused.pagedAttention(q, k, v, keyPool, valuePool, blocks, lengths, scale)
    : plain.pagedAttention(q, k, v, keyPool, valuePool, blocks, lengths, scale);
}
