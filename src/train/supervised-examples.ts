import type { Example, FrozenPolicy } from "#policy";
import { bestFit } from "./best-fit.ts";
import type { Sequence } from "./conversation.ts";
import type { SftConfig } from "./sft-config.ts";
import { answerWeights } from "./weights.ts";

/** The sequences of one update, in an order that lets them share passes; a trained token's weight is divided once, here. */
export function supervisedExamples(
  batch: readonly Sequence[],
  { aggregation, packing, microBatchTokens }: Pick<SftConfig, "aggregation" | "packing" | "microBatchTokens">,
): Example[] {
  const weights = answerWeights(
    batch.map(({ numTrained }) => numTrained),
    aggregation,
    1,
  );
  const examples = batch.map(({ ids, trained }, i): Example => {
    const perToken = Float32Array.from(trained.subarray(1), (one) => one * weights[i]!);
    return { ids, weights: perToken, fields: {} };
  });
  if (packing === "inOrder") return examples;
  // The policy fills passes in order; the first of a bin fits into none before it, so that the passes are these bins.
  const lengths = batch.map(({ ids }) => ids.length - 1);
  return bestFit(lengths, microBatchTokens).flatMap((bin) => bin.map((i) => examples[i]!));
}

/** Negative log-likelihood per trained token, in nats. */
export async function meanNll(policy: FrozenPolicy, sequences: readonly Sequence[]): Promise<number> {
  const all = await policy.logprobs(sequences.map(({ ids }) => ids));
  let [sum, count] = [0, 0];
  for (const [s, { trained, numTrained }] of sequences.entries()) {
    for (const [i, logprob] of all[s]!.entries()) sum -= trained[i + 1]! * logprob;
    count += numTrained;
  }
  return sum / count;
}
