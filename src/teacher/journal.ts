import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { acquireLock, appendWhole, diffConfigs, explained, formatChange, UserError } from "#run";

type Place = { start: number; length: number };

/**
 * What is done of a long piece of work, as JSONL: its settings, then an entry per line. An entry is there whole or not at
 * all: what a killed process left half written is cut off when the file is opened again. One process at a time has it; its
 * lock is in `<path>.lock`.
 */
export class Journal<T extends object> {
  readonly path: string;
  readonly #idOf: (entry: T) => string;
  readonly #lock: { release: () => void };
  readonly #file: number;
  readonly #places = new Map<string, Place>();
  #length = 0;

  /**
   * Entries are found by `idOf`.
   * @throws UserError when it was begun with other settings, when another process has it, when it cannot be written.
   */
  constructor(path: string, settings: Record<string, unknown>, idOf: (entry: T) => string) {
    const lockFolder = `${path}.lock`;
    explained(dirname(path), () => mkdirSync(lockFolder, { recursive: true }));
    this.path = path;
    this.#idOf = idOf;
    this.#lock = acquireLock(lockFolder);
    let file: number | undefined;
    try {
      file = explained(path, () => openSync(path, "a+"));
      this.#file = file;
      this.#open(settings);
    } catch (error) {
      if (file !== undefined) closeSync(file);
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
      else this.#places.set(this.#idOf(line), { start, length: Buffer.byteLength(text) });
      this.#length = start + Buffer.byteLength(text) + 1;
    }
    explained(this.path, () => ftruncateSync(this.#file, this.#length));
    if (number === 0) this.#write({ settings: wanted });
  }

  #parse(text: string, number: number): T & { settings: Record<string, unknown> } {
    try {
      return JSON.parse(text) as T & { settings: Record<string, unknown> };
    } catch (cause) {
      throw new UserError(
        `${this.path}:${number}: not JSON (${(cause as Error).message}). Delete the file to begin anew.`,
        { cause },
      );
    }
  }

  #refuseOther(before: Record<string, unknown>, now: Record<string, unknown>): void {
    const changes = diffConfigs(before ?? {}, now).map(formatChange);
    if (changes.length === 0) return;
    throw new UserError(
      `${this.path} was begun with other settings (${changes.join(", ")}). Go on with the old ones, or choose another path for what is written.`,
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

  has(id: string): boolean {
    return this.#places.has(id);
  }

  /** An entry that is there. */
  read(id: string): T {
    const { start, length } = this.#places.get(id)!;
    const text = Buffer.alloc(length);
    readSync(this.#file, text, 0, length, start);
    return JSON.parse(text.toString()) as T;
  }

  /** The entry is there, also after a crash. */
  add(entry: T): void {
    const start = this.#length;
    this.#places.set(this.#idOf(entry), { start, length: this.#write(entry) - 1 });
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
