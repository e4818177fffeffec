import { type Expr, int } from "./ast.ts";
import { GREEK } from "./commands.ts";
import { accept, argumentEnd, type Cursor, fail, isClose, isCmd, isOp, isOpen, next, peek } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { parseProduct, parseRelation, parseSum } from "./parser.ts";
import { readArgument } from "./structures.ts";

const isVariable = (token: Token): boolean =>
  token.type === "name" || ((token.type === "command" || token.type === "word") && GREEK.has(token.value));

/** Σ, Π, ∫ and lim with their bounds in either order; the command is already read. */
export function parseBinder(c: Cursor, name: string): Expr {
  let lower: Expr | undefined;
  let upper: Expr | undefined;
  for (;;) {
    if (accept(c, isOp(peek(c), "_"))) lower = name === "int" || name === "oint" ? readArgument(c) : boundRelation(c);
    else if (accept(c, isOp(peek(c), "^"))) upper = readArgument(c);
    else break;
  }
  if (name === "int" || name === "oint") return parseIntegral(c, lower, upper);
  const index = lower?.kind === "relation" ? lower.sides[0]! : undefined;
  // Σ over i: the letter is an index here, not √−1.
  if (lower?.kind !== "relation" || (index?.kind !== "symbol" && !(index?.kind === "constant" && index.name === "i"))) {
    if (lower?.kind === "symbol" || !lower)
      return {
        kind: "binder",
        name: name === "prod" ? "product" : name === "sum" ? "sum" : fail(),
        variable: lower?.name ?? "",
        body: parseProduct(c),
        bounds: [],
      };
    return fail();
  }
  const variable = index.name;
  const from = lower.sides[1]!;
  const body = parseProduct(c);
  if (name === "lim") return { kind: "binder", name: "limit", variable, body, bounds: [from] };
  return {
    kind: "binder",
    name: name === "sum" ? "sum" : "product",
    variable,
    body,
    bounds: upper ? [from, upper] : [from],
  };
}

function boundRelation(c: Cursor): Expr {
  if (!isOpen(peek(c), "{")) return readArgument(c);
  next(c);
  const relation = parseRelation(c);
  // x \to 0^+
  accept(c, isOp(peek(c), "+") || isOp(peek(c), "-"));
  if (!accept(c, isClose(peek(c), "}"))) fail();
  return relation;
}

function parseIntegral(c: Cursor, lower: Expr | undefined, upper: Expr | undefined): Expr {
  const outer = c.differential;
  c.differential = undefined;
  c.integrals++;
  const body = parseSum(c);
  c.integrals--;
  const variable = c.differential ?? "x";
  c.differential = outer;
  return { kind: "binder", name: "integral", variable, body, bounds: lower && upper ? [lower, upper] : [] };
}

/** \frac{d}{dx}, \frac{\partial^2}{\partial x^2} before an expression; undefined when the fraction is an ordinary one. */
export function parseDerivative(c: Cursor): Expr | undefined {
  if (!isDerivativeAhead(c)) return undefined;
  const skip = (count: number): void => {
    for (let i = 0; i < count; i++) next(c);
  };
  skip(2);
  const order = accept(c, isOp(peek(c), "^")) ? readArgument(c) : int(1);
  skip(3);
  const variable = next(c).value;
  if (accept(c, isOp(peek(c), "^"))) readArgument(c);
  if (!accept(c, isClose(peek(c), "}"))) fail();
  return { kind: "binder", name: "derivative", variable, body: parseProduct(c), bounds: [order] };
}

/** {d^n}{dx^n} by its tokens alone: what stands in an order is parsed once. */
function isDerivativeAhead(c: Cursor): boolean {
  let at = c.at;
  const take = (test: (token: Token) => boolean): boolean => test(c.tokens[at]!) && ++at < c.tokens.length;
  const isD = (token: Token): boolean => (token.type === "name" && token.value === "d") || isCmd(token, "partial");
  const skipOrder = (): boolean => {
    if (take((token) => isOp(token, "^"))) at = argumentEnd(c, at);
    return take((token) => isClose(token, "}"));
  };
  const opens = (): boolean => take((token) => isOpen(token, "{")) && take(isD);
  return opens() && skipOrder() && opens() && take(isVariable) && skipOrder();
}
