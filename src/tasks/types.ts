import type { Reward } from "#rewards";

export type Message = { role: "system" | "user" | "assistant" | "tool"; content: string };

export type Split = "train" | "test";

/** A data set of rows, how to ask about one, and how to reward an answer. */
export type Task<R> = {
  name: string;
  /** Rows of a split; the same rows in the same order at each call. */
  load: (split: Split) => R[] | Promise<R[]>;
  prompt: (row: R) => Message[];
  /** Raw rewards by name; each is logged apart as `reward/<name>`. */
  rewards: Record<string, Reward<R>>;
  /** Weight of each reward in the total; 1 where not given, 0 logs it and does not train on it. */
  weights?: Record<string, number>;
  /** A response that earns full marks (`aha check` proves it), or undefined where the data holds none. */
  gold?: (row: R) => string | undefined;
  /** Identity of a row for hold-out and curves, where its JSON is not. */
  key?: (row: R) => string;
  /** How hard a row is, in any unit: what a curriculum goes by. */
  difficulty?: (row: R) => number;
};

/** One user message: the usual prompt. */
export const user = (content: string): Message => ({ role: "user", content });
