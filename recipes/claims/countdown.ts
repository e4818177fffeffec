import { evaluate, LocalFrozen, type Problem, splitResponse, type Task, user } from "aha-rl";
import { attemptsAt } from "../tiny-world/attempts.ts";
import { type CountdownRow, reasoningTasks } from "../tiny-world/tasks.ts";
import { maxNumber } from "../tiny-world/world.ts";
import { percent } from "./claim.ts";

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
    accuracy: percent(evaluation.accuracy),
    consensus: percent(evaluation.consensus),
    samples: settings.samples,
    tokens: evaluation.length.value,
    tokensByWays: {
      "1 or 2": meanTokens(problems, "1 or 2"),
      "3 to 5": meanTokens(problems, "3 to 5"),
      more: meanTokens(problems, "more"),
    },
  };
}

function meanTokens(problems: readonly Problem<CountdownRow>[], ways: Ways): number {
  const lengths = problems
    .filter(({ row }) => waysOf(row) === ways)
    .flatMap(({ scored }) => scored.map(({ answer }) => answer.numTokens));
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
}

/** The same problems asked alone, and after `shots` solved ones whose answers are the model's own. */
export async function fewShot(
  folder: string,
  settings: EvaluationSettings,
  seed: number,
  shots = 3,
): Promise<{ zeroShot: number; fewShot: number }> {
  using policy = await LocalFrozen.load(folder);
  const { countdown } = reasoningTasks({ form: "summary", language: 0 });
  const ask = (task: Task<CountdownRow>) => evaluate(policy, task, { ...settings, limit: settings.problems, seed });
  const alone = await ask(countdown);
  // Its own right answers to problems that are not asked: the last of those held out.
  const solved = alone.problems.flatMap(({ row, scored }) => {
    const right = scored.find(({ score }) => score.verdicts.correct === "correct");
    return right === undefined ? [] : [{ row, text: right.answer.text }];
  });
  const shown = solved.slice(-shots);
  const questions = new Set(shown.map(({ row }) => row.question));
  const after: Task<CountdownRow> = {
    ...countdown,
    load: async (split) => (await countdown.load(split)).filter(({ question }) => !questions.has(question)),
    prompt: ({ question }) => [
      ...shown.flatMap(({ row, text }) => [
        user(row.question),
        { role: "assistant" as const, content: splitResponse(text).summary },
      ]),
      user(question),
    ],
  };
  return { zeroShot: percent(alone.evaluation.accuracy), fewShot: percent((await ask(after)).evaluation.accuracy) };
}
