import type { Grade, Reward } from "#rewards";
import { unlessMissing, user } from "#tasks";
import type { ChatModel } from "./chat.ts";
import { promptFile } from "./prompt-file.ts";
import { scoresOf, verdictOf } from "./verdict.ts";

/** A question asked again with another `round` may be judged otherwise. */
type Round = { round?: number };

export type Comparison = Round & { question: string; answers: readonly [string, string] };
export type Equality = Round & { question: string; truth: string; answer: string };
export type Judged = Round & { question: string; response: string };

/**
 * Who judges what no rule can. A verdict that cannot be read is undefined: neither a yes nor a no, and never a win.
 * Give answers as their reader sees them (the summary), responses whole.
 */
export type Judge = {
  /** Who it is and how far it can be trusted; reports print it. */
  description: string;
  /** What each of two answers is worth, 1 to 10. */
  scores: (ask: Comparison) => Promise<readonly [number, number] | undefined>;
  /** Whether an answer says the same as the truth. */
  isEqual: (ask: Equality) => Promise<boolean | undefined>;
  /** Whether a response does no harm. */
  isSafe: (ask: Judged) => Promise<boolean | undefined>;
  /** Whether a response can be read with ease: one language, ordered, no repetition. */
  isReadable: (ask: Judged) => Promise<boolean | undefined>;
};

export type ChatJudgeOptions = {
  model: ChatModel;
  /** A folder of prompts instead of the package's. */
  prompts?: string;
  temperature?: number;
  maxTokens?: number;
};

/** A judge that is asked in words, with the prompts `judge-*.txt`. Behind an endpoint or in this process: as its model is. */
export function chatJudge({ model, prompts, temperature = 0, maxTokens = 2048 }: ChatJudgeOptions): Judge {
  const scores = promptFile("judge-scores", ["question", "a", "b"], prompts);
  const equal = promptFile("judge-equal", ["question", "truth", "answer"], prompts);
  const safe = promptFile("judge-safe", ["question", "response"], prompts);
  const readable = promptFile("judge-readable", ["question", "response"], prompts);
  const write = async (prompt: string, round = 0): Promise<string> => {
    const reply = await model.chat([user(prompt)], { temperature, maxTokens, seed: round });
    return reply.finishReason === "stop" ? reply.content : "";
  };
  const decide = async (prompt: string, round: number | undefined, yes: string, no: string) => {
    const verdict = verdictOf(await write(prompt, round), [yes, no]);
    return verdict === undefined ? undefined : verdict === yes;
  };
  return {
    description: `${model.name}, asked in words`,
    scores: async ({ question, answers: [a, b], round }) => scoresOf(await write(scores({ question, a, b }), round)),
    isEqual: ({ round, ...ask }) => decide(equal(ask), round, "equal", "different"),
    isSafe: ({ round, ...ask }) => decide(safe(ask), round, "safe", "unsafe"),
    isReadable: ({ round, ...ask }) => decide(readable(ask), round, "readable", "unreadable"),
  };
}

/**
 * A reward by a judge who sees the truth and the answer, for answers that no rule can compare (arXiv 2501.12948, section
 * 2.3.3). A verdict that cannot be read is a verifierError. A policy may learn to please a judge: prefer a rule where there is one.
 */
export function judgeReward<R>(judge: Judge, of: (row: R) => { question: string; truth: string }): Reward<R> {
  const compare = async (answer: string, row: R): Promise<Grade> => {
    const isEqual = await judge.isEqual({ ...of(row), answer });
    if (isEqual === undefined)
      return { verdict: "verifierError", reward: null, detail: { error: "the judge's verdict cannot be read" } };
    return isEqual ? { verdict: "correct", reward: 1 } : { verdict: "wrong", reward: 0 };
  };
  return (answer, row) => unlessMissing(answer, (text) => compare(text, row));
}

export type Preference = {
  /** By how much the first answer is better, on average: -9 to 9. */
  difference: number;
  /** How many of the rounds gave a verdict. */
  numVerdicts: number;
};

/**
 * Which of two answers a judge prefers, asked `rounds` times with the positions swapped in every other one, so that
 * liking the first place cancels out (arXiv 2501.12948 v2: four times, pairs kept where the mean difference is above 1).
 * Undefined where one of the two orders got no verdict at all.
 */
export async function preference(
  judge: Judge,
  { question, answers: [first, second] }: Omit<Comparison, "round">,
  rounds = 4,
): Promise<Preference | undefined> {
  const asked = await Promise.all(
    Array.from({ length: rounds }, async (_, round) => {
      const isSwapped = round % 2 === 1;
      const scores = await judge.scores({ question, answers: isSwapped ? [second, first] : [first, second], round });
      return { isSwapped, difference: scores && (isSwapped ? scores[1] - scores[0] : scores[0] - scores[1]) };
    }),
  );
  const means = [false, true].map((side) => {
    const given = asked.flatMap(({ isSwapped, difference }) => (isSwapped === side ? (difference ?? []) : []));
    return given.length === 0 ? undefined : given.reduce((a, b) => a + b, 0) / given.length;
  });
  const [straight, swapped] = means;
  if (straight === undefined || swapped === undefined) return undefined;
  const numVerdicts = asked.filter(({ difference }) => difference !== undefined).length;
  return { difference: (straight + swapped) / 2, numVerdicts };
}
