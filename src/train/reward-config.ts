import { applyPartial, count, type DeepPartial, oneOf, optional, settings, within } from "#run";
import { computeDefaults, supervisedCheckpoints, supervisedOptimizer } from "./trainer-config.ts";

/** Settings of a reward model's training. A step is one optimizer update. */
const rewardDefaults = settings({
  /** What it reads of a response, and is shown ever after: what follows the thought, or all of it. */
  judges: oneOf("summary", ["summary", "response"]),
  /** Pairs, or single labelled responses, in one update. */
  batchSize: count(256),
  epochs: count(1),
  /** Updates at most, whatever the number of pairs. */
  steps: optional(count(1)),
  ...supervisedOptimizer,
  lr: 6e-6,
  /** Tokens of prompt and response at most; the model's own limit holds too. A longer one is left out, and counted. */
  maxTokens: count(8192, { min: 2 }),

  /** See `PairLossConfig`. */
  margin: within(0, 0, Number.POSITIVE_INFINITY),
  ties: oneOf("drop", ["drop", "half", "raoKupper"]),
  tieThreshold: within(0.5, 1e-6, 100),
  centre: within(0, 0, 1),

  /** Share of the prompts that is not trained on, but measured. */
  heldOut: within(0.1, 0, 0.5),
  /** Bins of the reliability table. */
  reliabilityBins: count(10),
  ...supervisedCheckpoints,

  /** Tokens in one forward and backward pass; a longer pair goes alone. */
  microBatchTokens: count(1024),
  ...computeDefaults,
});

export type RewardConfig = typeof rewardDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const rewardConfig = (changes: DeepPartial<RewardConfig> = {}): RewardConfig =>
  applyPartial<RewardConfig>(rewardDefaults, changes, "rewardConfig");

/** What the paper (arXiv 2501.12948 v2, B.3.3) gives for both of its reward models; schedule, Adam and hold-out are ours. */
const paper = { batchSize: 256, lr: 6e-6, epochs: 1, maxTokens: 8192 } as const;

/** The paper's helpfulness model: 66,000 pairs, judged by the summary. */
export const paperHelpfulness: RewardConfig = rewardConfig({ ...paper, judges: "summary" });

/** The paper's safety model: 106,000 prompts, each response safe or not, judged as a whole. */
export const paperSafety: RewardConfig = rewardConfig({ ...paper, judges: "response" });
