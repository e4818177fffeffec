import { cleanFormula, stringKey } from "./math/clean.ts";
import { extractAnswer } from "./math/extract.ts";
import { wordsOf } from "./math/parse.ts";
import { isHedged, optionLetter, textKey } from "./math/text.ts";
import type { Grade } from "./types.ts";

export type ChoiceOptions = {
  /** The texts of the options, A first: an answer may name one by its text. */
  choices?: readonly string[];
  finishReason?: "stop" | "length";
};

const LAST_OPTION = /(?<![\p{L}\d])\(([A-Z])\)(?![\p{L}\d])/gu;

/**
 * Grades a multiple-choice answer against the letter of the right option ("B", "(B)"). The letter is read from what the
 * completion marks as its answer (\boxed, <answer>, "the answer is"), else from the last "(B)" of its last line;
 * the text of an option counts as its letter when `choices` are given. Two different letters are no answer.
 */
export function gradeChoice(gold: string, completion: string, { choices, finishReason }: ChoiceOptions = {}): Grade {
  const expected = typeof gold === "string" ? optionLetter(gold) : undefined;
  if (!expected || (choices && expected.charCodeAt(0) - 65 >= choices.length))
    return { verdict: "badGold", reward: null, detail: { gold } };
  if (finishReason === "length") return { verdict: "truncated", reward: 0 };
  if (typeof completion !== "string") return { verdict: "noAnswer", reward: 0 };
  const found = extractAnswer(completion, ["boxed", "answerTag", "phrase", "whole"]);
  if (found.found === "cut") return { verdict: "truncated", reward: 0 };
  const answer = found.found === "answer" ? found.answer : lastLine(completion.split("</think>").at(-1)!);
  const letter = readLetter(answer, choices);
  if (!letter) return { verdict: "noAnswer", reward: 0, detail: { answer: answer.slice(0, 200) } };
  return letter === expected
    ? { verdict: "correct", reward: 1, detail: { answer: letter } }
    : { verdict: "wrong", reward: 0, detail: { answer: letter } };
}

const lastLine = (text: string): string => text.slice(-2_000).trim().split("\n").at(-1) ?? "";

/** Words are compared by their letters; a formula by every sign: −5 is not 5, nor (0, 1] the interval [0, 1). */
const optionKey = (text: string): string =>
  /\p{L}{3}/u.test(text.replace(/\\[a-zA-Z]+/g, "")) ? textKey(wordsOf(text)) : stringKey(cleanFormula(text));

function readLetter(answer: string, choices: readonly string[] | undefined): string | undefined {
  const letter = optionLetter(answer) ?? (/^[a-z]$/.test(answer.trim()) ? answer.trim().toUpperCase() : undefined);
  // A letter and nothing else is the option of that letter, even where another option's text is that letter.
  const isBare = letter !== undefined && textKey(answer).length === 1;
  if (isBare && letter.charCodeAt(0) - 65 < (choices?.length ?? 0)) return letter;
  const key = optionKey(answer);
  const named = choices?.findIndex((choice) => optionKey(choice) === key) ?? -1;
  if (named >= 0) return String.fromCharCode(65 + named);
  if (letter) return letter;
  if (/\b(?:not|neither|except|isn't)\b/i.test(answer)) return undefined;
  const mentioned = new Set([...answer.slice(-2_000).matchAll(LAST_OPTION)].map((match) => match[1]!));
  const [only] = mentioned;
  return mentioned.size === 1 && !isHedged(answer, only!) ? only : undefined;
}
