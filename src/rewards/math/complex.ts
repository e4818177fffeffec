import type { Algebra } from "./evaluate.ts";
import { residueOf } from "./modular.ts";
import { toNumber } from "./rational.ts";

/** A double-precision complex number with the size of the largest term that went into it: digits lost to cancellation show there. */
export type Complex = { readonly re: number; readonly im: number; readonly scale: number };

const make = (re: number, im = 0, scale = 0): Complex | undefined =>
  Number.isFinite(re) && Number.isFinite(im)
    ? { re, im, scale: Math.max(scale, Math.abs(re), Math.abs(im)) }
    : undefined;
export const isReal = (z: Complex): boolean => Math.abs(z.im) <= 1e-11 * Math.max(1e-300, z.scale);

const add = (a: Complex, b: Complex): Complex | undefined => make(a.re + b.re, a.im + b.im, Math.max(a.scale, b.scale));
function multiply(a: Complex, b: Complex): Complex | undefined {
  const size = Math.hypot(a.re, a.im);
  const other = Math.hypot(b.re, b.im);
  return make(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, Math.max(a.scale * other, b.scale * size));
}
const log = (z: Complex): Complex | undefined =>
  z.re === 0 && z.im === 0 ? undefined : make(Math.log(Math.hypot(z.re, z.im)), Math.atan2(z.im, z.re));
const exp = (z: Complex): Complex | undefined => {
  const size = Math.exp(z.re);
  return make(size * Math.cos(z.im), size * Math.sin(z.im), size);
};
const inverse = (z: Complex): Complex | undefined => {
  const norm = z.re * z.re + z.im * z.im;
  return norm <= (1e-13 * z.scale) ** 2 ? undefined : make(z.re / norm, -z.im / norm);
};
const divide = (a: Complex, b: Complex): Complex | undefined => {
  const inverted = inverse(b);
  return inverted && multiply(a, inverted);
};
const real = (value: number): Complex => ({ re: value, im: 0, scale: Math.abs(value) });
const I: Complex = { re: 0, im: 1, scale: 1 };
const minus = (z: Complex): Complex => ({ re: -z.re, im: -z.im, scale: z.scale });

function power(base: Complex, exponent: Complex, exact: { num: bigint; den: bigint } | undefined): Complex | undefined {
  if (base.re === 0 && base.im === 0)
    return exponent.re > 0 ? real(0) : exponent.re === 0 && exponent.im === 0 ? real(1) : undefined;
  if (exact?.den === 1n && exact.num >= -64n && exact.num <= 64n) {
    let result: Complex | undefined = real(1);
    const factor = exact.num < 0n ? inverse(base) : base;
    for (let k = 0; k < Math.abs(Number(exact.num)); k++) result = result && factor && multiply(result, factor);
    return result;
  }
  if (base.im === 0 && base.re > 0 && exponent.im === 0) return make(base.re ** exponent.re);
  // The real root of a negative number, as every school book has it: (-8)^(1/3) = -2.
  if (base.im === 0 && base.re < 0 && exact && exact.den % 2n === 1n && exact.den < 100n) {
    const size = (-base.re) ** exponent.re;
    return make(exact.num % 2n === 0n ? size : -size);
  }
  const logarithm = log(base);
  const product = logarithm && multiply(logarithm, exponent);
  return product && exp(product);
}

const sinh = (z: Complex): Complex | undefined =>
  make(Math.sinh(z.re) * Math.cos(z.im), Math.cosh(z.re) * Math.sin(z.im));
const cosh = (z: Complex): Complex | undefined =>
  make(Math.cosh(z.re) * Math.cos(z.im), Math.sinh(z.re) * Math.sin(z.im));
const sin = (z: Complex): Complex | undefined =>
  make(Math.sin(z.re) * Math.cosh(z.im), Math.cos(z.re) * Math.sinh(z.im));
const cos = (z: Complex): Complex | undefined =>
  make(Math.cos(z.re) * Math.cosh(z.im), -Math.sin(z.re) * Math.sinh(z.im));
const then = (z: Complex | undefined, f: (z: Complex) => Complex | undefined): Complex | undefined => z && f(z);
const root = (z: Complex): Complex | undefined => power(z, real(0.5), undefined);

/** arcsin z = −i log(iz + √(1 − z²)); real arguments inside the domain keep full precision. */
function arcsin(z: Complex): Complex | undefined {
  if (z.im === 0 && Math.abs(z.re) <= 1) return make(Math.asin(z.re));
  const square = multiply(z, z);
  const under = square && then(add(real(1), minus(square)), root);
  const inner = under && add(multiply(I, z)!, under);
  return inner && then(log(inner), (w) => multiply(minus(I), w));
}
function arctan(z: Complex): Complex | undefined {
  if (z.im === 0) return make(Math.atan(z.re));
  const iz = multiply(I, z)!;
  const quotient = then(add(real(1), iz), (a) => then(add(real(1), minus(iz)), (b) => divide(a, b)));
  return quotient && then(log(quotient), (w) => multiply({ re: 0, im: -0.5, scale: 0.5 }, w));
}
const arsinh = (z: Complex): Complex | undefined => then(arcsin(multiply(I, z)!), (w) => multiply(minus(I), w));
const arcosh = (z: Complex): Complex | undefined =>
  z.im === 0 && z.re >= 1 ? make(Math.acosh(z.re)) : then(arccos(z), (w) => multiply(I, w));
const artanh = (z: Complex): Complex | undefined => then(arctan(multiply(I, z)!), (w) => multiply(minus(I), w));
const arccos = (z: Complex): Complex | undefined => then(arcsin(z), (w) => add(real(Math.PI / 2), minus(w)));
const over = (f: (z: Complex) => Complex | undefined) => (z: Complex) => then(inverse(z), f);
const inverted = (f: (z: Complex) => Complex | undefined) => (z: Complex) => then(f(z), inverse);

const FUNCTIONS = new Map<string, (z: Complex) => Complex | undefined>([
  ["sin", sin],
  ["cos", cos],
  ["tan", (z) => then(sin(z), (s) => then(cos(z), (c) => divide(s, c)))],
  ["cot", (z) => then(cos(z), (c) => then(sin(z), (s) => divide(c, s)))],
  ["sec", inverted(cos)],
  ["csc", inverted(sin)],
  ["sinh", sinh],
  ["cosh", cosh],
  ["tanh", (z) => then(sinh(z), (s) => then(cosh(z), (c) => divide(s, c)))],
  ["coth", (z) => then(cosh(z), (c) => then(sinh(z), (s) => divide(c, s)))],
  ["sech", inverted(cosh)],
  ["csch", inverted(sinh)],
  ["arcsin", arcsin],
  ["arccos", arccos],
  ["arctan", arctan],
  ["arccot", (z) => then(arctan(z), (w) => add(real(Math.PI / 2), minus(w)))],
  ["arcsec", over(arccos)],
  ["arccsc", over(arcsin)],
  ["arsinh", arsinh],
  ["arcosh", arcosh],
  ["artanh", artanh],
  ["arcoth", over(artanh)],
  ["arsech", over(arcosh)],
  ["arcsch", over(arsinh)],
  ["ln", log],
  ["abs", (z) => make(Math.hypot(z.re, z.im))],
  ["arg", (z) => make(Math.atan2(z.im, z.re))],
  ["Re", (z) => make(z.re)],
  ["Im", (z) => make(z.im)],
  ["bar", (z) => make(z.re, -z.im)],
]);

/** Rounding must not be decided by the last bit: values this close to an integer are that integer. */
const snapped = (x: number): number =>
  Math.abs(x - Math.round(x)) < 1e-9 * Math.max(1, Math.abs(x)) ? Math.round(x) : x;

const REAL_FUNCTIONS = new Map<string, (args: number[]) => number>([
  ["floor", ([x]) => Math.floor(snapped(x!))],
  ["ceil", ([x]) => Math.ceil(snapped(x!))],
  ["sgn", ([x]) => Math.sign(x!)],
  ["max", (args) => Math.max(...args)],
  ["min", (args) => Math.min(...args)],
  ["mod", ([x, y]) => x! - y! * Math.floor(snapped(x! / y!))],
  ["factorial", ([x]) => gamma(x! + 1)],
  ["binomial", ([n, k]) => gamma(n! + 1) / (gamma(k! + 1) * gamma(n! - k! + 1))],
]);

/** Lanczos approximation (g = 7, nine terms) of Γ. */
function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const t = x + 6.5;
  const series = coefficients.reduce(
    (total, value, index) => (index === 0 ? value : total + value / (x - 1 + index)),
    0,
  );
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * series;
}

/** Evaluation in doubles at a point; unknown functions are random but stable functions of their arguments' first nine digits. */
export function complexAlgebra(point: (name: string) => number, state: { isOpaque: boolean }): Algebra<Complex> {
  return {
    cost: 1,
    number(value) {
      const double = toNumber(value);
      return double === 0 && value.num !== 0n ? undefined : make(double);
    },
    constant: (name) => (name === "pi" ? real(Math.PI) : name === "e" ? real(Math.E) : name === "i" ? I : undefined),
    symbol: (name) => real(point(name)),
    add,
    multiply,
    power,
    call(name, args) {
      const [z, base] = args;
      if (!z) return undefined;
      if (name === "log") return then(log(z), (w) => then(log(base ?? real(10)), (b) => divide(w, b)));
      const known = FUNCTIONS.get(name);
      if (known && args.length === 1) return known(z);
      const ofReals = REAL_FUNCTIONS.get(name);
      if (ofReals && args.every(isReal)) return make(ofReals(args.map((arg) => arg.re)));
      state.isOpaque = true;
      const digits = args
        .flatMap((arg) => [Number(arg.re.toPrecision(8)), Number(arg.im.toPrecision(8))])
        .map((value) => residueOf(String(value), [], 0x7fffffff, 1));
      return real(0.3 + residueOf(name, digits, 1_000_003, 5) / 500_000);
    },
  };
}
