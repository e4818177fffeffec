import type { Expr } from "./ast.ts";
import { type Algebra, evaluate } from "./evaluate.ts";
import { isInteger } from "./rational.ts";

/** Primes that are 1 modulo 4, so that −1 has a root, and small enough that products are exact doubles. */
const FIELDS = [
  { prime: 67108837, rootOfMinusOne: 55262216 },
  { prime: 67108777, rootOfMinusOne: 48722652 },
  { prime: 67108757, rootOfMinusOne: 2509185 },
] as const;

/** A stable pseudo-random residue for a name and numbers: what an unknown function is worth at a point. */
export function residueOf(name: string, values: readonly number[], prime: number, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  const mix = (word: number): void => {
    hash = Math.imul(hash ^ (word & 0xffff), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (word >>> 16), 0x85ebca6b) >>> 0;
    hash ^= hash >>> 13;
  };
  for (let i = 0; i < name.length; i++) mix(name.charCodeAt(i));
  for (const value of values) mix(value | 0);
  mix(values.length + 7);
  return (hash >>> 0) % prime;
}

const SYMMETRIC = new Set(["max", "min", "gcd", "lcm"]);

/**
 * Values modulo a prime, with every symbol at a random residue and every function that has no meaning there as a
 * random function of its arguments. Two expressions of equal value at random points are equal as formal expressions
 * (Schwartz–Zippel); where no such function took part (`state.isOpaque` stays false), different values prove them different.
 */
function modularAlgebra(field: (typeof FIELDS)[number], seed: number, state: { isOpaque: boolean }): Algebra<number> {
  const { prime } = field;
  const multiply = (a: number, b: number): number => (a * b) % prime;
  /** By Fermat, exponents count modulo prime − 1. */
  const powerOf = (base: number, exponent: bigint): number => {
    if (base === 0) return exponent === 0n ? 1 : 0;
    let result = 1;
    let square = base;
    for (let left = Number(exponent % BigInt(prime - 1)); left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = multiply(result, square);
      square = multiply(square, square);
    }
    return result;
  };
  /** The extended Euclidean algorithm: `a` times `found` is `rest` modulo the prime. */
  const inverse = (a: number): number | undefined => {
    if (a === 0) return undefined;
    let [last, rest]: [number, number] = [prime, a];
    let [before, found] = [0, 1];
    while (rest > 1) {
      const quotient = Math.floor(last / rest);
      [last, rest] = [rest, last - quotient * rest];
      [before, found] = [found, before - quotient * found];
    }
    return found < 0 ? found + prime : found;
  };
  const residue = (value: bigint): number => {
    const small = Number(value % BigInt(prime));
    return small < 0 ? small + prime : small;
  };
  const opaque = (name: string, args: number[]): number => {
    state.isOpaque = true;
    return residueOf(name, args, prime, seed);
  };
  return {
    cost: 1,
    number(value) {
      if (value.den === 1n) return residue(value.num);
      const den = inverse(residue(value.den));
      return den === undefined ? undefined : multiply(residue(value.num), den);
    },
    constant: (name) =>
      name === "i"
        ? field.rootOfMinusOne
        : name === "pi" || name === "e"
          ? residueOf(`constant ${name}`, [], prime, seed)
          : undefined,
    symbol: (name) => residueOf(`symbol ${name}`, [], prime, seed),
    add: (a, b) => (a + b) % prime,
    multiply,
    power(base, exponent, exact) {
      if (exact && isInteger(exact)) {
        if (exact.num >= 0n) return powerOf(base, exact.num);
        const inverted = inverse(base);
        return inverted === undefined ? undefined : powerOf(inverted, -exact.num);
      }
      return opaque("power", [base, exponent]);
    },
    call: (name, args) => opaque(name, SYMMETRIC.has(name) ? [...new Set(args)].sort((a, b) => a - b) : args),
  };
}

export type FormalVerdict = "equal" | "different" | "unknown";

/** Compares at random points of prime fields: exact, never fooled by rounding. "unknown" where functions keep it from disproof. */
export function compareModular(a: Expr, b: Expr): FormalVerdict {
  let agreed = 0;
  for (let attempt = 0; attempt < 6 && agreed < 3; attempt++) {
    const state = { isOpaque: false };
    const algebra = modularAlgebra(FIELDS[attempt % 3]!, attempt + 1, state);
    const left = evaluate(a, algebra);
    if (left === undefined) continue;
    const right = evaluate(b, algebra);
    if (right === undefined) continue;
    if (left !== right) return state.isOpaque ? "unknown" : "different";
    agreed++;
  }
  return agreed >= 3 ? "equal" : "unknown";
}

/** True when a = k·b for one constant k ≠ 0 at every point tried: x + y = 1 and 2x + 2y = 2 are one equation. Undefined: not decided. */
export function areProportional(a: Expr, b: Expr): boolean | undefined {
  const { prime } = FIELDS[0];
  const ratios: [number, number][] = [];
  let isOpaque = false;
  for (let seed = 11; seed < 18 && ratios.length < 4; seed++) {
    const state = { isOpaque: false };
    const algebra = modularAlgebra(FIELDS[0], seed, state);
    const left = evaluate(a, algebra);
    const right = evaluate(b, algebra);
    isOpaque ||= state.isOpaque;
    if (left === undefined || right === undefined) continue;
    if ((left === 0) !== (right === 0)) return isOpaque ? undefined : false;
    ratios.push([left, right]);
  }
  if (ratios.length < 3) return undefined;
  const [first, ...rest] = ratios;
  if (ratios.every(([left]) => left === 0)) return true;
  // The seed changes the constants π and e too, so a factor of π is not taken for a constant; few write one.
  return rest.every(([left, right]) => (left * first![1]) % prime === (right * first![0]) % prime)
    ? true
    : isOpaque
      ? undefined
      : false;
}
