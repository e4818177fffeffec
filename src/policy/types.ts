import type { Loss, OutputName } from "#nn";
import type { Group, Prompt, SamplingOptions } from "#rollout";
import type { Tokenizer } from "#tokenizer";

/**
 * One sequence to train on. Position i predicts ids[i + 1]: every array but `ids` has one value per predicted token
 * (length − 1). A weight of 0 leaves a token out; the weights of one step are divided by its global count already.
 */
export type Example<Field extends string = never> = {
  ids: Int32Array;
  weights: Float32Array;
  fields: Record<Field, Float32Array>;
};

/** Metrics are means over the trained tokens of the whole call, maxima the largest value of one. */
export type Trained = {
  loss: number;
  numTokens: number;
  metrics: Record<string, number>;
  maxima: Record<string, number>;
};

/** Weights that answer and judge, and do not change. */
export type FrozenPolicy = {
  readonly tokenizer: Tokenizer;
  /** What its forward pass gives; a loss that reads another is refused by name. */
  readonly outputs: ReadonlySet<OutputName>;
  /** Yields groups as they finish. */
  sample(prompts: readonly Prompt[], options: SamplingOptions): AsyncIterable<Group>;
  /** log p of ids[1…] of each sequence at a temperature. */
  logprobs(sequences: readonly Int32Array[], temperature?: number): Promise<Float32Array[]>;
  /** The scalar head of each sequence where each of ids[1…] is chosen. Throws where `outputs` has no values. */
  values(sequences: readonly Int32Array[]): Promise<Float32Array[]>;
  /** Writes weights and tokenizer as a Hugging Face folder. */
  save(folder: string): Promise<void>;
  dispose(): void;
};

export type PassOptions = {
  temperature?: number;
  /** Consecutive examples that a loss compares (`groupSum`): 2 for pairs. */
  together?: number;
};

/** The six verbs: sample, logprobs, forwardBackward, step, save, load. Where it runs does not matter to its users. */
export type Policy = FrozenPolicy & {
  /** Adds the gradient of the summed loss. Packs and splits into micro-batches as it likes, but for those asked to stay together. */
  forwardBackward<Field extends string>(
    examples: readonly Example<Field>[],
    loss: Loss<Field, OutputName>,
    options?: PassOptions,
  ): Promise<Trained>;
  /** Applies the gathered gradient. `gradNorm` is before clipping; where it is not finite nothing was applied. */
  step(options: { lr: number; maxGradNorm?: number }): Promise<{ gradNorm: number }>;
  /** Takes over the weights and the optimizer of a folder that `save` wrote (it adds the optimizer to the folder's files). */
  load(folder: string): Promise<void>;
  snapshot(): FrozenPolicy;
};
