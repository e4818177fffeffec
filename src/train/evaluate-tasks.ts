import { type Estimate, type Evaluation, evaluate } from "#eval";
import type { FrozenPolicy } from "#policy";
import type { RolloutConfig } from "./grpo-config.ts";
import type { TaskShare } from "./task-mix.ts";

export type EvaluateTasksOptions = {
  seed: number;
  maxNewTokens: number;
  /** Whether each task's own figures are given too. */
  isMixture: boolean;
  onProgress: (numDone: number) => void;
};

/**
 * Held-out figures of the tasks in training. `accuracy` is their mean by weight, without those that only a model judges
 * (with them where there are no others); in a mixture each task's own are there too, as `eval/<task>/…`.
 */
export async function evaluateTasks(
  policy: FrozenPolicy,
  tasks: readonly TaskShare[],
  config: RolloutConfig,
  { seed, maxNewTokens, isMixture, onProgress }: EvaluateTasksOptions,
): Promise<{ accuracy: Estimate; metrics: Record<string, number> }> {
  const each: (TaskShare & { evaluation: Evaluation })[] = [];
  let numBefore = 0;
  for (const one of tasks) {
    const { evaluation } = await evaluate(policy, one.task, {
      samples: config.evalSamples,
      limit: config.evalPrompts,
      temperature: config.evalTemperature,
      topP: config.evalTopP,
      maxNewTokens,
      seed,
      onProgress: (done) => onProgress(numBefore + done),
    });
    numBefore += evaluation.numProblems;
    each.push({ ...one, evaluation });
  }
  const verified = each.filter(({ isJudged }) => !isJudged);
  const counted = verified.length > 0 ? verified : each;
  const total = counted.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (of: (evaluation: Evaluation) => number) =>
    counted.reduce((sum, { weight, evaluation }) => sum + (weight / total) * of(evaluation), 0);
  const accuracy = {
    value: mean((evaluation) => evaluation.accuracy.value),
    standardError: Math.hypot(
      ...counted.map(({ weight, evaluation }) => (weight / total) * evaluation.accuracy.standardError),
    ),
  };
  const ofTask = each.map(({ task, evaluation }) => ({
    [`eval/${task.name}/accuracy`]: evaluation.accuracy.value,
    [`eval/${task.name}/standardError`]: evaluation.accuracy.standardError,
    [`eval/${task.name}/length`]: evaluation.length.value,
  }));
  return {
    accuracy,
    metrics: measured({
      "eval/accuracy": accuracy.value,
      "eval/standardError": accuracy.standardError,
      "eval/consensus": mean((evaluation) => evaluation.consensus.value),
      "eval/length": mean((evaluation) => evaluation.length.value),
      "eval/truncated": mean((evaluation) => evaluation.truncated),
      ...(isMixture ? Object.assign({}, ...ofTask) : {}),
    }),
  };
}

/** One problem that could be judged has no standard error: what was not measured is not logged. */
const measured = (metrics: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
