import { permutation, streamKey } from "#tensor";
import type { ChatMessage } from "#tokenizer";

/** Two responses to a prompt, the better one first. `difference` is by how much, in the judge's points; a tie has neither better. */
export type PreferencePair = {
  prompt: readonly ChatMessage[];
  chosen: string;
  rejected: string;
  difference?: number;
  isTie?: boolean;
};

/** Two responses as a judge compared them, asked several times with the positions swapped; undefined: it gave no verdict. */
export type ComparedPair = {
  prompt: readonly ChatMessage[];
  responses: readonly [string, string];
  /** By how much the first is better, on average. */
  difference: number | undefined;
};

export type PairOptions = {
  /** A pair is kept where the mean difference is above this; the paper: 1. */
  threshold: number;
  /** What length is measured by; characters of the whole response where not given. */
  lengthOf?: (response: string) => number;
  seed: number;
};

export type CollectedPairs = {
  pairs: PreferencePair[];
  /** Pairs left out, by why. */
  dropped: { noVerdict: number; same: number; unsure: number; lengthBalance: number };
};

/**
 * Pairs to learn a preference from, as the paper collects them (arXiv 2501.12948 v2, B.3.3): judged four times with the
 * positions swapped, kept where the mean difference exceeds the threshold, chosen and rejected answers of like length.
 */
export function collectPairs(compared: readonly ComparedPair[], options: PairOptions): CollectedPairs {
  const { threshold, lengthOf = (response) => response.length, seed } = options;
  const dropped = { noVerdict: 0, same: 0, unsure: 0, lengthBalance: 0 };
  const sure = compared.flatMap(({ prompt, responses: [first, second], difference }): PreferencePair[] => {
    const why =
      difference === undefined
        ? "noVerdict"
        : first === second
          ? "same"
          : Math.abs(difference) > threshold
            ? undefined
            : "unsure";
    if (why !== undefined) dropped[why]++;
    if (why !== undefined || difference === undefined) return [];
    const [chosen, rejected] = difference > 0 ? [first, second] : [second, first];
    return [{ prompt, chosen, rejected, difference: Math.abs(difference) }];
  });
  const pairs = balanceLengths(sure, lengthOf, seed);
  dropped.lengthBalance = sure.length - pairs.length;
  return { pairs, dropped };
}

/**
 * The largest choice of pairs in which length tells nothing: for every ratio of the two lengths (in bins of a factor of
 * √2) as many pairs have the longer answer chosen as rejected. Which of too many stay is drawn; the order is kept.
 */
export function balanceLengths(
  pairs: readonly PreferencePair[],
  lengthOf: (response: string) => number,
  seed: number,
): PreferencePair[] {
  const ratios = pairs.map(({ chosen, rejected }) => Math.log2((lengthOf(chosen) + 1) / (lengthOf(rejected) + 1)));
  const bins = new Map<number, { longer: number[]; shorter: number[] }>();
  const kept = new Set<number>();
  for (const i of permutation(streamKey(seed, "length-balance"), pairs.length)) {
    const ratio = ratios[i]!;
    if (ratio === 0) kept.add(i);
    else {
      const bin = Math.floor(2 * Math.abs(ratio));
      const both = bins.get(bin) ?? { longer: [], shorter: [] };
      bins.set(bin, both);
      both[ratio > 0 ? "longer" : "shorter"].push(i);
    }
  }
  for (const { longer, shorter } of bins.values()) {
    const most = Math.min(longer.length, shorter.length);
    for (const i of [...longer.slice(0, most), ...shorter.slice(0, most)]) kept.add(i);
  }
  return pairs.filter((_, i) => kept.has(i));
}
