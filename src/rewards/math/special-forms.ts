import type { Expr } from "./ast.ts";
import { exactValue } from "./evaluate.ts";
import { absRational, compareRational, gcdBig, ONE } from "./rational.ts";
import { compareScalars, type Outcome } from "./scalar.ts";

/** 2:5 is 4:10; but 2:30 is not 1:15: a pair that could be a time is compared part by part. */
export function compareRatios(gold: readonly Expr[], answer: readonly Expr[]): Outcome {
  if (couldBeTime(gold)) {
    const parts = gold.map((part, index) => compareScalars(part, answer[index]!));
    return parts.every((part) => part === "equal") ? "equal" : "different";
  }
  for (let i = 1; i < gold.length; i++) {
    const cross = (a: Expr, b: Expr): Expr => ({ kind: "product", factors: [a, b] });
    const outcome = compareScalars(cross(gold[0]!, answer[i]!), cross(gold[i]!, answer[0]!));
    if (outcome !== "equal") return outcome;
  }
  return "equal";
}

function couldBeTime(items: readonly Expr[]): boolean {
  const [hours, minutes] = items.map((item) =>
    item.kind === "number" && item.value.den === 1n ? item.value.num : -1n,
  );
  return (
    items.length === 2 &&
    hours! >= 0n &&
    hours! <= 24n &&
    minutes! >= 0n &&
    minutes! < 60n &&
    (minutes! === 0n || (minutes! >= 10n && gcdBig(hours!, minutes!) !== 1n))
  );
}

/** Digits and base must agree; an answer may leave the gold's base unsaid, but not add one. */
export function compareNumerals(gold: Expr, answer: Expr): Outcome {
  const digits = (e: Expr): string | undefined =>
    e.kind === "numeral"
      ? e.digits
      : e.kind === "number" && e.decimals === undefined && e.value.den === 1n
        ? String(e.value.num)
        : undefined;
  if (answer.kind === "numeral" && (gold.kind !== "numeral" || gold.base !== answer.base)) return "different";
  return digits(gold) !== undefined && digits(gold) === digits(answer) ? "equal" : "different";
}

/** 3 (mod 7) is 10 (mod 7), and 3 where the modulus is left unsaid. */
export function compareResidues(gold: Expr, answer: Expr): Outcome | undefined {
  const read = (e: Expr): readonly Expr[] | undefined =>
    e.kind === "call" && e.name === "residue" ? e.args : undefined;
  const [g, a] = [read(gold), read(answer)];
  if (!g && !a) return undefined;
  if (g && a && compareScalars(g[1]!, a[1]!) !== "equal") return "different";
  if (!g || !a) return compareScalars(g ? g[0]! : gold, a ? a[0]! : answer);
  const reduced = (value: Expr): Expr => ({ kind: "call", name: "mod", args: [value, g[1]!] });
  return compareScalars(reduced(g[0]!), reduced(a[0]!));
}

/**
 * 10% is 0.1, and the answer 10 where the gold is 10%. A sign that the answer adds says nothing only where it can say
 * nothing else: 25% for 25, which is no share, but not 0.5% for 0.5; 45° for 45, but not π° for π, which is in radians.
 */
export function comparePercent(gold: Expr, answer: Expr): Outcome | undefined {
  for (const name of ["percent", "degree"]) {
    const inner = (e: Expr): Expr | undefined => (e.kind === "call" && e.name === name ? e.args[0]! : undefined);
    const [g, a] = [inner(gold), inner(answer)];
    if (g && a) return compareScalars(g, a);
    if (!g && !a) continue;
    const value = exactValue(gold);
    const mayOmit = g !== undefined || (value && (name === "degree" || compareRational(absRational(value), ONE) > 0));
    const plain = mayOmit ? compareScalars(g ?? gold, a ?? answer) : "different";
    return plain === "equal" ? plain : compareScalars(gold, answer);
  }
  return undefined;
}
