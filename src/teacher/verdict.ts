/** Decoration that models put around a verdict. */
const marks = "[\\s*_`#>\"'.]*";
const verdictLine = new RegExp(`^${marks}verdict${marks}[:：]${marks}(\\p{L}+)${marks}$`, "iu");
const score = `${marks}[:=：]?${marks}(\\d+(?:\\.\\d+)?)(?:\\s*/\\s*10)?${marks}`;
const scoresLine = new RegExp(`^${marks}scores?${marks}[:：]${marks}A${score}[,;|]?${marks}B${score}$`, "iu");

/**
 * What a judge decided: the word of its last line "Verdict: …". Undefined where there is no such line or its word is none of
 * `words`; nothing is guessed from the rest of the text, which may quote the answer that is judged.
 */
export function verdictOf<Word extends string>(text: string, words: readonly Word[]): Word | undefined {
  const word = lastMatch(text, verdictLine)?.[1]?.toLowerCase();
  return words.find((one) => one === word);
}

/** The two scores, 1 to 10, of a judge's last line "Scores: A=…, B=…"; undefined where there is none. */
export function scoresOf(text: string): [number, number] | undefined {
  const [, a, b] = lastMatch(text, scoresLine) ?? [];
  const scores: [number, number] = [Number(a), Number(b)];
  return scores.every((one) => one >= 1 && one <= 10) ? scores : undefined;
}

function lastMatch(text: string, pattern: RegExp): RegExpExecArray | undefined {
  const lines = text.split("\n").reverse();
  for (const line of lines) {
    const match = line.length <= 200 ? pattern.exec(line) : null;
    if (match) return match;
  }
  return undefined;
}
