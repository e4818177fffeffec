export type GaeOptions = {
  /** Discount of what is earned a token later. */
  gamma: number;
  /** λ: 0 trusts the next value alone, 1 only what was earned (the paper: PPO at 0.95 fails, at 1.0 comes near GRPO). */
  lambda: number;
};

/**
 * Generalised advantage estimation (Schulman et al. 2016, 1506.02438, eq. 16) for one answer that ends with its last token:
 * δ_t = r_t + γ V_{t+1} − V_t and A_t = δ_t + γλ A_{t+1}, nothing after the end. `values[t]` is V before token t was
 * chosen. Returns are A_t + V_t, what the value learns.
 */
export function gae(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  { gamma, lambda }: GaeOptions,
): { advantages: Float32Array; returns: Float32Array } {
  if (rewards.length !== values.length)
    throw new Error(`gae: ${rewards.length} rewards and ${values.length} values. Expected one of each per token.`);
  const advantages = new Float32Array(rewards.length);
  let later = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    const delta = rewards[t]! + gamma * (values[t + 1] ?? 0) - values[t]!;
    later = delta + gamma * lambda * later;
    advantages[t] = later;
  }
  return { advantages, returns: advantages.map((advantage, t) => advantage + values[t]!) };
}

/** Values shifted and scaled to mean 0 and deviation 1 over all that are given; without spread they become 0. */
export function whiten(rows: readonly Float32Array[]): Float32Array[] {
  const count = rows.reduce((sum, row) => sum + row.length, 0);
  const sumOf = (of: (value: number) => number) =>
    rows.reduce((sum, row) => row.reduce((inner, value) => inner + of(value), sum), 0);
  const mean = sumOf((value) => value) / count;
  const deviation = Math.sqrt(sumOf((value) => (value - mean) ** 2) / count);
  return rows.map((row) => row.map((value) => (value - mean) / (deviation + 1e-8)));
}
