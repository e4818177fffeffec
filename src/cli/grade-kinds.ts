import { field, placeOf, type Row } from "#data";
import {
  type CodeRow,
  codeRowProblem,
  type Grade,
  gradeChoice,
  gradeCode,
  gradeCountdown,
  gradeFormat,
  gradeIfeval,
  gradeLanguage,
  gradeMathAnswer,
  gradeMathWithAlgebra,
  parseAnswer,
} from "#rewards";

export type KindOptions = {
  /** Only a marked answer counts, names and units must agree. `math` alone reads it. */
  strict?: boolean;
};

export type GradeKind = {
  /** The fields of a row, for the help text. */
  fields: string;
  /** Options besides input and output that the kind reads. */
  reads: readonly (keyof KindOptions)[];
  /** Rows graded at the same time; more than one where the work is in other processes. */
  atOnce: number;
  /** @throws Error that names the row's file, line and field when the row itself is wrong. */
  grade: (row: Row, options: KindOptions) => Grade | Promise<Grade>;
};

/** Everything `aha grade` can grade, by name. */
export const gradeKinds = {
  math: {
    fields: "gold, completion (or answer: a bare one); finishReason?",
    reads: ["strict"],
    atOnce: 8,
    grade: gradeMathRow,
  },
  choice: {
    fields: "gold (a letter), completion, choices?; finishReason?",
    reads: [],
    atOnce: 1,
    grade: (row) => {
      const choices = row.choices == null ? undefined : field(row, "choices", "array").map(String);
      return gradeChoice(field(row, "gold", "string"), field(row, "completion", "string"), {
        choices,
        ...finished(row),
      });
    },
  },
  code: {
    fields: "language, completion (or program), tests; timeLimitMs?, memoryMb?, partial?, finishReason?",
    reads: [],
    atOnce: 16,
    grade: (row) => {
      field(row, "language", "string");
      field(row, "tests", "object");
      field(row, row.program == null ? "completion" : "program", "string");
      const problem = codeRowProblem(row as CodeRow);
      if (problem !== undefined) throw new Error(`${placeOf(row)}: ${problem}.`);
      return gradeCode(row as CodeRow);
    },
  },
  ifeval: {
    fields: "instruction_id_list, kwargs, response; prompt?",
    reads: [],
    atOnce: 1,
    grade: (row) => {
      const ids = field(row, "instruction_id_list", "array").map(String);
      const args = field(row, "kwargs", "array") as Record<string, unknown>[];
      return gradeIfeval({ ids, args }, field(row, "response", "string"));
    },
  },
  language: {
    fields: "text, target",
    reads: [],
    atOnce: 1,
    grade: (row) => gradeLanguage(field(row, "text", "string"), field(row, "target", "string")),
  },
  format: {
    fields: "completion, prefilled?",
    reads: [],
    atOnce: 1,
    grade: (row) => gradeFormat(field(row, "completion", "string"), { prefilled: row.prefilled === true }),
  },
  countdown: {
    fields: "numbers, target, completion; finishReason?",
    reads: [],
    atOnce: 1,
    grade: (row) => {
      const numbers = field(row, "numbers", "array").map(Number);
      const { answer, finishReason } = parseAnswer(field(row, "completion", "string"), finished(row));
      if (finishReason === "length") return { verdict: "truncated", reward: 0 };
      return gradeCountdown({ numbers, target: field(row, "target", "number") }, answer);
    },
  },
} satisfies Record<string, GradeKind>;

async function gradeMathRow(row: Row, { strict }: KindOptions): Promise<Grade> {
  const gold = typeof row.gold === "number" ? String(row.gold) : field(row, "gold", "string");
  if (row.completion != null) {
    return gradeMathWithAlgebra(gold, field(row, "completion", "string"), { strict, ...finished(row) });
  }
  if (row.answer == null) field(row, "completion", "string");
  const answer = typeof row.answer === "number" ? String(row.answer) : field(row, "answer", "string");
  const grade = gradeMathAnswer(gold, answer, { strict });
  return grade.detail?.undecided ? gradeMathWithAlgebra(gold, answer, { strict, sources: ["whole"] }) : grade;
}

function finished(row: Row): { finishReason: "stop" | "length" } {
  if (row.finishReason == null || row.finishReason === "stop") return { finishReason: "stop" };
  if (row.finishReason === "length") return { finishReason: "length" };
  throw new Error(
    `${placeOf(row)}: field "finishReason" is ${JSON.stringify(row.finishReason)}. Expected "stop" or "length".`,
  );
}
