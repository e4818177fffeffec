import { join } from "node:path";
import type { LocalPolicy } from "#policy";
import type { Run } from "#run";
import { freshState, resume, runOf, type TrainerState } from "./checkpoint.ts";
import { crossEntropy } from "./losses.ts";
import { planMemory, refuseWhatCannotFit, supervisedNeeds } from "./memory.ts";
import { batchesOf, countSteps, epochSize } from "./mixture.ts";
import type { SftConfig } from "./sft-config.ts";
import { type Prepared, prepare, type SftData } from "./sft-data.ts";
import { trainSupervised } from "./supervised.ts";
import { meanNll, supervisedExamples } from "./supervised-examples.ts";
import { policyOptions, withPolicy } from "./trained-policy.ts";

type State = TrainerState & { best: { step: number; nll: number } | undefined };

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

/**
 * Trains a model folder on rows by next-token prediction (see `SftRow`), in the run folder of the recipe that calls:
 * packed without padding, the loss divided once by all trained tokens of the update, resumed from its last checkpoint.
 */
export async function sft(model: string, data: SftData, config: SftConfig): Promise<SftResult> {
  const run = runOf("sft");
  const folder = run.claimCheckpoints();
  return withPolicy(run, model, { options: policyOptions(config) }, async (policy) => {
    const prepared = await prepareFor(policy, run, data, config);
    const { sources, heldOut, numTooLong } = prepared;
    const steps = countSteps(sources, run.seed, config);
    const fresh: State = { ...freshState(prepared.fingerprint), best: undefined };
    const { state, dir } = await resume(run, folder, policy, fresh, "the rows have");
    if (dir === undefined) announce(run, prepared, steps, config);
    await trainSupervised({
      run,
      folder,
      config,
      policy,
      state,
      steps,
      batches: batchesOf(sources, run.seed, config),
      async pass(batch) {
        const trained = await policy.forwardBackward(supervisedExamples(batch, config), crossEntropy);
        return { trained, counts: { "train/tokens": trained.numTokens, "train/sequences": batch.length } };
      },
      heldOut: "rows",
      async measure() {
        if (heldOut.length === 0) return undefined;
        const nll = await meanNll(policy, heldOut);
        if (state.best === undefined || nll < state.best.nll) state.best = { step: state.step, nll };
        return { "eval/nll": nll };
      },
      advice: "Lower lr, raise warmupSteps, or look for rows that are no text.",
    });
    return {
      model: join(folder, String(steps)),
      steps,
      trainSeconds: state.trainSeconds,
      tokens: state.tokens,
      sequences: { trained: epochSize(sources), heldOut: heldOut.length, tooLong: numTooLong },
      ...(state.best && { best: { ...state.best, model: join(folder, String(state.best.step)) } }),
    };
  });
}

/** The rows as this policy reads them. Throws where they do not fit into memory. */
async function prepareFor(policy: LocalPolicy, run: Run, data: SftData, config: SftConfig): Promise<Prepared> {
  const decoder = policy.model.decoder.config;
  const prepared = await prepare(data, policy.tokenizer, {
    ...config,
    maxLength: Math.min(config.maxLength, decoder.maxPositions),
    seed: run.seed,
    onProgress: (done) => run.terminal?.begin(`reading rows: ${done}`),
  });
  refuseWhatCannotFit(planMemory(decoder, supervisedNeeds(config, prepared.longest)), config.device, {
    activations: `Lower microBatchTokens (now ${config.microBatchTokens}) or maxLength (the longest sequence has ${prepared.longest} tokens).`,
  });
  return prepared;
}

/** What will be trained on, and what will not. */
function announce(run: Run, { sources, heldOut, numTooLong }: Prepared, steps: number, config: SftConfig): void {
  const parts = sources.map(({ name, sequences }) => `${sequences.length} of ${name}`).join(", ");
  const measured = heldOut.length === 0 ? "" : `, ${heldOut.length} held out`;
  const long = numTooLong === 0 ? "" : `, ${numTooLong} too long (${config.tooLong === "drop" ? "left out" : "cut"})`;
  run.tell(`sequences: ${parts}${measured}${long}; ${steps} steps`);
}
