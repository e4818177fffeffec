import { placeOf, type Row } from "#data";
import { gradeMathWithAlgebra, type MathOptions } from "#rewards";
import { type DataTaskOptions, dataTask } from "./from-data.ts";
import type { Task } from "./types.ts";

export type MathRow = { question: string; answer: string; solution: string };

/**
 * What counts as a trained model's answer: marked, said in so many words, or alone, never the last number of a text; and
 * a value, not the question copied.
 */
export const trainedAnswer = {
  sources: ["boxed", "answerTag", "phrase", "whole"],
  evaluated: true,
} as const satisfies MathOptions;

/**
 * Mathematics with an answer that can be verified: MATH, AIME, AMC, OlympiadBench, Minerva and files like them.
 * The question is in `problem`, `question` or `prompt`; the answer in `answer`, `final_answer` or `gold`, a text, a number
 * or a list of them, or boxed in `solution`.
 */
export function math(options: DataTaskOptions): Task<MathRow> {
  return dataTask<MathRow>(
    {
      name: "math",
      read: (row) => {
        const question = firstText(row, ["problem", "question", "prompt"]);
        const solution = textOf(row.solution) ?? "";
        const golds = ["answer", "final_answer", "gold", "solution"];
        const answer = golds.map((name) => textOf(row[name])).find(Boolean);
        // MATH has rows without a gold, "" or null: their verdict is badGold, they are left out and counted.
        const given = golds.map((name) => row[name]).filter((value) => value !== undefined);
        const isEmpty = given.length > 0 && given.every((value) => value === null || typeof value === "string");
        if (answer === undefined && !isEmpty) missing(row, golds);
        return { question, answer: answer ?? "", solution };
      },
      hasGold: ({ answer }) => answer !== "",
      grade: (answer, row) => gradeMathWithAlgebra(row.answer, answer, trainedAnswer),
      gold: ({ solution, answer }) => {
        if (answer === "") return undefined;
        // A worked solution that stands in for the answer has it boxed already.
        const isBoxed = answer.includes("\\boxed");
        return {
          reasoning: answer === solution ? "" : solution,
          answer: isBoxed ? answer : `\\boxed{${bare(answer)}}`,
        };
      },
    },
    options,
  );
}

/** An answer without the dollar signs around all of it, to be put inside \boxed{}. */
function bare(answer: string): string {
  return /^\$[^$]*\$$/.test(answer.trim()) ? answer.trim().slice(1, -1) : answer;
}

/** A text, a number as text, or a list of either joined by commas; undefined for anything else and for "". */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return value.trim() === "" ? undefined : value;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts = value.map(textOf);
  return parts.includes(undefined) ? undefined : parts.join(", ");
}

/** The first of some fields that holds text. @throws Error that names the row's place and its fields. */
export function firstText(row: Row, names: readonly string[]): string {
  for (const name of names) {
    const value = row[name];
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return missing(row, names);
}

export function missing(row: Row, names: readonly string[]): never {
  throw new Error(
    `${placeOf(row)}: none of the fields ${names.join(", ")} holds a value. Fields here: ${Object.keys(row).join(", ") || "none"}.`,
  );
}
