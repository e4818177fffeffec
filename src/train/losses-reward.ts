import type { Loss } from "#nn";
import type { Tensor } from "#tensor";

/** What a pairwise loss reads at the last token of both texts of a pair, which stay together. */
export type PairFields = "sides" | "margins" | "ties";

export type PairLossConfig = {
  /** Coefficient of what the judge found between the two: so much further apart their scores must be (Llama 2, 2307.09288, eq. 2). */
  margin: number;
  /**
   * Pairs that nobody won: "drop" has none, "half" counts them as half a win for each, "raoKupper" gives them the chance
   * that Rao & Kupper (1967) do (for reward models: 2410.05328), whose wins must exceed a threshold.
   */
  ties: "drop" | "half" | "raoKupper";
  /** That threshold, in scores: two answers of equal score tie with chance tanh(threshold / 2). */
  tieThreshold: number;
  /** Coefficient of (s₁ + s₂)²: scores are given up to a constant, this puts their middle at 0 (2312.09244). */
  centre: number;
};

/**
 * Bradley–Terry: −log σ(s₁ − s₂ − margin), for the better answer 1 (2203.02155, eq. 1), per pair and half at each of its
 * two last tokens, whose weights are 1 / (2 · pairs). `sides` is +1 at the better answer and −1 at the other.
 */
export function pairLoss({ margin, ties, tieThreshold, centre }: PairLossConfig): Loss<PairFields, "scores"> {
  const threshold = ties === "raoKupper" ? tieThreshold : 0;
  return ({ scores }, { sides, margins, ties: isTie, weights, groupSum }) => {
    const gap = groupSum(scores.mul(sides)); // [N] s₁ − s₂
    const won = gap.sub(margins.mul(margin)).sub(threshold).logSigmoid(); // [N]
    const either = gap.sub(threshold).logSigmoid().add(gap.neg().sub(threshold).logSigmoid()); // [N]
    const tied = ties === "raoKupper" ? either.add(Math.log(Math.expm1(2 * threshold))) : either.mul(0.5);
    const likely = won.add(isTie.mul(tied.sub(won))); // [N]
    const loss = groupSum(scores).square().mul(centre).sub(likely);
    const isRight = gap.gt(0).to("float32").add(gap.eq(0).to("float32").mul(0.5));
    return {
      loss: loss.mul(weights),
      metrics: {
        "train/accuracy": isRight.add(isTie.mul(isRight.neg().add(0.5))),
        "train/scoreGap": gap,
        "train/score": groupSum(scores).mul(0.5),
      },
    };
  };
}

/** Binary cross-entropy, log-odds of label 1 at the last token: −[y log σ(s) + (1 − y) log σ(−s)]. */
export const pointLoss: Loss<"labels", "scores"> = ({ scores }, { labels, weights }) => {
  const loss = crossEntropyOf(scores, labels); // [N]
  return {
    loss: loss.mul(weights),
    metrics: { "train/accuracy": scores.gt(0).eq(labels).to("float32"), "train/score": scores },
  };
};

/** The same at every trained token, where labels are chances, 0 to 1: what may be expected after a step (2312.08935, the soft estimate). */
export const stepLoss: Loss<"labels", "values"> = ({ values }, { labels, weights }) => {
  const error = values.sigmoid().sub(labels); // [N]
  return {
    loss: crossEntropyOf(values, labels).mul(weights),
    metrics: { "train/squaredError": error.square(), "train/score": values },
  };
};

const crossEntropyOf = (logOdds: Tensor, labels: Tensor): Tensor =>
  labels.mul(logOdds.logSigmoid()).add(labels.neg().add(1).mul(logOdds.neg().logSigmoid())).neg();
