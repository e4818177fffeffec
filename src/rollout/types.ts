import type { Key } from "#tensor";

/** What is asked of the model, keyed by `id`, never by its text. */
export type Prompt = {
  id: number;
  ids: Int32Array;
  /** Limit of its own answers, where that of all is longer. */
  maxNewTokens?: number;
};

/** The longest answer that a prompt may get. */
export const longestAnswer = (prompt: Prompt, { maxNewTokens }: Pick<SamplingOptions, "maxNewTokens">): number =>
  Math.min(maxNewTokens, prompt.maxNewTokens ?? maxNewTokens);

/** One sampled response. Token ids go in and out; nothing is encoded again. */
export type Completion = {
  promptId: number;
  /** Which of its group's answers. */
  sample: number;
  /** Sampled ids, the one that ended it included. */
  ids: Int32Array;
  /** 1 where the policy chose the token; 0 where an environment wrote it. */
  sampled: Uint8Array;
  /** log p of each id under the temperature it was sampled at. */
  logprobs: Float32Array;
  /** Updates the weights had seen when each token was sampled. */
  weightsVersion: Int32Array;
  finishReason: "stop" | "length";
};

/** All answers to one prompt. */
export type Group = { prompt: Prompt; completions: Completion[] };

/** Which random stream each answer draws from: a function of what it is, never of when it runs. */
export type StreamOf = (promptId: number, sample: number) => Key;

export type SamplingOptions = {
  groupSize: number;
  /** 0 is greedy. */
  temperature: number;
  maxNewTokens: number;
  /** Ids that end a response. */
  eosIds: readonly number[];
  stream: StreamOf;
  topK?: number;
  topP?: number;
  minP?: number;
  /** Called with each new token; true ends the response there (stop strings, a caller that has gone). */
  onToken?: (promptId: number, sample: number, id: number) => boolean;
  /** Called after each decode step with the tokens sampled so far. */
  onProgress?: (numTokens: number, numFinished: number) => void;
};
