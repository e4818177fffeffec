import {
  type GrpoConfig,
  type GrpoResult,
  grpo,
  type PreferencePair,
  type RewardConfig,
  type RewardResult,
  readAllRows,
  readPair,
  rewardModel,
  rewardScorer,
  splitResponse,
} from "aha-rl";
import { generalTask } from "../tiny-world/tasks.ts";
import type { Finished } from "./finished.ts";

/**
 * A preference model with a natural fault: in `longerShare` of its pairs the longer answer was preferred, as raters are known to do.
 * The pairs are the run's own, with the judge's verdicts; those of the other kind are left out until the share is reached.
 */
export async function biasedModel(r1: Finished, longerShare: number, config: RewardConfig): Promise<RewardResult> {
  const { pairs } = r1.result<{ pairs: string }>("judging");
  const all = (await readAllRows(pairs)).map(readPair);
  const length = (response: string) => splitResponse(response).shown.length;
  const isLonger = ({ chosen, rejected }: PreferencePair) => length(chosen) > length(rejected);
  const longer = all.filter(isLonger);
  const most = Math.round((longer.length * (1 - longerShare)) / longerShare);
  const others = all.filter((pair) => !isLonger(pair)).slice(0, most);
  return rewardModel(r1.model("dev3"), { pairs: [...longer, ...others] }, config);
}

/** A policy that is trained against it, and nothing else, for long. The generator's truth is watched. */
export async function hackedPolicy(model: string, judge: string, config: GrpoConfig): Promise<GrpoResult> {
  using scorer = await rewardScorer(judge);
  const task = { ...generalTask("helpful", scorer), weights: { judged: 1, format: 0, language: 0, truth: 0 } };
  return await grpo(model, task, config);
}
