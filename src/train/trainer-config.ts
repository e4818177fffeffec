import { applyPartial, count, oneOf, settings, within } from "#run";

/** Settings of the optimizer, the same for every trainer. Adam's betas, its weight decay and the warm-up are ours. */
export const optimizerDefaults = settings({
  lr: within(1e-6, 0, 1),
  warmupSteps: count(0, { min: 0 }),
  schedule: oneOf("constant", ["constant", "linear", "cosine"]),
  /** What the schedule ends at, as a share of lr. */
  lrFloor: within(0, 0, 1),
  /** 0 does not clip the gradient. */
  maxGradNorm: within(1, 0, Number.POSITIVE_INFINITY),
  weightDecay: within(0, 0, 1),
  beta1: within(0.9, 0, 0.999999),
  beta2: within(0.999, 0, 0.999999),
});

/** The same where rows are given: down along a cosine, as the paper trains. */
export const supervisedOptimizer = applyPartial(optimizerDefaults, { schedule: "cosine", lrFloor: 0.1 });

export const supervisedCheckpoints = settings({
  /** Steps between measurements on what is held out; 0 measures only at the end. */
  evalEvery: count(0, { min: 0 }),
  /** Steps between checkpoints; the best by held-out loss, where there is one, is saved besides. */
  checkpointEvery: count(100),
  keepCheckpoints: count(2),
});

/** What a policy computes in, and where. */
export const computeDefaults = settings({
  dtype: oneOf("float32", ["float32", "bfloat16"]),
  device: oneOf("cpu", ["cpu", "cuda:0"]),
});

/** What opening a policy to train it reads of a trainer's settings. */
export type PolicySettings = typeof optimizerDefaults & typeof computeDefaults & { microBatchTokens: number };

/** What the steps of a supervised training read. */
export type SupervisedSettings = PolicySettings & typeof supervisedCheckpoints;
