import { field, placeOf, type Row } from "#data";
import { type CodeLanguage, type CodeTests, codeRowProblem, gradeCode } from "#rewards";
import { type DataTaskOptions, dataTask } from "./from-data.ts";
import { firstText } from "./math.ts";
import type { Task } from "./types.ts";

export type CodeTaskRow = {
  question: string;
  problem: string;
  language: CodeLanguage;
  tests: CodeTests;
  solution?: string;
};

export type CodeTaskOptions = DataTaskOptions & {
  /** Of rows that name none. Default "python". */
  language?: CodeLanguage;
  /** Processor time of a program for one input, or for all assertions, milliseconds. Default 10,000. */
  timeLimitMs?: number;
  /** Default 512. */
  memoryMb?: number;
  /** Reward the share of tests passed; by default all must pass. */
  partial?: boolean;
};

/**
 * Programs that must pass tests. Reads rows of HumanEval (Chen et al. 2021), MultiPL-E and MBPP (Austin et al. 2021) as they
 * are, and rows {problem, tests, language?, solution?} where `tests` is a list of {input, output}, {functional: test
 * code}, or what `gradeCode` takes. Nothing of a test is shown but MBPP's first, which names the function.
 */
export function code(options: CodeTaskOptions): Task<CodeTaskRow> {
  const { language = "python", timeLimitMs, memoryMb, partial, ...data } = options;
  return dataTask<CodeTaskRow>(
    {
      name: "code",
      defaultPrompt: "plain",
      read: (row) => {
        const found = readRow(row, language);
        const problem = codeRowProblem(found);
        if (problem !== undefined) throw new Error(`${placeOf(row)}: ${problem}.`);
        return { ...found, question: `${found.question.trim()}\n\n${requestFor(found)}` };
      },
      grade: (completion, { language, tests }) =>
        gradeCode({ completion, language, tests, timeLimitMs, memoryMb, partial }),
      gold: ({ language, solution }) =>
        solution === undefined
          ? undefined
          : { reasoning: "The program below does what is asked.", answer: fenced(language, solution) },
    },
    data,
  );
}

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.replace(/\s+$/, "")}\n\`\`\``;

const requestFor = ({ language, tests }: CodeTaskRow) =>
  tests.type === "stdio"
    ? `Write a ${language} program that reads standard input and writes standard output. Give it whole, in one \`\`\`${language} block.`
    : `Give the whole ${language} code, in one \`\`\`${language} block.`;

const shortNames: Record<string, CodeLanguage> = { py: "python", js: "javascript", ts: "typescript", "c++": "cpp" };

function readRow(row: Row, fallback: CodeLanguage): CodeTaskRow {
  const said = row.language == null ? fallback : field(row, "language", "string").toLowerCase();
  const language = (shortNames[said] ?? said) as CodeLanguage;
  const complete = (start: string) => `Complete this ${language} code:\n\n${fenced(language, start)}`;
  if (row.entry_point != null) {
    const start = field(row, "prompt", "string");
    const solution = row.canonical_solution == null ? undefined : start + field(row, "canonical_solution", "string");
    const entryPoint = field(row, "entry_point", "string");
    const tests = { type: "asserts", code: field(row, "test", "string"), entryPoint } as const;
    return { question: complete(start), problem: start, language, tests, solution };
  }
  if (row.test_list != null) {
    const asserts = [...field(row, "test_list", "array"), ...((row.challenge_test_list as unknown[]) ?? [])].map(
      String,
    );
    const setup = row.test_setup_code == null ? undefined : field(row, "test_setup_code", "string");
    const problem = firstText(row, ["text", "prompt"]);
    const question = `${problem}\nIt must pass this test:\n\n${fenced(language, asserts[0] ?? "")}`;
    const tests = { type: "asserts", code: asserts.join("\n"), setup } as const;
    return {
      question,
      problem,
      language,
      tests,
      solution: row.code == null ? undefined : field(row, "code", "string"),
    };
  }
  if (typeof row.tests === "string") {
    const start = field(row, "prompt", "string");
    return { question: complete(start), problem: start, language, tests: { type: "asserts", code: row.tests } };
  }
  const key = ["solution", "solutions"].find((name) => typeof row[name] === "string");
  const solution = key === undefined ? undefined : field(row, key, "string");
  const problem = firstText(row, ["problem", "question", "prompt"]);
  return { question: problem, problem, language, tests: testsOf(row), solution };
}

function testsOf(row: Row): CodeTests {
  if (Array.isArray(row.tests)) return { type: "stdio", cases: row.tests };
  const tests = field(row, "tests", "object") as Record<string, unknown>;
  // What is wrong with them is said by codeRowProblem.
  return (typeof tests.functional === "string" ? { type: "asserts", code: tests.functional } : tests) as CodeTests;
}
