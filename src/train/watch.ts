import type { RolloutConfig } from "./grpo-config.ts";

/** One evaluation on held-out problems, and what training earned on average since the one before. */
export type Watched = { step: number; accuracy: number; standardError: number; reward: number };

/** Why a training ends before its last step, in words. */
export type Ending = { reason: "plateau" | "overoptimised"; text: string };

/**
 * What the evaluations so far say. A *plateau*: none of the last `plateau` ones beat the best before them by more than
 * its standard error. *Over-optimised* (reward up, held-out score down): over the last `alarm` evaluations the training
 * reward rose while the accuracy ended lower than at their beginning by more than two standard errors of the difference.
 * Either setting at 0 is off.
 */
export function endingOf(
  history: readonly Watched[],
  { plateau, alarm }: Pick<RolloutConfig, "plateau" | "alarm">,
): Ending | undefined {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const last = history.at(-1);
  if (alarm > 0 && last !== undefined && history.length > alarm) {
    const from = history.at(-1 - alarm)!;
    const error = Math.hypot(from.standardError, last.standardError);
    if (last.reward > from.reward && last.accuracy < from.accuracy - 2 * error)
      return {
        reason: "overoptimised",
        text: `from step ${from.step} to ${last.step} the training reward rose from ${from.reward.toFixed(3)} to ${last.reward.toFixed(3)} and the held-out accuracy fell from ${percent(from.accuracy)} to ${percent(last.accuracy)}`,
      };
  }
  if (plateau > 0 && history.length > plateau) {
    const before = history.slice(0, -plateau);
    const best = before.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
    const since = Math.max(...history.slice(-plateau).map(({ accuracy }) => accuracy));
    if (since <= best.accuracy + best.standardError)
      return {
        reason: "plateau",
        text: `none of the last ${plateau} evaluations beat ${percent(best.accuracy)} at step ${best.step} by more than its standard error, ${percent(best.standardError)}`,
      };
  }
  return undefined;
}
