import { call, constant, divide, type Expr, HALF, int, power, symbol } from "./ast.ts";
import { parseBinder, parseDerivative } from "./binders.ts";
import { parseEnvironment } from "./brackets.ts";
import { ACCENTS, CONSTANTS, FUNCTIONS, GREEK, SHAPES } from "./commands.ts";
import { accept, type Cursor, deeper, fail, isClose, isOpen, isolated, next, peek } from "./cursor.ts";
import { applyFunction, parseFunction } from "./functions.ts";
import { parseList } from "./list.ts";
import { numeral } from "./numerals.ts";
import { parsePower } from "./parser.ts";
import { parsePlainCall } from "./plain.ts";

const FRACTION = /^(?:[dtcx]?frac|nicefrac|sfrac)$/;
const NUMBER_SETS = new Map([
  ["R", "Reals"],
  ["Z", "Integers"],
  ["N", "Naturals"],
  ["Q", "Rationals"],
  ["C", "Complexes"],
]);

/** What a command or a known word stands for, with its arguments. */
export function parseCommand(c: Cursor): Expr {
  return deeper(c, () => commandValue(c));
}

function commandValue(c: Cursor): Expr {
  const token = next(c);
  const name = token.value;
  const known = CONSTANTS.get(name);
  if (known) return constant(known);
  if (FRACTION.test(name)) {
    const derivative = parseDerivative(c);
    if (derivative) return derivative;
    const numerator = readArgument(c, true);
    return divide(numerator, readArgument(c, true));
  }
  if (FUNCTIONS.has(name)) return parseFunction(c, FUNCTIONS.get(name)!, "known");
  const plain = token.type === "word" ? parsePlainCall(c, name) : undefined;
  if (plain) return plain;
  switch (name) {
    case "sqrt":
      return parseRoot(c);
    case "cbrt":
      return applyFunction("cbrt", [readArgument(c)]);
    case "binom":
    case "dbinom":
    case "tbinom": {
      const top = readArgument(c, true);
      return call("binomial", top, readArgument(c, true));
    }
    case "boxed":
    case "fbox":
      return readArgument(c);
    case "begin":
      return parseEnvironment(c);
    case "sum":
    case "prod":
    case "lim":
    case "int":
    case "oint":
      return parseBinder(c, name);
    case "mathbb":
    case "mathbbm": {
      const letter = subscriptText(c);
      return symbol(NUMBER_SETS.get(letter) ?? letter);
    }
    case "Reals":
      return symbol("Reals");
    case "variable":
      return variable(subscriptText(c));
    case "overset":
    case "stackrel":
      readArgument(c);
      return readArgument(c);
    case "ldots":
    case "cdots":
    case "dots":
    case "dotsc":
    case "dotsb":
    case "vdots":
    case "ddots":
      return symbol("…");
    case "exists":
    case "forall":
      return fail();
  }
  if (ACCENTS.has(name)) return parseAccent(c, ACCENTS.get(name)!);
  if (GREEK.has(name) || (token.type === "command" && SHAPES.has(name))) return parseGreek(c, name);
  return token.type === "word" || FORBIDDEN.has(name) ? fail() : symbol(name);
}

/** \variable{x_y}: a name with at most one subscript of one letter or a braced one. */
const variable = (name: string): Expr => (/_[^\d,\\]{2}/.test(name) && !name.includes(",") ? fail() : symbol(name));

const FORBIDDEN = new Set([
  "end",
  "frac",
  "choose",
  "over",
  "cup",
  "cap",
  "times",
  "cdot",
  "div",
  "mod",
  "bmod",
  "pmod",
  "circ",
  "degree",
  "prime",
  "mid",
  "not",
  "colon",
  "setminus",
]);

/** \varepsilon and \epsilon are one letter to whoever answers; \angle ABC and \triangle ABC name one thing. */
function parseGreek(c: Cursor, name: string): Expr {
  if (name !== "angle" && name !== "triangle") return symbol(name.replace(/^var/, ""));
  let letters = "";
  while (peek(c).type === "name" && /^[A-Z]$/.test(peek(c).value)) letters += next(c).value;
  return symbol(`${name} ${letters}`);
}

function parseRoot(c: Cursor): Expr {
  let index: Expr | undefined;
  if (isOpen(peek(c), "[")) {
    next(c);
    index = isolated(c, () => parseList(c, (token) => isClose(token, "]")));
    if (!accept(c, isClose(peek(c), "]"))) fail();
  }
  const radicand = readArgument(c);
  return power(radicand, index ? divide(int(1), index) : HALF);
}

function parseAccent(c: Cursor, accent: string): Expr {
  const start = c.at;
  const inside = readArgument(c);
  if (inside.kind === "symbol") return symbol(`${accent}{${inside.name}}`);
  // \overline{AB}: the segment, or its length.
  if (inside.kind === "product" && inside.factors.every((factor) => factor.kind === "symbol")) return inside;
  if (c.at === start) return fail();
  return call(accent, inside);
}

/**
 * An argument: {…}, or the next single thing. In \frac12 each digit is an argument; in \sqrt12 and x^12 models mean the number.
 */
export function readArgument(c: Cursor, splitsDigits = false): Expr {
  const token = peek(c);
  if (token.type === "open" && token.value === "{") return readBracedSum(c);
  if (token.type === "number") {
    const isWhole = /^\d+$/.test(token.value);
    next(c);
    if (splitsDigits && isWhole && token.value.length > 1) {
      c.at--;
      c.replaced = { ...token, value: token.value.slice(1) };
      return numeral(token.value[0]!);
    }
    return numeral(token.value);
  }
  if (token.type === "name") {
    next(c);
    return token.value === "e" ? constant("e") : token.value === "i" ? constant("i") : symbol(token.value);
  }
  if (token.type === "end" || token.type === "close") return fail();
  return parsePower(c);
}

/** {…} as one expression; an empty pair of braces is refused. */
export function readBracedSum(c: Cursor): Expr {
  next(c);
  const inside = isolated(c, () => parseList(c, (token) => isClose(token, "}")));
  if (!accept(c, isClose(peek(c), "}"))) fail();
  return inside;
}

/** Looks inside a pair of braces for something special; leaves the cursor alone when `parse` finds nothing. */
export function readBraced(c: Cursor, parse: () => Expr | undefined): Expr | undefined {
  const start = c.at;
  if (!isOpen(peek(c), "{")) return undefined;
  next(c);
  const found = parse();
  if (found && accept(c, isClose(peek(c), "}"))) return found;
  c.at = start;
  return undefined;
}

/** A subscript as text: what is written, without spaces or braces around the whole. */
export function subscriptText(c: Cursor): string {
  if (!isOpen(peek(c), "{")) {
    const token = next(c);
    if (token.type === "end") return "";
    if (token.type === "close") return fail();
    return token.type === "command" ? `\\${token.value}` : token.value;
  }
  next(c);
  let depth = 1;
  let text = "";
  for (;;) {
    const token = next(c);
    if (token.type === "end") return fail();
    if (token.type === "open") depth++;
    if (token.type === "close" && --depth === 0) return text;
    text +=
      token.type === "command" ? `\\${token.value}` : token.value === "{" || token.value === "}" ? "" : token.value;
  }
}
