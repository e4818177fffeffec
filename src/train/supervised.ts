import { learningRate } from "#nn";
import type { Policy, Trained } from "#policy";
import type { Run } from "#run";
import { isDue, refuseDivergence, save, type TrainerState } from "./checkpoint.ts";
import type { SupervisedSettings } from "./trainer-config.ts";

/** What a training on given texts is made of, and what of it differs from one kind to another. */
export type SupervisedParts<Batch> = {
  run: Run;
  /** Of this stage's checkpoints. */
  folder: string;
  config: SupervisedSettings;
  policy: Policy;
  state: TrainerState;
  steps: number;
  /** Of every step from the first on, as the seed has them; those that are done are passed over. */
  batches: Iterable<Batch>;
  /** The forward and backward pass of a step, and what it counted. */
  pass: (batch: Batch) => Promise<{ trained: Trained; counts: { "train/tokens": number } & Record<string, number> }>;
  /** What is held out, in words, and its figures; undefined where nothing is. May set `state.best`. */
  heldOut: string;
  measure: () => Promise<Record<string, number> | undefined>;
  /** What to do about a gradient that is not a number. */
  advice: string;
};

/** Makes the steps that are left. Ends early, with all of them saved, where the run was asked to stop. */
export async function trainSupervised<Batch>(parts: SupervisedParts<Batch>): Promise<void> {
  let step = 0;
  for (const batch of parts.batches) {
    if (step++ < parts.state.step) continue;
    await oneStep(parts, batch);
    parts.run.stopIfAsked();
  }
}

/** One update, and what is due after it: held-out figures, metrics, checkpoint. */
async function oneStep<Batch>(parts: SupervisedParts<Batch>, batch: Batch): Promise<void> {
  const { run, folder, config, policy, state, steps } = parts;
  const started = performance.now();
  const step = state.step;
  const name = `step ${step + 1}/${steps}`;
  run.terminal?.begin(`${name}: updating`);
  const lr = learningRate({ ...config, shape: config.schedule, floor: config.lrFloor }, step, steps);
  const { trained, counts } = await parts.pass(batch);
  const { gradNorm } = await policy.step({ lr, maxGradNorm: config.maxGradNorm });
  refuseDivergence(run, { step, gradNorm }, parts.advice);
  const stepMs = performance.now() - started;
  const numTokens = counts["train/tokens"];
  state.trainSeconds += stepMs / 1000;
  state.tokens += numTokens;
  state.step++;
  const metrics: Record<string, number> = {
    ...trained.metrics,
    "train/loss": trained.loss,
    "train/gradNorm": gradNorm,
    "train/lr": lr,
    ...counts,
    ...(await measureIfDue(parts, step)),
    "time/stepMs": stepMs,
    "time/tokensPerSecond": (numTokens / stepMs) * 1000,
    "time/left": (steps - state.step) * (state.trainSeconds / state.step),
  };
  run.appendMetrics({ step: state.step, ...metrics });
  run.terminal?.step({ step: state.step, steps, metrics });
  const isBest = state.best?.step === state.step;
  if (!isBest && !isDue(config.checkpointEvery, step, state.step, steps) && !run.shouldStop) return;
  run.terminal?.begin(`${name}: saving a checkpoint`);
  await save(run, folder, state, { policy, keep: config.keepCheckpoints });
}

async function measureIfDue<Batch>(
  { run, config, state, steps, heldOut, measure }: SupervisedParts<Batch>,
  before: number,
): Promise<Record<string, number>> {
  if (!isDue(config.evalEvery, before, state.step, steps)) return {};
  const started = performance.now();
  run.terminal?.begin(`step ${state.step}/${steps}: evaluating on held-out ${heldOut}`);
  const figures = await measure();
  return figures === undefined ? {} : { ...figures, "time/evalMs": performance.now() - started };
}
