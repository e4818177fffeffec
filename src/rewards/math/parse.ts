import { type Expr, int, partsOf } from "./ast.ts";
import { cleanFormula } from "./clean.ts";
import { type Cursor, MAX_DEPTH, ParseFailure } from "./cursor.ts";
import { tokenize } from "./lexer.ts";
import { parseList } from "./list.ts";

/** Longer answers are compared as strings only. */
export const MAX_FORMULA = 6_000;

/** Words of two or three letters that are words, not products. */
const SHORT_WORDS =
  /^(?:no|on|yes|odd|all|one|two|six|ten|may|sun|mon|tue|wed|thu|fri|sat|day|his|her|tom|bob|dan|jen|amy|ann|sam|max|min)$/i;

/** True when a cleaned answer is words rather than a formula: no digits, no signs, no commands but text and spaces. */
function isWords(text: string): boolean {
  const bare = text
    .replace(/\\(?:text|mbox|textbf|textit|mathrm|textrm|operatorname)\s*\{([^{}]*)\}/g, " $1 ")
    .replace(/\\[ ,;!]/g, " ");
  if (/[\d\\=+*/^_<>|(){}[\]$]/.test(bare)) return false;
  const words = bare.match(/[\p{L}'-]+/gu);
  if (!words) return false;
  return words.length > 1
    ? words.some((word) => word.length > 2 && !/^(?:and|or)$/i.test(word)) || SHORT_WORDS.test(words[0]!)
    : words[0]!.length > 3 || SHORT_WORDS.test(words[0]!) || /[^\x20-\x7e]/.test(words[0]!);
}

/** The words of an answer, without the macros around them. */
export const wordsOf = (text: string): string =>
  text
    .replace(/\\(?:text|mbox|textbf|textit|mathrm|textrm|operatorname|textnormal)\s*\{([^{}]*)\}/g, " $1 ")
    .replace(/\\[ ,;!]|[${}~]/g, " ")
    .replace(/\s+/g, " ")
    .trim();

/** Reads a bare answer in LaTeX or plain notation. Undefined: not a formula and not words. Never throws; time is bounded by its length. */
export function parseMath(raw: string): Expr | undefined {
  if (raw.length > MAX_FORMULA) return undefined;
  return parseClean(cleanFormula(raw));
}

/** The same for a text that cleanFormula has already seen. */
export function parseClean(text: string): Expr | undefined {
  if (text === "" || text.length > MAX_FORMULA) return undefined;
  const time = clockTime(text);
  if (time) return time;
  if (isWords(text) && !GREEK_WORD.test(text)) return { kind: "text", text: wordsOf(text) };
  const parsed = parseTokens(text);
  if (parsed) return parsed;
  // "Day 5", "(B) 12 apples": words with something else between.
  const words = wordsOf(text);
  return !/[\\^_]/.test(words) && /\p{L}{2}/u.test(words) ? { kind: "text", text: words } : undefined;
}
/** 3:30 PM, 5 p.m.: hours and minutes with the half of the day as their unit. */
function clockTime(text: string): Expr | undefined {
  const match = /^(\d{1,2})(?:\s*:\s*(\d{2}))?\s*(?:\\text\s*\{\s*)?([AP])\.?\s?M\.?\s*\}?$/i.exec(text);
  if (!match) return undefined;
  return {
    kind: "quantity",
    value: { kind: "ratio", items: [int(Number(match[1])), int(Number(match[2] ?? 0))] },
    unit: `${match[3]!.toLowerCase()}m`,
  };
}
/** Levels of a formula's tree: brackets are counted as they open, chains such as 5%%% and 1/2/3 only here. */
const MAX_HEIGHT = 4 * MAX_DEPTH;
const isShallow = (e: Expr, levels: number): boolean =>
  levels > 0 && partsOf(e).every((part) => isShallow(part, levels - 1));

const GREEK_WORD = /^(?:alpha|beta|gamma|delta|theta|lambda|sigma|omega|infinity|EmptySet|Reals)$/;

function parseTokens(text: string): Expr | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  const cursor: Cursor = {
    tokens,
    at: 0,
    depth: 0,
    bars: 0,
    builders: 0,
    reversed: false,
    integrals: 0,
    differential: undefined,
    replaced: undefined,
    steps: 0,
  };
  try {
    const value = parseList(cursor, () => false);
    return tokens[cursor.at]!.type === "end" && isShallow(value, MAX_HEIGHT) ? value : undefined;
  } catch (error) {
    if (error instanceof ParseFailure) return undefined;
    throw error;
  }
}
