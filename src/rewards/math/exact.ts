import { charge, workOfBits } from "./budget.ts";
import type { Algebra } from "./evaluate.ts";
import {
  absRational,
  addRational,
  bitsOf,
  compareRational,
  divRational,
  exactRoot,
  floorRational,
  gcdBig,
  integer,
  isInteger,
  MAX_BITS,
  mulRational,
  negRational,
  ONE,
  powRational,
  type Rational,
  rational,
  subRational,
  toNumber,
  ZERO,
} from "./rational.ts";

/** The value, unless it is too long or too dear: lowest terms take a division for every second bit. */
function bounded(value: Rational | undefined): Rational | undefined {
  if (!value) return undefined;
  const bits = bitsOf(value);
  const work = workOfBits(bits) + (isInteger(value) ? 0 : bits / 16);
  return charge(work) && bits <= 4 * MAX_BITS ? value : undefined;
}

/** Rational numbers: exact or no value at all. */
export const exactAlgebra: Algebra<Rational> = {
  cost: 2,
  number: (value) => value,
  constant: () => undefined,
  symbol: () => undefined,
  add: (a, b) => bounded(addRational(a, b)),
  multiply: (a, b) => bounded(mulRational(a, b)),
  power: (base, exponent) => bounded(rationalPower(base, exponent)),
  call: (name, args) => bounded(rationalCall(name, args)),
};

function rationalPower(base: Rational, exponent: Rational): Rational | undefined {
  if (isInteger(exponent)) return powRational(base, exponent.num);
  if (exponent.den > 64n || base.num < 0n) return undefined;
  if (!charge(8 * workOfBits(bitsOf(base)))) return undefined;
  const k = Number(exponent.den);
  const num = exactRoot(base.num, k);
  const den = exactRoot(base.den, k);
  return num === undefined || den === undefined ? undefined : powRational({ num, den }, exponent.num);
}

function rationalCall(name: string, args: Rational[]): Rational | undefined {
  const [x, y] = args;
  if (!x) return undefined;
  switch (name) {
    case "abs":
      return absRational(x);
    case "floor":
      return integer(floorRational(x));
    case "ceil":
      return integer(-floorRational(negRational(x)));
    case "sgn":
      return integer(x.num > 0n ? 1n : x.num < 0n ? -1n : 0n);
    case "max":
      return args.reduce((a, b) => (compareRational(a, b) >= 0 ? a : b));
    case "min":
      return args.reduce((a, b) => (compareRational(a, b) <= 0 ? a : b));
    case "gcd":
      return args.reduce(gcdRational);
    case "lcm":
      return args.reduce(lcmRational);
    case "mod":
      return y && y.num !== 0n ? subRational(x, mulRational(y, integer(floorRational(divRational(x, y)!)))) : undefined;
    case "factorial":
      return factorial(x, 1n);
    case "doubleFactorial":
      return factorial(x, 2n);
    case "binomial":
      return y && binomial(x, y);
    case "log":
      return y && exactLog(x, y);
    case "ln":
      return x.num === x.den ? ZERO : undefined;
    case "sin":
    case "tan":
    case "arcsin":
    case "arctan":
    case "sinh":
    case "tanh":
    case "arsinh":
    case "artanh":
      return x.num === 0n ? ZERO : undefined;
    case "cos":
    case "cosh":
    case "sec":
      return x.num === 0n ? ONE : undefined;
    default:
      return undefined;
  }
}

/** gcd(a/b, c/d) is the largest rational of which both are whole multiples. */
export function gcdRational(a: Rational, b: Rational): Rational {
  if (a.num === 0n) return absRational(b);
  if (b.num === 0n) return absRational(a);
  const den = (a.den * b.den) / gcdBig(a.den, b.den);
  return rational(gcdBig(a.num * (den / a.den), b.num * (den / b.den)), den)!;
}

export function lcmRational(a: Rational, b: Rational): Rational {
  if (a.num === 0n || b.num === 0n) return ZERO;
  return absRational(divRational(mulRational(a, b), gcdRational(a, b))!);
}

function factorial(x: Rational, step: bigint): Rational | undefined {
  if (!isInteger(x) || x.num < 0n || x.num > 1500n) return undefined;
  if (!charge(workOfBits(Number(x.num) * 9))) return undefined;
  let total = 1n;
  for (let k = x.num; k > 1n; k -= step) total *= k;
  return integer(total);
}

function binomial(n: Rational, k: Rational): Rational | undefined {
  if (!isInteger(k) || !isInteger(n) || k.num < 0n || k.num > 1500n || n.num > 1n << 64n || n.num < -(1n << 64n))
    return undefined;
  const chosen = n.num >= 0n && k.num > n.num - k.num ? n.num - k.num : k.num;
  if (chosen < 0n) return ZERO;
  if (!charge(workOfBits(Number(chosen) * n.num.toString(2).length))) return undefined;
  let total = 1n;
  for (let j = 1n; j <= chosen; j++) total = (total * (n.num - chosen + j)) / j;
  return integer(total);
}

/** log_b x when it is a fraction with a small denominator: log_4 8 = 3/2. */
function exactLog(x: Rational, base: Rational): Rational | undefined {
  if (x.num <= 0n || base.num <= 0n || base.num === base.den) return undefined;
  const approximate = Math.log(toNumber(x)) / Math.log(toNumber(base));
  if (!Number.isFinite(approximate) || Math.abs(approximate) > 4000) return undefined;
  for (const den of [1, 2, 3, 4, 5, 6]) {
    const num = Math.round(approximate * den);
    if (Math.abs(approximate * den - num) > 1e-6) continue;
    const left = powRational(base, BigInt(num));
    const right = powRational(x, BigInt(den));
    if (left && right && left.num === right.num && left.den === right.den) return rational(BigInt(num), BigInt(den));
  }
  return undefined;
}
