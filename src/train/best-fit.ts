/**
 * Puts items into as few bins of `capacity` as best-fit finds: the longest first, each into the fullest bin that still
 * holds it (Ding et al. 2404.10830). Returns the items' indices by bin; a longer item than a bin has one of its own.
 */
export function bestFit(lengths: readonly number[], capacity: number): number[][] {
  const bins: { items: number[]; room: number }[] = [];
  const byLength = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const item of byLength) {
    const length = lengths[item]!;
    let best: (typeof bins)[number] | undefined;
    for (const bin of bins) if (bin.room >= length && (best === undefined || bin.room < best.room)) best = bin;
    if (best === undefined) bins.push({ items: [item], room: capacity - length });
    else {
      best.items.push(item);
      best.room -= length;
    }
  }
  return bins.map(({ items }) => items);
}
