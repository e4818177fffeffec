import type { NgramIndex } from "#data";
import { type Answer, gradeLanguage, type Language, languageOf, repeatedShare, type Verdict } from "#rewards";
import { splitResponse, THINK_CLOSE } from "#tokenizer";

/** An answer that may become a row to learn from. */
export type Candidate = {
  question: string;
  answer: Answer;
  /** What its rule or its judge decided; absent where nobody was asked. */
  verdict?: Verdict;
  /** What its summary has to say again, where that is known. */
  result?: string;
};

/** A named reason to drop a candidate, with the limits it was made with. */
export type Filter = {
  name: string;
  limits?: Record<string, number | string>;
  keeps: (candidate: Candidate) => boolean;
};

/** Right by its rule or its judge. One that nobody could judge is not. */
export const isCorrect: Filter = { name: "correct", keeps: ({ verdict }) => verdict === "correct" };

/** Ended by itself, not cut at its limit. */
export const isFinished: Filter = { name: "finished", keeps: ({ answer }) => answer.finishReason === "stop" };

/** Says something, and closed the thought that it opened. */
export const hasSummary: Filter = { name: "summary", keeps: ({ answer }) => splitResponse(answer.text).hasAnswerPart };

/** In one of the paper's forms: a whole thought, then an answer or a summary. */
export const hasThought: Filter = {
  name: "thought",
  keeps: ({ answer }) => splitResponse(answer.text).form !== undefined,
};

/** The summary says the result again, number for number and word for word; marks and spacing do not count. */
export const restatesResult: Filter = {
  name: "restated",
  keeps: ({ answer, result }) =>
    result === undefined || ` ${wordsOf(splitResponse(answer.text).shown)} `.includes(` ${wordsOf(result)} `),
};

/**
 * At least `share` of the words are in one language: the question's, or `language`. Words of formulas and code count
 * neither way; a response without words is in no other language. `of` "thought" leaves the answer aside, which a
 * translation gives in another language than its question's.
 */
export function inOneLanguage({
  share = 0.95,
  language,
  of = "response",
}: {
  share?: number;
  language?: Language;
  of?: "response" | "thought";
} = {}): Filter {
  return {
    name: "oneLanguage",
    limits: { share, ...(language !== undefined && { language }), ...(of === "thought" && { of }) },
    keeps: ({ question, answer }) => {
      // Tags are no words: a bare number between them is in any language.
      const { thought, shown } = splitResponse(answer.text);
      const read = of === "thought" ? thought : `${thought}\n${shown}`;
      const { detail } = gradeLanguage(read, language ?? languageOf(question) ?? "en", 1);
      // By its words, however few: the reward's demand for prose is no reason to drop a row.
      const { words, inTarget } = detail as { words: number; inTarget: number };
      return words === 0 || inTarget / words >= share;
    },
  };
}

/** No paragraph of the thought is longer than `maxChars`: a wall of text is not read. */
export function hasShortParagraphs({ maxChars = 2000 }: { maxChars?: number } = {}): Filter {
  return {
    name: "paragraphs",
    limits: { maxChars },
    keeps: ({ answer }) => answer.thought.split(/\n\s*\n/).every((paragraph) => paragraph.trim().length <= maxChars),
  };
}

/** No block of code in the thought; a summary may hold the program that was asked for. */
export const hasNoCode: Filter = {
  name: "code",
  keeps: ({ answer }) => !/^[ \t]*(?:```|~~~)/m.test(answer.thought),
};

/** At most `share` of the n-grams of words stood before: no loops. */
export function hasNoRepetition({ n = 10, share = 0.2 }: { n?: number; share?: number } = {}): Filter {
  return {
    name: "repetition",
    limits: { n, share },
    keeps: ({ answer }) => repeatedShare(answer.text, n) <= share,
  };
}

/** Between `min` and `max` tokens. */
export function hasLength({ min = 1, max }: { min?: number; max: number }): Filter {
  return {
    name: "length",
    limits: { min, max },
    keeps: ({ answer }) => answer.numTokens >= min && answer.numTokens <= max,
  };
}

/** Shares no sequence of words with the evaluation texts of an index. */
export function isClean({ n, numTexts, match }: NgramIndex): Filter {
  return {
    name: "contaminated",
    limits: { n, numTexts },
    keeps: ({ question, answer }) => match(question) === undefined && match(answer.text) === undefined,
  };
}

/** What the paper drops from sampled reasoning (arXiv 2501.12948, section 2.3.3), with what is broken in itself. */
export const reasoningFilters: readonly Filter[] = [
  isFinished,
  isCorrect,
  hasSummary,
  inOneLanguage(),
  hasShortParagraphs(),
  hasNoCode,
  hasNoRepetition(),
];

/** What a row of the cold start has to be: the same, as a thought and a summary that restates the result. */
export const readableFilters: readonly Filter[] = [...reasoningFilters, hasThought, restatesResult];

/** General answers, which no rule can judge: whole, thought in one language, without loops. */
export const generalFilters: readonly Filter[] = [
  isFinished,
  hasSummary,
  inOneLanguage({ of: "thought" }),
  hasNoRepetition(),
];

export type Filtered<C> = { kept: C[]; dropped: Record<string, number> };

/** The candidates that every filter keeps, and how many each dropped: a candidate counts for the first that drops it. */
export function filterRows<C extends Candidate>(candidates: readonly C[], filters: readonly Filter[]): Filtered<C> {
  const dropped: Record<string, number> = {};
  const kept = candidates.filter((candidate) => {
    const reason = filters.find(({ keeps }) => !keeps(candidate));
    if (reason !== undefined) dropped[reason.name] = (dropped[reason.name] ?? 0) + 1;
    return reason === undefined;
  });
  return { kept, dropped };
}

/** `filterRows`, then without answers that say word for word the same, then at most `most`, the first ones. */
export function selectRows<C extends Candidate>(
  candidates: readonly C[],
  { filters, most = Number.POSITIVE_INFINITY }: { filters: readonly Filter[]; most?: number },
): Filtered<C> {
  const { kept, dropped } = filterRows(candidates, filters);
  const seen = new Set<string>();
  const unique = kept.filter(({ answer }) => seen.size < seen.add(wordsOf(answer.text)).size);
  const chosen = unique.slice(0, most);
  const counted = { ...dropped, duplicate: kept.length - unique.length, overCap: unique.length - chosen.length };
  return { kept: chosen, dropped: Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0)) };
}

/** "repetition (n 10, share 0.2)": a filter as provenance and reports name it. */
export function describeFilter({ name, limits = {} }: Filter): string {
  const list = Object.entries(limits).map(([limit, value]) => `${limit} ${value}`);
  return list.length === 0 ? name : `${name} (${list.join(", ")})`;
}

/** Words, numbers and signs in small letters with one space between them; LaTeX's wrapping and emphasis left out. */
function wordsOf(text: string): string {
  const plain = text
    .replaceAll(THINK_CLOSE, " ")
    .replace(/\\(?:boxed|text|mathrm|left|right)\b/g, " ")
    .normalize("NFKC")
    .toLowerCase();
  return (plain.match(/\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}]+|[-+*/=^%<>]/gu) ?? []).join(" ");
}
