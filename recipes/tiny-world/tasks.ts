import {
  type Answer,
  type CountdownProblem,
  countdownDefaults,
  countdownProblems,
  countdownQuestion,
  defineTask,
  formatReward,
  type Grade,
  generalFormat,
  gradeCountdown,
  gradeLanguage,
  preferenceReward,
  type Scorer,
  type Split,
  safetyReward,
  splitResponse,
  type Task,
  thinkFormat,
  user,
} from "aha-rl";
import { calculation, ordering, type Puzzle } from "./puzzles.ts";
import { Random } from "./random.ts";
import { type Request, requests } from "./requests.ts";
import { isHeldOutQuestion } from "./split.ts";
import { isRefusal, isRight, isSafe, quality } from "./truth.ts";
import { type Language, phrases } from "./words.ts";
import { chineseQuestion, mixture } from "./world.ts";

export type ReasoningOptions = {
  /** R1-Zero's tags, or R1's thought and summary (R1-Zero's form is then as good). */
  form: "answer" | "summary";
  /** Weight of the language-consistency reward; 0 only measures it. */
  language: number;
};

/** The three tasks whose answers a rule checks: Countdown, nested sums, chains of comparisons; asked in two languages. */
export function reasoningTasks(options: ReasoningOptions): {
  countdown: Task<CountdownRow>;
  calculation: Task<Puzzle>;
  ordering: Task<Puzzle>;
} {
  return {
    countdown: reasoningTask("countdown", countdownRows, gradeCountdown, options),
    calculation: puzzleTask(
      "calculation",
      (random, language) => calculation(random, language, countdownDefaults.maxValue),
      options,
    ),
    ordering: puzzleTask("ordering", ordering, options),
  };
}

type Asked = { language: Language; question: string };
export type CountdownRow = Asked & CountdownProblem;

function reasoningTask<R extends Asked>(
  name: string,
  load: (split: Split) => R[],
  grade: (row: R, answer: string | undefined) => Grade,
  { form, language }: ReasoningOptions,
): Task<R> {
  return defineTask<R>({
    name,
    load,
    prompt: ({ question }) => [user(question)],
    rewards: {
      correct: (answer, row) =>
        answer.finishReason === "length" ? { verdict: "truncated", reward: 0 } : grade(row, resultOf(answer)),
      format: form === "answer" ? formatReward : thinkFormat,
      // A thought of this world may have one word of prose among its sums.
      language: ({ thought }, row) => gradeLanguage(thought, row.language, 1),
    },
    weights: { correct: 1, format: 1, language },
    key: ({ question }) => question,
  });
}

function puzzleTask(
  name: string,
  make: (random: Random, language: Language) => Puzzle,
  options: ReasoningOptions,
): Task<Puzzle> {
  const grade = ({ answer: right }: Puzzle, answer: string | undefined): Grade =>
    answer === undefined
      ? { verdict: "noAnswer", reward: 0 }
      : answer === right
        ? { verdict: "correct", reward: 1 }
        : { verdict: "wrong", reward: 0 };
  return reasoningTask(name, (split) => puzzleRows(split, make), grade, options);
}

/** What an answer part gives as its result: what follows "the answer is" in a summary, else all of it. */
export function resultOf({ answer }: Pick<Answer, "answer">): string | undefined {
  if (answer === undefined) return undefined;
  const { en, zh } = phrases.theAnswerIs;
  const stated = new RegExp(`(?:${en}|${zh.replace(" ", "\\s*")})\\s+(.+?)\\s*\\.?$`).exec(answer);
  return (stated?.[1] ?? answer).trim();
}

/** A summary that says a result again. */
export const summaryOf = (result: string, language: Language): string => `${phrases.theAnswerIs[language]} ${result} .`;

const numPuzzles: Record<Split, number> = { train: 2000, test: 300 };

function puzzleRows(split: Split, make: (random: Random, language: Language) => Puzzle): Puzzle[] {
  const random = new Random(split === "train" ? 101 : 102);
  const rows = new Map<string, Puzzle>();
  while (rows.size < numPuzzles[split]) {
    const puzzle = make(random, random.chance(mixture.chineseQuestions) ? "zh" : "en");
    if (isHeldOutQuestion(puzzle.question) === (split === "test")) rows.set(puzzle.question, puzzle);
  }
  return [...rows.values()];
}

function countdownRows(split: Split): CountdownRow[] {
  const random = new Random(100);
  return countdownProblems(split).map((problem) => {
    const language = random.chance(mixture.chineseQuestions) ? "zh" : "en";
    const question = language === "zh" ? chineseQuestion(problem) : countdownQuestion(problem);
    return { ...problem, language, question };
  });
}

/** Requests of a split: the held-out ones are in no text that a model learns from. */
export const requestsOf = (split: Split, of: (request: Request) => boolean = () => true): Request[] =>
  requests.filter((request) => isHeldOutQuestion(request.question) === (split === "test") && of(request));

/** What is asked for help, and what is asked to see whether a response does harm. */
export const isHelpfulness = ({ kind, harm }: Request): boolean => kind !== "howTo" || harm === "harmless";
export const isSafety = (request: Request): boolean => !isHelpfulness(request);

/** A general task: what a judge's model says of answers to requests, with the form and the language of the thought. */
export function generalTask(kind: "helpful" | "safe", scorer: Scorer): Task<Request> {
  const of = kind === "helpful" ? isHelpfulness : isSafety;
  const prompt = ({ question }: Request) => [user(question)];
  const judged = kind === "helpful" ? preferenceReward<Request>(scorer, prompt) : safetyReward<Request>(scorer, prompt);
  return defineTask<Request>({
    name: kind,
    load: (split) => requestsOf(split, of),
    prompt,
    rewards: {
      judged,
      format: generalFormat,
      language: thoughtLanguage,
      truth: kind === "helpful" ? truthOf : safeTruth,
    },
    // The generator's truth is watched, never trained on.
    weights: { judged: 1, format: 1, language: 1, truth: 0 },
    key: ({ question }) => question,
  });
}

/** An answer that was given at once has no thought in a wrong language. */
const thoughtLanguage = ({ thought }: Answer, { language }: Request): number | Grade =>
  thought === "" ? 1 : gradeLanguage(thought, language, 1);

const shownOf = ({ text }: Answer): string => splitResponse(text).shown;
const truthOf = (answer: Answer, request: Request): number => quality(request, shownOf(answer));
const safeTruth = (answer: Answer, request: Request): number => Number(isSafe(request, answer.text));

/** Columns that the generator's truth scores, on held-out requests. */
export const generalColumns: Record<string, Task<Request>> = {
  /** Mean worth of answers. */
  helpful: truthTask("helpful", isHelpfulness, truthOf),
  /** Facts and translations that have one right answer. */
  facts: truthTask(
    "facts",
    ({ kind }) => kind === "fact" || kind === "translate",
    (answer, request) => Number(isRight(request, shownOf(answer))),
  ),
  /** Harmful requests that are declined, and not answered all the same. */
  declines: truthTask(
    "declines",
    ({ harm }) => harm === "harmful",
    (answer, request) => Number(isRefusal(shownOf(answer)) && isSafe(request, answer.text)),
  ),
  /** Harmless requests that sound harmful and are declined: what safety costs. */
  overcautious: declinedTask("overcautious", "borderline"),
};

/** Held-out requests of a kind, and whether they are declined. */
export function declinedTask(name: string, kind: Request["harm"]): Task<Request> {
  return truthTask(
    name,
    ({ harm }) => harm === kind,
    (answer) => Number(isRefusal(shownOf(answer))),
  );
}

function truthTask(
  name: string,
  of: (request: Request) => boolean,
  truth: (answer: Answer, request: Request) => number,
): Task<Request> {
  return defineTask<Request>({
    name,
    load: (split) => requestsOf(split, of),
    prompt: ({ question }) => [user(question)],
    rewards: { truth, format: generalFormat, language: thoughtLanguage },
    key: ({ question }) => question,
  });
}
