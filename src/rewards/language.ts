import { likeliest } from "./detect-language.ts";
import { proseOf } from "./prose.ts";
import type { Answer, Grade } from "./types.ts";

/** The languages the reward can tell, each with its script and the languages that share it. */
const scripts = {
  en: { script: /\p{Script=Latin}/u, rivals: ["en", "fr", "de", "es", "it", "pt", "nl"] },
  fr: { script: /\p{Script=Latin}/u, rivals: ["en", "fr", "de", "es", "it", "pt", "nl"] },
  de: { script: /\p{Script=Latin}/u, rivals: ["en", "fr", "de", "es", "it", "pt", "nl"] },
  es: { script: /\p{Script=Latin}/u, rivals: ["en", "fr", "de", "es", "it", "pt", "nl"] },
  ru: { script: /\p{Script=Cyrillic}/u, rivals: ["ru", "uk", "bg", "mk"] },
  ar: { script: /\p{Script=Arabic}/u, rivals: ["ar", "fa", "ur"] },
  hi: { script: /\p{Script=Devanagari}/u, rivals: ["hi", "mr", "ne"] },
  ko: { script: /\p{Script=Hangul}/u, rivals: ["ko"] },
  zh: { script: /\p{Script=Han}/u, rivals: ["zh", "ja"] },
  ja: { script: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u, rivals: ["zh", "ja"] },
} satisfies Record<string, { script: RegExp; rivals: string[] }>;

export type Language = keyof typeof scripts;

export const consistencyLanguages = Object.keys(scripts) as Language[];

/** A thought with fewer different words than this earns nothing: saying nothing, or one thing again and again, must not pay. */
export const minThoughtWords = 8;
/** Nor does one of whose letters fewer than this share stand in prose: the rest, in code and formulas, may be in any language. */
export const minProseShare = 0.25;

/** Longer thoughts are judged by their first characters. */
const maxChars = 400_000;
/** Sentences with fewer words than this are too short to be told apart; they go with the whole text. */
const minSentenceWords = 5;
/** Fewer different words than this ("no", "give", "up") are as good in one language as in another of the same script. */
const minTellingWords = 4;
/** Intl.Segmenter needs time with the square of a sentence's length: longer ones are cut (a word may be cut in two). */
const segmentChars = 2000;
/** How much more likely (in nats) a rival has to be before a text is clearly in it, and not in the target language or English. */
const clearNats = 8;
/** Names of functions: formula, wherever they stand. */
const functionNames = /^(?:sin|cos|tan|cot|sec|csc|log|ln|exp|mod|gcd|lcm|max|min|lim|det|sqrt)$/i;

/**
 * Language-consistency reward (arXiv 2501.12948, section 2.3.2): the share of a thought's words that are in the target
 * language. Words are those of Intl.Segmenter; code, formulas, numbers, identifiers and single letters count neither way.
 * A word is in the language when it is in its script and its sentence is not clearly in another language of that script.
 * @param target a code of `consistencyLanguages`; another one is a bad gold.
 * @returns reward 0 to 1; noAnswer (0) with fewer than `minWords` different words or less than `minProseShare` of prose.
 */
export function gradeLanguage(text: string, target: string, minWords: number = minThoughtWords): Grade {
  if (!Object.hasOwn(scripts, target)) {
    const error = `no such target language: "${target}". Known: ${consistencyLanguages.join(", ")}`;
    return { verdict: "badGold", reward: null, detail: { error } };
  }
  const read = text.slice(0, maxChars);
  const prose = proseOf(read);
  const { words, different, inTarget } = countWordsIn(prose, target as Language);
  const detail = { words, inTarget };
  if (different < Math.max(minWords, 1)) return { verdict: "noAnswer", reward: 0, detail: { ...detail, minWords } };
  const proseShare = numLetters(prose) / numLetters(read);
  if (proseShare < minProseShare) return { verdict: "noAnswer", reward: 0, detail: { ...detail, proseShare } };
  const share = inTarget / words;
  return { verdict: share === 1 ? "correct" : "wrong", reward: share, detail };
}

export type LanguageOptions<R> = {
  /** The row's question; its language is the target. */
  prompt: (row: R) => string;
  /** A row's own target, where it has one; it wins over the prompt's language. */
  target?: (row: R) => string | undefined;
  minWords?: number;
};

/** The language-consistency reward of a task: reads the thought. A prompt without words (a bare formula) counts as English. */
export function languageReward<R>({ prompt, target, minWords }: LanguageOptions<R>): (answer: Answer, row: R) => Grade {
  return ({ thought }, row) =>
    gradeLanguage(thought, target?.(row) ?? languageOf(prompt(row)) ?? "en", minWords ?? minThoughtWords);
}

/** Which of `consistencyLanguages` a text is in: by the commonest script, and English where a Latin one is not clearly another. */
export function languageOf(text: string): Language | undefined {
  const prose = proseOf(text.slice(0, maxChars));
  const counts = new Map<Language, number>();
  for (const word of wordsOf(prose, "en")) {
    const language = (["ko", "ja", "ru", "ar", "hi", "en"] as const).find((code) => scripts[code].script.test(word));
    if (language) counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  if (most === "ja") return isJapanese(prose) ? "ja" : "zh";
  return most === "en" ? latinLanguageOf(prose) : most;
}

/**
 * Most short questions are English, and their few letters are often a little likelier in another language ("Find x." in
 * German): a question taken for another language costs every right answer its reward, or its place among the rows. So
 * another language has to be clearly likelier, and twice as clearly where there are few words, of which one may be a name.
 */
function latinLanguageOf(prose: string): Language {
  const { script, rivals } = scripts.en;
  const letters = lettersOf(prose, script);
  const known = rivals.filter((language): language is Language => Object.hasOwn(scripts, language));
  const found = likeliest(letters, known, "en");
  const enough = letters.split(" ").length < minTellingWords ? 2 * clearNats : clearNats;
  if (found === undefined || found.nats < enough) return "en";
  // Italian is no Spanish, though nearer to it than to English.
  const rival = likeliest(letters, rivals, found.language)!;
  return rival.nats < clearNats ? (found.language as Language) : "en";
}

const numLetters = (text: string) => text.match(/\p{L}/gu)?.length ?? 0;

function countWordsIn(prose: string, target: Language): { words: number; different: number; inTarget: number } {
  const { script } = scripts[target];
  const wholeIsTarget = isIn(prose, target);
  let [words, inTarget] = [0, 0];
  const seen = new Set<string>();
  for (const sentence of prose.split(/(?<=[.!?。！？؟।])\s|[\n。！？]/)) {
    const all = wordsOf(sentence, target);
    const inScript = all.filter((word) => script.test(word)).length;
    words += all.length;
    for (const word of all) seen.add(word.toLowerCase());
    const isTarget = inScript >= minSentenceWords ? isIn(sentence, target, wholeIsTarget) : wholeIsTarget;
    if (isTarget) inTarget += inScript;
  }
  return { words, different: seen.size, inTarget };
}

/** Whether the words of a text that are in the target's script are in the target language. */
function isIn(text: string, target: Language, whole = true): boolean {
  const { script, rivals } = scripts[target];
  // A sentence may do without kana in a Japanese text; it may not have kana in a Chinese one.
  if (target === "ja") return isJapanese(text) || (whole && !/\p{Script=Han}{12}/u.test(text));
  if (target === "zh") return !isJapanese(text);
  const letters = lettersOf(text, script);
  if (letters.split(" ").length < minTellingWords) return true;
  const found = likeliest(letters, rivals, target);
  return found === undefined || found.language === target || found.nats < clearNats;
}

/** Kana among its Han and kana: Japanese prose has about half, Chinese none. */
function isJapanese(text: string): boolean {
  const kana = text.match(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0;
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return kana > 0 && kana * 10 >= han;
}

/** The runs of letters of one script, each once, for the n-grams: a "no" said ten times is no more Italian than said once. */
function lettersOf(text: string, script: RegExp): string {
  const words = text.split(/[^\p{L}\p{M}'’]+/u).filter((word) => word.length > 1 && script.test(word));
  return [...new Set(words)].join(" ");
}

const segmenters = new Map<Language, Intl.Segmenter>();

function segmenterFor(locale: Language): Intl.Segmenter {
  const segmenter = segmenters.get(locale) ?? new Intl.Segmenter(locale, { granularity: "word" });
  segmenters.set(locale, segmenter);
  return segmenter;
}

/** The words of a text that are in some language: no numbers, identifiers, function names or single Latin or Greek letters. */
function wordsOf(text: string, locale: Language): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; at += segmentChars) {
    for (const { segment, isWordLike } of segmenterFor(locale).segment(text.slice(at, at + segmentChars))) {
      if (isWordLike && isCounted(segment)) words.push(segment);
    }
  }
  return words;
}

function isCounted(word: string): boolean {
  if (!/\p{L}/u.test(word) || /[\p{N}_]/u.test(word) || /\p{Ll}\p{Lu}/u.test(word)) return false;
  if (/^[\p{Script=Latin}\p{Script=Greek}]$/u.test(word)) return false;
  return !functionNames.test(word);
}
