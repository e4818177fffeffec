import type { FrozenPolicy } from "./types.ts";

/**
 * A text for a reward model: its last position has read all of `ids` but the padding they end with, as transformers
 * reads it. What follows that position is a target, which no score looks at.
 */
export function toScored(ids: ArrayLike<number>, padId?: number): Int32Array {
  const all = Array.from(ids);
  const end = Math.max(1, 1 + all.findLastIndex((id) => id !== padId));
  return Int32Array.from([...all.slice(0, end), padId ?? 0]);
}

/** The scores of texts that `toScored` made, in their order. */
export async function scoresOf(policy: FrozenPolicy, texts: readonly Int32Array[]): Promise<number[]> {
  return (await policy.values(texts)).map((values) => values.at(-1)!);
}
