import { createHash } from "node:crypto";
import { join } from "node:path";
import { mean } from "#eval";
import type { Model } from "#models";
import type { Example, LocalPolicy } from "#policy";
import { applyPartial, count, type DeepPartial, optional, type Run, settings, UserError, within } from "#run";
import { permutation, streamKey } from "#tensor";
import type { Tokenizer } from "#tokenizer";
import { freshState, resume, runOf } from "./checkpoint.ts";
import { stepLoss } from "./losses-reward.ts";
import { planMemory, refuseWhatCannotFit, supervisedNeeds } from "./memory.ts";
import { batchesOf, withScoreHead } from "./reward-model.ts";
import { trainSupervised } from "./supervised.ts";
import { policyOptions, withPolicy } from "./trained-policy.ts";
import { computeDefaults, supervisedCheckpoints, supervisedOptimizer } from "./trainer-config.ts";

/** A text whose steps are judged: after the token at `ends[i]` it has the chance `chances[i]`, 0 to 1, of coming out right. */
export type LabelledSteps = {
  /** What it answers: texts of one problem are trained on together or held out together. */
  problem: string;
  /** Prompt and response. */
  ids: ArrayLike<number>;
  ends: readonly number[];
  chances: readonly number[];
};

/** Settings of the training of a model of steps. A step of it is one optimizer update. */
const stepModelDefaults = settings({
  /** Texts in one update. */
  batchSize: count(64),
  epochs: count(1),
  /** Updates at most, whatever the number of texts. */
  steps: optional(count(1)),
  ...supervisedOptimizer,
  lr: 6e-6,
  /** Tokens of prompt and response at most; the model's own limit holds too. A longer one is left out, and counted. */
  maxTokens: count(8192, { min: 2 }),
  /** Share of the problems that is not trained on, but measured. */
  heldOut: within(0.1, 0, 0.5),
  ...supervisedCheckpoints,
  /** Tokens in one forward and backward pass; a longer text goes alone. */
  microBatchTokens: count(1024),
  ...computeDefaults,
});

export type StepModelConfig = typeof stepModelDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const stepModelConfig = (changes: DeepPartial<StepModelConfig> = {}): StepModelConfig =>
  applyPartial<StepModelConfig>(stepModelDefaults, changes, "stepModelConfig");

/** How near a model of steps comes to the chances of texts that it has not seen. */
export type StepFigures = {
  numSteps: number;
  /** Mean of (chance said − chance found)². */
  squaredError: number;
  /** 1 − that / the variance of the chances found: 0 is no better than their mean. Absent where all are the same. */
  explained?: number;
};

export type StepModelResult = {
  /** Folder of the last checkpoint: a Hugging Face …ForSequenceClassification folder. */
  model: string;
  steps: number;
  trainSeconds: number;
  /** Tokens read. */
  tokens: number;
  /** Texts trained on, measured, and over the length limit. */
  texts: { trained: number; heldOut: number; tooLong: number };
  /** On the problems held out; absent where none are. */
  heldOut?: StepFigures;
};

/**
 * Trains a scalar head over the whole decoder to say, where a step ends, the chance of coming out right: a process reward
 * model, or the value model of a search (2312.08935). `policy.values` gives its log-odds at every token, of which those
 * that end a step were trained. In the run folder of the recipe that calls; resumed from its last checkpoint.
 */
export async function stepModel(
  model: string,
  given: readonly LabelledSteps[],
  config: StepModelConfig,
): Promise<StepModelResult> {
  const run = runOf("stepModel");
  const folder = run.claimCheckpoints();
  const change = (loaded: Model, tokenizer: Tokenizer) => withScoreHead(loaded, tokenizer, run.seed);
  return withPolicy(run, model, { options: policyOptions(config), change }, async (policy) => {
    const { texts, heldOut, tooLong } = prepare(policy, run, given, config);
    const steps = Math.min(config.steps ?? Infinity, config.epochs * Math.ceil(texts.length / config.batchSize));
    const { state, dir } = await resume(run, folder, policy, freshState(fingerprintOf(given)), "the texts have");
    if (dir === undefined)
      run.tell(`${texts.length} texts, ${heldOut.length} held out, ${tooLong} too long left out; ${steps} steps`);
    const measured = () => measure(policy, heldOut);
    await trainSupervised({
      run,
      folder,
      config,
      policy,
      state,
      steps,
      batches: batchesOf(texts, run.seed, config.batchSize, steps),
      async pass(batch) {
        const trained = await policy.forwardBackward(examplesOf(batch), stepLoss);
        return { trained, counts: { "train/tokens": batch.reduce((sum, { ids }) => sum + ids.length, 0) } };
      },
      heldOut: "problems",
      async measure() {
        const figures = await measured();
        return figures && { "eval/squaredError": figures.squaredError };
      },
      advice: "Lower lr or raise warmupSteps.",
    });
    const last = await measured();
    return {
      model: join(folder, String(steps)),
      steps,
      trainSeconds: state.trainSeconds,
      tokens: state.tokens,
      texts: { trained: texts.length, heldOut: heldOut.length, tooLong },
      ...(last && { heldOut: last }),
    };
  });
}

/** The texts of each side. Throws where one is not what it should be, where none are left, or where they do not fit into memory. */
function prepare(policy: LocalPolicy, { seed }: Run, given: readonly LabelledSteps[], config: StepModelConfig) {
  for (const [i, text] of given.entries()) check(text, i);
  const { config: decoder } = policy.model.decoder;
  const maxTokens = Math.min(config.maxTokens, decoder.maxPositions);
  const short = given.filter(({ ids }) => ids.length <= maxTokens);
  const problems = [...new Set(short.map(({ problem }) => problem))];
  const order = permutation(streamKey(seed, "steps-held-out"), problems.length);
  const out = new Set(Array.from(order.subarray(0, Math.round(config.heldOut * problems.length)), (i) => problems[i]!));
  const side = (isOut: boolean) => short.filter(({ problem }) => out.has(problem) === isOut);
  const [texts, heldOut] = [side(false), side(true)];
  const tooLong = given.length - short.length;
  if (texts.length === 0)
    throw new UserError(
      `stepModel: nothing to train on: ${given.length} texts, ${tooLong} over ${maxTokens} tokens, ${heldOut.length} held out. Give more, or raise maxTokens.`,
    );
  const longest = short.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  refuseWhatCannotFit(planMemory(decoder, supervisedNeeds(config, longest)), config.device, {
    activations: `Lower microBatchTokens (now ${config.microBatchTokens}) or maxTokens (the longest text has ${longest} tokens).`,
  });
  return { texts, heldOut, tooLong };
}

function check({ ids, ends, chances }: LabelledSteps, i: number): void {
  const problem =
    ends.length === 0 || ends.length !== chances.length
      ? `${ends.length} ends with ${chances.length} chances. Expected as many of both, one at least`
      : ends.some((end, e) => !Number.isInteger(end) || end <= (ends[e - 1] ?? -1) || end >= ids.length)
        ? `ends ${ends.join(", ")} among ${ids.length} ids. Expected places of ids, in order`
        : chances.some((chance) => !(chance >= 0 && chance <= 1))
          ? `chances ${chances.join(", ")}. Expected numbers from 0 to 1`
          : undefined;
  if (problem !== undefined) throw new UserError(`stepModel: text ${i}: ${problem}.`);
}

function fingerprintOf(texts: readonly LabelledSteps[]): string {
  const hash = createHash("sha256");
  for (const { problem, ids, ends, chances } of texts)
    hash.update(JSON.stringify([problem, Array.from(ids), ends, chances]));
  return hash.digest("hex").slice(0, 16);
}

/** What follows the last position is a target, which no value looks at. */
const readable = ({ ids }: LabelledSteps): Int32Array => Int32Array.from([...Array.from(ids), 0]);

/** The texts of one update: every step weighs the same. */
function examplesOf(batch: readonly LabelledSteps[]): Example<"labels">[] {
  const numSteps = batch.reduce((sum, { ends }) => sum + ends.length, 0);
  return batch.map((text) => {
    const [weights, labels] = [new Float32Array(text.ids.length), new Float32Array(text.ids.length)];
    for (const [i, end] of text.ends.entries()) {
      weights[end] = 1 / numSteps;
      labels[end] = text.chances[i]!;
    }
    return { ids: readable(text), weights, fields: { labels } };
  });
}

async function measure(policy: LocalPolicy, texts: readonly LabelledSteps[]): Promise<StepFigures | undefined> {
  if (texts.length === 0) return undefined;
  const values = await policy.values(texts.map(readable));
  const found = texts.flatMap(({ chances }) => chances);
  const said = texts.flatMap(({ ends }, t) => ends.map((end) => 1 / (1 + Math.exp(-values[t]![end]!))));
  const squaredError = mean(found.map((chance, i) => (said[i]! - chance) ** 2));
  const middle = mean(found);
  const variance = mean(found.map((chance) => (chance - middle) ** 2));
  const isVaried = found.some((chance) => chance !== found[0]);
  return { numSteps: found.length, squaredError, ...(isVaried && { explained: 1 - squaredError / variance }) };
}
