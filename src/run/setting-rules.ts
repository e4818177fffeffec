import { isDeepStrictEqual } from "node:util";

export type Scalar = string | number | boolean;

/** What a setting accepts: as a value of a recipe (`accepts`), and as the text after `--set name=` (`read`; undefined: not readable). */
export type Rule = {
  expected: string;
  accepts: (value: unknown) => boolean;
  read: (text: string) => { value: unknown } | undefined;
};

/** A default together with a rule that the default alone does not tell. `settings()` unwraps it. */
export class Marked {
  readonly value: unknown;
  readonly rule: Rule;
  constructor(value: unknown, rule: Rule) {
    this.value = value;
    this.rule = rule;
  }
}

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

const numberRule = (expected: string, isInside: (value: number) => boolean): Rule => {
  const accepts = (value: unknown) => typeof value === "number" && Number.isFinite(value) && isInside(value);
  return {
    expected,
    accepts,
    // Number() would also take "", "0x10" and " 4 "; a unit ("4k", "10s") is refused like any other letter.
    read: (text) => (decimal.test(text) && accepts(Number(text)) ? { value: Number(text) } : undefined),
  };
};

const anyNumber = numberRule("a number without a unit", () => true);

const anyBoolean: Rule = {
  expected: "true or false",
  accepts: (value) => typeof value === "boolean",
  read: (text) => (text === "true" || text === "false" ? { value: text === "true" } : undefined),
};

const anyString = (isEmptyAllowed: boolean): Rule => ({
  expected: isEmptyAllowed ? "text" : "text that is not empty",
  accepts: (value) => typeof value === "string" && (isEmptyAllowed || value !== ""),
  read: (text) => (text !== "" || isEmptyAllowed ? { value: text } : undefined),
});

const typeName = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** What one element of an array may be, told by all the elements of its default; undefined where they are of different kinds. */
function elementRule(examples: readonly unknown[]): Rule | undefined {
  const types = [...new Set(examples.map(typeName))];
  if (types.length !== 1) return undefined;
  if (types[0] === "array") return arrayRule((examples as unknown[][]).flat());
  if (types[0] === "string") return anyString(examples.includes(""));
  return types[0] === "number" || types[0] === "boolean" ? ruleOf(examples[0]) : undefined;
}

function arrayRule(defaults: readonly unknown[]): Rule {
  const element = elementRule(defaults);
  const accepts = (value: unknown) =>
    Array.isArray(value) && value.every((item) => (element === undefined ? isJson(item) : element.accepts(item)));
  return {
    expected: element === undefined ? "a JSON array" : `a JSON array, each element ${element.expected}`,
    accepts,
    read(text) {
      try {
        const value: unknown = JSON.parse(text);
        return accepts(value) ? { value } : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

/** True for what JSON can hold and give back unchanged. */
export function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.values(value).every(isJson);
}

/** A plain record, not an array, a class instance or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The rule that a bare default implies; undefined where a default tells none (functions, undefined, NaN). */
export function ruleOf(value: unknown): Rule | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? anyNumber : undefined;
  if (typeof value === "boolean") return anyBoolean;
  if (typeof value === "string") return anyString(value === "");
  if (Array.isArray(value)) return isJson(value) ? arrayRule(value) : undefined;
  if (value !== null) return undefined;
  return {
    expected: "null",
    accepts: (given) => given === null,
    read: (text) => (text === "null" ? { value: null } : undefined),
  };
}

/** A setting with a few allowed values. */
export function oneOf<const Choices extends readonly Scalar[]>(
  value: NoInfer<Choices[number]>,
  choices: Choices,
): Choices[number] {
  const rule: Rule = {
    expected: `one of ${choices.join(", ")}`,
    accepts: (given) => choices.some((choice) => choice === given),
    read(text) {
      const found = choices.find((choice) => String(choice) === text);
      return found === undefined ? undefined : { value: found };
    },
  };
  return new Marked(value, rule) as unknown as Choices[number];
}

/** A whole number, at least `min` (1 where not given): steps, sizes, token counts. */
export function count(value: number, { min = 1 } = {}): number {
  const rule = numberRule(
    `a whole number ≥ ${min}, without a unit`,
    (given) => Number.isInteger(given) && given >= min,
  );
  return new Marked(value, rule) as unknown as number;
}

/** A number between `min` and `max`, both included. */
export function within(value: number, min: number, max: number): number {
  const bounds = max === Number.POSITIVE_INFINITY ? `≥ ${min}` : `from ${min} to ${max}`;
  const rule = numberRule(`a number ${bounds}, without a unit`, (given) => given >= min && given <= max);
  return new Marked(value, rule) as unknown as number;
}

type OptionalTypes = { number: number; string: string; boolean: boolean };

/** A setting that is absent unless given: a type's name, or a default made by `count`, `within` or `oneOf` whose rule holds once it is given. `--set name=none` takes it away again. */
export function optional<T extends keyof OptionalTypes>(type: T): OptionalTypes[T] | undefined;
export function optional<T extends Scalar>(like: T): T | undefined;
export function optional(like: unknown): unknown {
  const base =
    like instanceof Marked
      ? like.rule
      : { number: anyNumber, string: anyString(false), boolean: anyBoolean }[like as keyof OptionalTypes];
  const rule: Rule = {
    expected: `${base.expected}, or none`,
    accepts: (given) => given === undefined || base.accepts(given),
    read: (text) => (text === "none" ? { value: undefined } : base.read(text)),
  };
  return new Marked(undefined, rule);
}

/** True when two settings hold the same value; an absent one equals undefined. */
export const isSameValue = (a: unknown, b: unknown): boolean => isDeepStrictEqual(asJson(a), asJson(b));

/** As a file holds it, where -0 is 0. */
const asJson = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? "null");
