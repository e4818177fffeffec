import { setImmediate as nextTurn } from "node:timers/promises";
import type { Decoder } from "#models";
import { attention, kvWrite, packWeights, pagedAttention } from "#nn";
import { fused, noGrad, type Tensor, tensor, tidy, uniformAt } from "#tensor";
import { KvCache } from "./cache.ts";
import { type Admission, blockSize, blocksNeeded, Scheduler, type Sequence } from "./scheduler.ts";
import { type Completion, type Group, longestAnswer, type Prompt, type SamplingOptions } from "./types.ts";

export type EngineOptions = {
  /** Answers written side by side. */
  maxRows?: number;
  /** Bytes that keys and values may take. */
  kvBytes?: number;
  /** Prompt tokens in one prefill. */
  maxPrefillTokens?: number;
  /** Updates the weights have seen, recorded with each token. */
  version?: () => number;
};

/** Writes answers with a decoder: paged keys and values, continuous batching, one token for every row at each step. */
export class Engine {
  readonly #decoder: Decoder;
  readonly #options: Required<EngineOptions>;
  #cache: KvCache | undefined;
  #packed: Disposable | undefined;
  #numReleases = 0;

  constructor(decoder: Decoder, options: EngineOptions = {}) {
    this.#decoder = decoder;
    this.#options = {
      maxRows: 512,
      kvBytes: 2 ** 31,
      maxPrefillTokens: 4096,
      version: () => 0,
      ...options,
    };
  }

  /** Yields each group when its last answer is finished. Throws when a prompt and its answer exceed the context or the key-value memory. */
  async *sample(prompts: readonly Prompt[], options: SamplingOptions): AsyncGenerator<Group> {
    const limits = this.#limitsFor(prompts, options);
    const scheduler = new Scheduler(prompts, options, limits);
    const cache = this.#takeCache(limits.numBlocks);
    this.#packed ??= packWeights(this.#decoder.matrices());
    const numReleases = this.#numReleases;
    let numTokens = 0;
    let numFinished = 0;
    try {
      while (!scheduler.isDone) {
        const admission = scheduler.admit();
        const first = admission.prompts.length > 0 ? this.#prefill(cache, admission, options) : undefined;
        const done = first ?? this.#decode(cache, scheduler.running, options);
        numTokens += first ? admission.prompts.length * options.groupSize : scheduler.running.length;
        numFinished += done.size;
        options.onProgress?.(numTokens, numFinished);
        for (const group of scheduler.finish(done)) yield group;
        await nextTurn();
      }
    } finally {
      scheduler.abandon();
      // Released while it wrote: nothing is kept.
      const [kept, freed] = numReleases === this.#numReleases ? [cache, this.#cache] : [this.#cache, cache];
      freed?.[Symbol.dispose]();
      this.#cache = kept;
    }
  }

  #limitsFor(prompts: readonly Prompt[], options: SamplingOptions) {
    const { groupSize, maxNewTokens, temperature } = options;
    const limits = prompts.map((prompt) => longestAnswer(prompt, options));
    for (const [name, value] of Object.entries({ groupSize, maxNewTokens: Math.min(maxNewTokens, ...limits) })) {
      if (!Number.isInteger(value) || value < 1) throw new Error(`sample: ${name} is ${value}. Expected at least 1.`);
    }
    if (!(temperature >= 0)) throw new Error(`sample: temperature is ${temperature}. Expected 0 (greedy) or more.`);
    const { maxRows, kvBytes, maxPrefillTokens } = this.#options;
    const { maxPositions } = this.#decoder.config;
    const empty = prompts.find(({ ids }) => ids.length === 0);
    if (empty !== undefined) throw new Error(`sample: prompt ${empty.id} has no tokens. Give it at least one.`);
    const tooLong = prompts.findIndex(({ ids }, i) => ids.length + limits[i]! > maxPositions);
    if (tooLong >= 0) {
      throw new Error(
        `sample: a prompt of ${prompts[tooLong]!.ids.length} tokens and an answer of up to ${limits[tooLong]} exceed the model's context of ${maxPositions}. Shorten the prompt or lower maxNewTokens.`,
      );
    }
    const blockBytes = KvCache.blockBytes(this.#decoder.config, this.#decoder.dtype);
    // A shorter prompt may need more: what is left of its last block is each answer's own.
    const perPrompt = Math.max(0, ...prompts.map(({ ids }, i) => blocksNeeded(ids.length, groupSize, limits[i]!)));
    const numAtOnce = Math.max(1, Math.min(prompts.length, Math.floor(maxRows / groupSize)));
    const numBlocks = 1 + Math.min(perPrompt * numAtOnce, Math.floor(kvBytes / blockBytes));
    if (perPrompt + 1 > numBlocks) {
      const need = Math.ceil((perPrompt * blockBytes) / 2 ** 20);
      throw new Error(
        `sample: ${groupSize} answers of up to ${Math.max(...limits)} tokens need ${need} MiB of keys and values, ${Math.floor(kvBytes / 2 ** 20)} are allowed. Lower maxNewTokens or groupSize.`,
      );
    }
    return { numBlocks, maxRows, maxPrefillTokens };
  }

  /** The cache of the last sample, or one that is larger. It is nobody else's until it is given back. */
  #takeCache(numBlocks: number): KvCache {
    const cache = this.#cache;
    this.#cache = undefined;
    if (cache !== undefined && cache.numBlocks >= numBlocks) return cache;
    cache?.[Symbol.dispose]();
    return new KvCache(this.#decoder.config, numBlocks, this.#decoder.dtype, this.#decoder.device);
  }

  /** Reads the admitted prompts in one packed pass and samples the first token of each of their answers. */
  #prefill(cache: KvCache, { prompts, copies }: Admission, options: SamplingOptions) {
    return noGrad(() =>
      tidy(() => {
        const all = prompts.map(({ prompt, blocks }) => ({ ids: prompt.ids, blocks }));
        const starts = [0];
        for (const { ids } of all) starts.push(starts.at(-1)! + ids.length);
        const slots = all.flatMap(({ ids, blocks }) =>
          Array.from(ids, (_, i) => blocks[Math.floor(i / blockSize)]! * blockSize + (i % blockSize)),
        );
        const device = this.#decoder.device;
        const on = (values: number[]) => tensor(Int32Array.from(values), undefined, { device });
        const [offsets, slotsOf] = [{ starts, tensor: on(starts) }, on(slots)];
        const scale = this.#decoder.config.headSize ** -0.5;
        const { hidden } = this.#decoder.forward(
          on(all.flatMap(({ ids }) => Array.from(ids))),
          on(all.flatMap(({ ids }) => Array.from(ids, (_, i) => i))),
          Math.max(...all.map(({ ids }) => ids.length)) - 1,
          (layer, q, k, v) => {
            kvWrite(cache.keys[layer]!, cache.values[layer]!, k, v, slotsOf);
            return attention(q, k, v, offsets, scale);
          },
        );
        cache.copy(copies);
        const last = hidden.indexSelect(0, on(starts.slice(1).map((end) => end - 1))); // [prompts, D]
        const rows = prompts.flatMap(({ sequences }, i) => sequences.map((sequence) => ({ sequence, i })));
        const logits = this.#decoder.logits(last).indexSelect(0, on(rows.map(({ i }) => i))); // [rows, V]
        return this.#draw(
          logits,
          rows.map(({ sequence }) => sequence),
          options,
        );
      }),
    );
  }

  /** Reads the newest token of every running answer and samples the next. */
  #decode(cache: KvCache, running: readonly Sequence[], options: SamplingOptions) {
    return noGrad(() =>
      tidy(() => {
        const rows = running.length;
        const width = Math.max(...running.map(({ blocks }) => blocks.length));
        const table = new Int32Array(rows * width);
        const [ids, positions, lengths] = [0, 0, 0].map(() => new Int32Array(rows));
        for (const [row, { prompt, blocks, ids: written }] of running.entries()) {
          const position = prompt.ids.length + written.length - 1;
          table.set(blocks, row * width);
          ids![row] = written.at(-1)!;
          positions![row] = position;
          lengths![row] = position + 1;
        }
        const device = this.#decoder.device;
        const at = (values: Int32Array, dtype: "int64" | "int32" = "int64") =>
          tensor(values, undefined, { dtype, device });
        const lengthsOf = at(lengths!, "int32");
        const blocks = tensor(table, [rows, width], { dtype: "int32", device });
        const scale = this.#decoder.config.headSize ** -0.5;
        const { hidden } = this.#decoder.forward(
          at(ids!),
          at(positions!),
          Math.max(...positions!),
          (layer, q, k, v) => {
            const [keys, values] = [cache.keys[layer]!, cache.values[layer]!];
            return pagedAttention(q, k, v, keys, values, blocks, lengthsOf, scale); // [rows, H, C]
          },
        );
        return this.#draw(this.#decoder.logits(hidden), running, options);
      }),
    );
  }

  /** Samples a token per row, appends it, and says which answers it ended. */
  #draw(
    logits: Tensor,
    sequences: readonly Sequence[],
    options: SamplingOptions,
  ): Map<Sequence, Completion["finishReason"]> {
    const uniforms = new Float64Array(logits.dim(0));
    for (const [row, { key, ids }] of sequences.entries()) uniforms[row] = uniformAt(key, ids.length);
    const drawn = fused.sampleLogits(logits, uniforms, options);
    const version = this.#options.version();
    const done = new Map<Sequence, Completion["finishReason"]>();
    for (const [row, sequence] of sequences.entries()) {
      const id = drawn.ids[row]!;
      sequence.ids.push(id);
      sequence.logprobs.push(drawn.logprobs[row]!);
      sequence.versions.push(version);
      const isStopped = options.onToken?.(sequence.prompt.id, sequence.sample, id) ?? false;
      if (isStopped || options.eosIds.includes(id)) done.set(sequence, "stop");
      else if (sequence.ids.length >= longestAnswer(sequence.prompt, options)) done.set(sequence, "length");
    }
    return done;
  }

  /** To be called when the weights have changed: throws away the packed copy, which every product would go on using. */
  weightsChanged(): void {
    this.#packed?.[Symbol.dispose]();
    this.#packed = undefined;
  }

  /** Frees the keys and values and the packed weights, those of a sample under way as it ends; the next sample makes them anew. */
  release(): void {
    this.#numReleases++;
    this.weightsChanged();
    this.#cache?.[Symbol.dispose]();
    this.#cache = undefined;
  }
  [Symbol.dispose](): void {
    this.release();
  }
}
