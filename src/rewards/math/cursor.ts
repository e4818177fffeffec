import type { Expr } from "./ast.ts";
import type { Token } from "./lexer.ts";

/** Where the parser stands, and what the brackets around it mean. */
export type Cursor = {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
  /** Open |…|: a bar closes instead of opening. */
  bars: number;
  /** Inside {element | condition}: a bar or colon separates. */
  builders: number;
  /** Inside ]a, b[: an opening square bracket closes. */
  reversed: boolean;
  /** Inside ∫: a d before a letter is the differential. */
  integrals: number;
  differential: string | undefined;
  /** A token cut in two by \frac12 is replaced here. */
  replaced: Token | undefined;
  /** Tokens read so far, those read again included. */
  steps: number;
};

/** Thrown inside the parser only, caught in parseMath: one object, so that failing costs no stack trace. */
export class ParseFailure extends Error {}
export const FAILURE = new ParseFailure("not a formula");
export const MAX_DEPTH = 120;
/** No formula takes this many steps: each token is read once, or a few times where its meaning needs a look ahead. */
const MAX_STEPS = 60_000;

export const fail = (): never => {
  throw FAILURE;
};
export const peek = (c: Cursor): Token => c.replaced ?? c.tokens[c.at]!;
export const peekSecond = (c: Cursor): Token => c.tokens[Math.min(c.at + 1, c.tokens.length - 1)]!;
export function next(c: Cursor): Token {
  if (++c.steps > MAX_STEPS) fail();
  const token = peek(c);
  c.replaced = undefined;
  if (c.at < c.tokens.length - 1) c.at++;
  return token;
}
export const isOp = (token: Token, value: string): boolean => token.type === "operator" && token.value === value;
export const isOpen = (token: Token, value: string): boolean => token.type === "open" && token.value === value;
export const isClose = (token: Token, value: string): boolean => token.type === "close" && token.value === value;
export const isCmd = (token: Token, value: string): boolean => token.type === "command" && token.value === value;

export function accept(c: Cursor, test: boolean): boolean {
  if (test) next(c);
  return test;
}

/** The place after the argument that begins at a place: the closing brace's, or one token's. Nothing is parsed. */
export function argumentEnd(c: Cursor, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const type = c.tokens[at]?.type ?? "end";
    if (type === "end") return at;
    depth += type === "open" ? 1 : type === "close" ? -1 : 0;
    at++;
  } while (depth > 0);
  return at;
}

/** Runs a parser one level deeper; refuses nesting that only an attack has. */
export function deeper(c: Cursor, parse: () => Expr): Expr {
  if (++c.depth > MAX_DEPTH) fail();
  const result = parse();
  c.depth--;
  return result;
}

/** Parses between brackets, where bars, builders and integrals outside no longer count. */
export function isolated<T>(c: Cursor, parse: () => T, isReversed = false): T {
  const { bars, builders, reversed } = c;
  c.bars = 0;
  c.builders = 0;
  c.reversed = isReversed;
  const result = parse();
  c.reversed = reversed;
  c.bars = bars;
  c.builders = builders;
  return result;
}

/** What was parsed after a token was read: after(next(c), parse(c)). */
export const after = <T>(_read: Token, value: T): T => value;
