import { addScalarHead, loadModel } from "#models";
import { type LocalOptions, LocalPolicy } from "#policy";
import type { Task } from "#tasks";
import { Tokenizer } from "#tokenizer";
import { type GrpoResult, trainByRollouts } from "./grpo-run.ts";
import { ppoRollout } from "./ppo.ts";
import type { PpoConfig } from "./ppo-config.ts";

/**
 * Trains a model folder on a task by proximal policy optimisation, in the run folder of the recipe that calls: as `grpo`
 * does, with a value head, which is fresh where the folder has none and is saved with the model.
 */
export const ppo = <R>(model: string, task: Task<R>, config: PpoConfig): Promise<GrpoResult> =>
  trainByRollouts({ name: "ppo", open: openWithValues, rollout: ppoRollout }, model, task, config);

async function openWithValues(folder: string, options: LocalOptions, seed: number): Promise<LocalPolicy> {
  const model = loadModel(folder, options);
  const hasHead = model.decoder.config.scalarHead === "value";
  return new LocalPolicy(hasHead ? model : addScalarHead(model, "value", { seed }), Tokenizer.load(folder), options);
}
