import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { acquireLock, appendWhole, diffConfigs, explained, formatChange, UserError } from "#run";
import type { CollectedRow } from "./provenance.ts";

/** What came of one prompt. */
export type Outcome = {
  promptId: string;
  rows: CollectedRow[];
  numSampled: number;
  dropped: Record<string, number>;
  verdicts: Record<string, number>;
  numTokens: number;
};

type Place = { start: number; length: number };

/**
 * The progress of a collection, `<out>.progress/journal.jsonl`: its settings, then a line per prompt that is done. A line
 * is there whole or not at all: what a killed process left half written is cut off when it is opened again. One process
 * at a time has it.
 */
export class Journal {
  readonly path: string;
  readonly #lock: { release: () => void };
  readonly #file: number;
  readonly #places = new Map<string, Place>();
  #length = 0;

  /** @throws UserError when it was begun with other settings, when another process has it, when it cannot be written. */
  constructor(out: string, settings: Record<string, unknown>) {
    const folder = `${out}.progress`;
    explained(folder, () => mkdirSync(folder, { recursive: true }));
    this.path = join(folder, "journal.jsonl");
    this.#lock = acquireLock(folder);
    try {
      this.#file = explained(this.path, () => openSync(this.path, "a+"));
      this.#open(settings);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  #open(settings: Record<string, unknown>): void {
    const wanted = JSON.parse(JSON.stringify(settings)) as Record<string, unknown>;
    let number = 0;
    for (const { start, text } of this.#lines()) {
      number++;
      const line = this.#parse(text, number);
      if (number === 1) this.#refuseOther(line.settings, wanted);
      else this.#places.set(line.promptId, { start, length: Buffer.byteLength(text) });
      this.#length = start + Buffer.byteLength(text) + 1;
    }
    explained(this.path, () => ftruncateSync(this.#file, this.#length));
    if (number === 0) this.#write({ settings: wanted });
  }

  #parse(text: string, number: number): Outcome & { settings: Record<string, unknown> } {
    try {
      return JSON.parse(text) as Outcome & { settings: Record<string, unknown> };
    } catch (cause) {
      throw new UserError(
        `${this.path}:${number}: not JSON (${(cause as Error).message}). Delete the folder to collect all anew.`,
        { cause },
      );
    }
  }

  #refuseOther(before: Record<string, unknown>, now: Record<string, unknown>): void {
    const changes = diffConfigs(before ?? {}, now).map(formatChange);
    if (changes.length === 0) return;
    throw new UserError(
      `${this.path} was begun with other settings (${changes.join(", ")}). Go on with the old ones, or choose another --out.`,
    );
  }

  /** Whole lines and where they begin. */
  *#lines(): Generator<{ start: number; text: string }> {
    let rest = Buffer.alloc(0);
    let start = 0;
    for (let offset = 0, size = fstatSync(this.#file).size; offset < size; ) {
      const piece = Buffer.alloc(Math.min(2 ** 22, size - offset));
      offset += readSync(this.#file, piece, 0, piece.length, offset);
      rest = Buffer.concat([rest, piece]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield { start, text: rest.toString("utf8", 0, end) };
        start += end + 1;
        rest = rest.subarray(end + 1);
      }
    }
  }

  has(promptId: string): boolean {
    return this.#places.has(promptId);
  }

  /** What came of a prompt that is done. */
  read(promptId: string): Outcome {
    const { start, length } = this.#places.get(promptId)!;
    const text = Buffer.alloc(length);
    readSync(this.#file, text, 0, length, start);
    return JSON.parse(text.toString()) as Outcome;
  }

  /** The prompt is done, also after a crash. */
  add(outcome: Outcome): void {
    const start = this.#length;
    this.#places.set(outcome.promptId, { start, length: this.#write(outcome) - 1 });
  }

  #write(line: object): number {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    explained(this.path, () => {
      appendWhole(this.#file, bytes);
      fsyncSync(this.#file);
    });
    this.#length += bytes.length;
    return bytes.length;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
    this.#lock.release();
  }
}
