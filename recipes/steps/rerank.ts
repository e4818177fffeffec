import { type Estimate, type FrozenPolicy, meanWithError, type Problem, type Task, type Tokenizer } from "aha-rl";
import { chancesOf, isRight, pathOf, startOf, stepIdsOf } from "./paths.ts";

/** How the chances of its steps make the worth of a response. */
export const aggregates = ["min", "mean", "last"] as const;
export type Aggregate = (typeof aggregates)[number];

/** 0 where there is no step. */
export function aggregated(chances: readonly number[], by: Aggregate): number {
  if (chances.length === 0) return 0;
  if (by === "min") return Math.min(...chances);
  return by === "last" ? chances.at(-1)! : chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
}

/** The chance that the response of the highest score is right; those that share it are drawn among. */
export function rightOfBest(scores: readonly number[], marks: readonly boolean[]): number {
  const highest = Math.max(...scores);
  const best = marks.filter((_, i) => scores[i] === highest);
  return best.filter(Boolean).length / best.length;
}

/** How often the best of the responses to each problem is right, as a model of steps sees them; what did not come to an answer is chosen last. */
export async function rerank<R>(
  task: Task<R>,
  problems: readonly Problem<R>[],
  model: Pick<FrozenPolicy, "values">,
  tokenizer: Tokenizer,
): Promise<Record<Aggregate, Estimate>> {
  const stepIds = stepIdsOf(tokenizer);
  const right: Record<Aggregate, number[]> = { min: [], mean: [], last: [] };
  for (const { row, scored } of problems) {
    const { promptIds } = startOf(task, row, tokenizer);
    const paths = scored.map((one) => pathOf(promptIds, one, stepIds));
    const chances = await chancesOf(model, paths);
    const marks = await Promise.all(paths.map((path) => isRight(task, row, path, tokenizer)));
    for (const by of aggregates) {
      const scores = paths.map(({ state }, i) => (state === "done" ? aggregated(chances[i]!, by) : -1));
      right[by].push(rightOfBest(scores, marks));
    }
  }
  return { min: meanWithError(right.min), mean: meanWithError(right.mean), last: meanWithError(right.last) };
}
