import type { Tensor } from "#tensor";

/** A packed micro-batch as a loss sees it: one value per predicted token of every sequence, N = Σ (length − 1). */
export type Batch<Field extends string = never> = Record<Field, Tensor> & {
  /** Already hold 1 / (tokens of the step): a loss multiplies and never divides. */
  weights: Tensor; // [N]
  /** Mean over the trained tokens of a value's own sequence, given back to each of them. */
  sequenceMean: (values: Tensor) => Tensor; // [N] → [N]
  /** The sum over them likewise. */
  sequenceSum: (values: Tensor) => Tensor; // [N] → [N]
  /** The sum over the trained tokens of all sequences that were asked to stay together: both of a pair. */
  groupSum: (values: Tensor) => Tensor; // [N] → [N]
};

/** What a forward pass can give, per predicted token; where the weight is 0 it is 0. Each is computed when it is first read. */
export type AllOutputs = {
  /** log p of the token that follows. */
  logprobs: Tensor; // [N]
  /** Entropy of the distribution it came from, in nats. */
  entropy: Tensor; // [N]
  /** The scalar head where the token is chosen: what is still to be earned (PPO). */
  values: Tensor; // [N]
  /** The scalar head at each sequence's last position, 0 at the others: what a reward model thinks of the whole. */
  scores: Tensor; // [N]
};

export type OutputName = keyof AllOutputs;

/** The outputs that a loss reads. */
export type Outputs<Name extends OutputName = "logprobs" | "entropy"> = Pick<AllOutputs, Name>;

/** Per token, already weighted; the policy sums. Metrics and maxima are [N]; see `Trained`. */
export type Loss<Field extends string = never, Name extends OutputName = "logprobs" | "entropy"> = (
  out: Outputs<Name>,
  batch: Batch<Field>,
) => { loss: Tensor; metrics: Record<string, Tensor>; maxima?: Record<string, Tensor> };
