import { join } from "node:path";
import type { Model } from "#models";
import { type AdamWOptions, learningRate } from "#nn";
import { type FrozenPolicy, LocalFrozen, LocalPolicy } from "#policy";
import { type Run, UserError } from "#run";
import { isDue, refuseDivergence, resume, runOf, save, type TrainerState, unlessCorrupt } from "./checkpoint.ts";
import { type Collected, collect } from "./collect.ts";
import { evaluateTasks } from "./evaluate-tasks.ts";
import { grpoRollout, type RolloutParts } from "./grpo.ts";
import type { GrpoConfig, RolloutConfig } from "./grpo-config.ts";
import { grpoNeeds, planMemory, refuseWhatCannotFit } from "./memory.ts";
import { freshSource, PromptSource, type SourceState } from "./prompt-source.ts";
import { reportRollout, type TimedStep } from "./rollout-report.ts";
import { activeAt, type LoadedTask, loadTasks, type Tasks } from "./task-mix.ts";
import { type Ending, endingOf, type Watched } from "./watch.ts";

/** What a resumed run goes on from; with the weights and the optimizer it is the whole state. */
type State = TrainerState & {
  rollout: number;
  source: SourceState;
  /** Step whose weights the reference has. */
  referenceStep: number;
  best: { step: number; accuracy: number } | undefined;
  evaluations: Watched[];
  /** Sum and number of the rollouts' mean rewards since the last evaluation. */
  earned: { sum: number; rollouts: number };
  ended: Ending | undefined;
};

export type GrpoResult = {
  /** Folder of the last checkpoint, or of the best where over-optimisation rolled it back: a Hugging Face model folder. */
  model: string;
  /** Updates made; fewer than were asked for where `ended` says why. */
  steps: number;
  trainSeconds: number;
  tokens: number;
  /** Why it ended before its last step. */
  ended?: Ending;
};

/** What differs between the ways to train on a task by rollouts. */
export type Algorithm<C extends RolloutConfig> = {
  name: string;
  /** The model that is trained, where it is not the one loaded: with another head. */
  change?: (loaded: Model, seed: number) => Model;
  optimizer?: (config: C) => Partial<AdamWOptions>;
  /** One rollout and its updates. */
  rollout: (parts: RolloutParts, config: C, firstStep: number) => Promise<void>;
};

/** Where the pieces of one run are held together. */
type Trainer<C extends RolloutConfig = RolloutConfig> = {
  run: Run;
  /** Of this stage's checkpoints. */
  folder: string;
  tasks: LoadedTask[];
  algorithm: Algorithm<C>;
  config: C;
  policy: LocalPolicy;
  source: PromptSource;
  reference: FrozenPolicy | undefined;
  state: State;
};

/**
 * Trains a model folder on a task, or on several mixed by weight, by group-relative policy optimisation, in the run
 * folder of the recipe that calls: resumed from its last checkpoint, evaluated and saved as the settings say.
 */
export const grpo = <R>(model: string, tasks: Tasks<R>, config: GrpoConfig): Promise<GrpoResult> =>
  trainByRollouts({ name: "grpo", rollout: grpoRollout }, model, tasks, config);

/** The same for any way to train on tasks by rollouts. */
export async function trainByRollouts<R, C extends RolloutConfig>(
  algorithm: Algorithm<C>,
  model: string,
  tasks: Tasks<R>,
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
  const trainer = await open(run, algorithm, model, await loadTasks(tasks), config);
  try {
    while (trainer.state.step < config.steps && trainer.state.ended === undefined) {
      await oneRollout(trainer);
      run.stopIfAsked();
    }
    const { trainSeconds, tokens, step, ended, best } = trainer.state;
    const isRolledBack = ended?.reason === "overoptimised" && config.onAlarm === "rollback";
    const model = join(trainer.folder, String(isRolledBack ? best!.step : step));
    return { model, steps: step, trainSeconds, tokens, ...(ended === undefined ? {} : { ended }) };
  } finally {
    run.terminal?.end();
    trainer.reference?.dispose();
    trainer.policy.dispose();
  }
}

async function open<C extends RolloutConfig>(
  run: Run,
  algorithm: Algorithm<C>,
  model: string,
  tasks: LoadedTask[],
  config: C,
): Promise<Trainer<C>> {
  const { seed } = run;
  const folder = run.claimCheckpoints();
  const options = {
    dtype: config.dtype,
    microBatchTokens: config.microBatchTokens,
    optimizer: {
      beta1: config.beta1,
      beta2: config.beta2,
      weightDecay: config.weightDecay,
      ...algorithm.optimizer?.(config),
    },
  };
  run.terminal?.begin(`loading ${model}`);
  const { change = (loaded) => loaded } = algorithm;
  const policy = await LocalPolicy.open(model, options, (loaded) => change(loaded, seed));
  const { microBatchTokens, maxNewTokens, groupSize } = config;
  refuseWhatCannotFit(planMemory(policy.model.decoder.config, grpoNeeds(config)), {
    activations: `Lower microBatchTokens (now ${microBatchTokens}) or maxNewTokens (now ${maxNewTokens}).`,
    keysAndValues: `Lower maxNewTokens (now ${maxNewTokens}) or groupSize (now ${groupSize}).`,
  });
  const fresh: State = {
    step: 0,
    rollout: 0,
    source: freshSource(),
    referenceStep: 0,
    best: undefined,
    evaluations: [],
    earned: { sum: 0, rollouts: 0 },
    ended: undefined,
    trainSeconds: 0,
    tokens: 0,
    lengths: {},
  };
  const { state, dir } = await resume(run, folder, policy, fresh);
  const source = new PromptSource(tasks, policy.tokenizer, { ...config, seed, state: state.source });
  let reference: FrozenPolicy | undefined;
  if (config.kl > 0) {
    const saved = dir === undefined ? undefined : join(dir, "reference");
    reference =
      saved === undefined ? policy.snapshot() : await unlessCorrupt(saved, () => LocalFrozen.load(saved, options));
  }
  return { run, folder, tasks, algorithm, config, policy, source, reference, state };
}

/** One rollout, the updates on it, and what is due after them: evaluation, metrics, checkpoint. */
async function oneRollout<C extends RolloutConfig>(trainer: Trainer<C>): Promise<void> {
  const { run, config, policy, state } = trainer;
  const started = performance.now();
  renewReference(trainer);
  const first = state.step;
  const name = (step: number) => `step ${step + 1}/${config.steps}`;
  let collected: Collected | undefined;
  const steps: TimedStep[] = [];
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
  state.earned.sum += collected!.metrics["reward/mean"]!;
  state.earned.rollouts++;
  const evaluated = await evaluateIfDue(trainer, first);
  const stepMs = (performance.now() - started) / steps.length;
  reportRollout(run, { config, state, tokenizer: policy.tokenizer, collected: collected!, steps, evaluated, stepMs });
  await saveIfDue(trainer, first);
}

function collectRollout<C extends RolloutConfig>(
  { run, config, policy, source, state }: Trainer<C>,
  name: string,
): Promise<Collected> {
  const isLonger = config.longerFrom !== undefined && state.step >= config.longerFrom;
  const maxNewTokens = isLonger ? (config.longerTokens ?? config.maxNewTokens) : config.maxNewTokens;
  run.terminal?.begin(`${name}: sampling answers`, config.promptsPerStep * config.miniBatches);
  const onProgress = (done: number) => run.terminal?.advance(done);
  const { rollout, step } = state;
  return collect({ policy, source, config, seed: run.seed, step, rollout, maxNewTokens, onProgress });
}

/** Every `referenceEvery` steps the reference becomes the policy as it is now. */
function renewReference<C extends RolloutConfig>(trainer: Trainer<C>): void {
  const { config, state, policy } = trainer;
  if (trainer.reference === undefined || config.referenceEvery === 0) return;
  if (state.step - state.referenceStep < config.referenceEvery) return;
  trainer.reference.dispose();
  trainer.reference = policy.snapshot();
  state.referenceStep = state.step;
}

async function evaluateIfDue<C extends RolloutConfig>(
  { run, config, policy, tasks, state }: Trainer<C>,
  first: number,
): Promise<Record<string, number>> {
  if (!isDue(config.evalEvery, first, state.step, config.steps)) return {};
  const started = performance.now();
  const active = activeAt(tasks, first);
  const name = `step ${state.step}/${config.steps}: evaluating on held-out problems`;
  run.terminal?.begin(name, config.evalPrompts * active.length);
  const { accuracy, metrics } = await evaluateTasks(policy, active, config, run.seed, (done) =>
    run.terminal?.advance(done),
  );
  if (state.best === undefined || accuracy.value > state.best.accuracy)
    state.best = { step: state.step, accuracy: accuracy.value };
  const reward = state.earned.sum / state.earned.rollouts;
  state.evaluations.push({ step: state.step, accuracy: accuracy.value, standardError: accuracy.standardError, reward });
  state.earned = { sum: 0, rollouts: 0 };
  heed(run, state, config);
  return { ...metrics, "time/evalMs": performance.now() - started };
}

/** Ends the training, or says why it might end, when the evaluations so far ask for it. */
function heed(run: Run, state: State, config: RolloutConfig): void {
  const ending = endingOf(state.evaluations, config);
  if (ending === undefined) return;
  const isWarning = ending.reason === "overoptimised" && config.onAlarm === "warn";
  const text = `step ${state.step}: ${ending.reason}: ${ending.text}`;
  run.log(text);
  run.terminal?.note(text);
  if (!isWarning) state.ended = ending;
}

async function saveIfDue<C extends RolloutConfig>(
  { run, folder, config, policy, reference, state }: Trainer<C>,
  first: number,
): Promise<void> {
  const isLast = state.ended !== undefined || run.shouldStop || state.best?.step === state.step;
  if (!isDue(config.checkpointEvery, first, state.step, config.steps) && !isLast) return;
  run.terminal?.begin(`step ${state.step}/${config.steps}: saving a checkpoint`);
  await save(run, folder, state, { policy, reference, keep: config.keepCheckpoints });
}
