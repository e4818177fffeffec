import { field, placeOf, type Row } from "#data";
import { gradeChoice } from "#rewards";
import { type DataTaskOptions, dataTask } from "./from-data.ts";
import { firstText } from "./math.ts";
import type { Task } from "./types.ts";

export type ChoiceRow = { question: string; problem: string; choices: string[]; answer: string };

/**
 * Multiple choice (MMLU, GPQA and files like them): the question in `question`, the options in `choices` or `options`
 * (a list), the right one in `answer`: its letter, its index from 0, or its text. Asked in the manner of simple-evals.
 */
export function choice(options: DataTaskOptions): Task<ChoiceRow> {
  return dataTask<ChoiceRow>(
    {
      name: "choice",
      read: (row) => {
        const choices = optionsOf(row);
        const lines = choices.map((text, i) => `${letterOf(i)}) ${text}`).join("\n");
        const stem = firstText(row, ["question", "problem", "prompt"]);
        const last = `Answer with the letter of the right option, in the form \\boxed{A}.`;
        const problem = [stem, ...choices].join("\n");
        return { question: `${stem}\n\n${lines}\n\n${last}`, problem, choices, answer: rightLetter(row, choices) };
      },
      grade: (answer, row) => gradeChoice(row.answer, answer, { choices: row.choices }),
      gold: ({ answer, choices }) => ({
        reasoning: `The right option is ${choices[answer.charCodeAt(0) - 65]}.`,
        answer: `\\boxed{${answer}}`,
      }),
    },
    options,
  );
}

function optionsOf(row: Row): string[] {
  const choices = field(row, row.choices === undefined ? "options" : "choices", "array").map(String);
  if (choices.length < 2 || choices.length > 26) {
    throw new Error(`${placeOf(row)}: ${choices.length} options, expected 2 to 26.`);
  }
  return choices;
}

function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

function rightLetter(row: Row, choices: string[]): string {
  const answer = typeof row.answer === "bigint" ? Number(row.answer) : row.answer;
  if (typeof answer === "number" && Number.isInteger(answer) && choices[answer] !== undefined) return letterOf(answer);
  if (typeof answer === "string") {
    const letter = /^\(?([A-Za-z])\)?\.?$/.exec(answer.trim())?.[1]?.toUpperCase();
    if (letter !== undefined && letter.charCodeAt(0) - 65 < choices.length) return letter;
    const index = choices.indexOf(answer);
    if (index >= 0) return letterOf(index);
  }
  throw new Error(
    `${placeOf(row)}: field "answer" is ${JSON.stringify(answer)}. Expected a letter, an index from 0, or the text of one of ${choices.length} options.`,
  );
}
