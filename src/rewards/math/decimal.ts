import type { Expr } from "./ast.ts";
import { exactValue } from "./evaluate.ts";
import {
  absRational,
  compareRational,
  integer,
  isInteger,
  mulRational,
  type Rational,
  rational,
  subRational,
} from "./rational.ts";

/** Digits an answer must state for a rounding to count as the exact value, and a gold for its exact value to count as it. */
const MIN_ANSWER_DIGITS = 4;
const MIN_GOLD_DIGITS = 3;
/** An answer that is a longer decimal may be a near miss, an exact value hardly: 12.52 is not 12.5, π is 3.14. */
const MIN_GOLD_DIGITS_FOR_DECIMALS = 4;
/** From this many digits on a decimal is a printed double, whose last digits are noise; an integer beside it is exact. */
const FLOAT_DIGITS = 15;

/** The place of the last stated digit of a decimal (2 for 1.25, −3 for 1.7e4), or undefined for what is exact. */
export function decimalPlaces(e: Expr): number | undefined {
  if (e.kind === "number") return e.decimals;
  if (e.kind === "call" && e.name === "percent") {
    const inner = decimalPlaces(e.args[0]!);
    return inner === undefined ? undefined : inner + 2;
  }
  if (e.kind !== "product") return undefined;
  // −1.5, 1.5 × 10^3
  let places: number | undefined;
  let shift = 0;
  for (const factor of e.factors) {
    if (factor.kind === "number" && factor.decimals !== undefined && places === undefined) places = factor.decimals;
    else if (
      factor.kind === "number" &&
      (factor.value.num === -1n || factor.value.num === 1n) &&
      isInteger(factor.value)
    )
      continue;
    else if (
      factor.kind === "power" &&
      factor.base.kind === "number" &&
      factor.base.value.num === 10n &&
      isInteger(factor.base.value)
    ) {
      const exponent = exactValue(factor.exponent);
      if (!exponent || !isInteger(exponent)) return undefined;
      shift += Number(exponent.num);
    } else return undefined;
  }
  return places === undefined ? undefined : places - shift;
}

type Stated = { readonly value: Rational; readonly places: number | undefined };

const unitOf = (places: number): Rational =>
  places >= 0 ? rational(1n, 10n ** BigInt(Math.min(places, 5000)))! : integer(10n ** BigInt(Math.min(-places, 5000)));

/** Significant digits stated: 0.0250 states three. */
function significantDigits({ value, places }: Stated): number {
  const scaled = absRational(value);
  const units = scaled.num * (places! >= 0 ? 10n ** BigInt(places!) : 1n);
  const whole = units / (scaled.den * (places! < 0 ? 10n ** BigInt(-places!) : 1n));
  return whole === 0n ? 0 : whole.toString().length;
}

const rounds = (exact: Rational, stated: Stated): boolean => {
  // Half a unit of the last place, and a hair for values that are themselves doubles.
  const slack = mulRational(unitOf(stated.places!), { num: 50_000_001n, den: 100_000_000n });
  return compareRational(absRational(subRational(exact, stated.value)), slack) <= 0;
};

/**
 * Whether a decimal on either side is the other side at its stated precision. An integer or a fraction that ends is
 * exact: only itself will do. A coarser decimal than the gold's is wrong unless the gold is a long float.
 */
export function matchesDecimal(gold: Stated, answer: Stated, decimals?: number): boolean {
  if (compareRational(gold.value, answer.value) === 0) return true;
  if (decimals !== undefined && rounds(gold.value, { value: answer.value, places: decimals })) return true;
  const isWhole = [gold, answer].some((side) => side.places === undefined && isInteger(side.value));
  if (!isWhole && [gold, answer].some((side) => side.places !== undefined && significantDigits(side) >= FLOAT_DIGITS)) {
    const difference = absRational(subRational(gold.value, answer.value));
    if (compareRational(difference, mulRational(absRational(gold.value), { num: 1n, den: 10n ** 14n })) <= 0)
      return true;
  }
  if (gold.places !== undefined) {
    const minDigits = answer.places === undefined ? MIN_GOLD_DIGITS : MIN_GOLD_DIGITS_FOR_DECIMALS;
    if (significantDigits(gold) < minDigits) return false;
    if (answer.places === undefined) return !isInteger(answer.value) && rounds(answer.value, gold);
    if (answer.places >= gold.places) return rounds(answer.value, gold);
    return (
      gold.places - answer.places >= 3 && significantDigits(answer) >= MIN_ANSWER_DIGITS && rounds(gold.value, answer)
    );
  }
  if (isInteger(gold.value)) return false;
  return significantDigits(answer) >= MIN_ANSWER_DIGITS && rounds(gold.value, answer);
}
