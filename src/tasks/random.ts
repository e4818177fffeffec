/** A stream of random choices that depends on its seed text alone: the same rows on every machine. */
export type Random = {
  /** A number in [0, 1). */
  uniform: () => number;
  /** A whole number from `low` to `high`, both included. */
  int: (low: number, high: number) => number;
  pick: <T>(items: readonly T[]) => T;
  /** A new array in random order. */
  shuffled: <T>(items: readonly T[]) => T[];
};

/** Stream of a seed: splitmix32 from the seed's hash (Steele, Lea and Flood 2014, 32-bit form). */
export function randomOf(seed: string): Random {
  let state = hashOf(seed);
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new Error("random: nothing to pick from.");
    return items[int(0, items.length - 1)]!;
  };
  const shuffled = <T>(items: readonly T[]): T[] => {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = int(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  };
  return { uniform, int, pick, shuffled };
}

/** FNV-1a of a text, 32 bits, its high bits mixed down. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
