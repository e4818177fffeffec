import type { Scored } from "#eval";
import type { Example } from "#policy";
import type { PolicyFields } from "./losses.ts";
import { type Aggregation, answerWeights } from "./weights.ts";

/** A scored answer that counts: what its rewards came to. */
export type Rewarded = Scored & { reward: number };

/** An answer ready to train on. */
export type Sample<Extra extends string = never> = Rewarded & {
  promptIds: Int32Array;
  /** One for all of its tokens, or one for each. */
  advantage: number | Float32Array;
  /** What else a loss reads, one value for each of its tokens. */
  perToken?: Record<Extra, Float32Array>;
};

type Settings = { aggregation: Aggregation; maxNewTokens: number; truncated: "train" | "mask" };

/** The samples of a rollout as training examples; `weigh` gives those of one step, divided by that step's count. */
export function toExamples<Extra extends string = never>(
  samples: readonly Sample<Extra>[],
  sequences: readonly Int32Array[],
  refLogprobs: readonly Float32Array[] | undefined,
  { aggregation, maxNewTokens, truncated }: Settings,
): { length: number; weigh: (chosen: readonly number[]) => Example<PolicyFields | Extra>[] } {
  const isLeftOut = ({ finishReason }: Rewarded) => truncated === "mask" && finishReason === "length";
  const numTrained = samples.map((sample) =>
    isLeftOut(sample) ? 0 : sample.sampled.reduce((sum, one) => sum + one, 0),
  );
  return {
    length: samples.length,
    weigh(chosen) {
      const weights = answerWeights(
        chosen.map((i) => numTrained[i]!),
        aggregation,
        maxNewTokens,
      );
      return chosen.map((i, c): Example<PolicyFields | Extra> => {
        const [sample, ids] = [samples[i]!, sequences[i]!];
        const { advantage, perToken = {} as Record<Extra, Float32Array> } = sample;
        const onAnswer = (values: ArrayLike<number>) => afterPrompt(values, sample.promptIds.length, ids.length);
        return {
          ids,
          weights: onAnswer(Float32Array.from(sample.sampled, (isSampled) => isSampled * weights[c]!)),
          fields: {
            ...(mapValues(perToken, onAnswer) as Record<Extra, Float32Array>),
            oldLogprobs: onAnswer(sample.logprobs),
            advantages: onAnswer(
              typeof advantage === "number" ? new Float32Array(sample.ids.length).fill(advantage) : advantage,
            ),
            refLogprobs: refLogprobs?.[i] ?? new Float32Array(ids.length - 1),
          },
        };
      });
    },
  };
}

const mapValues = <A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));

/** Values of an answer's tokens at the positions that predict them: the prompt's last token predicts the first. */
function afterPrompt(values: ArrayLike<number>, promptLength: number, length: number): Float32Array {
  const all = new Float32Array(length - 1);
  all.set(values, promptLength - 1);
  return all;
}
