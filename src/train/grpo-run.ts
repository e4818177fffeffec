import { join } from "node:path";
import type { Model } from "#models";
import { type AdamWOptions, learningRate } from "#nn";
import { type FrozenPolicy, LocalFrozen, type LocalPolicy } from "#policy";
import { type Run, UserError } from "#run";
import {
  freshState,
  isDue,
  refuseDivergence,
  resume,
  runOf,
  save,
  type TrainerState,
  unlessCorrupt,
} from "./checkpoint.ts";
import { type Collected, collect } from "./collect.ts";
import { evaluateTasks } from "./evaluate-tasks.ts";
import { grpoRollout, type RolloutParts } from "./grpo.ts";
import { type GrpoConfig, limitAt, type RolloutConfig, wholeRollouts } from "./grpo-config.ts";
import { grpoNeeds, planMemory, refuseWhatCannotFit } from "./memory.ts";
import { freshSource, PromptSource, type SourceState } from "./prompt-source.ts";
import { reportRollout, type TimedStep } from "./rollout-report.ts";
import { activeAt, fingerprintOf, type LoadedTask, loadTasks, type Tasks } from "./task-mix.ts";
import { policyOptions, withPolicy } from "./trained-policy.ts";
import { type Ending, overoptimised, plateaued, type Watched } from "./watch.ts";

/** What a resumed run goes on from; with the weights and the optimizer it is the whole state. */
type State = TrainerState & {
  rollout: number;
  source: SourceState;
  /** Tasks that were in when `evaluations` began: figures over other tasks are not compared with them. */
  numActive: number;
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
  const wrong = wholeRollouts(config);
  if (wrong !== undefined) throw new UserError(`${name}: ${wrong}`);
  const loaded = await loadTasks(tasks, config.steps);
  const folder = run.claimCheckpoints();
  const options = policyOptions(config, algorithm.optimizer?.(config));
  const change = algorithm.change && ((given: Model) => algorithm.change!(given, run.seed));
  return withPolicy(run, model, { options, change }, async (policy) => {
    const trainer = await open({ run, folder, tasks: loaded, algorithm, config, policy });
    try {
      while (trainer.state.step < config.steps && trainer.state.ended === undefined) {
        await oneRollout(trainer);
        run.stopIfAsked();
      }
    } finally {
      trainer.reference?.dispose();
    }
    const { trainSeconds, tokens, step, ended, best } = trainer.state;
    const isRolledBack = ended?.reason === "overoptimised" && config.onAlarm === "rollback";
    const trained = join(folder, String(isRolledBack ? best!.step : step));
    return { model: trained, steps: step, trainSeconds, tokens, ...(ended === undefined ? {} : { ended }) };
  });
}

async function open<C extends RolloutConfig>(
  parts: Omit<Trainer<C>, "source" | "reference" | "state">,
): Promise<Trainer<C>> {
  const { run, folder, tasks, algorithm, config, policy } = parts;
  const { microBatchTokens, maxNewTokens, groupSize } = config;
  refuseWhatCannotFit(planMemory(policy.model.decoder.config, grpoNeeds(config)), config.device, {
    activations: `Lower microBatchTokens (now ${microBatchTokens}) or maxNewTokens (now ${maxNewTokens}).`,
    keysAndValues: `Lower maxNewTokens (now ${maxNewTokens}) or groupSize (now ${groupSize}).`,
  });
  const limit = Math.max(limitAt(config, 0), limitAt(config, config.steps));
  const { maxPositions } = policy.model.decoder.config;
  if (limit >= maxPositions)
    throw new UserError(
      `${algorithm.name}: answers of up to ${limit} tokens leave no room for a prompt in the model's context of ${maxPositions}. Lower maxNewTokens${config.longerFrom === undefined ? "" : " or longerTokens"}.`,
    );
  const fresh: State = {
    ...freshState(fingerprintOf(tasks)),
    numActive: 0,
    rollout: 0,
    source: freshSource(),
    referenceStep: 0,
    best: undefined,
    evaluations: [],
    earned: { sum: 0, rollouts: 0 },
    ended: undefined,
  };
  const { state, dir } = await resume(run, folder, policy, fresh, "the tasks or their rows have");
  const source = new PromptSource(tasks, policy.tokenizer, {
    ...config,
    seed: run.seed,
    state: state.source,
    maxPromptTokens: maxPositions - limit,
  });
  let reference: FrozenPolicy | undefined;
  if (config.kl > 0) {
    const saved = dir === undefined ? undefined : join(dir, "reference");
    reference =
      saved === undefined
        ? policy.snapshot()
        : await unlessCorrupt(saved, () => LocalFrozen.load(saved, policyOptions(config)));
  }
  return { ...parts, source, reference, state };
}

/** One rollout, the updates on it, and what is due after them: evaluation, metrics, checkpoint. */
async function oneRollout<C extends RolloutConfig>(trainer: Trainer<C>): Promise<void> {
  const { run, config, policy, state } = trainer;
  const started = performance.now();
  const first = state.step;
  const name = (step: number) => `step ${step + 1}/${config.steps}`;
  renewReference(trainer, name(first));
  compareAnew(trainer);
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
  const rolloutMs = performance.now() - started;
  const stepMs = rolloutMs / steps.length;
  state.trainSeconds += rolloutMs / 1000;
  state.tokens += steps.reduce((sum, { trained }) => sum + trained.numTokens, 0);
  state.step = first + steps.length;
  state.rollout++;
  state.earned.sum += collected!.metrics["reward/mean"]!;
  state.earned.rollouts++;
  const evaluated = await evaluateIfDue(trainer, first);
  reportRollout(run, { config, state, tokenizer: policy.tokenizer, collected: collected!, steps, evaluated, stepMs });
  await saveIfDue(trainer, first);
}

function collectRollout<C extends RolloutConfig>(
  { run, config, policy, source, state, tasks }: Trainer<C>,
  name: string,
): Promise<Collected> {
  const maxNewTokens = limitAt(config, state.step);
  run.terminal?.begin(`${name}: sampling answers`, config.promptsPerStep * config.miniBatches);
  const onProgress = (done: number) => run.terminal?.advance(done);
  const { rollout, step } = state;
  const isMixture = tasks.length > 1;
  return collect({ policy, source, config, isMixture, seed: run.seed, step, rollout, maxNewTokens, onProgress });
}

/** When a task enters, figures begin anew: a mean over other tasks says nothing of a gain or a loss. */
function compareAnew<C extends RolloutConfig>({ state, tasks }: Trainer<C>): void {
  const numActive = activeAt(tasks, state.step).length;
  if (numActive === state.numActive) return;
  Object.assign(state, { numActive, evaluations: [], earned: { sum: 0, rollouts: 0 }, best: undefined });
}

/** Every `referenceEvery` steps the reference becomes the policy as it is now. */
function renewReference<C extends RolloutConfig>(trainer: Trainer<C>, name: string): void {
  const { config, state, policy } = trainer;
  if (trainer.reference === undefined || config.referenceEvery === 0) return;
  if (state.step - state.referenceStep < config.referenceEvery) return;
  trainer.run.terminal?.begin(`${name}: renewing the reference`);
  trainer.reference.dispose();
  trainer.reference = policy.snapshot();
  state.referenceStep = state.step;
}

async function evaluateIfDue<C extends RolloutConfig>(
  trainer: Trainer<C>,
  first: number,
): Promise<Record<string, number>> {
  const { run, config, policy, tasks, state } = trainer;
  if (!isDue(config.evalEvery, first, state.step, config.steps)) return {};
  const started = performance.now();
  const active = activeAt(tasks, first);
  const name = `step ${state.step}/${config.steps}: evaluating on held-out problems`;
  run.terminal?.begin(name, config.evalPrompts * active.length);
  const { accuracy, metrics } = await evaluateTasks(policy, active, config, {
    seed: run.seed,
    maxNewTokens: limitAt(config, first),
    isMixture: tasks.length > 1,
    onProgress: (done) => run.terminal?.advance(done),
  });
  if (state.best === undefined || accuracy.value > state.best.accuracy)
    state.best = { step: state.step, accuracy: accuracy.value };
  const reward = state.earned.sum / state.earned.rollouts;
  state.earned = { sum: 0, rollouts: 0 };
  const { value, standardError } = accuracy;
  // Without a standard error there is no telling a change from noise.
  if (Number.isFinite(standardError))
    state.evaluations.push({ step: state.step, accuracy: value, standardError, reward });
  if (state.step < config.steps) heed(trainer);
  return { ...metrics, "time/evalMs": performance.now() - started };
}

/** Ends the training, or says why it might end, when the evaluations so far ask for it. */
function heed<C extends RolloutConfig>({ run, state, config, tasks }: Trainer<C>): void {
  const alarm = overoptimised(state.evaluations, config.alarm);
  // Nothing has converged while a task is still to enter.
  const isWhole = state.numActive === tasks.length;
  const ending =
    alarm !== undefined && config.onAlarm !== "warn"
      ? alarm
      : isWhole
        ? plateaued(state.evaluations, config.plateau)
        : undefined;
  for (const { reason, text } of new Set([alarm, ending].filter((one) => one !== undefined))) {
    run.tell(`step ${state.step}: ${reason}: ${text}`);
  }
  state.ended = ending;
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
