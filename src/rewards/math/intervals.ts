import { divide, type Expr, int, negate, type Relation, type RelationSign, subtract, symbolsOf } from "./ast.ts";
import { complexAlgebra, isReal } from "./complex.ts";
import { evaluate, substitute } from "./evaluate.ts";
import { infinitySign } from "./scalar.ts";

/** One end of an interval: its place on the line as a double, and the exact expression it came from. */
export type End = { readonly at: number; readonly value: Expr; readonly isClosed: boolean };
export type Interval = { readonly low: End; readonly high: End };

const MINUS_INFINITY: End = {
  at: Number.NEGATIVE_INFINITY,
  value: negate({ kind: "constant", name: "infinity" }),
  isClosed: false,
};
const PLUS_INFINITY: End = {
  at: Number.POSITIVE_INFINITY,
  value: { kind: "constant", name: "infinity" },
  isClosed: false,
};
const LINE: Interval[] = [{ low: MINUS_INFINITY, high: PLUS_INFINITY }];

/** Where a real constant (or ±∞) lies, or undefined. */
function place(e: Expr): number | undefined {
  const sign = infinitySign(e);
  if (sign !== 0) return sign * Number.POSITIVE_INFINITY;
  if (symbolsOf(e).size > 0) return undefined;
  const value = evaluate(
    e,
    complexAlgebra(() => 0, { isOpaque: false }),
  );
  return value && isReal(value) ? value.re : undefined;
}

/** A set of reals as disjoint sorted intervals (points are closed intervals of length 0), or undefined when it is not one. */
export function toIntervals(e: Expr): Interval[] | undefined {
  switch (e.kind) {
    case "group":
      return e.items.length === 2 ? interval(e.items[0]!, e.items[1]!, e.open === "[", e.close === "]") : undefined;
    case "constant":
      return e.name === "emptyset" ? [] : undefined;
    case "symbol":
      return e.name === "Reals" ? LINE : undefined;
    case "set":
      return points(e.items);
    case "number":
      return points([e]);
    case "setOperation":
      return combineAll(e);
    case "setBuilder": {
      const parts = e.condition.kind === "list" ? e.condition.items : [e.condition];
      const domain = e.element.kind === "relation" ? [e.element] : [];
      // The conditions must be on the element itself: {7x | 0 < x < 1} is no unit interval.
      const subject = e.element.kind === "relation" ? e.element.sides[0]! : e.element;
      if (subject.kind !== "symbol" || !parts.every((part) => symbolsOf(part).has(subject.name))) return undefined;
      return fromConditions([...domain, ...parts]);
    }
    case "relation":
      return fromRelation(e);
    case "list":
      return e.items.every((item) => item.kind === "relation") ? fromConditions(e.items) : undefined;
    default:
      return undefined;
  }
}

function interval(low: Expr, high: Expr, isLowClosed: boolean, isHighClosed: boolean): Interval[] | undefined {
  const from = place(low);
  const to = place(high);
  if (from === undefined || to === undefined || from > to) return undefined;
  if (from === to && !(isLowClosed && isHighClosed)) return undefined;
  return [
    {
      low: { at: from, value: low, isClosed: isLowClosed && Number.isFinite(from) },
      high: { at: to, value: high, isClosed: isHighClosed && Number.isFinite(to) },
    },
  ];
}

function points(items: readonly Expr[]): Interval[] | undefined {
  const out: Interval[] = [];
  for (const item of items) {
    const at = place(item);
    if (at === undefined || !Number.isFinite(at)) return undefined;
    const end: End = { at, value: item, isClosed: true };
    out.push({ low: end, high: end });
  }
  return union(out);
}

function combineAll(e: Extract<Expr, { kind: "setOperation" }>): Interval[] | undefined {
  const sets = e.args.map(toIntervals);
  if (sets.some((set) => set === undefined)) return undefined;
  const [first, ...rest] = sets as Interval[][];
  return rest.reduce(
    (a, b) =>
      e.operation === "union" ? union(a.concat(b)) : intersection(a, e.operation === "difference" ? complement(b) : b),
    first!,
  );
}

const same = (a: number, b: number): boolean =>
  a === b ||
  (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= 1e-10 * Math.max(1, Math.abs(a), Math.abs(b)));
const startsBefore = (a: End, b: End): number =>
  same(a.at, b.at) ? Number(b.isClosed) - Number(a.isClosed) : a.at - b.at;

export function union(pieces: Interval[]): Interval[] {
  const sorted = [...pieces].sort((a, b) => startsBefore(a.low, b.low));
  const out: Interval[] = [];
  for (const piece of sorted) {
    const last = out.at(-1);
    const touches =
      last &&
      (same(last.high.at, piece.low.at) ? last.high.isClosed || piece.low.isClosed : piece.low.at < last.high.at);
    if (!last || !touches) out.push(piece);
    else if (
      same(piece.high.at, last.high.at) ? piece.high.isClosed && !last.high.isClosed : piece.high.at > last.high.at
    )
      out[out.length - 1] = { low: last.low, high: piece.high };
  }
  return out;
}

function complement(pieces: Interval[]): Interval[] {
  const out: Interval[] = [];
  let low: End = MINUS_INFINITY;
  for (const piece of pieces) {
    if (piece.low.at > low.at || (same(piece.low.at, low.at) && low.isClosed && !piece.low.isClosed))
      out.push({ low, high: { ...piece.low, isClosed: !piece.low.isClosed && Number.isFinite(piece.low.at) } });
    low = { ...piece.high, isClosed: !piece.high.isClosed && Number.isFinite(piece.high.at) };
  }
  if (low.at < Number.POSITIVE_INFINITY) out.push({ low, high: PLUS_INFINITY });
  return out;
}

function intersection(a: Interval[], b: Interval[]): Interval[] {
  const out: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const low = startsBefore(x.low, y.low) >= 0 ? x.low : y.low;
      const high = same(x.high.at, y.high.at)
        ? x.high.isClosed
          ? y.high
          : x.high
        : x.high.at < y.high.at
          ? x.high
          : y.high;
      if (low.at < high.at && !same(low.at, high.at)) out.push({ low, high });
      else if (same(low.at, high.at) && low.isClosed && high.isClosed) out.push({ low, high });
    }
  }
  return union(out);
}

/** Several conditions on one unknown: all of them, unless that is nothing or they cover the line only together: then either. */
function fromConditions(conditions: readonly Expr[]): Interval[] | undefined {
  const sets: Interval[][] = [];
  const names = new Set<string>();
  for (const condition of conditions) {
    if (condition.kind !== "relation") return undefined;
    const set = fromRelation(condition);
    if (!set) return undefined;
    sets.push(set);
    for (const name of symbolsOf(condition)) if (name !== "Reals") names.add(name);
  }
  if (names.size > 1 || sets.length === 0) return undefined;
  const both = sets.reduce(intersection);
  return both.length > 0 ? both : union(sets.flat());
}

const FLIPPED: Partial<Record<RelationSign, RelationSign>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };
const isUnknown = (e: Expr): boolean =>
  e.kind === "symbol" || (e.kind === "call" && e.args.every((arg) => arg.kind === "symbol"));

/** x > 5, 0 < f(x) ≤ 1, −x ≥ −1, x ≠ 2, x ∈ (0, 1): the values the unknown may take. */
export function fromRelation(e: Relation): Interval[] | undefined {
  const [left, right, third] = e.sides;
  const [sign, second] = e.signs;
  if (e.sides.length === 2) {
    if (sign === "in") return isUnknown(left!) ? toIntervals(right!) : undefined;
    if (sign === "notin") {
      const set = isUnknown(left!) ? toIntervals(right!) : undefined;
      return set && complement(set);
    }
    return half(left!, sign!, right!);
  }
  if (e.sides.length !== 3 || !FLIPPED[sign!] || !FLIPPED[second!]) return undefined;
  const lower = half(left!, sign!, third === undefined ? left! : right!);
  const upper = half(right!, second!, third!);
  return lower && upper && intersection(lower, upper);
}

function half(left: Expr, sign: RelationSign, right: Expr): Interval[] | undefined {
  if (sign === "!=") {
    const set = isUnknown(left) ? points([right]) : undefined;
    return set && complement(set);
  }
  if (!FLIPPED[sign]) return undefined;
  if (left.kind === "call" && left.name === "abs" && symbolsOf(right).size === 0)
    return absolute(left.args[0]!, sign, right);
  if (right.kind === "call" && right.name === "abs" && symbolsOf(left).size === 0)
    return absolute(right.args[0]!, FLIPPED[sign]!, left);
  if (isUnknown(left)) return ray(sign, right);
  if (isUnknown(right)) return ray(FLIPPED[sign]!, left);
  return linear(left, sign, right);
}

/** |u| < c is −c < u < c; |u| > c is the rest. */
function absolute(inside: Expr, sign: RelationSign, bound: Expr): Interval[] | undefined {
  const upper = half(inside, sign, bound);
  const lower = half(inside, FLIPPED[sign]!, negate(bound));
  if (!upper || !lower || (place(bound) ?? -1) < 0) return undefined;
  return sign === "<" || sign === "<=" ? intersection(upper, lower) : union(upper.concat(lower));
}

function ray(sign: RelationSign, bound: Expr): Interval[] | undefined {
  const at = place(bound);
  if (at === undefined) return undefined;
  const end: End = { at, value: bound, isClosed: (sign === "<=" || sign === ">=") && Number.isFinite(at) };
  return sign === "<" || sign === "<=" ? [{ low: MINUS_INFINITY, high: end }] : [{ low: end, high: PLUS_INFINITY }];
}

/** a·x + b < c·x + d is solved when the difference of its sides is linear in its one unknown. */
function linear(left: Expr, sign: RelationSign, right: Expr): Interval[] | undefined {
  const difference = subtract(left, right);
  const [name, ...others] = symbolsOf(difference);
  if (!name || others.length > 0) return undefined;
  const at = (value: number): Expr => substitute(difference, name, int(value));
  const [zero, one, two] = [place(at(0)), place(at(1)), place(at(2))];
  if (zero === undefined || one === undefined || two === undefined || !same(two - one, one - zero) || same(one, zero))
    return undefined;
  const root = divide(negate(at(0)), subtract(at(1), at(0)));
  return ray(one > zero ? sign : FLIPPED[sign]!, root);
}
