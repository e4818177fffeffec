import type { Framing, MetricsLine, MirrorFormat } from "./metrics-mirror.ts";
import { bytesField, doubleField, floatField, intField, message } from "./protobuf.ts";

/**
 * TensorBoard's event files: TFRecord framing (length, its masked CRC-32C, data, its masked CRC-32C) of Event messages.
 * Field numbers from tensorboard/compat/proto/event.proto and summary.proto.
 */
export function tensorboardFormat(): MirrorFormat {
  const fileVersion = message(doubleField(1, Date.now() / 1000), bytesField(3, "brain.Event:2"));
  return { ...tfRecords, opening: [fileVersion], recordsPerLine: 1, records: (...line) => [scalarEvent(...line)] };
}

/** An Event with every number of a line as a scalar; its step is the line's own. */
function scalarEvent(line: MetricsLine, index: number, at: number): Buffer {
  const step = typeof line.step === "number" ? line.step : index + 1;
  const scalars = Object.entries(line).flatMap(([tag, value]) =>
    typeof value === "number" && tag !== "step"
      ? [bytesField(1, message(bytesField(1, tag), floatField(2, value)))]
      : [],
  );
  return message(doubleField(1, at), intField(2, step), bytesField(5, message(...scalars)));
}

const tfRecords: Framing = {
  header: new Uint8Array(),
  frame(data) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(data.length));
    return message(length, checksum(length), data, checksum(data));
  },
  ends(file) {
    const ends: number[] = [];
    for (let at = 0; at + 16 <= file.length; ) {
      const end = at + 16 + Number(file.readBigUInt64LE(at));
      const isWhole =
        end <= file.length &&
        checksum(file.subarray(at, at + 8)).equals(file.subarray(at + 8, at + 12)) &&
        checksum(file.subarray(at + 12, end - 4)).equals(file.subarray(end - 4, end));
      if (!isWhole) break;
      ends.push(end);
      at = end;
    }
    return ends;
  },
};

/** CRC-32C, rotated right by 15 and offset as TFRecord has it, little-endian. */
function checksum(data: Uint8Array): Buffer {
  const crc = crc32c(data);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return bytes;
}

/** Castagnoli's polynomial, reflected (RFC 3720); zlib's CRC has another. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}
