import { type Expr, number } from "./ast.ts";
import { argumentEnd, type Cursor, isCmd, isOp, next, peek, peekSecond } from "./cursor.ts";
import { addRational, integer, type Rational, rational } from "./rational.ts";
import { parseCommand } from "./structures.ts";

/** The value of a numeral as the lexer leaves it, with the place of its last stated digit (negative for 1.5e9). */
export function numeral(text: string): Expr {
  const [mantissa, exponent = "0"] = text.split("e");
  const [whole = "", decimals] = mantissa!.split(".");
  const shift = Number(exponent) - (decimals?.length ?? 0);
  const digits = BigInt(`${whole}${decimals ?? ""}` || "0");
  const value =
    shift >= 0 ? integer(digits * 10n ** BigInt(Math.min(shift, 4000))) : rational(digits, 10n ** BigInt(-shift))!;
  return decimals === undefined && exponent === "0" ? number(value) : number(value, -shift);
}

/** A number, a mixed number (1 1/2, 1\frac12) or a repeating decimal (0.\overline{3}). */
export function parseNumber(c: Cursor): Expr {
  const text = next(c).value;
  const value = numeral(text);
  const token = peek(c);
  if (value.kind !== "number") return value;
  if ((isCmd(token, "overline") || isCmd(token, "dot") || isCmd(token, "bar")) && /^[\d.]+\.\d*$/.test(text)) {
    const digits = c.tokens[c.at + 2];
    if (
      c.tokens[c.at + 1]?.type === "open" &&
      digits?.type === "number" &&
      /^\d+$/.test(digits.value) &&
      c.tokens[c.at + 3]?.type === "close"
    ) {
      for (let i = 0; i < 4; i++) next(c);
      const places = value.decimals ?? 0;
      const period = rational(BigInt(digits.value), 10n ** BigInt(places) * (10n ** BigInt(digits.value.length) - 1n))!;
      return number(addRational(value.value, period));
    }
  }
  if (value.decimals !== undefined || value.value.den !== 1n) return value;
  if (token.type === "command" && /^[dtc]?frac$/.test(token.value)) {
    const start = c.at;
    const proper = hasPlainArguments(c) ? properFraction(parseCommand(c)) : undefined;
    if (proper) return number(addRational(value.value, proper));
    c.at = start;
    c.replaced = undefined;
  } else if (token.type === "number" && token.spaced && /^\d+$/.test(token.value) && isOp(peekSecond(c), "/")) {
    const denominator = c.tokens[c.at + 2];
    const proper =
      denominator?.type === "number" && /^\d+$/.test(denominator.value)
        ? rational(BigInt(token.value), BigInt(denominator.value))
        : undefined;
    if (proper && proper.num < proper.den) {
      for (let i = 0; i < 3; i++) next(c);
      return number(addRational(value.value, proper));
    }
  }
  return value;
}

/** Whether both arguments of the fraction ahead are numerals: one that holds formulas is not to be parsed twice. */
function hasPlainArguments(c: Cursor): boolean {
  const first = c.at + 1;
  // \frac12 is one numeral for both.
  const isShared = (c.tokens[first]?.value.length ?? 0) > 1;
  const end = isShared ? first + 1 : argumentEnd(c, argumentEnd(c, first));
  return c.tokens.slice(first, end).every(({ type }) => type === "number" || type === "open" || type === "close");
}

/** The value of \frac{a}{b} with plain integers 0 < a < b, else undefined. */
function properFraction(e: Expr): Rational | undefined {
  if (e.kind !== "product" || e.factors.length !== 2) return undefined;
  const [a, b] = e.factors;
  if (a?.kind !== "number" || b?.kind !== "power" || b.base.kind !== "number") return undefined;
  if (a.value.den !== 1n || b.base.value.den !== 1n || a.value.num <= 0n || a.value.num >= b.base.value.num)
    return undefined;
  return rational(a.value.num, b.base.value.num);
}
