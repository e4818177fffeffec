import { join } from "node:path";
import { evaluate } from "#eval";
import type { Model } from "#models";
import { learningRate } from "#nn";
import { type FrozenPolicy, LocalFrozen, LocalPolicy } from "#policy";
import { type Run, UserError } from "#run";
import { rowsOf, type Task } from "#tasks";
import { isDue, refuseDivergence, resume, runOf, save, type TrainerState, unlessCorrupt } from "./checkpoint.ts";
import { type Collected, collect } from "./collect.ts";
import { grpoRollout, type RolloutParts } from "./grpo.ts";
import type { GrpoConfig, RolloutConfig } from "./grpo-config.ts";
import { grpoNeeds, planMemory, refuseWhatCannotFit } from "./memory.ts";
import type { StepFigures } from "./mini-batches.ts";
import { PromptSource } from "./prompt-source.ts";

/** What a resumed run goes on from; with the weights and the optimizer it is the whole state. */
type State = TrainerState & {
  rollout: number;
  /** Prompts taken from the task. */
  cursor: number;
  /** Step whose weights the reference has. */
  referenceStep: number;
  best: { step: number; accuracy: number } | undefined;
};

export type GrpoResult = {
  /** Folder of the last checkpoint: a Hugging Face model folder. */
  model: string;
  steps: number;
  trainSeconds: number;
  tokens: number;
};

/** What differs between the ways to train on a task by rollouts. */
export type Algorithm<C extends RolloutConfig> = {
  name: string;
  /** The model that is trained, where it is not the one loaded: with another head. */
  change?: (loaded: Model, seed: number) => Model;
  /** One rollout and its updates. */
  rollout: (parts: RolloutParts, config: C, firstStep: number) => Promise<void>;
};

/** Where the pieces of one run are held together. */
type Trainer<R, C extends RolloutConfig = RolloutConfig> = {
  run: Run;
  /** Of this stage's checkpoints. */
  folder: string;
  task: Task<R>;
  algorithm: Algorithm<C>;
  config: C;
  policy: LocalPolicy;
  source: PromptSource<R>;
  reference: FrozenPolicy | undefined;
  state: State;
};

/**
 * Trains a model folder on a task by group-relative policy optimisation, in the run folder of the recipe that calls:
 * resumed from its last checkpoint, evaluated and saved as the settings say.
 */
export const grpo = <R>(model: string, task: Task<R>, config: GrpoConfig): Promise<GrpoResult> =>
  trainByRollouts({ name: "grpo", rollout: grpoRollout }, model, task, config);

/** The same for any way to train on a task by rollouts. */
export async function trainByRollouts<R, C extends RolloutConfig>(
  algorithm: Algorithm<C>,
  model: string,
  task: Task<R>,
  config: C,
): Promise<GrpoResult> {
  const { name } = algorithm;
  const run = runOf(name);
  const perRollout = config.miniBatches * config.innerEpochs;
  if (config.steps % perRollout !== 0) {
    throw new UserError(
      `${name}: steps is ${config.steps}, each rollout makes ${perRollout} (miniBatches · innerEpochs). Expected a multiple of ${perRollout}.`,
    );
  }
  const trainer = await open(run, algorithm, model, task, config);
  try {
    while (trainer.state.step < config.steps) {
      await oneRollout(trainer);
      run.stopIfAsked();
    }
    const { trainSeconds, tokens, step } = trainer.state;
    return { model: join(trainer.folder, String(step)), steps: step, trainSeconds, tokens };
  } finally {
    run.terminal?.end();
    trainer.reference?.dispose();
    trainer.policy.dispose();
  }
}

async function open<R, C extends RolloutConfig>(
  run: Run,
  algorithm: Algorithm<C>,
  model: string,
  task: Task<R>,
  config: C,
): Promise<Trainer<R, C>> {
  const { seed } = run;
  const folder = run.claimCheckpoints();
  const options = {
    dtype: config.dtype,
    microBatchTokens: config.microBatchTokens,
    optimizer: { beta1: config.beta1, beta2: config.beta2, weightDecay: config.weightDecay },
  };
  run.terminal?.begin(`loading ${model}`);
  const { change = (loaded) => loaded } = algorithm;
  const policy = await LocalPolicy.open(model, options, (loaded) => change(loaded, seed));
  const { microBatchTokens, maxNewTokens, groupSize } = config;
  refuseWhatCannotFit(planMemory(policy.model.decoder.config, grpoNeeds(config)), {
    activations: `Lower microBatchTokens (now ${microBatchTokens}) or maxNewTokens (now ${maxNewTokens}).`,
    keysAndValues: `Lower maxNewTokens (now ${maxNewTokens}) or groupSize (now ${groupSize}).`,
  });
  const source = new PromptSource(task, await rowsOf(task, "train"), policy.tokenizer, seed);
  const fresh: State = {
    step: 0,
    rollout: 0,
    cursor: 0,
    referenceStep: 0,
    best: undefined,
    trainSeconds: 0,
    tokens: 0,
    lengths: {},
  };
  const { state, dir } = await resume(run, folder, policy, fresh);
  source.cursor = state.cursor;
  let reference: FrozenPolicy | undefined;
  if (config.kl > 0) {
    const saved = dir === undefined ? undefined : join(dir, "reference");
    reference =
      saved === undefined ? policy.snapshot() : await unlessCorrupt(saved, () => LocalFrozen.load(saved, options));
  }
  return { run, folder, task, algorithm, config, policy, source, reference, state };
}

/** One rollout, the updates on it, and what is due after them: evaluation, metrics, checkpoint. */
async function oneRollout<R, C extends RolloutConfig>(trainer: Trainer<R, C>): Promise<void> {
  const { run, config, policy, state } = trainer;
  const started = performance.now();
  renewReference(trainer);
  const first = state.step;
  const name = (step: number) => `step ${step + 1}/${config.steps}`;
  let collected: Collected | undefined;
  const steps: (StepFigures & { updateMs: number })[] = [];
  let mark = performance.now();
  await trainer.algorithm.rollout(
    {
      policy,
      reference: trainer.reference,
      seed: run.seed,
      lrAt: (step) => learningRate({ ...config, shape: config.schedule, floor: config.lrFloor }, step, config.steps),
      collect: async () => {
        collected = await collectRollout(trainer, name(first));
        mark = performance.now();
        run.terminal?.begin(`${name(first)}: updating`);
        return collected.groups;
      },
      onRollout: (figures) => Object.assign(collected!.metrics, figures),
      onStep: (figures) => {
        refuseDivergence(run, figures, "Lower lr, or raise the reward's and the clip's bounds against spikes.");
        steps.push({ ...figures, updateMs: performance.now() - mark });
        mark = performance.now();
        run.terminal?.begin(`${name(figures.step)}: updating`);
      },
    },
    config,
    first,
  );
  state.trainSeconds += (performance.now() - started) / 1000;
  state.tokens += steps.reduce((sum, { trained }) => sum + trained.numTokens, 0);
  state.step = first + steps.length;
  state.rollout++;
  state.cursor = trainer.source.cursor;
  const evaluated = await evaluateIfDue(trainer, first);
  report(trainer, collected!, steps, evaluated, (performance.now() - started) / steps.length);
  await saveIfDue(trainer, first);
}

function collectRollout<R, C extends RolloutConfig>(
  { run, config, policy, task, source, state }: Trainer<R, C>,
  name: string,
): Promise<Collected> {
  const isLonger = config.longerFrom !== undefined && state.step >= config.longerFrom;
  const maxNewTokens = isLonger ? (config.longerTokens ?? config.maxNewTokens) : config.maxNewTokens;
  run.terminal?.begin(`${name}: sampling answers`, config.promptsPerStep * config.miniBatches);
  const onProgress = (done: number) => run.terminal?.advance(done);
  return collect({ policy, task, source, config, seed: run.seed, rollout: state.rollout, maxNewTokens, onProgress });
}

/** Every `referenceEvery` steps the reference becomes the policy as it is now. */
function renewReference<R, C extends RolloutConfig>(trainer: Trainer<R, C>): void {
  const { config, state, policy } = trainer;
  if (trainer.reference === undefined || config.referenceEvery === 0) return;
  if (state.step - state.referenceStep < config.referenceEvery) return;
  trainer.reference.dispose();
  trainer.reference = policy.snapshot();
  state.referenceStep = state.step;
}

async function evaluateIfDue<R, C extends RolloutConfig>(
  { run, config, policy, task, state }: Trainer<R, C>,
  first: number,
): Promise<Record<string, number>> {
  if (!isDue(config.evalEvery, first, state.step, config.steps)) return {};
  const started = performance.now();
  run.terminal?.begin(`step ${state.step}/${config.steps}: evaluating on held-out problems`, config.evalPrompts);
  const { evaluation } = await evaluate(policy, task, {
    samples: config.evalSamples,
    limit: config.evalPrompts,
    temperature: config.evalTemperature,
    topP: config.evalTopP,
    maxNewTokens: config.maxNewTokens,
    seed: run.seed,
    onProgress: (done) => run.terminal?.advance(done),
  });
  const { accuracy } = evaluation;
  if (state.best === undefined || accuracy.value > state.best.accuracy)
    state.best = { step: state.step, accuracy: accuracy.value };
  return {
    "eval/accuracy": accuracy.value,
    "eval/standardError": accuracy.standardError,
    "eval/consensus": evaluation.consensus.value,
    "eval/length": evaluation.length.value,
    "eval/truncated": evaluation.truncated,
    "time/evalMs": performance.now() - started,
  };
}

/** A line of metrics.jsonl and of the terminal for each step of the rollout; a few of its answers in rollouts.jsonl. */
function report<R, C extends RolloutConfig>(
  { run, config, state, policy }: Trainer<R, C>,
  collected: Collected,
  steps: readonly (StepFigures & { updateMs: number })[],
  evaluated: Record<string, number>,
  stepMs: number,
): void {
  for (const [i, { step, staleness, lr, gradNorm, trained, updateMs }] of steps.entries()) {
    const { logprobGap } = trained.maxima;
    const metrics: Record<string, number> = {
      ...collected.metrics,
      ...trained.metrics,
      ...(staleness === 0 && logprobGap !== undefined ? { "sample/logprobGap": logprobGap } : {}),
      "train/loss": trained.loss,
      "train/gradNorm": gradNorm,
      "train/lr": lr,
      "train/staleness": staleness,
      "train/tokens": trained.numTokens,
      ...(i === steps.length - 1 ? evaluated : {}),
      "time/updateMs": updateMs,
      "time/stepMs": stepMs,
      "time/tokensPerSecond": (trained.numTokens / stepMs) * 1000,
      "time/left": (config.steps - step - 1) * (state.trainSeconds / state.step),
    };
    run.appendMetrics({ step: step + 1, rollout: state.rollout, ...metrics });
    run.terminal?.step({ step: step + 1, steps: config.steps, metrics });
  }
  const shown = collected.all.flatMap((group) =>
    group.scored.map(({ answer, score, sample }) => ({
      step: state.step,
      promptId: group.promptId,
      sample,
      prompt: policy.tokenizer.decode(Array.from(group.promptIds)),
      text: answer.text,
      numTokens: answer.numTokens,
      finishReason: answer.finishReason,
      total: score.total,
      rewards: score.rewards,
    })),
  );
  run.appendRollouts(shown.slice(0, config.keepRollouts));
}

async function saveIfDue<R, C extends RolloutConfig>(
  { run, folder, config, policy, reference, state }: Trainer<R, C>,
  first: number,
): Promise<void> {
  if (!isDue(config.checkpointEvery, first, state.step, config.steps) && !run.shouldStop) return;
  run.terminal?.begin(`step ${state.step}/${config.steps}: saving a checkpoint`);
  await save(run, folder, state, { policy, reference, keep: config.keepCheckpoints });
}
