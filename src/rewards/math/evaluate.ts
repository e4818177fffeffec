import { type ConstantName, type Expr, int, mapParts, negate, partsOf, symbolsOf } from "./ast.ts";
import { charge } from "./budget.ts";
import { exactAlgebra } from "./exact.ts";
import { isInteger, type Rational } from "./rational.ts";

/** A domain in which expressions have values. Undefined means: no value here (a pole, an unknown function, too large). */
export type Algebra<T> = {
  /** What one node costs of the budget. */
  readonly cost: number;
  number(value: Rational): T | undefined;
  constant(name: ConstantName): T | undefined;
  symbol(name: string): T | undefined;
  add(a: T, b: T): T | undefined;
  multiply(a: T, b: T): T | undefined;
  /** `exact` is the exponent when it is a rational number. */
  power(base: T, exponent: T, exact: Rational | undefined): T | undefined;
  call(name: string, args: T[]): T | undefined;
};

/** Σ and Π are unrolled up to this many terms. */
const MAX_TERMS = 1_500;

/** The value of an expression, or undefined. Only scalars have one: no sets, relations, text. */
export function evaluate<T>(e: Expr, algebra: Algebra<T>): T | undefined {
  if (!charge(algebra.cost)) return undefined;
  switch (e.kind) {
    case "number":
      return algebra.number(e.value);
    case "symbol":
      return algebra.symbol(e.name);
    case "constant":
      return algebra.constant(e.name);
    case "sum":
      return fold(e.terms, algebra, algebra.add);
    case "product":
      return fold(e.factors, algebra, algebra.multiply);
    case "power": {
      const base = evaluate(e.base, algebra);
      if (base === undefined) return undefined;
      const exact = exactValue(e.exponent);
      // Never both ways: towers of powers would cost 2^height.
      const exponent = exact
        ? algebra.number(exact)
        : algebra.cost === exactAlgebra.cost
          ? undefined
          : evaluate(e.exponent, algebra);
      return exponent === undefined ? undefined : algebra.power(base, exponent, exact);
    }
    case "call":
      return evaluateCall(e.name, e.args, algebra);
    case "binder":
      return evaluateBinder(e, algebra);
    case "quantity":
      return evaluate(e.value, algebra);
    case "set":
      return e.items.length === 1 ? evaluate(e.items[0]!, algebra) : undefined;
    case "ratio": {
      const [a, b] = e.items;
      if (e.items.length !== 2) return undefined;
      return evaluate({ kind: "product", factors: [a!, { kind: "power", base: b!, exponent: int(-1) }] }, algebra);
    }
    default:
      return undefined;
  }
}

function fold<T>(parts: readonly Expr[], algebra: Algebra<T>, combine: (a: T, b: T) => T | undefined): T | undefined {
  let total: T | undefined;
  for (const [index, part] of parts.entries()) {
    const value = evaluate(part, algebra);
    if (value === undefined) return undefined;
    total = index === 0 ? value : combine(total as T, value);
    if (total === undefined) return undefined;
  }
  return total;
}

function evaluateCall<T>(name: string, parts: readonly Expr[], algebra: Algebra<T>): T | undefined {
  if (name === "percent") return evaluate({ kind: "product", factors: [parts[0]!, HUNDREDTH] }, algebra);
  if (name === "degree") return evaluate({ kind: "product", factors: [parts[0]!, DEGREE] }, algebra);
  if (name === "det" && parts[0]?.kind === "matrix") {
    const expanded = determinant(parts[0].rows);
    return expanded && evaluate(expanded, algebra);
  }
  if (INTEGER_FUNCTIONS.has(name) && algebra.cost !== exactAlgebra.cost) {
    const exact = evaluateCall(name, parts, exactAlgebra);
    if (exact) return algebra.number(exact);
  }
  const args: T[] = [];
  for (const part of parts) {
    const value = evaluate(part, algebra);
    if (value === undefined) return undefined;
    args.push(value);
  }
  return algebra.call(name, args);
}
/** Computed exactly wherever their arguments are rational: rounding or a prime field would lose what they are. */
const INTEGER_FUNCTIONS = new Set([
  "floor",
  "ceil",
  "gcd",
  "lcm",
  "mod",
  "factorial",
  "doubleFactorial",
  "binomial",
  "max",
  "min",
  "sgn",
  "abs",
  "log",
]);
const HUNDREDTH: Expr = { kind: "number", value: { num: 1n, den: 100n } };
const DEGREE: Expr = {
  kind: "product",
  factors: [
    { kind: "constant", name: "pi" },
    { kind: "number", value: { num: 1n, den: 180n } },
  ],
};

/** Expansion along the first row, up to 4×4. */
function determinant(rows: readonly (readonly Expr[])[]): Expr | undefined {
  if (rows.length === 0 || rows.length > 4 || rows.some((row) => row.length !== rows.length)) return undefined;
  if (rows.length === 1) return rows[0]![0];
  const terms = rows[0]!.map((head, column): Expr => {
    const minor = determinant(rows.slice(1).map((row) => row.filter((_, index) => index !== column)))!;
    const term: Expr = { kind: "product", factors: [head, minor] };
    return column % 2 === 0 ? term : negate(term);
  });
  return { kind: "sum", terms };
}

type Binder = Extract<Expr, { kind: "binder" }>;

function evaluateBinder<T>(e: Binder, algebra: Algebra<T>): T | undefined {
  const [from, to] = e.bounds.map(exactValue);
  if ((e.name === "sum" || e.name === "product") && from && to && isInteger(from) && isInteger(to)) {
    const count = to.num - from.num + 1n;
    if (count <= 0n) return algebra.number({ num: e.name === "sum" ? 0n : 1n, den: 1n });
    if (count > BigInt(MAX_TERMS)) return undefined;
    const work = numNodes(e.body) / 2;
    if (!charge(work)) return undefined;
    let total: T | undefined;
    for (let k = from.num; k <= to.num; k++) {
      if (!charge(work)) return undefined;
      const value = evaluate(substitute(e.body, e.variable, int(k)), algebra);
      total =
        value === undefined || k === from.num
          ? value
          : (e.name === "sum" ? algebra.add : algebra.multiply)(total as T, value);
      if (total === undefined) return undefined;
    }
    return total;
  }
  // The bound variable has no name of its own, but its level: Σ_k and Σ_j are the same sum, Σ_i Σ_j ij² and Σ_i Σ_j i²j are not.
  const isFree = e.name === "derivative" || (e.name === "integral" && e.bounds.length === 0);
  const body = evaluate(
    isFree ? e.body : substitute(e.body, e.variable, { kind: "symbol", name: `\u0001bound ${numLevels(e.body)}` }),
    algebra,
  );
  if (body === undefined) return undefined;
  const args: T[] = [body];
  for (const bound of e.bounds) {
    const value =
      bound.kind === "constant" && bound.name === "infinity"
        ? algebra.symbol("\u0001infinity")
        : evaluate(bound, algebra);
    if (value === undefined) return undefined;
    args.push(value);
  }
  return algebra.call(`${e.name}${isFree ? ` ${e.variable}` : ""}`, args);
}

const numNodes = (e: Expr): number => partsOf(e).reduce((total, part) => total + numNodes(part), 1);

/** The most binders inside one another in an expression. */
const numLevels = (e: Expr): number => Math.max(0, ...partsOf(e).map(numLevels)) + (e.kind === "binder" ? 1 : 0);

/** e with a free symbol replaced. */
export function substitute(e: Expr, name: string, value: Expr): Expr {
  if (e.kind === "symbol") return e.name === name ? value : e;
  if (name === "i" && e.kind === "constant" && e.name === "i") return value;
  if (e.kind === "binder" && e.variable === name && !symbolsOf(e).has(name))
    return { ...e, bounds: e.bounds.map((bound) => substitute(bound, name, value)) };
  return mapParts(e, (part) => substitute(part, name, value));
}

/** The rational value of an expression without symbols, or undefined when it has none or is too large. */
export function exactValue(e: Expr): Rational | undefined {
  if (e.kind === "number") return e.value;
  return evaluate(e, exactAlgebra);
}
