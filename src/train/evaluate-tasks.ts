import { type Estimate, type Evaluation, evaluate } from "#eval";
import type { FrozenPolicy } from "#policy";
import type { RolloutConfig } from "./grpo-config.ts";
import type { TaskShare } from "./task-mix.ts";

/**
 * Held-out figures of the tasks in training. `accuracy` is their mean by weight, without those that only a model judges
 * (with them where there are no others); in a mixture each task's own are there too, as `eval/<task>/…`.
 */
export async function evaluateTasks(
  policy: FrozenPolicy,
  tasks: readonly TaskShare[],
  config: RolloutConfig,
  seed: number,
  onProgress: (numDone: number) => void,
): Promise<{ accuracy: Estimate; metrics: Record<string, number> }> {
  const each: (TaskShare & { evaluation: Evaluation })[] = [];
  for (const [i, one] of tasks.entries()) {
    const { evaluation } = await evaluate(policy, one.task, {
      samples: config.evalSamples,
      limit: config.evalPrompts,
      temperature: config.evalTemperature,
      topP: config.evalTopP,
      maxNewTokens: config.maxNewTokens,
      seed,
      onProgress: (done) => onProgress(i * config.evalPrompts + done),
    });
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
    metrics: {
      "eval/accuracy": accuracy.value,
      "eval/standardError": accuracy.standardError,
      "eval/consensus": mean((evaluation) => evaluation.consensus.value),
      "eval/length": mean((evaluation) => evaluation.length.value),
      "eval/truncated": mean((evaluation) => evaluation.truncated),
      ...(each.length > 1 ? Object.assign({}, ...ofTask) : {}),
    },
  };
}
