import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Row } from "#data";
import { UserError } from "#run";
import { permutation, streamKey } from "#tensor";
import type { Tokenizer } from "#tokenizer";
import { type Sequence, sequencesOf, truncated } from "./conversation.ts";
import type { Source } from "./mixture.ts";
import type { SftConfig } from "./sft-config.ts";

/** Rows, each an `SftRow`: a list, or one after the other as `readRows` gives them, of which only the token ids are kept. */
export type SftRows = readonly Row[] | AsyncIterable<Row>;

/** One of several data sets. Weights are the ratio in which sequences come; by their numbers where none is given. */
export type SftSource = {
  rows: SftRows;
  weight?: number;
  /** Measured, not trained on; takes the place of the share `heldOut` of the settings. */
  heldOut?: SftRows;
};

/** Rows to learn from: one data set, or several by name. A name is also the key of that source's random order. */
export type SftData = SftRows | Readonly<Record<string, SftSource>>;

export type Prepared = {
  sources: Source[];
  heldOut: Sequence[];
  /** Sequences over the length limit, left out or cut. */
  numTooLong: number;
  /** Tokens of the longest sequence. */
  longest: number;
  /** Tells these sequences from all others. */
  fingerprint: string;
};

type Options = Pick<SftConfig, "turns" | "maxLength" | "tooLong" | "heldOut"> & {
  seed: number;
  /** Told now and then how many rows are read. */
  onProgress?: (done: number) => void;
};

const isOneSet = (data: SftData): data is SftRows => Array.isArray(data) || Symbol.asyncIterator in data;

/** Encodes all rows before the first step, so that a bad one is named now and not hours later. */
export async function prepare(data: SftData, tokenizer: Tokenizer, options: Options): Promise<Prepared> {
  const given = Object.entries(isOneSet(data) ? { rows: { rows: data } } : data);
  checkWeights(given);
  const hash = createHash("sha256");
  let [done, numTooLong, longest] = [0, 0, 0];

  /** The sequences of each row: nothing else of it stays in memory. */
  async function encode(rows: SftRows): Promise<Sequence[][]> {
    const byRow: Sequence[][] = [];
    for await (const row of rows) {
      if (done++ % 256 === 0) {
        options.onProgress?.(done - 1);
        await nextTurn();
      }
      const sequences: Sequence[] = [];
      for (const sequence of sequencesOf(row, tokenizer, options)) {
        const isTooLong = sequence.ids.length > options.maxLength;
        if (isTooLong) numTooLong++;
        const kept = !isTooLong
          ? sequence
          : options.tooLong === "drop"
            ? undefined
            : truncated(sequence, options.maxLength);
        if (kept === undefined) continue;
        sequences.push(kept);
        longest = Math.max(longest, kept.ids.length);
        hash.update(kept.ids).update(kept.trained);
      }
      byRow.push(sequences);
    }
    return byRow;
  }

  const sources: Source[] = [];
  const heldOut: Sequence[] = [];
  for (const [name, source] of given) {
    const rows = await encode(source.rows);
    const { trained, measured } = source.heldOut
      ? { trained: rows, measured: await encode(source.heldOut) }
      : divide(rows, options.heldOut, streamKey(options.seed, `held-out ${name}`));
    const sequences = trained.flat();
    if (sequences.length === 0) {
      const why = numTooLong > 0 ? ` ${numTooLong} are longer than ${options.maxLength} tokens (maxLength).` : "";
      throw new UserError(`sft: no row of "${name}" can be trained on; it has ${rows.length}.${why}`);
    }
    sources.push({ name, weight: source.weight ?? sequences.length, sequences });
    for (const sequence of measured.flat()) heldOut.push(sequence); // More than a call takes arguments.
  }
  hash.update(JSON.stringify(sources.map(({ name, weight, sequences }) => [name, weight, sequences.length])));
  return { sources, heldOut, numTooLong, longest, fingerprint: hash.digest("hex").slice(0, 16) };
}

/** Takes a random share of the rows out, whole conversations. */
function divide<T>(rows: readonly T[], share: number, key: ReturnType<typeof streamKey>) {
  const chosen = new Set(permutation(key, rows.length).subarray(0, Math.round(share * rows.length)));
  return { trained: rows.filter((_, i) => !chosen.has(i)), measured: rows.filter((_, i) => chosen.has(i)) };
}

function checkWeights(given: readonly [string, SftSource][]): void {
  for (const [name, { weight }] of given) {
    if (weight !== undefined && !(Number.isFinite(weight) && weight > 0))
      throw new UserError(
        `sft: the weight of "${name}" is ${weight}. Expected a number above 0; leave the source out instead.`,
      );
  }
  const without = given.filter(([, { weight }]) => weight === undefined);
  if (without.length === 0 || without.length === given.length) return;
  throw new UserError(
    `sft: "${without[0]![0]}" has no weight, others have. Give all of them one (a ratio), or none (every row once an epoch).`,
  );
}
