import { basename, dirname, join } from "node:path";
import type { FrozenPolicy, Policy } from "#policy";
import {
  type CheckpointState,
  currentRun,
  loadLatestCheckpoint,
  type Run,
  rotateCheckpoints,
  saveCheckpoint,
  UserError,
} from "#run";

/** What every trainer's checkpoint holds beside the weights and the optimizer; each adds what it needs to go on. */
export type TrainerState = CheckpointState & {
  /** Fingerprint of what is trained on: its order follows from the seed and the step. */
  data: string;
  /** The checkpoint that is kept however old it is. */
  best: { step: number } | undefined;
  /** Seconds of training and tokens trained on, over all processes of this run. */
  trainSeconds: number;
  tokens: number;
};

/** A trainer's state before its first step. */
export const freshState = (data: string): TrainerState => ({
  step: 0,
  data,
  best: undefined,
  trainSeconds: 0,
  tokens: 0,
  lengths: {},
});

/** The run whose recipe calls a trainer. */
export function runOf(trainer: string): Run {
  const run = currentRun();
  if (run !== undefined) return run;
  throw new Error(`${trainer}: called outside of a recipe. Call it in a recipe's run(), started by \`aha train\`.`);
}

/**
 * The state to go on from: of the last checkpoint of the stage, whose weights and optimizer the policy then has, or
 * `fresh`. The append-only files are cut back to it. `dir` is the checkpoint, undefined at the beginning.
 * Throws a UserError, and changes nothing, where the data are not the checkpoint's; `data` names them: "the rows have".
 */
export async function resume<S extends TrainerState>(
  run: Run,
  folder: string,
  policy: Policy,
  fresh: S,
  data: string,
): Promise<{ state: S; dir: string | undefined }> {
  const latest = loadLatestCheckpoint<S>(folder);
  if (latest !== undefined && latest.state.data !== fresh.data)
    throw new UserError(
      `${latest.dir}: ${data} changed since this checkpoint. Put back what it was trained on, or choose another --run.`,
    );
  run.truncateTo(latest?.state.lengths ?? run.stageStart);
  if (latest === undefined) return { state: fresh, dir: undefined };
  await unlessCorrupt(latest.dir, () => policy.load(latest.dir));
  return latest;
}

/** What a checkpoint's files say when they are not whole, with what to do about it. */
export async function unlessCorrupt<T>(folder: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const dir = basename(folder) === "reference" ? dirname(folder) : folder;
    throw new UserError(
      `${(error as Error).message} This checkpoint cannot be resumed from. Put its files back, or delete ${dir} to resume from the one before it.`,
      { cause: error },
    );
  }
}

/** Saves weights, optimizer, reference and state as `<folder>/<step>/`, and deletes what need not be kept. */
export async function save(
  run: Run,
  folder: string,
  state: TrainerState,
  { policy, reference, keep }: { policy: Policy; reference?: FrozenPolicy; keep: number },
): Promise<void> {
  state.lengths = run.lengths();
  await saveCheckpoint(folder, state, async (temporary) => {
    await policy.save(temporary);
    await reference?.save(join(temporary, "reference"));
  });
  rotateCheckpoints(folder, { keep, best: state.best?.step });
}

/** True when a multiple of `every` was reached since step `before`, or the last step. */
export const isDue = (every: number, before: number, step: number, steps: number): boolean =>
  step === steps || (every > 0 && Math.floor(step / every) > Math.floor(before / every));

/** A gradient that is not a number was not applied; going on would only hide where it came from. */
export function refuseDivergence(
  run: Run,
  { step, gradNorm }: { step: number; gradNorm: number },
  advice: string,
): void {
  if (Number.isFinite(gradNorm)) return;
  throw new UserError(
    `${run.dir}: step ${step + 1}: the gradient's norm is ${gradNorm}. Nothing was changed, the last checkpoint is whole. ${advice}`,
  );
}
