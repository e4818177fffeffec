import { type Operator, results } from "aha-rl";
import { categories } from "./lexicon.ts";
import type { Random } from "./random.ts";
import type { Language } from "./words.ts";

/** A puzzle that is worked out from its beginning to its end, one line after the other. */
export type Puzzle = {
  language: Language;
  question: string;
  answer: string;
  /** The lines of a whole thought, sums or links of a chain. */
  lines: string[];
  /** What somebody who guesses might say. */
  guesses: string[];
};

/** Three or four numbers from 1 to 12 in nested parentheses, worked from the inside: `( 3 + 4 ) * 5`. */
export function calculation(random: Random, language: Language, maxValue: number): Puzzle {
  let value = random.between(1, 12);
  let expression = String(value);
  const lines: string[] = [];
  const guesses: string[] = [];
  const length = random.between(2, 3);
  while (lines.length < length) {
    const operand = random.between(1, 12);
    const options: { op: Operator; value: number }[] = results(value, operand).filter((one) => one.value <= maxValue);
    const { op, value: next } = random.pick(options);
    lines.push(`${value} ${op} ${operand} = ${next}`);
    expression = lines.length === length ? `${expression} ${op} ${operand}` : `( ${expression} ${op} ${operand} )`;
    value = next;
    guesses.push(String(next), String(random.between(0, maxValue)));
  }
  const question = { en: `what is ${expression} ?`, zh: `${expression} 等于 多少 ?` }[language];
  return { language, question, answer: String(value), lines, guesses };
}

/** Three or four animals, each bigger than another: who is the biggest, who the smallest? Their real sizes play no part. */
export function ordering(random: Random, language: Language): Puzzle {
  const names = random
    .shuffled(categories.animal)
    .slice(0, random.between(3, 4))
    .map((name) => name[language]);
  const links = names.slice(1).map((smaller, i) => [names[i]!, smaller] as const);
  const told = random.shuffled(links).map(([bigger, smaller]) => {
    if (random.chance(0.5))
      return { en: `${bigger} is bigger than ${smaller}`, zh: `${bigger} 比 ${smaller} 大` }[language];
    return { en: `${smaller} is smaller than ${bigger}`, zh: `${smaller} 比 ${bigger} 小` }[language];
  });
  const isBiggest = random.chance(0.5);
  const asked = { en: `who is the ${isBiggest ? "biggest" : "smallest"} ?`, zh: `谁 最 ${isBiggest ? "大" : "小"} ?` }[
    language
  ];
  return {
    language,
    question: `${told.join(" , ")} . ${asked}`,
    answer: (isBiggest ? names[0] : names.at(-1))!,
    lines: [...links.map(([bigger, smaller]) => `${bigger} > ${smaller}`), names.join(" > ")],
    guesses: names,
  };
}
