import { type ChatMessage, splitResponse } from "#tokenizer";
import type { Answer, Grade, Reward } from "./types.ts";

/** What is judged of a response: what follows its thought, as a reader sees it, or all of it. */
export type JudgedPart = "summary" | "response";

/** A response and what it answers. */
export type Exchange = { prompt: readonly ChatMessage[]; response: string };

/**
 * Numbers for texts from something that computes elsewhere: a reward model, a service. A number is a log-odds: 0 is even.
 * `score` is handed `judgedText`, many at a time, and gives a number for each, in their order.
 */
export type Scorer = {
  /** What it was taught to read; a reward that would show it another part is refused. */
  judges: JudgedPart;
  score: (exchanges: readonly Exchange[]) => Promise<number[]>;
};

/** The part of a response that is judged; "" where a thought never ends and its summary is asked for. */
export const judgedText = (response: string, part: JudgedPart): string =>
  part === "response" ? response : splitResponse(response).shown;

/**
 * Helpfulness, by a model that reads the final summary only, so that it leaves the reasoning alone (arXiv 2501.12948,
 * section 2.3.4): the chance of its log-odds, 0 to 1, and 0 where no summary was written. `promptOf` is the task's `prompt`.
 */
export function preferenceReward<R>(scorer: Scorer, promptOf: (row: R) => readonly ChatMessage[]): Reward<R> {
  const chance = chanceBy(scorer, "summary", "preferenceReward");
  return (answer, row) => {
    const response = judgedText(answer.text, "summary");
    return response === "" ? unanswered(answer) : chance({ prompt: promptOf(row), response });
  };
}

/** Harmlessness, by a model that reads the whole response, thought and summary: the chance that it is safe, 0 to 1. */
export function safetyReward<R>(scorer: Scorer, promptOf: (row: R) => readonly ChatMessage[]): Reward<R> {
  const chance = chanceBy(scorer, "response", "safetyReward");
  return (answer, row) => chance({ prompt: promptOf(row), response: answer.text });
}

const unanswered = ({ finishReason }: Answer): Grade => ({
  verdict: finishReason === "length" ? "truncated" : "noAnswer",
  reward: 0,
});

/** Answers that wait at the same moment are scored together. */
function chanceBy(scorer: Scorer, part: JudgedPart, name: string): (exchange: Exchange) => Promise<number> {
  if (scorer.judges !== part)
    throw new Error(`${name}: this scorer judges the ${scorer.judges}. Expected one that was taught on the ${part}.`);
  type Waiting = { exchange: Exchange; resolve: (chance: number) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  const send = async () => {
    const batch = waiting;
    waiting = [];
    try {
      const scores = await scorer.score(batch.map(({ exchange }) => exchange));
      if (scores.length !== batch.length)
        throw new Error(`${name}: ${scores.length} scores for ${batch.length} texts. Expected one for each.`);
      for (const [i, { resolve }] of batch.entries()) resolve(1 / (1 + Math.exp(-scores[i]!)));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return (exchange) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ exchange, resolve, reject }) === 1) setImmediate(send);
    });
}
