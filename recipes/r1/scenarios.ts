import { rewardScorer, share, type Task, type TaskShare } from "aha-rl";
import type { World } from "./world.ts";

export type ScenarioSettings = {
  /** The last share of the steps, in which general prompts and preference rewards are in. */
  generalShare: number;
  /** Weights of general prompts against those of reasoning, once they are in; 0 leaves them out. */
  generalWeights: { helpful: number; safe: number };
  steps: number;
};

/** The prompts of the last stage: reasoning all along, general ones late, each rewarded by the model that judges it. */
export async function withScenarios<T>(
  { general }: World,
  reasoning: readonly TaskShare[],
  folders: { helpfulness: string; safety: string },
  { generalShare, generalWeights, steps }: ScenarioSettings,
  work: (shares: readonly TaskShare[]) => Promise<T>,
): Promise<T> {
  using helpfulness = await rewardScorer(folders.helpfulness);
  using safety = await rewardScorer(folders.safety);
  const { helpful, safe } = general.tasks({ helpfulness, safety });
  const fromStep = Math.round((1 - generalShare) * steps);
  const total = reasoning.reduce((sum, { weight }) => sum + weight, 0);
  const late = (task: Task<unknown>, weight: number): TaskShare[] =>
    weight === 0 ? [] : [share(task, { weight: weight * total, fromStep, isJudged: true })];
  return await work([...reasoning, ...late(helpful, generalWeights.helpful), ...late(safe, generalWeights.safe)]);
}
