import type { CodeJob, CodeLanguage } from "./types.ts";

const languages: readonly CodeLanguage[] = ["python", "javascript", "typescript", "cpp", "java", "go", "rust"];
const checkers = ["exact", "tokens", "lines"];

const isText = (value: unknown): value is string => typeof value === "string";
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 60) ?? "missing";
const listed = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");

/** The first case of a list that is not as `isGood` wants it, in words. */
function caseProblem(cases: unknown, isGood: (one: Record<string, unknown>) => boolean, wanted: string) {
  if (!Array.isArray(cases)) return `tests.cases is ${shown(cases)}. Expected a list of ${wanted}`;
  if (cases.length === 0) return `tests.cases is empty. Expected at least one ${wanted}`;
  const at = cases.findIndex((one) => !isRecord(one) || !isGood(one));
  return at < 0 ? undefined : `tests.cases[${at}] is ${shown(cases[at])}. Expected ${wanted}`;
}

function checkerProblem(checker: unknown): string | undefined {
  if (checker == null || checkers.includes(checker as string)) return undefined;
  if (isRecord(checker)) {
    if (checker.type === "floats" && Number(checker.tolerance) >= 0) return undefined;
    if (checker.type === "program" && isText(checker.program) && languages.includes(checker.language as CodeLanguage))
      return undefined;
  }
  return `tests.checker is ${shown(checker)}. Expected ${listed(checkers)}, {type: "floats", tolerance} or {type: "program", language, program}`;
}

function testsProblem(tests: unknown): string | undefined {
  if (!isRecord(tests)) return `tests is ${shown(tests)}. Expected an object with a type`;
  const { type, cases, checker, name, code, setup } = tests;
  if (type === "stdio") {
    const problem =
      caseProblem(cases, ({ input, output }) => isText(input) && isText(output), "{input, output}, both strings") ??
      checkerProblem(checker);
    const isSilent = (cases as { output: string }[] | undefined)?.every?.(({ output }) => output?.trim?.() === "");
    if (problem === undefined && isSilent && !isRecord(checker))
      return "tests.cases want no output at all: an empty program would pass. Expected an output in some case";
    return problem;
  }
  if (type === "function") {
    if (!isText(name) || name === "") return `tests.name is ${shown(name)}. Expected the name of a function`;
    return caseProblem(
      cases,
      ({ args, expected }) => Array.isArray(args) && expected !== undefined,
      "{args, expected}, args a list",
    );
  }
  if (type !== "asserts") return `tests.type is ${shown(type)}. Expected "stdio", "asserts" or "function"`;
  if (!isText(code) || code.trim() === "") return `tests.code is ${shown(code)}. Expected test code`;
  return setup == null || isText(setup) ? undefined : `tests.setup is ${shown(setup)}. Expected a string`;
}

/** What is wrong with a row besides its program, before anything is run; undefined where nothing is. */
export function codeRowProblem(row: Omit<CodeJob, "program">): string | undefined {
  if (!languages.includes(row.language)) return `language is ${shown(row.language)}. Expected ${listed(languages)}`;
  for (const name of ["timeLimitMs", "memoryMb"] as const) {
    const value: unknown = row[name];
    if (value != null && !(typeof value === "number" && value > 0 && Number.isFinite(value)))
      return `${name} is ${shown(value)}. Expected a number above 0`;
  }
  return testsProblem(row.tests);
}
