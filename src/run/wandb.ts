import { crc32 } from "node:zlib";
import type { Framing, MetricsLine, MirrorFormat } from "./metrics-mirror.ts";
import { bytesField, intField, message } from "./protobuf.ts";

export type WandbRun = {
  /** Letters and digits. */
  id: string;
  project: string;
  name: string;
  config: Record<string, unknown>;
  /** Seconds since 1970. */
  startedAt: number;
};

/**
 * The offline file of Weights & Biases, `run-<id>.wandb`, as wandb 0.31 writes it and `wandb sync` reads it: a LevelDB
 * log of Record messages. Field numbers from wandb/proto/wandb_internal.proto.
 */
export function wandbFormat(run: WandbRun): MirrorFormat {
  return {
    ...levelDbLog,
    opening: [record(0, header, bytesField(1, bytesField(1, "aha-rl"))), record(1, runField, runRecord(run))],
    recordsPerLine: 2,
    records: (line, index, at) => lineRecords(line, index, at, run.startedAt),
  };
}

/** The last record of a run that came to its end: exit code 0. */
export const wandbExit = (): Buffer => message(bytesField(exit, new Uint8Array()));

const [history, summary, runField, exit, header] = [2, 3, 17, 18, 21];

const record = (num: number, field: number, data: Uint8Array): Buffer =>
  message(intField(1, num), bytesField(field, data));

function runRecord({ id, project, name, config, startedAt }: WandbRun): Buffer {
  const items = Object.entries(config).map(([key, value]) =>
    bytesField(1, message(bytesField(1, key), bytesField(16, JSON.stringify(value ?? null)))),
  );
  const seconds = Math.floor(startedAt);
  const start = message(intField(1, seconds), intField(2, Math.round((startedAt - seconds) * 1e9)));
  return message(bytesField(1, id), bytesField(3, project), bytesField(4, message(...items)), bytesField(8, name), bytesField(17, start)); // biome-ignore format: one line
}

/** A step of the history, and the summary that it leaves. W&B counts steps from 0 over the whole run; the line's own are in `step`. */
function lineRecords(line: MetricsLine, index: number, at: number, startedAt: number): Buffer[] {
  const values = { ...line, _step: index, _timestamp: at, _runtime: Math.max(0, at - startedAt) };
  const items = message(
    ...Object.entries(values).map(([name, value]) =>
      bytesField(1, message(bytesField(2, name), bytesField(16, JSON.stringify(value)))),
    ),
  );
  const num = 2 + 2 * index;
  return [record(num, history, message(items, bytesField(2, intField(1, index)))), record(num + 1, summary, items)];
}

const blockSize = 32768;
/** CRC-32, length, and which part of a record this is. */
const partHeaderSize = 7;
const part = { full: 1, first: 2, middle: 3, last: 4 };

/** Name, magic number 0xBEE1 and version. */
const start = Buffer.from([...Buffer.from(":W&B"), 0xe1, 0xbe, 0]);

/** LevelDB's log (github.com/google/leveldb/blob/main/doc/log_format.md) with W&B's own start, and zlib's CRC in place of CRC-32C. */
const levelDbLog: Framing = {
  header: start,
  frame(data, offset) {
    const parts: Uint8Array[] = [];
    for (let [at, done, isFirst] = [offset, 0, true]; ; ) {
      const left = blockSize - (at % blockSize);
      if (left < partHeaderSize) {
        parts.push(new Uint8Array(left));
        at += left;
        continue;
      }
      const chunk = data.subarray(done, done + left - partHeaderSize);
      done += chunk.length;
      const isLast = done === data.length;
      parts.push(framedPart(isFirst ? (isLast ? part.full : part.first) : isLast ? part.last : part.middle, chunk));
      if (isLast) return message(...parts);
      at += partHeaderSize + chunk.length;
      isFirst = false;
    }
  },
  ends(file) {
    const ends: number[] = [];
    if (!file.subarray(0, start.length).equals(start)) return ends;
    for (let at = start.length; at < file.length; ) {
      const left = blockSize - (at % blockSize);
      if (left < partHeaderSize) {
        at += left;
        continue;
      }
      if (at + partHeaderSize > file.length) break;
      const end = at + partHeaderSize + file.readUInt16LE(at + 4);
      const type = file[at + 6]!;
      if (
        end > file.length ||
        !framedPart(type, file.subarray(at + partHeaderSize, end)).equals(file.subarray(at, end))
      )
        break;
      if (type === part.full || type === part.last) ends.push(end);
      at = end;
    }
    return ends;
  },
};

function framedPart(type: number, chunk: Uint8Array): Buffer {
  const head = Buffer.alloc(partHeaderSize);
  head.writeUInt32LE(crc32(chunk, crc32(Buffer.from([type]))));
  head.writeUInt16LE(chunk.length, 4);
  head[6] = type;
  return message(head, chunk);
}
