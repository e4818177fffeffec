/** One evaluation on held-out problems, and what training earned on average since the one before. */
export type Watched = { step: number; accuracy: number; standardError: number; reward: number };

/** Why a training ended early, in words. */
export type Ending = { reason: "plateau" | "overoptimised"; text: string };

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;

/**
 * Reward up, held-out score down: over the last `window` evaluations the training reward rose while the accuracy ended
 * lower than at their beginning by more than two standard errors of the difference. 0 does not look.
 */
export function overoptimised(history: readonly Watched[], window: number): Ending | undefined {
  const last = history.at(-1);
  if (window === 0 || last === undefined || history.length <= window) return undefined;
  const from = history.at(-1 - window)!;
  const error = Math.hypot(from.standardError, last.standardError);
  if (last.reward <= from.reward || last.accuracy >= from.accuracy - 2 * error) return undefined;
  return {
    reason: "overoptimised",
    text: `from step ${from.step} to ${last.step} the training reward rose from ${from.reward.toFixed(3)} to ${last.reward.toFixed(3)} and the held-out accuracy fell from ${percent(from.accuracy)} to ${percent(last.accuracy)}`,
  };
}

/** Converged: none of the last `patience` evaluations beat the best before them by more than its standard error. 0 does not look. */
export function plateaued(history: readonly Watched[], patience: number): Ending | undefined {
  if (patience === 0 || history.length <= patience) return undefined;
  const best = history.slice(0, -patience).reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const since = Math.max(...history.slice(-patience).map(({ accuracy }) => accuracy));
  if (since > best.accuracy + best.standardError) return undefined;
  return {
    reason: "plateau",
    text: `none of the last ${patience} evaluations beat ${percent(best.accuracy)} at step ${best.step} by more than its standard error, ${percent(best.standardError)}`,
  };
}
