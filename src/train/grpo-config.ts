import { applyPartial, count, type DeepPartial, oneOf, optional, settings, within } from "#run";
import { computeDefaults, optimizerDefaults } from "./trainer-config.ts";

/**
 * Settings of training by rollouts, whatever its advantages are. A step is one optimizer update, as the paper counts; a rollout is one
 * sampling phase of `promptsPerStep · miniBatches` prompts. Learning rate, KL coefficient, group size, temperature and
 * the reference's renewal are the paper's kind of setting; clip range, Adam and warm-up are not given there and ours.
 */
const plainDefaults = {
  steps: count(200),
  promptsPerStep: count(32),
  /** Answers per prompt. */
  groupSize: count(16),
  /** Updates made on one rollout; the last are made on answers that many updates old. */
  miniBatches: count(1),
  /** Passes over one rollout. */
  innerEpochs: count(1),

  ...optimizerDefaults,

  temperature: within(1, 0.01, 100),
  maxNewTokens: count(512),
  /** From step `longerFrom` on, answers may be `longerTokens` long (the paper: from 8,200 on, 65,536). */
  longerFrom: optional(count(1)),
  longerTokens: optional(count(1)),

  clipLow: within(0.2, 0, Number.POSITIVE_INFINITY),
  clipHigh: within(0.2, 0, Number.POSITIVE_INFINITY),
  ratio: oneOf("token", ["token", "sequence", "output"]),
  objective: oneOf("clip", ["clip", "cispo"]),
  ratioCap: within(0, 0, Number.POSITIVE_INFINITY),
  kl: within(0, 0, Number.POSITIVE_INFINITY),
  /** Steps after which the reference becomes the current policy; 0 keeps the first. */
  referenceEvery: count(400, { min: 0 }),

  aggregation: oneOf("token", ["token", "sequence", "constant"]),
  /** Samples again until this many rounds for groups whose answers differ in reward (DAPO's dynamic sampling); 1 is off. */
  maxRounds: count(1),
  /** Length before the limit in which an answer's reward falls linearly by 1 (DAPO's soft overlong punishment); 0 is off. */
  overlongBuffer: count(0, { min: 0 }),
  /** Whether answers cut at the limit are trained on with what they earned, or left out (DAPO's overlong filtering). */
  truncated: oneOf("train", ["train", "mask"]),

  /** Largest share of answers that may lose their reward to a failing verifier before the run stops. */
  maxVerifierErrors: within(0.1, 0, 1),

  /** Steps between evaluations on held-out problems (rounded up to a rollout); 0 evaluates only at the end. */
  evalEvery: count(0, { min: 0 }),
  /** At least 2, for a standard error. */
  evalPrompts: count(100, { min: 2 }),
  evalSamples: count(1),
  /** How held-out answers are sampled: the paper's evaluation. */
  evalTemperature: within(0.6, 0, 100),
  evalTopP: within(0.95, 0.01, 1),
  /** Evaluations without a gain after which training has converged and ends; 0 goes on to the last step. */
  plateau: count(0, { min: 0 }),
  /** Evaluations over which a rising reward with a falling held-out accuracy is over-optimisation; 0 does not look. */
  alarm: count(0, { min: 0 }),
  /** What over-optimisation does: a line in the log, the end, or the end with the best checkpoint as the result. */
  onAlarm: oneOf("warn", ["warn", "stop", "rollback"]),

  /** Rows whose answers were right in a smaller or a larger share are skipped in the epoch after. */
  minSolved: within(0, 0, 1),
  maxSolved: within(1, 0, 1),
  /** "easyFirst" begins with the rows that the task's `difficulty` puts first. */
  curriculum: oneOf("none", ["none", "easyFirst"]),

  /** Steps between checkpoints (rounded up to a rollout). */
  checkpointEvery: count(1),
  keepCheckpoints: count(2),
  /** Answers of each rollout written to rollouts.jsonl. */
  keepRollouts: count(16, { min: 0 }),

  /** Predicted tokens in one forward and backward pass. */
  microBatchTokens: count(1024),
  ...computeDefaults,
};

export type RolloutConfig = typeof plainDefaults;

/** A rollout's updates are all made: what is wrong with a number of steps that ends in the middle of one. */
export function wholeRollouts({ steps, miniBatches, innerEpochs }: RolloutConfig): string | undefined {
  const perRollout = miniBatches * innerEpochs;
  if (steps % perRollout === 0) return undefined;
  return `steps is ${steps}, each rollout makes ${perRollout} (miniBatches · innerEpochs). Expected a multiple of ${perRollout}.`;
}

export const rolloutDefaults: RolloutConfig = settings(plainDefaults, wholeRollouts);

/** The length limit of answers in force at a step. */
export const limitAt = ({ maxNewTokens, longerFrom, longerTokens }: RolloutConfig, step: number): number =>
  longerFrom !== undefined && step >= longerFrom ? (longerTokens ?? maxNewTokens) : maxNewTokens;

/** Group-relative policy optimisation compares the answers of a group, so that it needs two at least. */
const grpoDefaults = settings({
  ...rolloutDefaults,
  groupSize: count(16, { min: 2 }),
  advantage: oneOf("std", ["std", "mean", "leaveOneOut", "batch", "groupThenBatch"]),
  deviation: oneOf("population", ["population", "sample"]),
});

export type GrpoConfig = typeof grpoDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const grpoConfig = (changes: DeepPartial<GrpoConfig> = {}): GrpoConfig =>
  applyPartial<GrpoConfig>(grpoDefaults, changes, "grpoConfig");

/** What all of the paper's reinforcement shares: 512 questions of 16 answers a rollout, 16 updates on each. */
const paper = {
  promptsPerStep: 32,
  groupSize: 16,
  miniBatches: 16,
  lr: 3e-6,
  kl: 0.001,
  referenceEvery: 400,
  maxNewTokens: 32_768,
} as const;

/**
 * The paper's values for R1-Zero (arXiv 2501.12948 v2): 10,400 updates; the reference renewed every 400; the length limit
 * doubled from 8,200 on. The clip range is ours there.
 */
export const paperConfig: GrpoConfig = grpoConfig({
  ...paper,
  steps: 10_400,
  temperature: 1,
  longerFrom: 8_200,
  longerTokens: 65_536,
});

/**
 * The paper's reinforcement of reasoning after the cold start (Dev2): a clip ε of 10, which at token level binds only where a
 * ratio is above 11. Its number of steps is not given: R1-Zero's stands here.
 */
export const paperReasoning: GrpoConfig = grpoConfig({
  ...paper,
  steps: 10_400,
  temperature: 1,
  clipLow: 10,
  clipHigh: 10,
});

/**
 * The paper's reinforcement for all scenarios (R1): as that of reasoning, for most of its settings are kept, at temperature
 * 0.7 (section 3.2.2). Of its 1,700 steps 1,696 are whole rollouts.
 */
export const paperScenarios: GrpoConfig = grpoConfig({ ...paperReasoning, steps: 1_696, temperature: 0.7 });

/** The last steps of `paperScenarios`, in which general prompts and preference rewards are in. */
export const paperGeneralSteps = 400;
