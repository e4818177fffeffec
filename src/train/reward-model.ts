import { join } from "node:path";
import { type Calibration, calibration, reliabilityLines } from "#eval";
import { addScalarHead, type Model } from "#models";
import { learningRate } from "#nn";
import { LocalPolicy, type Policy, scoresOf } from "#policy";
import type { JudgedPart } from "#rewards";
import { type Run, UserError } from "#run";
import { permutation, streamKey } from "#tensor";
import type { Tokenizer } from "#tokenizer";
import { isDue, refuseDivergence, resume, runOf, save, type TrainerState } from "./checkpoint.ts";
import { pairLoss, pointLoss } from "./losses-reward.ts";
import { planMemory, refuseWhatCannotFit } from "./memory.ts";
import type { RewardConfig } from "./reward-config.ts";
import {
  type PreparedRewards,
  prepareRewards,
  type RewardData,
  type RewardItem,
  rewardExamples,
} from "./reward-data.ts";

/** What a resumed run goes on from: the order of the items follows from the seed and the step. */
type State = TrainerState & { data: string };

export type RewardResult = {
  /** Folder of the last checkpoint: a Hugging Face …ForSequenceClassification folder. */
  model: string;
  steps: number;
  trainSeconds: number;
  /** Tokens read. */
  tokens: number;
  /** Pairs or responses trained on and measured, and why others were not. */
  items: { trained: number; heldOut: number; dropped: PreparedRewards["dropped"] };
  /** Accuracy and calibration on the prompts held out; absent where none are. */
  heldOut?: Calibration;
};

type Trainer = {
  run: Run;
  folder: string;
  config: RewardConfig;
  policy: LocalPolicy;
  data: PreparedRewards;
  /** Texts of one item: 2 of a pair, else 1. */
  together: 1 | 2;
  state: State;
  steps: number;
};

/**
 * Trains a reward model from a model folder, in the run folder of the recipe that calls: pairs by Bradley–Terry, single
 * responses by cross-entropy, by a scalar head over the whole decoder. Resumed from its last checkpoint.
 */
export async function rewardModel(model: string, data: RewardData, config: RewardConfig): Promise<RewardResult> {
  const trainer = await open(model, data, config);
  const { run, folder, policy, state, steps, data: prepared } = trainer;
  try {
    while (state.step < steps) {
      await oneStep(trainer);
      run.stopIfAsked();
    }
    const { items, heldOut, dropped } = prepared;
    const measured = await measure(policy, heldOut, config.reliabilityBins);
    for (const line of measured === undefined ? [] : reliabilityLines(measured)) {
      run.log(line);
      run.terminal?.note(line);
    }
    return {
      model: join(folder, String(steps)),
      steps,
      trainSeconds: state.trainSeconds,
      tokens: state.tokens,
      items: { trained: items.length, heldOut: heldOut.length, dropped },
      ...(measured === undefined ? {} : { heldOut: measured }),
    };
  } finally {
    run.terminal?.end();
    policy.dispose();
  }
}

async function open(model: string, given: RewardData, config: RewardConfig): Promise<Trainer> {
  const run = runOf("rewardModel");
  const folder = run.claimCheckpoints();
  run.terminal?.begin(`loading ${model}`);
  const { dtype, device, microBatchTokens, beta1, beta2, weightDecay } = config;
  const policy = await LocalPolicy.open(
    model,
    { dtype, device, microBatchTokens, optimizer: { beta1, beta2, weightDecay } },
    (loaded, tokenizer) => judging(withScoreHead(loaded, tokenizer, run.seed), config.judges),
  );
  try {
    const { config: decoder } = policy.model.decoder;
    const maxTokens = Math.min(config.maxTokens, decoder.maxPositions);
    const data = prepareRewards(
      given,
      policy.tokenizer,
      { ...config, maxTokens },
      { seed: run.seed, padId: decoder.padId },
    );
    if (data.items.length === 0) {
      throw new UserError(
        `rewardModel: nothing to train on: ${JSON.stringify(data.dropped)} dropped, ${data.heldOut.length} held out. Give more, or raise maxTokens (now ${maxTokens}).`,
      );
    }
    const passTokens = Math.max(microBatchTokens, data.longest);
    refuseWhatCannotFit(planMemory(decoder, { dtype, hasReference: false, cachedTokens: 0, passTokens }), device, {
      activations: `Lower microBatchTokens (now ${microBatchTokens}) or maxTokens (the longest item has ${data.longest} tokens).`,
    });
    const perEpoch = Math.ceil(data.items.length / config.batchSize);
    const steps = Math.min(config.steps ?? Number.POSITIVE_INFINITY, config.epochs * perEpoch);
    const fresh: State = { step: 0, data: data.fingerprint, best: undefined, trainSeconds: 0, tokens: 0, lengths: {} };
    const { state, dir } = await resume(run, folder, policy, fresh);
    if (state.data !== data.fingerprint) {
      throw new UserError(
        `${dir}: the data has changed since this checkpoint. Put the old back, or choose another --run.`,
      );
    }
    const together = "pairs" in given ? 2 : 1;
    if (dir === undefined) {
      const { ties, same, tooLong } = data.dropped;
      const left = `${ties} ties, ${same} alike and ${tooLong} too long left out`;
      run.log(`${data.items.length} to train on, ${data.heldOut.length} held out, ${left}; ${steps} steps`);
    }
    return { run, folder, config, policy, data, together, state, steps };
  } catch (error) {
    policy.dispose();
    throw error;
  }
}

/** A reward model as it is, or a language model with a fresh head. */
function withScoreHead(model: Model, tokenizer: Tokenizer, seed: number): Model {
  if (model.decoder.config.scalarHead === "score") return model;
  const padId = model.decoder.config.padId ?? tokenizer.padId ?? tokenizer.eosIds[0];
  return addScalarHead(model, "score", { seed, padId });
}

/** Its config.json will say what it was taught to read. */
function judging(model: Model, judges: JudgedPart): Model {
  const json = JSON.parse(model.files.get("config.json")!.toString("utf8")) as object;
  const config = Buffer.from(`${JSON.stringify({ ...json, judges }, null, 2)}\n`);
  return { ...model, files: new Map([...model.files, ["config.json", config]]) };
}

/** One update, and what is due after it: measurement, metrics, checkpoint. */
async function oneStep(trainer: Trainer): Promise<void> {
  const { run, config, policy, together, state, steps } = trainer;
  const started = performance.now();
  const step = state.step;
  const name = `step ${step + 1}/${steps}`;
  run.terminal?.begin(`${name}: updating`);
  const lr = learningRate({ ...config, shape: config.schedule, floor: config.lrFloor }, step, steps);
  const examples = rewardExamples(batchOf(trainer, step));
  const loss = together === 2 ? pairLoss(config) : pointLoss;
  const trained = await policy.forwardBackward(examples, loss, { together });
  const { gradNorm } = await policy.step({ lr, maxGradNorm: config.maxGradNorm });
  refuseDivergence(run, { step, gradNorm }, "Lower lr or raise warmupSteps.");
  const numTokens = examples.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const stepMs = performance.now() - started;
  state.trainSeconds += stepMs / 1000;
  state.tokens += numTokens;
  state.step++;
  const metrics: Record<string, number> = {
    ...trained.metrics,
    "train/loss": trained.loss,
    "train/gradNorm": gradNorm,
    "train/lr": lr,
    "train/tokens": numTokens,
    ...(await measureIfDue(trainer, step)),
    "time/stepMs": stepMs,
    "time/tokensPerSecond": (numTokens / stepMs) * 1000,
    "time/left": (steps - state.step) * (state.trainSeconds / state.step),
  };
  run.appendMetrics({ step: state.step, ...metrics });
  run.terminal?.step({ step: state.step, steps, metrics });
  if (!isDue(config.checkpointEvery, step, state.step, steps) && !run.shouldStop) return;
  run.terminal?.begin(`${name}: saving a checkpoint`);
  await save(run, trainer.folder, state, { policy, keep: config.keepCheckpoints });
}

/** The items of a step: each epoch in an order of its own, its last batch what is left. */
function batchOf({ run, config: { batchSize }, data: { items } }: Trainer, step: number): RewardItem[] {
  const perEpoch = Math.ceil(items.length / batchSize);
  const order = permutation(streamKey(run.seed, "reward-model", Math.floor(step / perEpoch)), items.length);
  const at = (step % perEpoch) * batchSize;
  return Array.from(order.subarray(at, at + batchSize), (i) => items[i]!);
}

async function measureIfDue(
  { run, config, policy, data, state, steps }: Trainer,
  before: number,
): Promise<Record<string, number>> {
  if (!isDue(config.evalEvery, before, state.step, steps)) return {};
  const started = performance.now();
  run.terminal?.begin(`step ${state.step}/${steps}: evaluating on held-out prompts`);
  const measured = await measure(policy, data.heldOut, config.reliabilityBins);
  if (measured === undefined) return {};
  return {
    "eval/accuracy": measured.accuracy,
    "eval/calibrationError": measured.error,
    "time/evalMs": performance.now() - started,
  };
}

/** How often the scores are right about items, ties aside, and how sure they are of it; undefined where there are none. */
export async function measure(
  policy: Policy,
  items: readonly RewardItem[],
  numBins: number,
): Promise<Calibration | undefined> {
  const decided = items.filter(({ isTrue }) => isTrue !== undefined);
  const scores = await scoresOf(
    policy,
    decided.flatMap(({ texts }) => texts.map(({ ids }) => ids)),
  );
  let at = 0;
  const forecasts = decided.map(({ texts, isTrue }) => {
    const [first, second = 0] = scores.slice(at, at + texts.length);
    at += texts.length;
    return { chance: 1 / (1 + Math.exp(second - first!)), isTrue: isTrue === true };
  });
  return forecasts.length === 0 ? undefined : calibration(forecasts, numBins);
}
