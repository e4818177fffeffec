/** Fields of a Protocol Buffers message, encoded; a message is their concatenation. */
export const message = (...fields: Uint8Array[]): Buffer => Buffer.concat(fields);

/** Wire type 0: a whole number, 0 or more; 0 itself is what an absent field means. */
export const intField = (field: number, value: number): Buffer =>
  value === 0 ? message() : message(key(field, 0), varint(value));

/** Wire type 1. */
export function doubleField(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return message(key(field, 1), data);
}

/** Wire type 5. */
export function floatField(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return message(key(field, 5), data);
}

/** Wire type 2: text, bytes, or a message inside. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const data = typeof value === "string" ? Buffer.from(value) : value;
  return message(key(field, 2), varint(data.length), data);
}

const key = (field: number, wireType: number) => varint(field * 8 + wireType);

/** Seven bits a byte, the lowest first; division, since shifts end at 32 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
