import { evaluate, LocalFrozen, type Message, type Problem, splitResponse, type Task, user } from "aha-rl";
import { attemptsAt } from "../tiny-world/attempts.ts";
import { type CountdownRow, reasoningTasks } from "../tiny-world/tasks.ts";
import { maxNumber } from "../tiny-world/world.ts";
import { inPercent } from "./claim.ts";

export type EvaluationSettings = {
  problems: number;
  samples: number;
  temperature: number;
  topP: number;
  maxNewTokens: number;
};

/** What a model makes of held-out problems, in per cent and tokens; tokens by how many ways lead to the target, too. */
export type CountdownFigures = {
  accuracy: number;
  /** What most of a problem's answers say. */
  consensus: number;
  /** Answers to each problem. */
  samples: number;
  tokens: number;
  tokensByWays: Record<Ways, number>;
};

/** Problems by the number of ways to their target: few are hard to find. */
type Ways = "1 or 2" | "3 to 5" | "more";

const waysOf = ({ numbers, target }: CountdownRow): Ways => {
  const ways = attemptsAt(numbers, maxNumber).filter(({ value }) => value === target).length;
  return ways <= 2 ? "1 or 2" : ways <= 5 ? "3 to 5" : "more";
};

export async function scored(
  folder: string,
  task: Task<CountdownRow>,
  settings: EvaluationSettings,
  seed: number,
): Promise<CountdownFigures> {
  using policy = await LocalFrozen.load(folder);
  const { evaluation, problems } = await evaluate(policy, task, { ...settings, limit: settings.problems, seed });
  return {
    accuracy: inPercent(evaluation.accuracy),
    consensus: inPercent(evaluation.consensus),
    samples: settings.samples,
    tokens: evaluation.length.value,
    tokensByWays: {
      "1 or 2": meanTokens(problems, "1 or 2"),
      "3 to 5": meanTokens(problems, "3 to 5"),
      more: meanTokens(problems, "more"),
    },
  };
}

/** NaN where there is no such problem. */
function meanTokens(problems: readonly Problem<CountdownRow>[], ways: Ways): number {
  const lengths = problems
    .filter(({ row }) => waysOf(row) === ways)
    .flatMap(({ scored }) => scored.map(({ answer }) => answer.numTokens));
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
}

/** In per cent, and how many solved problems were shown: fewer than asked for where the model solves fewer. */
export type FewShotFigures = { zeroShot: number; fewShot: number; shown: number };

/** The same held-out problems asked alone, and after `shots` others, solved by answers of the model's own. */
export async function fewShot(
  folder: string,
  settings: EvaluationSettings,
  seed: number,
  shots = 3,
): Promise<FewShotFigures> {
  using policy = await LocalFrozen.load(folder);
  const { countdown } = reasoningTasks({ form: "summary", language: 0 });
  const all = await countdown.load("test");
  // Enough to find some that it solves; the others are asked.
  const [tried, asked] = [all.slice(0, 20 * shots), all.slice(20 * shots)];
  const ask = async (rows: CountdownRow[], before: readonly Message[], problems: number) => {
    const task: Task<CountdownRow> = {
      ...countdown,
      load: async () => rows,
      prompt: ({ question }) => [...before, user(question)],
    };
    return evaluate(policy, task, { ...settings, limit: problems, seed });
  };
  const { problems } = await ask(tried, [], tried.length);
  const solved = problems.flatMap(({ row, scored }) => {
    const right = scored.find(({ score }) => score.verdicts.correct === "correct");
    return right === undefined ? [] : [{ row, text: right.answer.text }];
  });
  const shownFirst = solved.slice(0, shots);
  const examples = shownFirst.flatMap(({ row, text }) => [
    user(row.question),
    { role: "assistant" as const, content: splitResponse(text).summary },
  ]);
  const accuracyAfter = async (before: readonly Message[]) =>
    inPercent((await ask(asked, before, settings.problems)).evaluation.accuracy);
  return { zeroShot: await accuracyAfter([]), fewShot: await accuracyAfter(examples), shown: shownFirst.length };
}
