import { arange, cat, type Tensor } from "#tensor";

/**
 * The plain formulas of the fused ops, from generic ones: what the fused kernels are checked against, and what runs on
 * CUDA and in bfloat16. Statistics, rotations and softmax are float32 whatever the input is.
 */

const atLeastFloat32 = (x: Tensor): Tensor => (x.dtype === "float64" || x.dtype === "float32" ? x : x.to("float32"));

/** y = x / sqrt(mean(x²) + eps) · weight, over the last dimension. */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor {
  const wide = atLeastFloat32(x);
  const normed = wide.mul(wide.square().mean(-1, true).add(eps).rsqrt());
  return normed.to(x.dtype).mul(weight);
}

/** rmsNorm of x + y [N, D], and that sum. */
export function addRmsNorm(x: Tensor, y: Tensor, weight: Tensor, eps: number): { normed: Tensor; sum: Tensor } {
  const sum = x.add(y);
  return { normed: rmsNorm(sum, weight, eps), sum };
}

/** x [N, H, C], cos and sin [P, R/2], positions [N] → [N, H, C]. */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor, positions: Tensor): Tensor {
  const half = cos.dim(1);
  const c = cos.indexSelect(0, positions).unsqueeze(1); // [N, 1, R/2]
  const s = sin.indexSelect(0, positions).unsqueeze(1);
  const wide = atLeastFloat32(x);
  const [a, b] = [wide.narrow(-1, 0, half), wide.narrow(-1, half, half)]; // [N, H, R/2]
  const rest = wide.narrow(-1, 2 * half, x.dim(2) - 2 * half);
  return cat([a.mul(c).sub(b.mul(s)), b.mul(c).add(a.mul(s)), rest], -1).to(x.dtype);
}

/** x [N, 2F] → silu(gate) · up [N, F]. */
export function swiglu(x: Tensor): Tensor {
  const width = x.dim(1) / 2;
  return x
    .narrow(1, 0, width)
    .silu()
    .mul(x.narrow(1, width, width));
}

/** q [N, H, C], k and v [N, K, C], boundaries of the packed sequences → [N, H, C]. One masked softmax per sequence. */
export function attention(q: Tensor, k: Tensor, v: Tensor, offsets: readonly number[], scale: number): Tensor {
  const group = q.dim(1) / k.dim(1);
  const parts: Tensor[] = [];
  for (let s = 0; s + 1 < offsets.length; s++) {
    const [start, length] = [offsets[s]!, offsets[s + 1]! - offsets[s]!];
    if (length === 0) continue;
    const heads = (x: Tensor, repeats: number) =>
      atLeastFloat32(x.narrow(0, start, length).repeatInterleave(repeats, 1).transpose(0, 1)); // [H, L, C]
    const scores = heads(q, 1).matmul(heads(k, group).transpose(1, 2)).mul(scale); // [H, L, L]
    const future = scores.detach().mul(0).add(1).tril().eq(0);
    const masked = future.where(scores.detach().mul(0).add(Number.NEGATIVE_INFINITY), scores);
    parts.push(masked.softmax(-1).matmul(heads(v, group)).transpose(0, 1).to(q.dtype));
  }
  return cat(parts, 0);
}

/** hidden [N, D], weight [V, D], targets [N] → log p(target) [N] and entropy [N] at a temperature. */
export function linearLogprobs(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  temperature: number,
): { logprobs: Tensor; entropy: Tensor } {
  const all = atLeastFloat32(hidden.linear(weight)).div(temperature).logSoftmax(-1); // [N, V]
  return {
    logprobs: all.gather(1, targets.unsqueeze(1)).squeeze(1),
    entropy: all.exp().mul(all).sum(-1).neg(),
  };
}

/** Puts k and v [N, K, C] at `slots` int64 [N] of the pools [B, K, C, 16] and [B, K, 16, C]. */
export function kvWrite(keyPool: Tensor, valuePool: Tensor, k: Tensor, v: Tensor, slots: Tensor): void {
  // A number makes int64 float32, which would round large slots.
  const wide = slots.to("float64");
  const offsets = wide.remainder(valuePool.dim(2)).to("int64");
  const blocks = wide.div(valuePool.dim(2)).floor().to("int64");
  keyPool.permute([0, 3, 1, 2]).indexPut_(blocks, offsets, k);
  valuePool.permute([0, 2, 1, 3]).indexPut_(blocks, offsets, v);
}

/**
 * q [S, H, C], k and v [S, K, C], blocks int32 [S, M], lengths int32 [S] → [S, H, C]. Writes k and v to the last positions,
 * gathers each sequence's blocks, then one masked softmax.
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
  const [S, H, C] = q.shape as [number, number, number];
  const [M, K, size] = [blocks.dim(1), keyPool.dim(1), keyPool.dim(3)];
  const last = lengths.to("float64").sub(1);
  const lastBlocks = blocks.gather(1, last.div(size).floor().to("int64").unsqueeze(1)).squeeze(1); // [S]
  kvWrite(keyPool, valuePool, k, v, lastBlocks.to("float64").mul(size).add(last.remainder(size)).to("int64"));
  const rows = blocks.flatten().to("int64");
  const keys = keyPool
    .indexSelect(0, rows)
    .reshape([S, M, K, C, size])
    .permute([0, 2, 3, 1, 4])
    .reshape([S, K, C, M * size]);
  const values = valuePool
    .indexSelect(0, rows)
    .reshape([S, M, K, size, C])
    .permute([0, 2, 1, 3, 4])
    .reshape([S, K, M * size, C]);
  const scores = atLeastFloat32(q)
    .reshape([S, K, H / K, C])
    .matmul(atLeastFloat32(keys))
    .mul(scale); // [S, K, H/K, M · 16]
  const isUnwritten = arange(0, M * size, { device: q.device })
    .unsqueeze(0)
    .ge(lengths.unsqueeze(1))
    .reshape([S, 1, 1, M * size]);
  const weights = isUnwritten.where(scores.mul(0).add(Number.NEGATIVE_INFINITY), scores).softmax(-1);
  return weights.matmul(atLeastFloat32(values)).reshape([S, H, C]).to(q.dtype);
}
