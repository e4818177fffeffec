import { addScalarHead, type Model } from "#models";
import { type GrpoResult, trainByRollouts } from "./grpo-run.ts";
import { ppoRollout } from "./ppo.ts";
import type { PpoConfig } from "./ppo-config.ts";
import type { Tasks } from "./task-mix.ts";

/**
 * Trains a model folder on a task, or several, by proximal policy optimisation, in the run folder of the recipe that calls: as `grpo`
 * does, with a value head, which is fresh where the folder has none and is saved with the model.
 */
export const ppo = <R>(model: string, tasks: Tasks<R>, config: PpoConfig): Promise<GrpoResult> =>
  trainByRollouts(
    { name: "ppo", change: withValueHead, optimizer: fasterHead, rollout: ppoRollout },
    model,
    tasks,
    config,
  );

const fasterHead = ({ valueLrFactor }: PpoConfig) => ({ lrFactors: { scalar: valueLrFactor } });

const withValueHead = (model: Model, seed: number): Model =>
  model.decoder.config.scalarHead === "value" ? model : addScalarHead(model, "value", { seed });
