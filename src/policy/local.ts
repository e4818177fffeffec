import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkModel, type LoadOptions, loadModel, type Model, modelFolder, saveModel } from "#models";
import { AdamW, type AdamWOptions, type Loss, type OutputName } from "#nn";
import { Engine, type EngineOptions, type Group, type Prompt, type SamplingOptions } from "#rollout";
import { noGrad, readSafetensors, SafetensorsFile, type Tensor, tidy, writeSafetensors } from "#tensor";
import { Tokenizer } from "#tokenizer";
import { toBatch } from "./batch.ts";
import { logprobsOf, nextTurn, valuesOf } from "./logprobs.ts";
import { localOutputs, outputsOf } from "./outputs.ts";
import { microBatches, pack } from "./pack.ts";
import type { Example, FrozenPolicy, PassOptions, Policy, Trained } from "./types.ts";

export type LocalOptions = LoadOptions & {
  engine?: EngineOptions;
  optimizer?: Partial<AdamWOptions>;
  /** Predicted tokens in one forward and backward pass. */
  microBatchTokens?: number;
};

const optimizerFile = "optimizer.safetensors";
/** Weights in that file, where the model's own files round them. */
const exactPrefix = "weight.";

/** Frozen weights in this process. */
export class LocalFrozen implements FrozenPolicy {
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  protected readonly engine: Engine;
  protected readonly microBatchTokens: number;
  protected readonly options: LocalOptions;
  /** Updates the weights have seen. */
  protected version = 0;

  constructor(model: Model, tokenizer: Tokenizer, options: LocalOptions) {
    const { engine = {}, microBatchTokens = 1024 } = options;
    this.options = options;
    this.model = model;
    this.tokenizer = tokenizer;
    this.microBatchTokens = microBatchTokens;
    this.engine = new Engine(model.decoder, { version: () => this.version, ...engine });
  }

  get outputs(): ReadonlySet<OutputName> {
    return outputsOf(this.model.decoder);
  }

  sample(prompts: readonly Prompt[], options: SamplingOptions): AsyncIterable<Group> {
    return this.engine.sample(prompts, options);
  }

  logprobs(sequences: readonly Int32Array[], temperature = 1): Promise<Float32Array[]> {
    return logprobsOf(this.model.decoder, sequences, temperature, this.microBatchTokens);
  }

  values(sequences: readonly Int32Array[]): Promise<Float32Array[]> {
    return valuesOf(this.model.decoder, sequences, this.microBatchTokens);
  }

  /** Loads a Hugging Face folder to sample from and to judge with. */
  static async load(folder: string, options: LocalOptions = {}): Promise<LocalFrozen> {
    return new LocalFrozen(loadModel(folder, options), Tokenizer.load(modelFolder(folder)), options);
  }

  /** The longest context and the tokenizer of a folder. Throws what `load` would, without reading its weights. */
  static check(folder: string): { maxPositions: number; tokenizer: Tokenizer } {
    const { maxPositions } = checkModel(folder);
    return { maxPositions, tokenizer: Tokenizer.load(modelFolder(folder)) };
  }

  /** Exact, so in the element type it computes in: a reference that is loaded again believes the same. */
  async save(folder: string): Promise<void> {
    saveModel(this.model, folder, { dtype: this.model.decoder.dtype });
  }

  dispose(): void {
    this.engine.release();
    this.model.decoder.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A policy whose weights are in this process: sampling and training use the same tensors. */
export class LocalPolicy extends LocalFrozen implements Policy {
  readonly #optimizer: AdamW;

  constructor(model: Model, tokenizer: Tokenizer, options: LocalOptions = {}) {
    super(model, tokenizer, options);
    model.decoder.setTrainable(true);
    this.#optimizer = new AdamW(model.decoder.parameters(), options.optimizer);
  }

  /** Loads a Hugging Face folder to train. `change` may give its model another head first. */
  static async open(
    folder: string,
    options: LocalOptions = {},
    change: (model: Model, tokenizer: Tokenizer) => Model = (model) => model,
  ): Promise<LocalPolicy> {
    const [model, tokenizer] = [loadModel(folder, options), Tokenizer.load(modelFolder(folder))];
    return new LocalPolicy(change(model, tokenizer), tokenizer, options);
  }

  async forwardBackward<Field extends string>(
    examples: readonly Example<Field>[],
    loss: Loss<Field, OutputName>,
    { temperature = 1, together = 1 }: PassOptions = {},
  ): Promise<Trained> {
    const sums: Record<string, number> = {};
    const maxima: Record<string, number> = {};
    let numTokens = 0;
    let total = 0;
    for (const group of microBatches(examples, ({ ids }) => ids.length, this.microBatchTokens, together)) {
      const pass = tidy(() => this.#pass(group, loss, temperature, together));
      total += pass.loss;
      numTokens += pass.numTokens;
      for (const [name, value] of Object.entries(pass.metrics)) sums[name] = (sums[name] ?? 0) + value;
      for (const [name, value] of Object.entries(pass.maxima)) maxima[name] = Math.max(maxima[name] ?? value, value);
      await nextTurn();
    }
    return { loss: total, numTokens, metrics: mapValues(sums, (value) => value / numTokens), maxima };
  }

  /** One micro-batch; its metrics are summed over the trained tokens. */
  #pass<Field extends string>(
    examples: readonly Example<Field>[],
    loss: Loss<Field, OutputName>,
    temperature: number,
    together: number,
  ): Trained {
    const { decoder } = this.model;
    const { batch, rows, trained, numTrained } = toBatch(examples, decoder.device, together);
    if (numTrained === 0) return { loss: 0, numTokens: 0, metrics: {}, maxima: {} };
    const packed = pack(
      examples.map(({ ids }) => ids),
      decoder.device,
    );
    const out = localOutputs(decoder, packed, rows, temperature);
    const { loss: perToken, metrics, maxima = {} } = loss(out, batch);
    const sum = perToken.sum();
    sum.backward();
    const total = (metric: Tensor) => metric.detach().mul(trained).sum().item();
    const largest = (metric: Tensor) =>
      (rows === undefined ? metric.detach() : metric.detach().indexSelect(0, rows)).amax().item();
    return {
      loss: sum.item(),
      numTokens: numTrained,
      metrics: mapValues(metrics, total),
      maxima: mapValues(maxima, largest),
    };
  }

  async step(options: { lr: number; maxGradNorm?: number }): Promise<{ gradNorm: number }> {
    const gradNorm = this.#optimizer.step(options);
    this.#weightsChanged();
    return { gradNorm };
  }

  #weightsChanged(): void {
    this.version++;
    this.engine.weightsChanged();
  }

  override async save(folder: string): Promise<void> {
    saveModel(this.model, folder);
    const { decoder } = this.model;
    const { numSteps } = this.#optimizer;
    const isRounded = decoder.config.savedDtype !== decoder.dtype;
    const exact = isRounded ? [...decoder.parameters()].map(([name, value]) => [exactPrefix + name, value]) : [];
    const state = { ...this.#optimizer.state(), ...Object.fromEntries(exact) };
    writeSafetensors(join(folder, optimizerFile), state, { numSteps: String(numSteps) });
  }

  /** Takes over weights and optimizer of a folder that `save` wrote for the same model. Changes nothing where it throws. */
  async load(folder: string): Promise<void> {
    noGrad(() => tidy(() => this.#load(folder)));
    this.#weightsChanged();
  }

  #load(folder: string): void {
    const { decoder } = this.model;
    const { saved, numSteps } = readOptimizer(folder);
    using loaded = loadModel(folder, { dtype: decoder.dtype, device: decoder.device }).decoder;
    const theirs = new Map(
      [...loaded.parameters()].map(([name, rounded]) => [name, saved[exactPrefix + name] ?? rounded]),
    );
    for (const [name, mine] of decoder.parameters()) {
      if (`${theirs.get(name)?.shape}` === `${mine.shape}`) continue;
      throw new Error(
        `${folder}: ${name} is [${theirs.get(name)?.shape}], the model in memory has [${mine.shape}]. Is this a checkpoint of another model?`,
      );
    }
    this.#optimizer.load(saved, numSteps);
    for (const [name, mine] of decoder.parameters()) mine.detach().copy_(theirs.get(name)!);
  }

  snapshot(): FrozenPolicy {
    return new LocalFrozen({ ...this.model, decoder: this.model.decoder.snapshot() }, this.tokenizer, this.options);
  }

  /** Throws the gathered gradient away, as after a pass that failed half-way. */
  clearGradients(): void {
    for (const parameter of this.model.decoder.parameters().values()) parameter.clearGrad();
  }

  override dispose(): void {
    this.#optimizer[Symbol.dispose]();
    super.dispose();
  }
}

function readOptimizer(folder: string): { saved: Record<string, Tensor>; numSteps: number } {
  const path = join(folder, optimizerFile);
  if (!existsSync(path)) {
    throw new Error(
      `${folder}: no ${optimizerFile}. Expected a checkpoint that a policy saved; a plain model folder is opened instead.`,
    );
  }
  using file = new SafetensorsFile(path);
  const numSteps = Number(file.metadata.numSteps);
  if (!Number.isInteger(numSteps) || numSteps < 0) {
    throw new Error(
      `${path}: numSteps is ${file.metadata.numSteps}. Expected the number of updates; use an older one.`,
    );
  }
  return { saved: readSafetensors(path), numSteps };
}

const mapValues = <A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
