import { call, constant, type Expr, mapParts, some, symbolsOf } from "./ast.ts";
import { bigAlgebra, differenceBits, magnitudeBits } from "./bigfloat.ts";
import { type Complex, complexAlgebra, isReal } from "./complex.ts";
import { decimalPlaces, matchesDecimal } from "./decimal.ts";
import { simplifyDivisors } from "./divisors.ts";
import { evaluate, exactValue } from "./evaluate.ts";
import { compareModular, residueOf } from "./modular.ts";
import { equalRational, type Rational, rational, toNumber } from "./rational.ts";

/** "unknown": neither proved nor refuted here; whoever decides treats it as different unless algebra is asked. */
export type Outcome = "equal" | "different" | "unknown";

/** Compares two scalar expressions: exact fractions, then stated decimals, then random points modulo primes, then high precision. */
export function compareScalars(gold: Expr, answer: Expr, decimals?: number): Outcome {
  const goldSign = infinitySign(gold);
  const answerSign = infinitySign(answer);
  if (goldSign !== 0 || answerSign !== 0) return goldSign === answerSign ? "equal" : "different";
  const [a, b] = unifyLetters(simplifyDivisors(gold), simplifyDivisors(answer));
  const left = exactValue(a);
  const right = exactValue(b);
  if (left && right && equalRational(left, right)) return "equal";
  const goldPlaces = decimalPlaces(a);
  const answerPlaces = decimalPlaces(b);
  if (goldPlaces !== undefined || answerPlaces !== undefined) {
    const goldValue = left ?? realValue(a);
    const answerValue = right ?? realValue(b);
    if (goldValue && answerValue) {
      const stated = [goldValue, answerValue].map((value, i) => ({ value, places: [goldPlaces, answerPlaces][i] }));
      if (matchesDecimal(stated[0]!, stated[1]!, decimals)) return "equal";
      // cos 60° is 0.5, though its double is not.
      return !(left && right) && compareNumeric(a, b) === "equal" ? "equal" : "different";
    }
  }
  if (left && right) return "different";
  const formal = compareModular(a, b);
  if (formal === "equal") return "equal";
  const numeric = compareNumeric(a, b);
  if (formal === "different" && !hasDecimals(a) && !hasDecimals(b))
    return numeric === "equal" && symbolsOf(a).size + symbolsOf(b).size > 0 ? "equal" : "different";
  return numeric;
}

const hasDecimals = (e: Expr): boolean => some(e, (part) => part.kind === "number" && part.decimals !== undefined);

/** +1 or −1 for ±∞, 0 for anything else. */
export function infinitySign(e: Expr): number {
  if (e.kind === "constant" && e.name === "infinity") return 1;
  if (e.kind === "product" && e.factors.length === 2 && e.factors[0]!.kind === "number")
    return Number(e.factors[0]!.value.num > 0n ? 1 : -1) * infinitySign(e.factors[1]!);
  return 0;
}

/** A real constant as a fraction near its double, or undefined for what is not a real constant. */
function realValue(e: Expr): Rational | undefined {
  if (symbolsOf(e).size > 0) return undefined;
  const state = { isOpaque: false };
  const value = evaluate(
    e,
    complexAlgebra(() => 0, state),
  );
  if (!value || state.isOpaque || !isReal(value) || value.re === 0) return undefined;
  const shift = Math.max(-1000, Math.min(1000, 60 - Math.ceil(Math.log2(Math.abs(value.re)))));
  const scaled = shift >= 0 ? value.re * 2 ** Math.min(shift, 1000) : value.re / 2 ** -shift;
  if (!Number.isFinite(scaled)) return undefined;
  return shift >= 0
    ? rational(BigInt(Math.round(scaled)), 1n << BigInt(shift))
    : rational(BigInt(Math.round(scaled)) << BigInt(-shift), 1n);
}

/**
 * E and e, I and i: where one side writes only the one and the other side only the other, they mean the same. So does the
 * answer's log for the gold's ln, but not its ln for the gold's log, which may be the decimal one.
 */
function unifyLetters(a: Expr, b: Expr): [Expr, Expr] {
  let [left, right] = [a, b];
  for (const [letter, name] of [
    ["E", "e"],
    ["I", "i"],
  ] as const) {
    const has = (e: Expr): { letter: boolean; constant: boolean } => ({
      letter: some(e, (part) => part.kind === "symbol" && part.name === letter),
      constant: some(e, (part) => part.kind === "constant" && part.name === name),
    });
    const [l, r] = [has(left), has(right)];
    if (l.letter && !l.constant && r.constant && !r.letter) left = replaceSymbol(left, letter, constant(name));
    else if (r.letter && !r.constant && l.constant && !l.letter) right = replaceSymbol(right, letter, constant(name));
  }
  const bare = (e: Expr): boolean =>
    some(e, (part) => part.kind === "call" && part.name === "log" && part.args.length === 1);
  const natural = (e: Expr): boolean => some(e, (part) => part.kind === "call" && part.name === "ln");
  if (bare(right) && !natural(right) && natural(left) && !bare(left)) right = naturalLogs(right);
  return [left, right];
}

const replaceSymbol = (e: Expr, name: string, value: Expr): Expr =>
  e.kind === "symbol" ? (e.name === name ? value : e) : mapParts(e, (part) => replaceSymbol(part, name, value));
function naturalLogs(e: Expr): Expr {
  const inner = mapParts(e, naturalLogs);
  return inner.kind === "call" && inner.name === "log" && inner.args.length === 1 ? call("ln", inner.args[0]!) : inner;
}

const hasBinder = (e: Expr): boolean => some(e, (part) => part.kind === "binder");

const ATTEMPTS = 14;
/** 320-bit values of one number agree to this many bits even after cancellation; of two numbers they do not. */
const AGREEMENT_BITS = -200;
/** Of numbers so large that one more would be below that: as many more as rounding leaves. */
const LEAST_AGREEMENT_BITS = -290;
const agreementBits = (magnitude: number): number =>
  Math.max(LEAST_AGREEMENT_BITS, Math.min(AGREEMENT_BITS, -magnitude - 20));
const WANTED = 5;

/**
 * The value of a symbol at a sample point: positive at the first, negative at the second, so that |x| is never x; small
 * integers at every third; of either sign at the other odd ones and the fifth, where the rank of a name decides, so that
 * |xy| is never xy.
 */
function sample(name: string, attempt: number, rank: number): Rational {
  const random = residueOf(name, [attempt], 99_991, 77);
  if (attempt % 3 === 2) return { num: BigInt(2 + (random % 7)), den: 1n };
  const magnitude = 217 + (random % 2600);
  const isNegative =
    attempt === 1 ||
    (attempt === 3 && rank % 2 === 1) ||
    (attempt === 4 && rank % 4 > 1) ||
    (attempt > 4 && attempt % 2 === 1 && random % 5 > 1);
  return rational(BigInt(isNegative ? -magnitude : magnitude), 1000n)!;
}

/** Agreement at sample points in doubles, then, where the reals allow it, in 96 digits; a clear difference at one point refutes. */
function compareNumeric(a: Expr, b: Expr): Outcome {
  const isConstant = symbolsOf(a).size === 0 && symbolsOf(b).size === 0;
  const ranks = new Map([...symbolsOf(b, symbolsOf(a))].sort().map((name, rank) => [name, rank]));
  const valueAt = (name: string, attempt: number): Rational => sample(name, attempt, ranks.get(name) ?? 0);
  const usesI = [a, b].some((e) => some(e, (part) => part.kind === "constant" && part.name === "i"));
  const state = { isOpaque: false };
  const agreed: { attempt: number; isTight: boolean }[] = [];
  const complexOnly: [Complex, Complex][] = [];
  for (let attempt = 0; attempt < (isConstant ? 1 : ATTEMPTS) && agreed.length < WANTED; attempt++) {
    const algebra = complexAlgebra((name) => toNumber(valueAt(name, attempt)), state);
    const left = evaluate(a, algebra);
    const right = left && evaluate(b, algebra);
    if (!left || !right) continue;
    // Outside the domain of a real formula (a root or logarithm of a negative number) nothing is claimed.
    if (!usesI && !isConstant && !(isReal(left) && isReal(right))) {
      complexOnly.push([left, right]);
      continue;
    }
    const closeness = compareComplex(left, right);
    // An integral or a limit that has no value here is a random number: what it differs from, it may equal.
    if (closeness === "different") return state.isOpaque && (hasBinder(a) || hasBinder(b)) ? "unknown" : "different";
    if (closeness === "equal") agreed.push({ attempt, isTight: isTight(left, right) });
  }
  const wanted = isConstant ? 1 : 3;
  if (agreed.length < wanted) {
    if (complexOnly.length < 3) return "unknown";
    if (complexOnly.every(([left, right]) => isTight(left, right))) return "equal";
    return complexOnly.some(([left, right]) => compareComplex(left, right) === "different") ? "different" : "unknown";
  }
  for (const { attempt, isTight } of agreed.slice(0, 2)) {
    const algebra = bigAlgebra((name) => valueAt(name, attempt));
    const left = evaluate(a, algebra);
    const right = left && evaluate(b, algebra);
    if (left && right && differenceBits(left, right) > agreementBits(magnitudeBits(left, right))) return "different";
    if (!(left && right) && !isTight) return "unknown";
  }
  return "equal";
}

/** Equal as far as doubles go: what counts where nothing more precise has a value. */
const isTight = (a: Complex, b: Complex): boolean =>
  Math.hypot(a.re - b.re, a.im - b.im) <= 1e-12 * Math.max(a.scale, b.scale);

/** Doubles: equal to ten digits, different from the seventh, undecided between. */
function compareComplex(a: Complex, b: Complex): Outcome {
  const size = Math.max(Math.hypot(a.re, a.im), Math.hypot(b.re, b.im));
  const noise = 1e-13 * Math.max(a.scale, b.scale);
  const difference = Math.hypot(a.re - b.re, a.im - b.im);
  if (difference <= 1e-10 * size + 30 * noise) return "equal";
  return difference > 1e-7 * size + 1e4 * noise ? "different" : "unknown";
}
