import type { Key } from "#tensor";
import { BlockPool } from "./blocks.ts";
import { type Completion, type Group, longestAnswer, type Prompt, type SamplingOptions } from "./types.ts";

/** Positions per block; the kernels fix it. */
export const blockSize = 16;

/** An answer that is being written. */
export type Sequence = {
  prompt: Prompt;
  sample: number;
  /** The random stream it draws from. */
  key: Key;
  /** Enough for the prompt and the longest answer, reserved when it begins: nothing is ever taken back half-way. */
  blocks: number[];
  ids: number[];
  logprobs: number[];
  versions: number[];
};

/** Prompts that begin together, and the copies of partly filled prompt blocks that their answers need. */
export type Admission = {
  prompts: { prompt: Prompt; blocks: number[]; sequences: Sequence[] }[];
  copies: { from: number; to: number }[];
};

type Asked = Pick<SamplingOptions, "groupSize" | "maxNewTokens" | "stream">;

export type Limits = { numBlocks: number; maxRows: number; maxPrefillTokens: number };

/**
 * Continuous batching: finished answers leave at once and new prompts join while others still write. A prompt's blocks
 * are shared by its answers; only the last, partly filled one is copied. Sees ids and block numbers, never a tensor.
 */
export class Scheduler {
  readonly pool: BlockPool;
  running: Sequence[] = [];
  readonly #limits: Limits;
  readonly #waiting: Prompt[];
  readonly #options: Asked;
  readonly #open = new Map<number, { group: Group; numLeft: number }>();

  constructor(prompts: readonly Prompt[], options: Asked, limits: Limits, pool = new BlockPool(limits.numBlocks)) {
    this.pool = pool;
    this.#limits = limits;
    this.#waiting = [...prompts].reverse();
    this.#options = options;
    for (const prompt of prompts)
      this.#open.set(prompt.id, { group: { prompt, completions: [] }, numLeft: options.groupSize });
    if (this.#open.size !== prompts.length) throw new Error("sample: two prompts have the same id. Give each its own.");
  }

  get isDone(): boolean {
    return this.#waiting.length === 0 && this.running.length === 0;
  }
  get numWaiting(): number {
    return this.#waiting.length;
  }

  /** Begins as many waiting prompts as rows, blocks and one prefill allow. */
  admit(): Admission {
    const { groupSize } = this.#options;
    const admission: Admission = { prompts: [], copies: [] };
    let prefill = 0;
    for (;;) {
      const prompt = this.#waiting.at(-1);
      if (prompt === undefined) break;
      prefill += prompt.ids.length;
      const isFirst = admission.prompts.length === 0 && this.running.length === 0;
      if (
        !isFirst &&
        (this.running.length + groupSize > this.#limits.maxRows || prefill > this.#limits.maxPrefillTokens)
      )
        break;
      const longest = longestAnswer(prompt, this.#options);
      if (blocksNeeded(prompt.ids.length, groupSize, longest) > this.pool.numFree) break;
      this.#waiting.pop();
      admission.prompts.push(this.#begin(prompt, admission.copies));
    }
    return admission;
  }

  #begin(prompt: Prompt, copies: Admission["copies"]) {
    const { groupSize, stream } = this.#options;
    const length = prompt.ids.length;
    const numShared = Math.floor(length / blockSize);
    const numOwn = blocksFor(length + longestAnswer(prompt, this.#options)) - numShared;
    const shared = this.pool.take(numShared);
    const sequences = Array.from({ length: groupSize }, (_, sample): Sequence => {
      if (sample > 0) this.pool.share(shared);
      const own = this.pool.take(numOwn);
      const key = stream(prompt.id, sample);
      return { prompt, sample, key, blocks: [...shared, ...own], ids: [], logprobs: [], versions: [] };
    });
    const first = sequences[0]!.blocks;
    if (length % blockSize !== 0)
      for (const { blocks } of sequences.slice(1)) copies.push({ from: first[numShared]!, to: blocks[numShared]! });
    this.running.push(...sequences);
    return { prompt, blocks: first.slice(0, blocksFor(length)), sequences };
  }

  /** Takes finished answers out of the batch; returns the groups that are whole with them. */
  finish(done: ReadonlyMap<Sequence, Completion["finishReason"]>): Group[] {
    if (done.size === 0) return [];
    this.running = this.running.filter((sequence) => !done.has(sequence));
    const whole: Group[] = [];
    for (const [sequence, finishReason] of done) {
      this.pool.release(sequence.blocks);
      const open = this.#open.get(sequence.prompt.id)!;
      open.group.completions.push(toCompletion(sequence, finishReason));
      if (--open.numLeft > 0) continue;
      open.group.completions.sort((a, b) => a.sample - b.sample);
      whole.push(open.group);
    }
    return whole;
  }

  /** Gives every block back, also after a throw. */
  abandon(): void {
    for (const { blocks } of this.running) this.pool.release(blocks);
    this.running = [];
  }
}

const blocksFor = (length: number): number => Math.ceil(length / blockSize);

/** Blocks that a prompt and its answers need at the most. */
export function blocksNeeded(promptLength: number, groupSize: number, maxNewTokens: number): number {
  const shared = Math.floor(promptLength / blockSize);
  return shared + groupSize * (blocksFor(promptLength + maxNewTokens) - shared);
}

function toCompletion(
  { prompt, sample, ids, logprobs, versions }: Sequence,
  finishReason: Completion["finishReason"],
): Completion {
  return {
    promptId: prompt.id,
    sample,
    ids: Int32Array.from(ids),
    sampled: new Uint8Array(ids.length).fill(1),
    logprobs: Float32Array.from(logprobs),
    weightsVersion: Int32Array.from(versions),
    finishReason,
  };
}
