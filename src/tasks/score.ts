import type { Answer, Grade, Reward, RewardValue, Verdict } from "#rewards";
import { rewardWeights } from "./define-task.ts";
import type { Task } from "./types.ts";

/** One answer with every reward it earned. `total: null` takes it out of its group. */
export type AnswerScore = {
  /** Raw rewards by name, before weighting, as the reward gave them; a crash appears as a `verifierError` grade. */
  rewards: Record<string, RewardValue>;
  /** Σ weight × reward over the rewards whose weight is not 0; null when one of those has no value. */
  total: number | null;
  /** Verdicts of the rewards that grade, for counting. */
  verdicts: Record<string, Verdict>;
};

/**
 * The weighted total of one answer.
 * A reward that throws, gives something that is no finite number, or reports that its verifier failed is asked once more;
 * if it fails again it has no value, and neither has the total (when its weight is not 0): a crash is never a zero.
 * @throws Error only for a task that is wrong in itself: a weight whose name is no reward.
 */
export async function scoreAnswer<R>(task: Task<R>, answer: Answer, row: R): Promise<AnswerScore> {
  const weights = rewardWeights(task);
  const rewards: Record<string, RewardValue> = {};
  const verdicts: Record<string, Verdict> = {};
  let total: number | null = 0;
  const values = await Promise.all(Object.values(task.rewards).map((reward) => askTwice(reward, answer, row)));
  for (const [i, name] of Object.keys(task.rewards).entries()) {
    const value = values[i]!;
    rewards[name] = value;
    if (typeof value === "object" && value !== null) verdicts[name] = value.verdict;
    const weight = weights[name]!;
    if (weight === 0) continue;
    const worth = rewardNumber(value);
    total = worth === null || total === null ? null : total + weight * worth;
  }
  return { rewards, total, verdicts };
}

/** What a reward value is worth before weighting; null when the answer has to leave its group. */
export function rewardNumber(value: RewardValue): number | null {
  return typeof value === "object" && value !== null ? value.reward : value;
}

/** One reward of an answer, asked twice where its verifier fails. An error that `isThrown` picks is thrown and not graded. */
export async function askTwice<R>(
  reward: Reward<R>,
  answer: Answer,
  row: R,
  isThrown: (error: unknown) => boolean = () => false,
): Promise<RewardValue> {
  const first = await ask(reward, answer, row, isThrown);
  return isVerifierFailure(first) ? ask(reward, answer, row, isThrown) : first;
}

/** A verifier's own timeout has no reward; a program's timeout is worth 0 and is final. A bad gold is the data's. */
export const isVerifierFailure = (value: RewardValue): value is Grade =>
  typeof value === "object" && value !== null && value.reward === null && value.verdict !== "badGold";

async function ask<R>(
  reward: Reward<R>,
  answer: Answer,
  row: R,
  isThrown: (error: unknown) => boolean,
): Promise<RewardValue> {
  try {
    const value = await reward(answer, row);
    if (value === null) return null;
    const worth = rewardNumber(value);
    if (typeof worth === "number" ? Number.isFinite(worth) : worth === null) return value;
    return crash(`reward gave ${String(worth)}, expected a finite number, a grade or null`);
  } catch (error) {
    if (isThrown(error)) throw error;
    return crash(error instanceof Error ? error.message : String(error));
  }
}

function crash(error: string): Grade {
  return { verdict: "verifierError", reward: null, detail: { error } };
}
