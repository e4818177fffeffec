import { join } from "node:path";
import { type Calibration, calibration, reliabilityLines } from "#eval";
import { addScalarHead, type Model } from "#models";
import { type LocalPolicy, type Policy, scoresOf } from "#policy";
import type { JudgedPart } from "#rewards";
import { type Run, UserError } from "#run";
import { permutation, streamKey } from "#tensor";
import type { Tokenizer } from "#tokenizer";
import { freshState, resume, runOf } from "./checkpoint.ts";
import { pairLoss, pointLoss } from "./losses-reward.ts";
import { planMemory, refuseWhatCannotFit, supervisedNeeds } from "./memory.ts";
import type { RewardConfig } from "./reward-config.ts";
import {
  type PreparedRewards,
  prepareRewards,
  type RewardData,
  type RewardItem,
  rewardExamples,
} from "./reward-data.ts";
import { trainSupervised } from "./supervised.ts";
import { policyOptions, withPolicy } from "./trained-policy.ts";

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

/**
 * Trains a reward model from a model folder, in the run folder of the recipe that calls: pairs by Bradley–Terry, single
 * responses by cross-entropy, by a scalar head over the whole decoder. Resumed from its last checkpoint.
 */
export async function rewardModel(model: string, data: RewardData, config: RewardConfig): Promise<RewardResult> {
  const run = runOf("rewardModel");
  const folder = run.claimCheckpoints();
  const change = (loaded: Model, tokenizer: Tokenizer) =>
    judging(withScoreHead(loaded, tokenizer, run.seed), config.judges);
  return withPolicy(run, model, { options: policyOptions(config), change }, async (policy) => {
    const prepared = prepareFor(policy, run, data, config);
    const { items, heldOut, dropped } = prepared;
    const perEpoch = Math.ceil(items.length / config.batchSize);
    const steps = Math.min(config.steps ?? Number.POSITIVE_INFINITY, config.epochs * perEpoch);
    const { state, dir } = await resume(run, folder, policy, freshState(prepared.fingerprint), "the data has");
    if (dir === undefined) announce(run, prepared, steps);
    if (dir === undefined && "responses" in data) warnOfOneKind(run, prepared);
    const [loss, together] = "pairs" in data ? [pairLoss(config), 2] : [pointLoss, 1];
    const measured = () => measure(policy, heldOut, config.reliabilityBins);
    await trainSupervised({
      run,
      folder,
      config,
      policy,
      state,
      steps,
      batches: batchesOf(items, run.seed, config.batchSize, steps),
      async pass(batch) {
        const examples = rewardExamples(batch);
        const trained = await policy.forwardBackward(examples, loss, { together });
        return { trained, counts: { "train/tokens": examples.reduce((sum, { ids }) => sum + ids.length - 1, 0) } };
      },
      heldOut: "prompts",
      async measure() {
        const figures = await measured();
        return figures && { "eval/accuracy": figures.accuracy, "eval/calibrationError": figures.error };
      },
      advice: "Lower lr or raise warmupSteps.",
    });
    const last = await measured();
    for (const line of last === undefined ? [] : reliabilityLines(last)) run.tell(line);
    return {
      model: join(folder, String(steps)),
      steps,
      trainSeconds: state.trainSeconds,
      tokens: state.tokens,
      items: { trained: items.length, heldOut: heldOut.length, dropped },
      ...(last === undefined ? {} : { heldOut: last }),
    };
  });
}

/** The items as this policy reads them. Throws where there are none, or where they do not fit into memory. */
function prepareFor(policy: LocalPolicy, { seed }: Run, given: RewardData, config: RewardConfig): PreparedRewards {
  const { config: decoder } = policy.model.decoder;
  const { padId } = decoder;
  const maxTokens = Math.min(config.maxTokens, decoder.maxPositions);
  const data = prepareRewards(given, policy.tokenizer, { ...config, maxTokens }, { seed, padId });
  if (data.items.length === 0) {
    throw new UserError(
      `rewardModel: nothing to train on: ${JSON.stringify(data.dropped)} dropped, ${data.heldOut.length} held out. Give more, or raise maxTokens (now ${maxTokens}).`,
    );
  }
  refuseWhatCannotFit(planMemory(decoder, supervisedNeeds(config, data.longest)), config.device, {
    activations: `Lower microBatchTokens (now ${config.microBatchTokens}) or maxTokens (the longest item has ${data.longest} tokens).`,
  });
  return data;
}

/** What will be trained on, and what will not. */
function announce(run: Run, { items, heldOut, dropped }: PreparedRewards, steps: number): void {
  const left = `${dropped.ties} ties, ${dropped.same} alike and ${dropped.tooLong} too long left out`;
  run.tell(`${items.length} to train on, ${heldOut.length} held out, ${left}; ${steps} steps`);
}

/** A log line, not an error: a judge who finds nothing unsafe in a small run is no reason to end it after its other stages. */
function warnOfOneKind(run: Run, { items, heldOut }: PreparedRewards): void {
  const numSafe = (of: readonly RewardItem[]) => of.filter(({ isTrue }) => isTrue).length;
  const safe = numSafe(items);
  if (safe > 0 && safe < items.length) return;
  run.tell(
    `warning: ${safe} safe and ${items.length - safe} unsafe responses to train on (held out: ${numSafe(heldOut)} and ${heldOut.length - numSafe(heldOut)}): ` +
      "what learns from one kind scores all alike, and its accuracy says nothing. Give responses of both kinds.",
  );
}

/** The items of each step: each epoch in an order of its own, its last batch what is left. */
export function* batchesOf<Item>(
  items: readonly Item[],
  seed: number,
  batchSize: number,
  steps: number,
): Generator<Item[]> {
  for (let epoch = 0, step = 0; step < steps; epoch++) {
    const order = permutation(streamKey(seed, "reward-model", epoch), items.length);
    for (let at = 0; at < items.length && step < steps; at += batchSize, step++)
      yield Array.from(order.subarray(at, at + batchSize), (i) => items[i]!);
  }
}

/** A reward model as it is, or a language model with a fresh head. */
export function withScoreHead(model: Model, tokenizer: Tokenizer, seed: number): Model {
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
