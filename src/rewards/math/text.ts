import { constant, type Expr, int, symbol } from "./ast.ts";

/** Words that say a formula: what a person writes for ℝ, ∅, ∞. */
const PHRASES: readonly (readonly [RegExp, Expr])[] = [
  [
    /^(?:the )?(?:set of )?(?:all )?real(?: numbers?|s)$|^all reals?(?: numbers?| values?)?$|^any real number$|^r$/i,
    symbol("Reals"),
  ],
  [
    /^(?:there (?:are|is) )?no (?:real |such |possible |integer )?(?:solutions?|roots?|answers?|values?|numbers?)(?: exists?)?$|^(?:the )?empty set$|^none$/i,
    constant("emptyset"),
  ],
  [/^(?:positive )?infinity$|^infinitely many(?: solutions?)?$|^infinite$/i, constant("infinity")],
];
const NUMBER_WORDS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(
    " ",
  );

/** The expression a phrase stands for, or the text itself. */
export function readPhrase(text: string): Expr {
  const bare = text.replace(/[.!]+$/, "").trim();
  const numberWord = NUMBER_WORDS.indexOf(bare.toLowerCase());
  if (numberWord >= 0) return int(numberWord);
  return PHRASES.find(([pattern]) => pattern.test(bare) && bare !== "r" && bare !== "R")?.[1] ?? { kind: "text", text };
}

const ARTICLES = /\b(?:the|a|an|and)\b/g;

/** The letters and digits of a text, without case, articles, accents, spaces and punctuation; a minus before a digit stays. */
export function textKey(text: string): string {
  const folded = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(ARTICLES, " ");
  const key = folded
    .replace(/[^\p{L}\p{N}+\-<>=/*^%.]/gu, "")
    .replace(/\.+$/, "")
    .replace(/(?<=\p{L})-|-(?!\d)/gu, "");
  return key === "" ? text.replace(/\s+/g, "") : key;
}

const withoutMarkup = (text: string): string =>
  text
    .replace(/\\(?:text|textbf|mathbf|mathrm|mbox|boxed|textrm|bf|rm)\b/g, " ")
    .replace(/\\[ ,;!]|[${}*]/g, " ")
    .trim();

/** Option letters: "B", "(B)", "B.", "\text{(B)}", "option B", "(B) 12", "B: twelve". Undefined when the answer is something else. */
export function optionLetter(answer: string): string | undefined {
  const bare = withoutMarkup(answer);
  const match =
    /^(?:[Tt]he )?(?:correct |final )?(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ss]tatement|[Gg]raph|[Tt]able)?(?: is)?:?\s*(?:\(\s*([A-Za-z])\s*\)|\[([A-Z])\]|([A-Z])(?=$|[).:,]|\s*$))(?:[).:,\s].*)?$/s.exec(
      bare,
    );
  if (/^[a-j]$/.test(bare)) return bare.toUpperCase();
  const letter = (match?.[1] ?? match?.[2] ?? match?.[3])?.toUpperCase();
  return letter === undefined || isHedged(bare, letter) ? undefined : letter;
}

const JOIN = String.raw`(?:,|;|\/|\||&|\bor\b|\band\b)\s*(?:(?:or|and|also|maybe|perhaps|possibly|[Oo]ption)\s+)*`;
const NEXT_LETTER = new RegExp(
  String.raw`^\W*(?:\w{2,} )*[(\[]?([A-Z])[)\].:]*\s*${JOIN}[(\[]?([A-Z])[)\]]?(?![\p{L}\d])`,
  "u",
);
const NEXT_VALUE = /^\W*[A-Z][)\].]*\s*(?:[,;]|\bor\b|\band\b)\s*(\S.*)$/s;
const JOINED_LABEL = new RegExp(String.raw`${JOIN}[(\[]([A-J])[)\]]`, "gu");

/** "A, B", "(A) or (C)", "(A) 5 or (C) 7", "(A), 12": a second letter or value stands beside the one that was read. */
export function isHedged(answer: string, letter: string): boolean {
  const text = withoutMarkup(answer.slice(0, 2_000));
  const [, first, next] = NEXT_LETTER.exec(text) ?? [];
  const value = NEXT_VALUE.exec(text)?.[1]?.replace(/\\[a-zA-Z]+/g, "");
  if (value !== undefined && !/\p{L}{2}/u.test(value)) return true;
  const labels = [...text.matchAll(JOINED_LABEL)].map((match) => match[1]);
  return [first, next, ...labels].some((other) => other !== undefined && other !== letter);
}

/** True for a gold that is the letter of an option, with or without the option's text: "B", "(B)", "\\text{(B)} 12". */
export const isOptionLetter = (gold: string): boolean => {
  const bare = gold.replaceAll("$", "").trim();
  return /^(?:\\(?:text|mathrm)(?:bf)?\s*\{)?\s*\(?[A-J]\)?\.?\s*\}?$/.test(bare) || OPTION_LABEL.test(bare);
};
const OPTION_LABEL = /^(?:\\(?:text|mathrm|textbf|mathbf)\s*\{\s*)?\(([A-J])\)\s*\}?(?=[\s~\\]|[A-Za-z])/;
/** The text of an option behind its label, or the whole. */
export const withoutOptionLabel = (text: string): string => {
  const bare = text.replaceAll("$", "").trim();
  const rest = bare.replace(OPTION_LABEL, "").replace(/^(?:[\s~]|\\[ ,;])+/, "");
  return rest === "" ? text : rest;
};
