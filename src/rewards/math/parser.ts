import {
  call,
  divide,
  type Expr,
  int,
  negate,
  power,
  product,
  type RelationSign,
  type SetOperation,
  sum,
  symbol,
} from "./ast.ts";
import { parseBracket } from "./brackets.ts";
import { CONSTANTS, FUNCTIONS, GREEK } from "./commands.ts";
import { accept, after, type Cursor, deeper, fail, isClose, isCmd, isOp, next, peek, peekSecond } from "./cursor.ts";
import { parseFunction } from "./functions.ts";
import type { Token } from "./lexer.ts";
import { parseNumber } from "./numerals.ts";
import { parseCommand, readBraced, subscriptText } from "./structures.ts";
import { isUnitLetter, isUnitWord } from "./units.ts";

export const SIGNS = new Set<string>([
  "=",
  "!=",
  "<",
  ">",
  "<=",
  ">=",
  "~",
  "in",
  "notin",
  "subset",
  "to",
  "implies",
  "~rel",
]);
const SET_OPERATORS = new Map<string, SetOperation>([
  ["cup", "union"],
  ["union", "union"],
  ["bigcup", "union"],
  ["cap", "intersection"],
  ["bigcap", "intersection"],
  ["setminus", "difference"],
  ["backslash", "difference"],
]);
const MULTIPLIERS = new Map([
  ["hundred", 100n],
  ["thousand", 1000n],
  ["million", 1_000_000n],
  ["billion", 1_000_000_000n],
  ["trillion", 1_000_000_000_000n],
]);

/** a (sign b)*: one side, or a chain such as 0 < x ≤ 1. */
export function parseRelation(c: Cursor): Expr {
  const sides: Expr[] = [];
  const signs: RelationSign[] = [];
  const first = peek(c);
  // "x + 1 = → = 3": a sign with nothing before it continues an earlier line.
  if (first.type === "operator" && SIGNS.has(first.value) && !isOp(first, "to")) next(c);
  sides.push(parseSetExpression(c));
  for (;;) {
    const token = peek(c);
    if (isCmd(token, "not")) {
      next(c);
      const negated = next(c).value;
      signs.push(negated === "=" ? "!=" : negated === "in" ? "notin" : (fail() as never));
    } else if (token.type === "operator" && SIGNS.has(token.value)) signs.push(next(c).value as RelationSign);
    else if (
      token.type === "word" &&
      token.value === "in" &&
      peekSecond(c).type !== "end" &&
      sides[0]!.kind === "symbol"
    ) {
      next(c);
      signs.push("in");
    } else break;
    while (peek(c).type === "operator" && SIGNS.has(peek(c).value))
      signs[signs.length - 1] = next(c).value as RelationSign;
    sides.push(parseSetExpression(c));
  }
  return signs.length === 0 ? sides[0]! : { kind: "relation", signs, sides };
}

/** Unions, intersections and differences, left to right; ∩ is not given a higher rank, as answers bracket it. */
export function parseSetExpression(c: Cursor): Expr {
  let left = parseRatio(c);
  for (;;) {
    const token = peek(c);
    const isUnionLetter =
      token.type === "name" &&
      token.value === "U" &&
      (left.kind === "group" || left.kind === "set" || left.kind === "setOperation");
    const operation = isUnionLetter
      ? "union"
      : token.type === "command" || token.type === "word"
        ? SET_OPERATORS.get(token.value)
        : undefined;
    if (!operation) return left;
    next(c);
    const right = parseRatio(c);
    left =
      left.kind === "setOperation" && left.operation === operation && operation !== "difference"
        ? { ...left, args: [...left.args, right] }
        : { kind: "setOperation", operation, args: [left, right] };
  }
}

function parseRatio(c: Cursor): Expr {
  const items = [parseSum(c)];
  while (c.builders === 0 && (isOp(peek(c), ":") || isCmd(peek(c), "colon"))) {
    next(c);
    items.push(parseSum(c));
  }
  return items.length === 1 ? items[0]! : { kind: "ratio", items };
}

export function parseSum(c: Cursor): Expr {
  return deeper(c, () => {
    const terms: Expr[] = [];
    for (;;) {
      const token = peek(c);
      if (isOp(token, "+") && (terms.length > 0 || peekSecond(c).type !== "end")) {
        next(c);
        terms.push(parseProduct(c));
      } else if (isOp(token, "-") && terms.length > 0) {
        next(c);
        terms.push(negate(parseProduct(c)));
      } else if (isCmd(token, "pm") || isCmd(token, "mp")) {
        next(c);
        terms.push(call(token.value, parseProduct(c)));
      } else if (terms.length === 0) terms.push(parseProduct(c));
      else return sum(terms);
      if (c.integrals > 0 && c.differential !== undefined) return sum(terms);
    }
  });
}

const startsFactor = (c: Cursor, token: Token, previous: Expr): boolean => {
  switch (token.type) {
    case "number":
      return true;
    case "open":
      return !(c.reversed && token.value === "[");
    case "name":
      return !isUnitInPlace(c, token, previous) && !(token.value === "U" && previous.kind === "group");
    case "word":
      if (isUnitWord(token.value)) return !isNumeric(previous);
      return (
        FUNCTIONS.has(token.value) || CONSTANTS.has(token.value) || GREEK.has(token.value) || token.value === "sqrt"
      );
    case "command":
      return !NOT_A_FACTOR.has(token.value);
    case "operator":
      return token.value === "|" && c.bars === 0 && c.builders === 0;
    default:
      return false;
  }
};
const NOT_A_FACTOR = new Set([
  "cup",
  "cap",
  "bigcup",
  "bigcap",
  "setminus",
  "backslash",
  "choose",
  "over",
  "atop",
  "pm",
  "mp",
  "end",
  "mid",
  "not",
  "colon",
  "land",
  "lor",
  "wedge",
  "vee",
  "circ",
  "degree",
  "qed",
  "checkmark",
  "blacksquare",
  "Box",
  "forall",
  "exists",
  "dagger",
  "percent",
  "pmod",
  "euro",
  "pounds",
  "yen",
  "cents",
]);

/** A lone letter after a number and a space, at the end of an item, is a unit: "10 m", "5 m/s"; 10m is a product. */
function isUnitInPlace(c: Cursor, token: Token, previous: Expr): boolean {
  if (!token.spaced || !isUnitLetter(token.value) || !isLiteral(previous)) return false;
  const [after, third, fourth] = [1, 2, 3].map((offset) => c.tokens[Math.min(c.at + offset, c.tokens.length - 1)]!);
  if (after!.type === "end" || after!.value === ",") return true;
  if (fourth!.type !== "end") return false;
  return after!.value === "^"
    ? third!.type === "number"
    : after!.value === "/" && (third!.type === "word" || (third!.type === "name" && isUnitLetter(third!.value)));
}
const isLiteral = (e: Expr): boolean =>
  e.kind === "number" ||
  (e.kind === "product" && e.factors.every((factor) => factor.kind === "number" || factor.kind === "power"));
const isNumeric = (e: Expr): boolean =>
  e.kind !== "symbol" && (e.kind !== "product" || !e.factors.some((factor) => factor.kind === "symbol"));

export function parseProduct(c: Cursor): Expr {
  const factors: Expr[] = [parseUnary(c)];
  const combined = (): Expr => product(factors.splice(0));
  for (;;) {
    const token = peek(c);
    if (c.integrals > 0 && takeDifferential(c)) return product(factors);
    if (
      isOp(token, "*") ||
      isCmd(token, "cdot") ||
      isCmd(token, "times") ||
      isCmd(token, "ast") ||
      isCmd(token, "star")
    ) {
      next(c);
      if (peek(c).type === "end") return fail();
      if (c.integrals > 0 && takeDifferential(c)) return product(factors);
      factors.push(parseUnary(c));
    } else if (isOp(token, "/") || isCmd(token, "div")) {
      if (isUnitAfterSlash(c)) return product(factors);
      next(c);
      const left = combined();
      factors.push(divide(left, parseUnary(c)));
    } else if (isCmd(token, "mod") || isCmd(token, "bmod") || (token.type === "word" && token.value === "mod")) {
      next(c);
      const left = combined();
      factors.push(call("mod", left, parseUnary(c)));
    } else if (isCmd(token, "pmod")) {
      next(c);
      const left = combined();
      factors.push(call("residue", left, parsePower(c)));
    } else if (token.type === "word" && MULTIPLIERS.has(token.value)) {
      next(c);
      factors.push(int(MULTIPLIERS.get(token.value)!));
    } else if (token.type === "text" && MULTIPLIERS.has(token.value.split(" ")[0]!.toLowerCase())) {
      next(c);
      factors.push(int(MULTIPLIERS.get(token.value.split(" ")[0]!.toLowerCase())!));
      c.replaced = undefined;
    } else if (startsFactor(c, token, factors.at(-1)!)) factors.push(parsePower(c));
    else return product(factors.map((factor) => unwrapSet(factor, factors.length)));
  }
}

/** \{1+2\}\{3-4\}: a product of "sets" of one member is a product in curly brackets. */
const unwrapSet = (factor: Expr, count: number): Expr =>
  count > 1 && factor.kind === "set" && factor.items.length === 1 ? factor.items[0]! : factor;
const isUnitAfterSlash = (c: Cursor): boolean => {
  const after = peekSecond(c);
  return after.type === "text" || (after.type === "word" && isUnitWord(after.value));
};

/** dx inside an integral, wherever it stands; remembers x. */
function takeDifferential(c: Cursor): boolean {
  const after = peekSecond(c);
  if (c.differential !== undefined || peek(c).type !== "name" || peek(c).value !== "d") return false;
  if (after.type !== "name" && !((after.type === "command" || after.type === "word") && GREEK.has(after.value)))
    return false;
  next(c);
  c.differential = next(c).value;
  return true;
}

function parseUnary(c: Cursor): Expr {
  const token = peek(c);
  if (isOp(token, "-")) return deeper(c, () => after(next(c), negate(parseUnary(c))));
  if (isOp(token, "+")) return deeper(c, () => after(next(c), parseUnary(c)));
  if (isCmd(token, "pm") || isCmd(token, "mp")) return deeper(c, () => call(next(c).value, parseUnary(c)));
  if (c.integrals > 0 && takeDifferential(c)) return int(1);
  return parsePower(c);
}

/** A primary with its subscripts, superscripts, factorials, primes, degrees and percents. */
export function parsePower(c: Cursor): Expr {
  return deeper(c, () => {
    let base = parsePrimary(c);
    for (;;) {
      const token = peek(c);
      // 72 °F: the scale is a unit.
      if (base.kind === "call" && base.name === "degree" && /^[CF]$/.test(token.value) && peekSecond(c).type === "end")
        next(c);
      else if (isOp(token, "^")) {
        next(c);
        base = parseExponent(c, base);
      } else if (isOp(token, "_")) {
        next(c);
        base = withSubscript(base, subscriptText(c));
      } else if (isOp(token, "!")) {
        next(c);
        base = accept(c, isOp(peek(c), "!")) ? call("doubleFactorial", base) : call("factorial", base);
      } else if (isOp(token, "'")) {
        next(c);
        base =
          base.kind === "symbol"
            ? symbol(`${base.name}'`)
            : base.kind === "number" || base.kind === "quantity"
              ? { kind: "quantity", value: base, unit: "'" }
              : call("prime", base);
      } else if (
        isOp(token, "%") ||
        isCmd(token, "percent") ||
        (token.type === "word" && (token.value === "percent" || token.value === "pct")) ||
        (token.type === "text" && /^(?:%|percent|pct)$/i.test(token.value))
      ) {
        next(c);
        base = call("percent", base);
      } else if (
        isCmd(token, "circ") ||
        isCmd(token, "degree") ||
        (token.type === "word" && /^deg(?:rees?)?$/.test(token.value)) ||
        (token.type === "text" && /^deg(?:rees?)?$/.test(token.value))
      ) {
        next(c);
        base = call("degree", base);
      } else return base;
    }
  });
}

/** x_2^2 and x^2_2 are the same: a subscript after a power belongs to its base. */
function withSubscript(base: Expr, subscript: string): Expr {
  if (base.kind === "symbol") return symbol(`${base.name}_${subscript}`);
  if (base.kind === "power") return power(withSubscript(base.base, subscript), base.exponent);
  if (base.kind === "constant") return symbol(`${base.name}_${subscript}`);
  const radix = Number(/^\d+$/.test(subscript) ? subscript : Number.NaN);
  if (base.kind === "number" && base.decimals === undefined && base.value.den === 1n && radix >= 2 && radix <= 36) {
    return { kind: "numeral", digits: String(base.value.num), base: radix };
  }
  return call(`sub_${subscript}`, base);
}

function parseExponent(c: Cursor, base: Expr): Expr {
  const token = peek(c);
  if (isCmd(token, "circ") || isCmd(token, "degree")) return after(next(c), call("degree", base));
  if (isCmd(token, "prime") || isOp(token, "'") || isOp(token, "*") || isCmd(token, "dagger") || isCmd(token, "ast")) {
    next(c);
    return base.kind === "symbol" ? symbol(`${base.name}'`) : call("prime", base);
  }
  const braced = readBraced(c, () => {
    if (isCmd(peek(c), "circ") || isCmd(peek(c), "degree")) return after(next(c), call("degree", base));
    if (isCmd(peek(c), "prime"))
      return after(next(c), base.kind === "symbol" ? symbol(`${base.name}'`) : call("prime", base));
    if (peek(c).type === "text" && /^(?:st|nd|rd|th)$/.test(peek(c).value)) return after(next(c), base);
    return undefined;
  });
  if (braced) return braced;
  // ℝ^+, x → 0^-: a sign with nothing after it marks the name.
  const isMark =
    (isOp(token, "+") || isOp(token, "-")) &&
    base.kind === "symbol" &&
    ["end", "close", "operator"].includes(peekSecond(c).type);
  if (isMark) return symbol(`${base.name}${next(c).value}`);
  const exponent = isOp(token, "-") || isOp(token, "+") ? parseUnary(c) : parseExponentAtom(c);
  return power(base, exponent);
}

/** A tower associates to the right: 2^3^2 = 2^(3^2). */
function parseExponentAtom(c: Cursor): Expr {
  return deeper(c, () => {
    const atom = parsePrimary(c);
    return accept(c, isOp(peek(c), "^")) ? power(atom, parseExponentAtom(c)) : atom;
  });
}

/** C(5, 2) counts combinations; C(x) is a product or a function. */
const isPairAhead = (c: Cursor): boolean => {
  const [open, first, comma, second, close] = c.tokens.slice(c.at, c.at + 5);
  const isOperand = (token: Token | undefined): boolean => token?.type === "number" || token?.type === "name";
  return open?.value === "(" && isOperand(first) && comma?.value === "," && isOperand(second) && close?.value === ")";
};

function parsePrimary(c: Cursor): Expr {
  const token = peek(c);
  switch (token.type) {
    case "number":
      return parseNumber(c);
    case "name":
      next(c);
      if (
        (token.value === "f" || token.value === "g" || token.value === "h") &&
        peek(c).type === "open" &&
        peek(c).value === "("
      )
        return parseFunction(c, token.value, "unknown");
      if (token.value === "C" && isPairAhead(c)) return parseFunction(c, "binomial", "unknown");
      return token.value === "e"
        ? { kind: "constant", name: "e" }
        : token.value === "i"
          ? { kind: "constant", name: "i" }
          : symbol(token.value);
    case "word":
    case "command":
      return parseCommand(c);
    case "open":
      return parseBracket(c);
    case "operator":
      return token.value === "|" ? parseBracket(c) : fail();
    case "close":
      return isClose(token, "]") ? parseBracket(c) : fail();
    default:
      return fail();
  }
}
