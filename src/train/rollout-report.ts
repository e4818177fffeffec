import type { Run } from "#run";
import type { Tokenizer } from "#tokenizer";
import type { Collected } from "./collect.ts";
import type { RolloutConfig } from "./grpo-config.ts";
import type { StepFigures } from "./mini-batches.ts";

export type TimedStep = StepFigures & { updateMs: number };

/** What is told of one rollout and the updates on it. */
export type RolloutReport = {
  config: RolloutConfig;
  state: { step: number; rollout: number; trainSeconds: number };
  tokenizer: Tokenizer;
  collected: Collected;
  steps: readonly TimedStep[];
  /** Figures of the evaluation that followed the last step; empty where none was due. */
  evaluated: Record<string, number>;
  stepMs: number;
};

/** A line of metrics.jsonl and of the terminal for each step of the rollout; a few of its answers in rollouts.jsonl. */
export function reportRollout(run: Run, report: RolloutReport): void {
  const { config, state, tokenizer, collected, steps, evaluated, stepMs } = report;
  for (const [i, { step, staleness, lr, gradNorm, trained, updateMs }] of steps.entries()) {
    const { logprobGap } = trained.maxima;
    const metrics: Record<string, number> = {
      ...collected.metrics,
      ...trained.metrics,
      ...(staleness === 0 && logprobGap !== undefined ? { "sample/logprobGap": logprobGap } : {}),
      "train/loss": trained.loss,
      "train/gradNorm": gradNorm,
      "train/lr": lr,
      "train/staleness": staleness,
      "train/tokens": trained.numTokens,
      ...(i === steps.length - 1 ? evaluated : {}),
      "time/updateMs": updateMs,
      "time/stepMs": stepMs,
      "time/tokensPerSecond": (trained.numTokens / stepMs) * 1000,
      "time/left": (config.steps - step - 1) * (state.trainSeconds / state.step),
    };
    run.appendMetrics({ step: step + 1, rollout: state.rollout, ...metrics });
    run.terminal?.step({ step: step + 1, steps: config.steps, metrics });
  }
  const shown = collected.all.flatMap((group) =>
    group.scored.map(({ answer, score, sample }) => ({
      step: state.step,
      task: group.task.name,
      promptId: group.promptId,
      sample,
      prompt: tokenizer.decode(Array.from(group.promptIds)),
      text: answer.text,
      numTokens: answer.numTokens,
      finishReason: answer.finishReason,
      total: score.total,
      rewards: score.rewards,
    })),
  );
  run.appendRollouts(shown.slice(0, config.keepRollouts));
}
