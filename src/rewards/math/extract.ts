import { closingBrace } from "./lexer.ts";
import { isHedged } from "./text.ts";
import { isUnitWord } from "./units.ts";

/** Where an answer may be looked for, in this order; see extractAnswer. */
export type AnswerSource = "boxed" | "answerTag" | "phrase" | "formula" | "number" | "whole";
export const ALL_SOURCES: readonly AnswerSource[] = ["boxed", "answerTag", "phrase", "formula", "number", "whole"];
/** Strict: only what the answer itself marks. */
export const STRICT_SOURCES: readonly AnswerSource[] = ["boxed", "answerTag"];

export type Extraction =
  | { readonly found: "answer"; readonly answer: string; readonly source: AnswerSource }
  | { readonly found: "nothing" }
  | { readonly found: "cut" };

/** Only this much of the end is searched for phrases, formulas and numbers; boxes are found anywhere. */
const TAIL = 20_000;
const MAX_ANSWER = 20_000;
const STOP_TOKENS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<｜end▁of▁sentence｜>"];

/**
 * Finds the answer of a completion. In order:
 * 1. What follows the last </think>; a thought without an end, or nothing after it, holds no answer.
 * 2. Inside the last complete <answer>…</answer> (or after an <answer> that a stop string cut), if there is one.
 * 3. There: the last complete \boxed{…}, neighbours joined by "and" or commas taken together, unless an explicit "final answer is" follows it;
 * 4. what follows the last "answer is", "answer:", "####" and the like;
 * 5. the later of the last formula with a value and the last free-standing number;
 * 6. the whole text when it is one short line.
 * Strict stops after 3. Linear in the length of the completion.
 */
export function extractAnswer(completion: string, sources: readonly AnswerSource[] = ALL_SOURCES): Extraction {
  const text = beforeStopToken(completion);
  const thoughtEnd = text.lastIndexOf("</think>");
  if (thoughtEnd < 0 && /^\s*<think>/.test(text.slice(0, 200)) && !text.includes("<answer>")) return { found: "cut" };
  let part = thoughtEnd < 0 ? text : text.slice(thoughtEnd + 8);
  let source: AnswerSource = "whole";
  if (sources.includes("answerTag")) {
    const tagged = lastTagged(part);
    if (tagged !== undefined) {
      part = tagged;
      source = "answerTag";
    }
  }
  if (part.trim() === "") return { found: "nothing" };
  const boxed = sources.includes("boxed") ? lastBoxed(part) : undefined;
  const phraseAt = sources.includes("phrase") ? lastFinalPhrase(part) : -1;
  if (boxed?.content !== undefined && phraseAt < boxed.end)
    return { found: "answer", answer: boxed.content, source: "boxed" };
  if (boxed?.isCut && boxed.content === undefined) return { found: "cut" };
  if (sources.includes("phrase")) {
    const stated = afterPhrase(part);
    if (stated !== undefined && (boxed?.content === undefined || /\d/.test(stated)))
      return { found: "answer", answer: stated, source: "phrase" };
  }
  if (boxed?.content !== undefined) return { found: "answer", answer: boxed.content, source: "boxed" };
  if (source === "answerTag") return { found: "answer", answer: part.trim().slice(0, MAX_ANSWER), source };
  if (endsInFormula(part)) return { found: "cut" };
  const isShort = part.length <= 300 && !part.trim().includes("\n");
  const last = lastValue(part, sources);
  if (last && !(isShort && sources.includes("whole") && isBare(part)))
    return { found: "answer", answer: last.answer, source: last.source };
  return isShort && sources.includes("whole")
    ? { found: "answer", answer: part.trim(), source: "whole" }
    : { found: "nothing" };
}

/** A short text that is one formula or value from end to end rather than a sentence around one. */
function isBare(text: string): boolean {
  const bare = text
    .replace(/\\(?:text|mbox|textbf|textit|mathrm|textrm|operatorname)\s*\{[^{}]*\}/g, "")
    .replace(/\\(?:begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+/g, "");
  const words =
    bare
      .match(/[\p{L}]{2,}/gu)
      ?.filter(
        (word) =>
          !isUnitWord(word) &&
          !/^(?:and|or|sin|cos|tan|log|ln|sqrt|pi|max|min|gcd|lcm|exp|units?|square|cubic|cm|km|mm|pct|percent|degrees?)$/i.test(
            word,
          ),
      ) ?? [];
  return words.length <= 1;
}

/** A text that stops inside \\[…\\] or \\(…\\) was cut: the last number so far is not what it was going to say. */
const endsInFormula = (text: string): boolean =>
  Math.max(text.lastIndexOf("\\["), text.lastIndexOf("\\(")) >
  Math.max(text.lastIndexOf("\\]"), text.lastIndexOf("\\)"), text.lastIndexOf("\\\\["));

function beforeStopToken(text: string): string {
  let end = text.length;
  for (const token of STOP_TOKENS) {
    const at = text.indexOf(token, 1);
    if (at > 0 && at < end) end = at;
  }
  return end === text.length ? text : text.slice(0, end);
}

/** The inside of the last <answer>…</answer>; after an unclosed <answer>, the rest. */
function lastTagged(text: string): string | undefined {
  const open = text.lastIndexOf("<answer>");
  if (open < 0) return undefined;
  const close = text.indexOf("</answer>", open);
  return close < 0 ? text.slice(open + 8) : text.slice(open + 8, close);
}

type Boxed = { content?: string; end: number; isCut: boolean };
const JOINT = /^(?:[\s$,;.&]|\\[()[\],;: ]|\\q?quad|(?:\\text\s*\{\s*)?(?:,\s*)?\b(?:and|or)\b(?:\s*\})?)*$/;

/** The last complete \boxed{…} with something in it, joined with the boxes it stands in a list with. */
function lastBoxed(text: string): Boxed {
  let from = text.length;
  let isCut = false;
  let start = -1;
  let end = -1;
  const contents: string[] = [];
  for (let attempt = 0; attempt < 48; attempt++) {
    const at = Math.max(text.lastIndexOf("boxed", from), text.lastIndexOf("\\fbox", from));
    if (at < 0) break;
    from = at - 1;
    const box = readBox(text, at);
    if (box === "cut") {
      if (contents.length === 0) isCut = true;
    } else if (box && contents.length === 0) {
      contents.push(box.content);
      [start, end] = [at, box.end];
    } else if (box) {
      const between = text.slice(box.end, start).replace(/\\$/, "");
      // Boxes in a row are one answer of single values; a list beside another box is two answers, of which the last counts.
      if (between.length > 60 || !JOINT.test(between) || [contents[0]!, box.content].some(isListed)) break;
      contents.unshift(box.content);
      start = at;
    }
    if (from < 0) break;
  }
  if (contents.length === 0) return { end, isCut };
  return { content: contents.length === 1 ? contents[0]! : contents.join(", "), end, isCut };
}

/** Whether a text has a comma outside all brackets, with a space or no digit group round it: "1, 2", not "1,000" or "(1, 2)". */
function isListed(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (/[([{]/.test(char)) depth++;
    else if (/[)\]}]/.test(char)) depth--;
    else if (char === "," && depth === 0 && !/^,\d{3}(?!\d)/.test(text.slice(i, i + 5)) && text[i - 1] !== "\\")
      return true;
  }
  return false;
}

/** The content of the box at `at`: undefined for an empty one, "cut" for one whose brace never closes. */
function readBox(text: string, at: number): { content: string; end: number } | "cut" | undefined {
  let i = at + 5;
  // "boxed{" without its backslash is what careless escaping leaves of \\boxed{.
  const hasBackslash = text[at] === "\\" || text[at - 1] === "\\";
  while (text[i] === " ") i++;
  if (text[i] !== "{") {
    if (!hasBackslash) return undefined;
    const bare = /^[^\s$\\{},]+/.exec(text.slice(i, i + 100))?.[0].replace(/[.]+$/, "");
    return bare && /^[\d(-]|^.$/.test(bare) ? { content: bare, end: i + bare.length } : undefined;
  }
  const window = text.slice(i, i + MAX_ANSWER);
  const close = closingBrace(window, 0);
  if (close < 0) return "cut";
  const content = window.slice(1, close - 1);
  return /[^\s\\~{}]|\\\{/.test(content.replace(/\\text\s*\{\s*\}/g, "")) &&
    !/^\s*(?:\\text\s*\{\s*\}|\\?\.\.\.|\\[lc]?dots|\?+)\s*$/.test(content)
    ? { content, end: i + close }
    : undefined;
}

const FINAL = /(?:final answer|FINAL ANSWER|Final Answer|Final answer)\s*(?:is|are|:|：)/g;
/** Index of the last explicit "final answer is", or −1. */
function lastFinalPhrase(text: string): number {
  const tailStart = Math.max(0, text.length - TAIL);
  let at = -1;
  for (const match of text.slice(tailStart).matchAll(FINAL)) at = tailStart + match.index;
  return at;
}

const PHRASE =
  /(?:(?:final |correct |right |my )?(?:answer|solution|result)[\s*]*(?:(?:is|are|should be|would be|must be|equals|will be)(?:\s+(?:therefore|thus|option|choice|equal to|given by))?\s*[:：]?|[:：=])|####|r[ée]ponse\s*(?:finale\s*)?(?:est|[:：])|respuesta\s*(?:final\s*)?(?:es|[:：])|resposta\s*(?:final\s*)?(?:é|[:：])|antwort\s*(?:ist|lautet|[:：])|ответ\s*[:：]|答案\s*(?:为|是|[:：])|答\s*[:：]|الإجابة\s*(?:هي|[:：])|उत्तर\s*(?:है|[:：])|정답\s*(?:은|[:：])|答えは)/gi;

/** What the last such phrase is followed by, up to the end of its sentence. */
function afterPhrase(text: string): string | undefined {
  const tail = text.slice(-TAIL);
  let start = -1;
  for (const match of tail.matchAll(PHRASE)) start = match.index + match[0].length;
  if (start < 0) return undefined;
  return readStatement(tail.slice(start, start + 2_000));
}

/** The value a sentence states: "(D).", "$\frac12$.", "3 + 4 = 7", "12 apples", "The largest n is 34". */
function readStatement(rest: string): string | undefined {
  const trimmed = rest.replace(/^[\s*:：_]+/, "");
  const sentence = firstSentence(trimmed);
  if (sentence === "") return undefined;
  const display = /^(?:\$\$|\\\[|\\\(|\$)/.exec(sentence);
  if (display || !/\p{L}{3,}/u.test(sentence.replace(/\\[a-zA-Z]+/g, ""))) {
    const formulas = findFormulas(sentence);
    if (formulas.length === 0) return sentence;
    if (formulas.length === 1) return formulas[0]!.content;
    return sentence;
  }
  const option = /^\(?([A-Z])\)?(?=[\s.,:)]|$)(?!\s*[=+])/.exec(sentence);
  if (option && !/^[AI]\s+[a-z]/.test(sentence)) return isHedged(sentence, option[1]!) ? sentence : option[1];
  const value = lastValue(sentence, ALL_SOURCES);
  return value ? value.answer : sentence.length <= 80 ? sentence : undefined;
}

/** Up to a full stop before a space, or a blank line; decimals and abbreviations inside formulas do not end it. */
function firstSentence(text: string): string {
  let inFormula = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "$") inFormula = !inFormula;
    else if (char === "\\" && (text[i + 1] === "[" || text[i + 1] === "(")) inFormula = true;
    else if (char === "\\" && (text[i + 1] === "]" || text[i + 1] === ")")) {
      if (inFormula) return text.slice(0, i + 2).trim();
    } else if (!inFormula && (char === "\n" || char === "。" || char === "।")) return text.slice(0, i).trim();
    else if (
      !inFormula &&
      (char === "." || char === "!" || char === "?") &&
      (text[i + 1] === undefined || /[\s*<"')\]]/.test(text[i + 1]!)) &&
      !(char === "!" && /\d/.test(text[i - 1] ?? ""))
    )
      return text.slice(0, i).trim();
  }
  return text.trim();
}

type Found = { content: string; start: number; end: number };

/** Formulas between delimiters, in order. A $ before prose or without a partner is money. */
export function findFormulas(text: string): Found[] {
  const out: Found[] = [];
  /** Closers that do not come again, so that a thousand openers do not each look for them. */
  const unclosed = new Set<string>();
  const take = (start: number, open: number, closer: string): number => {
    const close = unclosed.has(closer) ? -1 : text.indexOf(closer, start + open);
    if (close < 0) unclosed.add(closer);
    if (close < 0 || close - start > MAX_ANSWER) return start + open;
    const content = text.slice(start + open, close);
    if (
      closer === "$" &&
      (/^\s*\n|\n\s*\n|(?<![A-Za-z])[A-Za-z]{3,}[,;]?\s+[a-z]{2,}/.test(
        content.replace(/\\[a-z]+\s*\{[^{}]*\}/g, "").replace(/\\[a-z]+/g, ""),
      ) ||
        /^\s*$/.test(content))
    )
      return start + open;
    out.push({ content: content.trim(), start, end: close + closer.length });
    return close + closer.length;
  };
  for (let i = 0; i < text.length; ) {
    const char = text[i];
    if (char === "\\") {
      const next = text[i + 1];
      if (next === "[") i = take(i, 2, "\\]");
      else if (next === "(") i = take(i, 2, "\\)");
      else i += 2;
    } else if (char === "$") i = text[i + 1] === "$" ? take(i, 2, "$$") : take(i, 1, "$");
    else i++;
  }
  return out;
}

const NUMBER =
  /(?<![\p{L}\d_.,/^{\\])[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?\/\s?\d+)?(?:\s?(?:%|\\%|pct\b|percent\b))?(?![\d_]|\p{Script=Latin})/gu;
const INTERVAL = /[[(]\s*-?[^()[\]\n]{1,40},\s*[^()[\]\n]{1,40}[\])]$/;

/** The later of the last formula that states a value and the last free-standing number. */
function lastValue(
  text: string,
  sources: readonly AnswerSource[],
): { answer: string; source: AnswerSource } | undefined {
  const tail = text.slice(-TAIL);
  const formulas = sources.includes("formula") ? findFormulas(tail) : [];
  const formula = formulas.findLast(({ content }) => statesValue(content));
  if (!sources.includes("number")) return formula && { answer: formula.content, source: "formula" };
  const bounds = tail.length > 4_000 ? tail.length - 4_000 : 0;
  let number: Found | undefined;
  for (const match of tail.slice(bounds).matchAll(NUMBER)) {
    const start = bounds + match.index;
    if (!formulas.some((other) => start >= other.start && start < other.end))
      number = { content: match[0], start, end: start + match[0].length };
  }
  if (number && (!formula || number.start > formula.end))
    return { answer: withBrackets(tail, number), source: "number" };
  return formula && { answer: joinFormulas(tail, formulas, formula), source: "formula" };
}

/** "(0, 1)" in plain text: the brackets the last number closes. */
function withBrackets(text: string, number: Found): string {
  if (text[number.end] !== ")" && text[number.end] !== "]") return number.content;
  const before = text.slice(Math.max(0, number.end - 80), number.end + 1);
  return INTERVAL.exec(before)?.[0] ?? number.content;
}

/** "$1$ and $2$": formulas in a list are one answer. */
function joinFormulas(text: string, formulas: readonly Found[], last: Found): string {
  const parts = [last.content];
  let { start } = last;
  for (let i = formulas.indexOf(last) - 1; i >= 0; i--) {
    const previous = formulas[i]!;
    const between = text.slice(previous.end, start);
    if (between.length > 12 || !/^\s*(?:,|;|and|or|,\s*(?:and|or))\s*$/.test(between) || !statesValue(previous.content))
      break;
    parts.unshift(previous.content);
    start = previous.start;
  }
  return parts.join(", ");
}

/** A lone letter or a name states nothing; a number, a constant or a relation does. */
const statesValue = (content: string): boolean =>
  /\d|=|<|>|\\(?:pi|infty|sqrt|frac|emptyset|varnothing|mathbb|begin|in|le|ge|lt|gt|cup|text)(?![a-z])|[+^]|\([^(),]*,[^()]*\)|\{[^{}]*\}/s.test(
    content.slice(0, 2_000),
  );
