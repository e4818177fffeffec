import { formatShare } from "#run";
import { randomOf } from "#tasks";
import type { Author } from "./author.ts";
import type { Judge } from "./judge.ts";

/** What the generator of a small world knows about its own questions. */
export type JudgeTruth = {
  /** What an answer is worth, 1 to 10. */
  score: (question: string, answer: string) => number;
  isEqual: (question: string, truth: string, answer: string) => boolean;
  isSafe: (question: string, response: string) => boolean;
  isReadable: (question: string, response: string) => boolean;
};

export type NoiseOptions = {
  /** Share of what is asked that comes out wrong, 0 to 1. */
  noise: number;
  seed: number;
};

/**
 * Stands in for a judge in a world that is too small to be read by a real one: the generator's truth, wrong at a stated
 * rate. Whether a verdict is wrong is a function of the seed, what is asked and its round, so that asking again in a new
 * round helps and starting again does not. A wrong comparison has its two scores exchanged.
 */
export function noisyJudge(truth: JudgeTruth, options: NoiseOptions): Judge {
  const isWrong = wrongAt(options);
  const flipped = async (verdict: boolean, kind: string, round: number | undefined, ...texts: string[]) =>
    verdict !== isWrong(kind, round, ...texts);
  return {
    description: `a stand-in: the generator's truth, wrong in ${formatShare(options.noise)} of its verdicts (seed ${options.seed})`,
    async scores({ question, answers: [a, b], round }) {
      const scores = [truth.score(question, a), truth.score(question, b)] as const;
      return isWrong("scores", round, question, a, b) ? [scores[1], scores[0]] : scores;
    },
    isEqual: ({ question, truth: known, answer, round }) =>
      flipped(truth.isEqual(question, known, answer), "equal", round, question, known, answer),
    isSafe: ({ question, response, round }) =>
      flipped(truth.isSafe(question, response), "safe", round, question, response),
    isReadable: ({ question, response, round }) =>
      flipped(truth.isReadable(question, response), "readable", round, question, response),
  };
}

/** How the generator of a small world writes. It solves nothing: chains of thought come from a model. */
export type AuthorRules = {
  /** A response in readable form, made from that response alone; undefined where the rules cannot read it. */
  rewrite: (question: string, response: string) => string | undefined;
  /** Answers to a general request: one as it should be, and one as it should not. */
  answers: (question: string, withThought: boolean) => { good: string; bad: string } | undefined;
};

/** Stands in for an author, by rules; at a stated rate a draft stays as it is, and an answer is the one that should not be. */
export function noisyAuthor(rules: AuthorRules, options: NoiseOptions): Author {
  const isWrong = wrongAt(options);
  return {
    description: `a stand-in: the generator's rules, broken in ${formatShare(options.noise)} of what it writes (seed ${options.seed})`,
    solve: async () => undefined,
    async rewrite({ question, response, round }) {
      return isWrong("rewrite", round, question, response) ? response : rules.rewrite(question, response);
    },
    async answer({ question, withThought, round }) {
      const answers = rules.answers(question, withThought);
      return isWrong("answer", round, question) ? answers?.bad : answers?.good;
    },
  };
}

function wrongAt({ noise, seed }: NoiseOptions) {
  if (!(noise >= 0 && noise <= 1)) throw new Error(`stand-in: noise is ${noise}. Expected a share, 0 to 1.`);
  return (kind: string, round = 0, ...texts: string[]): boolean =>
    randomOf(JSON.stringify([seed, kind, round, ...texts])).uniform() < noise;
}
