import { charge } from "./budget.ts";
import type { Algebra } from "./evaluate.ts";
import { isInteger, type Rational } from "./rational.ts";

/** A binary floating-point number of 320 bits, m · 2^e: what decides when doubles say "looks equal". */
export type BigFloat = { readonly m: bigint; readonly e: number };

const PRECISION = 320;
/** What a series costs of the budget beside its node. */
const SERIES_WORK = 600;
/** Fraction bits of the fixed-point numbers in which series are summed. */
const FIXED = 400;
const ONE_FIXED = 1n << BigInt(FIXED);
/** Beyond this binary exponent a value is refused. */
const MAX_EXPONENT = 100_000;

const bitLength = (m: bigint): number => {
  const hex = (m < 0n ? -m : m).toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0]!, 16)));
};

function make(m: bigint, e: number): Maybe {
  if (m === 0n) return { m, e: 0 };
  const excess = bitLength(m) - PRECISION;
  const result = excess > 0 ? { m: m >> BigInt(excess), e: e + excess } : { m, e };
  return Math.abs(result.e + PRECISION) > MAX_EXPONENT ? undefined : result;
}

const ZERO: BigFloat = { m: 0n, e: 0 };
/** What has no value makes no value: chains need no test at each link. */
type Maybe = BigFloat | undefined;
const negate = (a: BigFloat): BigFloat => ({ m: -a.m, e: a.e });
const minus = (a: Maybe, b: Maybe): Maybe => b && add(a, negate(b));

function add(a: Maybe, b: Maybe): Maybe {
  if (!a || !b) return undefined;
  if (a.m === 0n) return b;
  if (b.m === 0n) return a;
  const [high, low] = a.e >= b.e ? [a, b] : [b, a];
  const shift = high.e - low.e;
  if (shift > 4 * PRECISION) return high;
  return make((high.m << BigInt(shift)) + low.m, low.e);
}
const multiply = (a: Maybe, b: Maybe): Maybe => a && b && make(a.m * b.m, a.e + b.e);
function divide(a: Maybe, b: Maybe): Maybe {
  if (!a || !b || b.m === 0n) return undefined;
  const shift = BigInt(2 * PRECISION);
  return make((a.m << shift) / b.m, a.e - b.e - 2 * PRECISION);
}
const fromRational = ({ num, den }: Rational): Maybe =>
  den === 1n ? make(num, 0) : divide({ m: num, e: 0 }, { m: den, e: 0 });

/** Fixed-point value of a, or undefined when it is too large for a series. */
function toFixed(a: BigFloat): bigint | undefined {
  const shift = a.e + FIXED;
  if (shift > 4 * FIXED) return undefined;
  return shift >= 0 ? a.m << BigInt(shift) : a.m >> BigInt(-shift);
}
const fromFixed = (x: bigint): Maybe => make(x, -FIXED);
const mulFixed = (a: bigint, b: bigint): bigint => (a * b) >> BigInt(FIXED);

export const toDouble = (a: BigFloat): number => {
  const bits = bitLength(a.m);
  const excess = Math.max(0, bits - 60);
  return Number(a.m >> BigInt(excess)) * 2 ** (a.e + excess);
};

/** Σ ±x^(2k+1)/(2k+1) at x = 1/n. */
function arctanOfInverse(n: bigint): bigint {
  let term = ONE_FIXED / n;
  let total = term;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = -term / (n * n);
    total += term / k;
  }
  return total;
}
let constants: { pi: bigint; ln2: bigint } | undefined;
/** π by Machin's formula, ln 2 as 2·artanh(1/3); computed once. */
function fixedConstants(): { pi: bigint; ln2: bigint } {
  if (constants) return constants;
  let ln2 = 0n;
  let term = (2n * ONE_FIXED) / 3n;
  for (let k = 1n; term !== 0n; k += 2n) {
    ln2 += term / k;
    term /= 9n;
  }
  constants = { pi: 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n)), ln2 };
  return constants;
}

function exp(a: BigFloat): Maybe {
  const x = toFixed(a);
  if (x === undefined) return undefined;
  const { ln2 } = fixedConstants();
  const k = x / ln2;
  if (k > 50_000n || k < -50_000n) return undefined;
  // e^r = (e^(r/256))^256 keeps the series short.
  const r = (x - k * ln2) >> 8n;
  let total = ONE_FIXED;
  let term = ONE_FIXED;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = mulFixed(term, r) / n;
    total += term;
  }
  for (let n = 0; n < 8; n++) total = mulFixed(total, total);
  return make(total, Number(k) - FIXED);
}

/** Newton on e^y = x from the double: each step triples the digits. */
function ln(a: BigFloat): Maybe {
  if (a.m <= 0n) return undefined;
  const bits = bitLength(a.m);
  const mantissa = toDouble({ m: a.m, e: -bits });
  const start = Math.log(mantissa);
  let y = make(BigInt(Math.round(start * 2 ** 50)), -50);
  const x: BigFloat = { m: a.m, e: -bits };
  for (let step = 0; step < 3 && y; step++) {
    const power: Maybe = exp(y);
    const correction: Maybe = divide(minus(x, power), add(x, power));
    y = correction && add(y, { m: correction.m * 2n, e: correction.e });
  }
  return add(y, make(fixedConstants().ln2 * BigInt(a.e + bits), -FIXED));
}

/** [sin, cos] after reduction by multiples of π/2. */
function sinCos(a: BigFloat): [bigint, bigint] | undefined {
  const x = toFixed(a);
  if (x === undefined || bitLength(x) > FIXED + 60) return undefined;
  const half = fixedConstants().pi / 2n;
  let k = x / half;
  if (x < 0n) k -= 1n;
  const r = x - k * half;
  const square = mulFixed(r, r);
  let sin = r;
  let cos = ONE_FIXED;
  let term = r;
  for (let n = 2n; term !== 0n && term !== -1n; n += 2n) {
    term = -mulFixed(term, square) / (n * (n + 1n));
    sin += term;
  }
  term = ONE_FIXED;
  for (let n = 1n; term !== 0n && term !== -1n; n += 2n) {
    term = -mulFixed(term, square) / (n * (n + 1n));
    cos += term;
  }
  const quarter = ((k % 4n) + 4n) % 4n;
  return quarter === 0n ? [sin, cos] : quarter === 1n ? [cos, -sin] : quarter === 2n ? [-sin, -cos] : [-cos, sin];
}

/** arctan x: from the double y₀, arctan x = y₀ + arctan((x − tan y₀)/(1 + x tan y₀)), whose argument is tiny. */
function arctan(a: BigFloat): Maybe {
  const start = make(BigInt(Math.round(Math.atan(toDouble(a)) * 2 ** 52)), -52);
  const parts = start && sinCos(start);
  if (!parts) return undefined;
  const [sin, cos] = [fromFixed(parts[0]), fromFixed(parts[1])];
  const rest = divide(minus(multiply(a, cos), sin), add(cos, multiply(a, sin)));
  // The double was right to 2^-52, so three more terms of the series are beyond the last bit.
  const square = multiply(rest, rest);
  let [series, power] = [rest, rest];
  for (const denominator of [-3n, 5n, -7n]) {
    power = multiply(power, square);
    series = add(series, divide(power, { m: denominator, e: 0 }));
  }
  return add(start, series);
}

function sqrt(a: BigFloat): Maybe {
  if (a.m < 0n) return undefined;
  if (a.m === 0n) return ZERO;
  const shift = 2 * PRECISION + ((a.e % 2 === 0 ? 0 : 1) as number);
  const radicand = a.m << BigInt(shift);
  let guess = 1n << BigInt(Math.ceil(bitLength(radicand) / 2));
  for (;;) {
    const next = (guess + radicand / guess) >> 1n;
    if (next >= guess) break;
    guess = next;
  }
  return make(guess, (a.e - shift) / 2);
}

function integerPower(base: BigFloat, exponent: bigint): Maybe {
  let result: Maybe = { m: 1n, e: 0 };
  let square: Maybe = base;
  const size = exponent < 0n ? -exponent : exponent;
  if (size > 100_000n) return undefined;
  for (let left = size; left > 0n && result && square; left >>= 1n) {
    if (left & 1n) result = multiply(result, square);
    square = left > 1n ? multiply(square, square) : square;
  }
  return exponent < 0n && result ? divide({ m: 1n, e: 0 }, result) : result;
}

function power(base: BigFloat, exponent: BigFloat, exact: Rational | undefined): Maybe {
  if (exact && isInteger(exact)) return base.m === 0n && exact.num <= 0n ? undefined : integerPower(base, exact.num);
  if (base.m === 0n) return exponent.m > 0n ? ZERO : undefined;
  if (exact?.den === 2n) {
    const root = sqrt(base);
    return root && integerPower(root, exact.num);
  }
  if (!charge(2 * SERIES_WORK)) return undefined;
  const isOddRoot = exact !== undefined && exact.den % 2n === 1n && exact.den < 100n;
  if (base.m < 0n && !isOddRoot) return undefined;
  const logarithm = ln(base.m < 0n ? negate(base) : base);
  const product = multiply(logarithm, exponent);
  const size = product && exp(product);
  return size && base.m < 0n && exact!.num % 2n !== 0n ? negate(size) : size;
}

const one: BigFloat = { m: 1n, e: 0 };
const two: BigFloat = { m: 2n, e: 0 };
const over =
  (f: (x: BigFloat) => Maybe) =>
  (x: BigFloat): Maybe =>
    divide(one, f(x));
const sin = (x: BigFloat): Maybe => {
  const parts = sinCos(x);
  return parts && fromFixed(parts[0]);
};
const cos = (x: BigFloat): Maybe => {
  const parts = sinCos(x);
  return parts && fromFixed(parts[1]);
};
const tan = (x: BigFloat): Maybe => {
  const parts = sinCos(x);
  return parts && divide(fromFixed(parts[0]), fromFixed(parts[1]));
};
const hyperbolic = (sign: 1 | -1) => (x: BigFloat) => {
  const up = exp(x);
  const down = divide(one, up);
  return divide(sign === 1 ? add(up, down) : minus(up, down), two);
};
const halfPi = (): BigFloat => make(fixedConstants().pi / 2n, -FIXED)!;
function arcsin(x: BigFloat): Maybe {
  const square = minus(one, multiply(x, x));
  const under = square && sqrt(square);
  if (!under) return undefined;
  if (under.m === 0n) return x.m > 0n ? halfPi() : negate(halfPi());
  const quotient = divide(x, under);
  return quotient && arctan(quotient);
}
const arccos = (x: BigFloat): Maybe => minus(halfPi(), arcsin(x));
const FUNCTIONS = new Map<string, (x: BigFloat) => Maybe>([
  ["sin", sin],
  ["cos", cos],
  ["tan", tan],
  ["cot", over(tan)],
  ["sec", over(cos)],
  ["csc", over(sin)],
  ["sinh", hyperbolic(-1)],
  ["cosh", hyperbolic(1)],
  ["arcsin", arcsin],
  ["arccos", arccos],
  ["arctan", arctan],
  ["ln", ln],
  ["abs", (x) => (x.m < 0n ? negate(x) : x)],
]);

/** Real evaluation to about 96 digits. Whatever leaves the reals or has no series here has no value. */
export function bigAlgebra(point: (name: string) => Rational): Algebra<BigFloat> {
  return {
    cost: 30,
    number: fromRational,
    constant: (name) => (name === "pi" ? make(fixedConstants().pi, -FIXED) : name === "e" ? exp(one) : undefined),
    symbol: (name) => fromRational(point(name)),
    add,
    multiply,
    power,
    call(name, args) {
      const [x, base] = args;
      if (!x) return undefined;
      if (name === "max" || name === "min") return args.reduce((a, b) => (isBelow(a, b) === (name === "max") ? b : a));
      if (!charge(SERIES_WORK)) return undefined;
      if (name !== "log") return args.length === 1 ? FUNCTIONS.get(name)?.(x) : undefined;
      return divide(ln(x), ln(base ?? { m: 10n, e: 0 }));
    },
  };
}
const isBelow = (a: BigFloat, b: BigFloat): boolean => (minus(a, b)?.m ?? 0n) < 0n;

/** How large the larger of two is, as a power of two. */
export const magnitudeBits = (a: BigFloat, b: BigFloat): number =>
  Math.max(...[a, b].map(({ m, e }) => (m === 0n ? -MAX_EXPONENT : bitLength(m) + e)));

/** |a − b| as a power of two relative to the larger of the two and 1 unit of `scale` bits; −Infinity for equal values. */
export function differenceBits(a: BigFloat, b: BigFloat): number {
  const difference = minus(a, b);
  if (!difference || difference.m === 0n) return Number.NEGATIVE_INFINITY;
  const top = (x: BigFloat): number => (x.m === 0n ? -MAX_EXPONENT : bitLength(x.m) + x.e);
  return top(difference) - Math.max(top(a), top(b), -60);
}
