import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { type DType, dtypeBytes } from "./dtype.ts";
import { native } from "./native.ts";
import { empty, type Tensor } from "./tensor.ts";
import { tidy } from "./tidy.ts";

/** Names of the safetensors format for our element types. */
const formatNames: Record<DType, string> = {
  float32: "F32",
  float64: "F64",
  bfloat16: "BF16",
  float16: "F16",
  int64: "I64",
  int32: "I32",
  uint8: "U8",
  bool: "BOOL",
};
const ourNames = new Map(Object.entries(formatNames).map(([ours, theirs]) => [theirs, ours as DType]));

export type SafetensorsEntry = { dtype: DType; shape: number[]; start: number; end: number };

/** An open safetensors file: its header is read, tensors are read when asked for. */
export class SafetensorsFile {
  readonly path: string;
  readonly entries: Map<string, SafetensorsEntry>;
  readonly metadata: Record<string, string>;
  readonly #fd: number;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "r");
    try {
      const { entries, metadata } = readHeader(path, this.#fd);
      this.entries = entries;
      this.metadata = metadata;
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Reads one tensor, in the file's own element type. */
  read(name: string): Tensor {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new Error(`${this.path}: no tensor "${name}". It has ${this.entries.size} others.`);
    return tidy(() => {
      const tensor = empty(entry.shape, { dtype: entry.dtype });
      withCode(() => native.readInto(tensor.handle, this.#fd, entry.start));
      return tensor;
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function readHeader(path: string, fd: number): Pick<SafetensorsFile, "entries" | "metadata"> {
  const damaged = (what: string) =>
    new Error(`${path}: not a whole safetensors file: ${what}. Copy or download it again.`);
  const { size } = fstatSync(fd);
  const first = Buffer.alloc(8);
  if (readSync(fd, first, 0, 8, 0) < 8) throw damaged(`it has ${size} bytes`);
  const length = Number(first.readBigUInt64LE());
  if (length > size - 8 || length > 100_000_000) throw damaged(`its header of ${length} bytes does not fit in ${size}`);
  const text = Buffer.alloc(length);
  readSync(fd, text, 0, length, 8);
  let header: { __metadata__?: Record<string, string> };
  try {
    header = JSON.parse(text.toString("utf8"));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw damaged("its header is no JSON object");
  const { __metadata__: metadata = {}, ...tensors } = header;
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of Object.entries(tensors)) {
    if (!isHeaderEntry(entry)) throw damaged(`${name} has no dtype, shape and data_offsets in the header`);
    const { dtype: theirs, shape, data_offsets } = entry;
    const dtype = ourNames.get(theirs);
    if (dtype === undefined) {
      throw new Error(`${path}: ${name} is ${theirs}. Readable here: ${[...ourNames.keys()].join(", ")}.`);
    }
    const [start, end] = data_offsets.map((offset) => offset + 8 + length) as [number, number];
    const bytes = shape.reduce((product, dim) => product * dim, dtypeBytes[dtype]);
    if (end - start !== bytes) throw damaged(`${name} has ${end - start} bytes, its shape [${shape}] needs ${bytes}`);
    if (end > size) throw damaged(`${name} ends at byte ${end} of ${size}`);
    entries.set(name, { dtype, shape, start, end });
  }
  return { entries, metadata };
}

type HeaderEntry = { dtype: string; shape: number[]; data_offsets: [number, number] };

function isHeaderEntry(value: unknown): value is HeaderEntry {
  const { dtype, shape, data_offsets } = (value ?? {}) as HeaderEntry;
  const areSizes = (list: unknown) =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
  return typeof dtype === "string" && areSizes(shape) && areSizes(data_offsets) && data_offsets.length === 2;
}

/** Reads a whole file into a record of tensors. */
export function readSafetensors(path: string): Record<string, Tensor> {
  using file = new SafetensorsFile(path);
  return tidy(() => Object.fromEntries([...file.entries.keys()].map((name) => [name, file.read(name)])));
}

/** Runs `work` of the addon; an error of the system has its name as the `code`, as those of node:fs do (ENOSPC, …). */
export function withCode(work: () => void): void {
  try {
    work();
  } catch (error) {
    const [, number] = /\(errno (\d+)\)/.exec((error as Error).message) ?? [];
    throw number === undefined ? error : Object.assign(error as Error, { code: getSystemErrorName(-Number(number)) });
  }
}

/**
 * Writes tensors (contiguous, on the CPU), the widest element types first so that each lies at a multiple of its own,
 * and syncs the file. The folder and a rename are the caller's.
 */
export function writeSafetensors(
  path: string,
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = { format: "pt" },
): void {
  let offset = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype]);
  for (const [name, tensor] of ordered) {
    const end = offset + tensor.sizeBytes;
    header[name] = { dtype: formatNames[tensor.dtype], shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((64 - ((Buffer.byteLength(json) + 8) % 64)) % 64));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(text.length));
  const fd = openSync(path, "w");
  try {
    writeSync(fd, Buffer.concat([first, text]));
    offset = 8 + text.length;
    for (const [, tensor] of ordered) {
      withCode(() => native.writeFrom(tensor.handle, fd, offset));
      offset += tensor.sizeBytes;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
