import { applyPartial, count, type DeepPartial, oneOf, optional, settings, within } from "#run";
import { computeDefaults, supervisedCheckpoints, supervisedOptimizer } from "./trainer-config.ts";

/** Settings of supervised training. A step is one optimizer update. */
const sftDefaults = settings({
  /** Passes over the rows. */
  epochs: within(2, 0.001, 10_000),
  /** Updates, whatever the number of rows; takes the place of epochs. */
  steps: optional(count(1)),
  /** Sequences in one update. */
  batchSize: count(64),
  /** Predicted tokens in one update, at most; takes the place of batchSize. */
  batchTokens: optional(count(1)),

  ...supervisedOptimizer,
  lr: 1e-5,
  /** "token": every trained token of an update weighs the same; "sequence": every sequence does. */
  aggregation: oneOf("token", ["token", "sequence"]),

  /** Assistant turns that are trained where a conversation does not choose by `train` itself. */
  turns: oneOf("all", ["all", "last"]),
  /** Tokens of a sequence at most; the model's own limit holds too. */
  maxLength: count(32_768, { min: 2 }),
  /** What becomes of a longer one: left out, or cut at its end, in both cases counted. */
  tooLong: oneOf("drop", ["drop", "truncate"]),

  /** Share of the rows of each source that is not trained on, but measured. */
  heldOut: within(0, 0, 0.5),
  ...supervisedCheckpoints,

  /** Predicted tokens in one forward and backward pass; a longer sequence goes alone. */
  microBatchTokens: count(1024),
  /** How an update's sequences share passes: as few passes as best-fit finds, or in the order they come. */
  packing: oneOf("bestFit", ["bestFit", "inOrder"]),
  ...computeDefaults,
});

export type SftConfig = typeof sftDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const sftConfig = (changes: DeepPartial<SftConfig> = {}): SftConfig =>
  applyPartial<SftConfig>(sftDefaults, changes, "sftConfig");

/** What the paper gives for all of its supervised stages. Adam's betas, weight decay and warm-up it does not give: ours. */
const paper = { schedule: "cosine", lrFloor: 0.1, maxLength: 32_768 } as const;

/**
 * The paper's cold start (arXiv 2501.12948 v2): 2 to 3 epochs over thousands of long thoughts, 5e-5 down to 5e-6 along a
 * cosine, 128 sequences of up to 32,768 tokens in an update. Which of 2 and 3 is ours.
 */
export const paperColdStart: SftConfig = sftConfig({ ...paper, epochs: 3, lr: 5e-5, batchSize: 128 });

/** The paper's supervised training of the base on the 804,745 rows: the cold start's settings, 2 epochs as in v1. */
export const paperSft: SftConfig = sftConfig({ ...paper, epochs: 2, lr: 5e-5, batchSize: 128 });

/** The paper's distillation on the same rows, by student: learning rate as given, 64 sequences, 2 (of 2 to 3) epochs. */
export const paperDistill: Record<PaperStudent, SftConfig> = {
  "Qwen2.5-Math-1.5B": distillation(1e-4),
  "Qwen2.5-Math-7B": distillation(8e-5),
  "Qwen2.5-14B": distillation(7e-5),
  "Qwen2.5-32B": distillation(6e-5),
  "Llama-3.1-8B": distillation(5e-5),
  "Llama-3.3-70B-Instruct": distillation(2e-5),
};

export type PaperStudent =
  | "Qwen2.5-Math-1.5B"
  | "Qwen2.5-Math-7B"
  | "Qwen2.5-14B"
  | "Qwen2.5-32B"
  | "Llama-3.1-8B"
  | "Llama-3.3-70B-Instruct";

function distillation(lr: number): SftConfig {
  return sftConfig({ ...paper, epochs: 2, lr, batchSize: 64 });
}
