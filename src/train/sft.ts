import { join } from "node:path";
import { learningRate } from "#nn";
import { LocalPolicy, type Policy } from "#policy";
import { type Run, UserError } from "#run";
import { isDue, refuseDivergence, resume, runOf, save, type TrainerState } from "./checkpoint.ts";
import type { Sequence } from "./conversation.ts";
import { crossEntropy } from "./losses.ts";
import { planMemory, refuseWhatCannotFit } from "./memory.ts";
import { batchesOf, countSteps, epochSize } from "./mixture.ts";
import type { SftConfig } from "./sft-config.ts";
import { type Prepared, prepare, type SftData } from "./sft-data.ts";
import { meanNll, supervisedExamples } from "./supervised-examples.ts";

/** What a resumed run goes on from: the data's order follows from the seed and the step. */
type State = TrainerState & {
  best: { step: number; nll: number } | undefined;
  /** Fingerprint of the sequences. */
  data: string;
};

export type SftResult = {
  /** Folder of the last checkpoint: a Hugging Face model folder. */
  model: string;
  steps: number;
  trainSeconds: number;
  tokens: number;
  /** Sequences trained on in an epoch, measured, and over the length limit. */
  sequences: { trained: number; heldOut: number; tooLong: number };
  /** The checkpoint of the lowest held-out loss; absent where nothing is held out. */
  best?: { step: number; nll: number; model: string };
};

type Trainer = {
  run: Run;
  /** Of this stage's checkpoints. */
  folder: string;
  config: SftConfig;
  policy: Policy;
  data: Prepared;
  state: State;
  steps: number;
};

/**
 * Trains a model folder on rows by next-token prediction (see `SftRow`), in the run folder of the recipe that calls:
 * packed without padding, the loss divided once by all trained tokens of the update, resumed from its last checkpoint.
 */
export async function sft(model: string, data: SftData, config: SftConfig): Promise<SftResult> {
  const trainer = await open(model, data, config);
  const { run, folder, policy, state, steps, data: prepared } = trainer;
  try {
    let step = 0;
    for (const batch of batchesOf(prepared.sources, run.seed, config)) {
      if (step++ < state.step) continue;
      await oneStep(trainer, batch);
      run.stopIfAsked();
    }
    return {
      model: join(folder, String(steps)),
      steps,
      trainSeconds: state.trainSeconds,
      tokens: state.tokens,
      sequences: {
        trained: epochSize(prepared.sources),
        heldOut: prepared.heldOut.length,
        tooLong: prepared.numTooLong,
      },
      ...(state.best && { best: { ...state.best, model: join(folder, String(state.best.step)) } }),
    };
  } finally {
    run.terminal?.end();
    policy.dispose();
  }
}

async function open(model: string, data: SftData, config: SftConfig): Promise<Trainer> {
  const run = runOf("sft");
  const folder = run.claimCheckpoints();
  run.terminal?.begin(`loading ${model}`);
  const { dtype, device, microBatchTokens, beta1, beta2, weightDecay } = config;
  const policy = await LocalPolicy.open(model, {
    dtype,
    device,
    microBatchTokens,
    optimizer: { beta1, beta2, weightDecay },
  });
  try {
    const decoder = policy.model.decoder.config;
    const prepared = await prepare(data, policy.tokenizer, {
      ...config,
      maxLength: Math.min(config.maxLength, decoder.maxPositions),
      seed: run.seed,
      onProgress: (done, total) => run.terminal?.begin(`reading rows: ${done} of ${total}`),
    });
    const passTokens = Math.max(microBatchTokens, prepared.longest);
    refuseWhatCannotFit(planMemory(decoder, { dtype, hasReference: false, cachedTokens: 0, passTokens }), device, {
      activations: `Lower microBatchTokens (now ${microBatchTokens}) or maxLength (the longest sequence has ${prepared.longest} tokens).`,
    });
    const steps = countSteps(prepared.sources, run.seed, config);
    const fresh: State = {
      step: 0,
      data: prepared.fingerprint,
      best: undefined,
      trainSeconds: 0,
      tokens: 0,
      lengths: {},
    };
    const { state, dir } = await resume(run, folder, policy, fresh);
    if (state.data !== prepared.fingerprint) {
      throw new UserError(
        `${dir}: the rows have changed since this checkpoint. Put the old ones back, or choose another --run.`,
      );
    }
    if (dir === undefined) announce(run, prepared, steps, config);
    return { run, folder, config, policy, data: prepared, state, steps };
  } catch (error) {
    policy.dispose();
    throw error;
  }
}

/** What will be trained on, and what will not. */
function announce(run: Run, { sources, heldOut, numTooLong }: Prepared, steps: number, config: SftConfig): void {
  const parts = sources.map(({ name, sequences }) => `${sequences.length} of ${name}`).join(", ");
  const measured = heldOut.length === 0 ? "" : `, ${heldOut.length} held out`;
  const long = numTooLong === 0 ? "" : `, ${numTooLong} too long (${config.tooLong === "drop" ? "left out" : "cut"})`;
  const text = `sequences: ${parts}${measured}${long}; ${steps} steps`;
  run.log(text);
  run.terminal?.note(text);
}

/** One update, and what is due after it: held-out loss, metrics, checkpoint. */
async function oneStep(trainer: Trainer, batch: readonly Sequence[]): Promise<void> {
  const { run, config, policy, state, steps } = trainer;
  const started = performance.now();
  const step = state.step;
  const name = `step ${step + 1}/${steps}`;
  run.terminal?.begin(`${name}: updating`);
  const lr = learningRate({ ...config, shape: config.schedule, floor: config.lrFloor }, step, steps);
  const trained = await policy.forwardBackward(supervisedExamples(batch, config), crossEntropy);
  const { gradNorm } = await policy.step({ lr, maxGradNorm: config.maxGradNorm });
  refuseDivergence(run, { step, gradNorm }, "Lower lr, raise warmupSteps, or look for rows that are no text.");
  const stepMs = performance.now() - started;
  state.trainSeconds += stepMs / 1000;
  state.tokens += trained.numTokens;
  state.step++;
  const metrics: Record<string, number> = {
    ...trained.metrics,
    "train/loss": trained.loss,
    "train/gradNorm": gradNorm,
    "train/lr": lr,
    "train/tokens": trained.numTokens,
    "train/sequences": batch.length,
    ...(await heldOutIfDue(trainer, step)),
    "time/stepMs": stepMs,
    "time/tokensPerSecond": (trained.numTokens / stepMs) * 1000,
    "time/left": (steps - state.step) * (state.trainSeconds / state.step),
  };
  run.appendMetrics({ step: state.step, ...metrics });
  run.terminal?.step({ step: state.step, steps, metrics });
  const isBest = state.best?.step === state.step;
  if (!isBest && !isDue(config.checkpointEvery, step, state.step, steps) && !run.shouldStop) return;
  run.terminal?.begin(`${name}: saving a checkpoint`);
  await save(run, trainer.folder, state, { policy, keep: config.keepCheckpoints });
}

async function heldOutIfDue(
  { run, config, policy, state, steps, data }: Trainer,
  before: number,
): Promise<Record<string, number>> {
  if (data.heldOut.length === 0 || !isDue(config.evalEvery, before, state.step, steps)) return {};
  const started = performance.now();
  run.terminal?.begin(`step ${state.step}/${steps}: evaluating on held-out rows`);
  const nll = await meanNll(policy, data.heldOut);
  if (state.best === undefined || nll < state.best.nll) state.best = { step: state.step, nll };
  return { "eval/nll": nll, "time/evalMs": performance.now() - started };
}
