import {
  type Answer,
  evaluate,
  type Figure,
  hasNoRepetition,
  hasShortParagraphs,
  hasSummary,
  hasThought,
  inOneLanguage,
  LocalFrozen,
  type Measured,
  meanWithError,
  type Problem,
  promptOf,
  type Run,
  splitResponse,
  type Task,
  withExamples,
} from "aha-rl";
import { percent } from "../steps/percent.ts";
import type { World } from "./world.ts";

export type MeasureOptions = {
  /** Held-out problems of a column, and answers to each. */
  problems: number;
  samples: number;
  temperature: number;
  topP: number;
  maxNewTokens: number;
};

/** A model's folder, and the form in which it was taught to answer. */
export type Measurable = { folder: string; form: "answer" | "summary" };

/** One row of the report: its figures by column, and the first task's evaluation with some answers. */
export type StageFigures = { figures: Record<string, Figure>; task: string; main: Measured };

/**
 * What a checkpoint is worth, on held-out rows, as the paper measures (several answers at temperature 0.6, top-p 0.95): the
 * accuracy of each reasoning task, the world's own columns, whether a reader can follow, and how long it thinks.
 */
export async function measure(
  { folder, form }: Measurable,
  world: World,
  options: MeasureOptions,
  run: Run,
): Promise<StageFigures> {
  using policy = await LocalFrozen.load(folder);
  const tasks = world.reasoning({ form, language: 1 }).map(({ task }) => task);
  const all = tasks.length + Object.keys(world.columns).length;
  let numDone = 0;
  const ask = async (task: Task<unknown>) => {
    run.terminal?.begin(`measuring ${folder}: ${task.name}`);
    const result = await evaluate(policy, task, { ...options, limit: options.problems, seed: run.seed });
    run.progress(++numDone / all);
    return { task, ...result };
  };
  const reasoning: Awaited<ReturnType<typeof ask>>[] = [];
  for (const task of tasks) reasoning.push(await ask(task));
  const general: [string, Awaited<ReturnType<typeof ask>>][] = [];
  for (const [name, task] of Object.entries(world.columns)) general.push([name, await ask(task)]);

  run.terminal?.end();
  const problems = reasoning.flatMap(({ problems, task }) => problems.map((problem) => ({ ...problem, task })));
  const share = (keeps: (answer: Answer, question: string) => boolean) =>
    percent(
      meanWithError(
        problems.map(({ task, row, scored }) => {
          const question = promptOf(task, row).at(-1)!.content;
          return scored.filter(({ answer }) => keeps(answer, question)).length / scored.length;
        }),
      ),
    );
  const figures: Record<string, Figure> = {
    ...Object.fromEntries(reasoning.map(({ task, evaluation }) => [`${task.name} %`, percent(evaluation.accuracy)])),
    ...Object.fromEntries(
      general.map(([name, { task, evaluation }]) => [
        `${name} %`,
        percent(evaluation.rewards[Object.keys(task.rewards)[0]!]!),
      ]),
    ),
    "one language %": share((answer, question) => oneLanguage.keeps({ answer, question })),
    "readable %": share((answer, question) => readable.every(({ keeps }) => keeps({ answer, question }))),
    "response, tokens": meanWithError(
      problems.map(({ scored }) => scored.reduce((sum, { answer }) => sum + answer.numTokens, 0) / scored.length),
    ),
    ...(general.length > 0 && { "answer, words": meanWithError(general[0]![1].problems.map(meanWordsShown)) }),
  };
  const first = reasoning[0]!;
  return { figures, task: first.task.name, main: withExamples(first.task, first) };
}

const oneLanguage = inOneLanguage();

/** Readable: one language, a thought, a summary that is more than R1-Zero's tags, no loops, no walls of text. */
const readable = [
  oneLanguage,
  hasThought,
  hasSummary,
  { name: "summaryForm", keeps: ({ answer }: { answer: Answer }) => splitResponse(answer.text).form === "summary" },
  hasNoRepetition(),
  hasShortParagraphs(),
];

const wordsShown = ({ text }: Answer): number => splitResponse(text).shown.split(/\s+/).filter(Boolean).length;
const meanWordsShown = ({ scored }: Problem<unknown>): number =>
  scored.reduce((sum, { answer }) => sum + wordsShown(answer), 0) / scored.length;
