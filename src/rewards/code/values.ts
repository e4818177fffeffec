import { isClose } from "./checkers.ts";

/**
 * Whether a value from the wire (see `pythonWire`) equals expected JSON: tuples, ranges and iterators are lists, keys
 * are strings as JSON has them and differ, a truth value is not a number. Numbers agree within the tolerance, which is
 * relative only where the expected one is not whole. A set equals no JSON: a list has an order, and may repeat itself.
 */
export function equalsJson(wire: unknown, expected: unknown, tolerance: number): boolean {
  try {
    return isSame(wire, expected, tolerance);
  } catch {
    return false; // Nested beyond the stack, or no message of ours.
  }
}

function isSame(wire: unknown, expected: unknown, tolerance: number): boolean {
  if (typeof wire === "number" || typeof wire === "boolean" || typeof wire === "string" || wire === null) {
    if (typeof wire === "number" && typeof expected === "number") return isNear(wire, expected, tolerance);
    return wire === expected;
  }
  if (Array.isArray(wire)) {
    if (!Array.isArray(expected) || wire.length !== expected.length) return false;
    return wire.every((item, i) => isSame(item, expected[i], tolerance));
  }
  if (typeof wire !== "object") return false;
  const [tag, body] = Object.entries(wire)[0] ?? [];
  switch (tag) {
    case "f": {
      const value = body === "inf" ? Infinity : body === "-inf" ? -Infinity : Number(body);
      return typeof expected === "number" && isNear(value, expected, tolerance);
    }
    case "i":
      return typeof expected === "number" && Number(bigFromHex(body)) === expected;
    case "u":
      return expected === null;
    case "t":
    case "g":
    case "q":
      return isSame(body, expected, tolerance);
    case "v":
      return Array.isArray(body) && isSame(body[1], expected, tolerance);
    case "r": {
      if (!Array.isArray(body)) return false;
      const [start, stop, step] = body.map(Number) as [number, number, number];
      const length = Math.max(0, Math.ceil((stop - start) / step));
      if (!Array.isArray(expected) || !(length === expected.length)) return false;
      return expected.every((item, i) => item === start + i * step);
    }
    case "d": {
      if (!Array.isArray(body) || typeof expected !== "object" || expected === null || Array.isArray(expected))
        return false;
      const entries = body.map(([key, value]: [unknown, unknown]) => [keyText(key), value] as const);
      const numKeys = new Set(entries.map(([key]) => key)).size;
      if (entries.length !== numKeys || numKeys !== Object.keys(expected).length) return false;
      return entries.every(
        ([key, value]) =>
          key !== undefined &&
          Object.hasOwn(expected, key) &&
          isSame(value, (expected as Record<string, unknown>)[key], tolerance),
      );
    }
    default:
      return false; // Sets, bytes, complex numbers and objects have no JSON to equal.
  }
}

/** A key of a mapping as JSON would write it. */
function keyText(key: unknown): string | undefined {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  if (key === null) return "null";
  if (typeof key === "boolean") return String(key);
  if (typeof key === "object" && "f" in key) return String((key as { f: unknown }).f);
  if (typeof key === "object" && "i" in key) return String(bigFromHex((key as { i: unknown }).i));
  return undefined;
}

function bigFromHex(text: unknown): bigint {
  const body = String(text);
  return body.startsWith("-") ? -BigInt(body.slice(1)) : BigInt(body);
}

/** Close to a number that is not whole, relative to it; near a whole one up to the tolerance and rounding. */
function isNear(actual: number, expected: number, tolerance: number): boolean {
  const isWhole = Number.isInteger(expected);
  if (isWhole && Number.isInteger(actual)) return actual === expected;
  const rounding = 4 * Number.EPSILON * Math.abs(expected);
  return (
    isClose(actual, expected, tolerance) && (!isWhole || Math.abs(actual - expected) <= Math.max(tolerance, rounding))
  );
}

/** JSON as the wire writes it: whole numbers as they are, others as floats, lists, mappings with text keys. */
export function wireOfJson(value: unknown): unknown {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return { f: String(value).replace("Infinity", "inf") };
  if (Array.isArray(value)) return value.map(wireOfJson);
  if (typeof value === "object" && value !== null)
    return { d: Object.entries(value).map(([k, v]) => [k, wireOfJson(v)]) };
  return value;
}
