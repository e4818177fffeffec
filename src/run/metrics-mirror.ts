import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { appendWhole, explained } from "./durable.ts";

/** How a file holds records one after the other. */
export type Framing = {
  /** What the file begins with. */
  header: Uint8Array;
  /** The bytes of a record that begins at this offset. */
  frame: (data: Uint8Array, offset: number) => Uint8Array;
  /** Where each whole record ends; what a killed process left half written is none. */
  ends: (file: Buffer) => number[];
};

export type MetricsLine = Record<string, unknown>;

/** What a format makes of metrics.jsonl. Each line becomes the same number of records. */
export type MirrorFormat = Framing & {
  opening: readonly Uint8Array[];
  recordsPerLine: number;
  /** `at` in seconds since 1970. */
  records: (line: MetricsLine, index: number, at: number) => Uint8Array[];
};

/**
 * A file in another tool's format that says what metrics.jsonl says. After a kill or a resume `sync` cuts it back to
 * the lines that metrics.jsonl still has, then adds what it lacks: no line is there twice, and none is missing.
 */
export class MetricsMirror {
  readonly path: string;
  readonly #format: MirrorFormat;
  readonly #file: number;
  #size = 0;
  #numLines = 0;

  constructor(path: string, format: MirrorFormat) {
    this.path = path;
    this.#format = format;
    this.#file = explained(path, () => {
      mkdirSync(dirname(path), { recursive: true });
      return openSync(path, "a+");
    });
  }

  sync(lines: readonly MetricsLine[]): void {
    const { header, opening, recordsPerLine, ends } = this.#format;
    const found = existsSync(this.path) ? ends(readFileSync(this.path)) : [];
    this.#numLines = Math.min(lines.length, Math.floor((found.length - opening.length) / recordsPerLine));
    const isWhole = this.#numLines >= 0;
    this.#size = isWhole ? (found[opening.length + this.#numLines * recordsPerLine - 1] ?? header.length) : 0;
    explained(this.path, () => ftruncateSync(this.#file, this.#size));
    if (!isWhole) {
      this.#numLines = 0;
      this.#write(header);
      for (const record of opening) this.add(record);
    }
    for (const line of lines.slice(this.#numLines)) this.append(line);
  }

  append(line: MetricsLine): void {
    for (const record of this.#format.records(line, this.#numLines, Date.now() / 1000)) this.add(record);
    this.#numLines++;
  }

  /** A record that is no line's: at the end of the run. */
  add(record: Uint8Array): void {
    this.#write(this.#format.frame(record, this.#size));
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(data: Uint8Array): void {
    explained(this.path, () => appendWhole(this.#file, data));
    this.#size += data.length;
  }
}
