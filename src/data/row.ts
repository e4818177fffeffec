/** One record of a data set, as its file has it. Fields keep the names of the file. */
export type Row = Record<string, unknown>;

type FieldTypes = { string: string; number: number; boolean: boolean; array: unknown[]; object: Row };

const places = new WeakMap<object, string>();

/** Remembers where a row was read, for messages: `train.jsonl:118`. */
export function at<R extends object>(row: R, place: string): R {
  places.set(row, place);
  return row;
}

/** Where a row was read; "row" when it was not read from a file. */
export function placeOf(row: object): string {
  return places.get(row) ?? "row";
}

/** A field that must be there and be of the type given. Else an error names file, line and the fields that are there. */
export function field<T extends keyof FieldTypes>(row: Row, name: string, type: T): FieldTypes[T] {
  const value = row[name];
  if (value === undefined || value === null) {
    const here = Object.keys(row).filter((key) => row[key] !== undefined && row[key] !== null);
    const state = value === null ? `field "${name}" is null` : `no field "${name}"`;
    throw new Error(`${placeOf(row)}: ${state}. Fields here: ${here.join(", ") || "none"}.`);
  }
  if (typeOf(value) === type) return value as FieldTypes[T];
  const shown = JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v));
  throw new Error(
    `${placeOf(row)}: field "${name}" is ${named(typeOf(value))} (${excerpt(shown)}). Expected ${named(type)}.`,
  );
}

/** `value` as a row read at `place`, or an error: rows are JSON objects. */
export function toRow(value: unknown, place: string): Row {
  if (typeOf(value) !== "object")
    throw new Error(`${place}: a row is ${named(typeOf(value))}. Expected a JSON object.`);
  return at(value as Row, place);
}

export function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
}

const named = (type: string) => (type === "null" ? type : `${/^[aeio]/.test(type) ? "an" : "a"} ${type}`);
