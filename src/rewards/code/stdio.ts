import { compile, findToolchain, type Language, runSandboxed, type Toolchain } from "#sandbox";
import type { Grade } from "../types.ts";
import { checkOutput } from "./checkers.ts";
import { gradeOf, type Outcome, outcomeOf, refineOutcome, tail } from "./outcome.ts";
import { toJavascript } from "./transform.ts";
import type { Checker, CodeJob, CodeLanguage, CodeTests } from "./types.ts";

const mebibyte = 2 ** 20;

/** A program compiled, or why it is not. */
export type Built = { toolchain: Toolchain; program: Buffer | string } | { grade: Grade };

/** Compiles a program for this machine, or grades it at once where that fails. */
export async function build(language: CodeLanguage, source: string): Promise<Built> {
  const toolchain = await findToolchain(language === "typescript" ? "javascript" : (language as Language));
  if (typeof toolchain === "string") return { grade: gradeOf("sandboxFailed", { problem: toolchain }) };
  const text =
    language === "typescript" || language === "javascript" ? await toJavascript(source, language) : { code: source };
  if ("error" in text) return { grade: gradeOf("compileError", { message: text.error }) };
  const built = await compile(toolchain, text.code);
  if ("problem" in built) return { grade: gradeOf("sandboxFailed", { problem: built.problem }) };
  if ("error" in built) return { grade: gradeOf("compileError", { message: tail(built.error) }) };
  return { toolchain, program: built.program };
}

/** Limits of a run under a job's own: the clock allows for neighbours, the runtime's memory comes on top. */
export function limitsOf(job: Pick<CodeJob, "timeLimitMs" | "memoryMb">, overheadBytes: number) {
  const { timeLimitMs = 10_000, memoryMb = 512 } = job;
  return { cpuMs: timeLimitMs, wallMs: 2 * timeLimitMs + 1000, memoryBytes: memoryMb * mebibyte + overheadBytes };
}

async function runWith(
  built: { toolchain: Toolchain; program: Buffer | string },
  job: Pick<CodeJob, "timeLimitMs" | "memoryMb">,
  stdin: string,
  expectedBytes: number,
  extra: { files?: { path: string; data: string }[]; args?: string[] } = {},
) {
  const { toolchain, program } = built;
  return await runSandboxed({
    command: [...toolchain.run, ...(extra.args ?? [])],
    files: [{ path: `/app/${toolchain.programName}`, data: program, isExecutable: true }, ...(extra.files ?? [])],
    mounts: toolchain.mounts,
    env: toolchain.env,
    stdin,
    limits: { ...limitsOf(job, toolchain.overheadBytes), outputBytes: 4 * expectedBytes + mebibyte },
  });
}

/** Runs a trusted checker program on one output: true accepts; a checker that breaks is an error of ours, not of the program. */
async function askChecker(
  checker: { toolchain: Toolchain; program: Buffer | string },
  input: string,
  actual: string,
  expected: string,
): Promise<boolean | { problem: string }> {
  const texts = { "/app/input.txt": input, "/app/output.txt": actual, "/app/expected.txt": expected };
  const files = Object.entries(texts).map(([path, data]) => ({ path, data }));
  const run = await runWith(checker, {}, "", mebibyte, { files, args: Object.keys(texts) });
  if (run.end === "exit" && run.exitCode === 0) return true;
  if (run.end === "exit" && (run.exitCode === 1 || run.exitCode === 2)) return false;
  return { problem: `the checker ended with ${run.end} ${run.exitCode ?? ""}: ${tail(run.stderr, 500)}` };
}

/** Grades a program by its outputs: the expected ones never enter its sandbox. */
export async function gradeStdio(job: CodeJob, tests: CodeTests & { type: "stdio" }): Promise<Grade> {
  const built = await build(job.language, job.program);
  if ("grade" in built) return built.grade;
  const checker: Checker = tests.checker ?? "exact";
  const custom = typeof checker === "object" && checker.type === "program" ? checker : undefined;
  const judge = custom === undefined ? undefined : await build(custom.language, custom.program);
  if (judge !== undefined && "grade" in judge)
    return {
      verdict: "badGold",
      reward: null,
      detail: { problem: `the checker does not build: ${JSON.stringify(judge.grade.detail)}` },
    };

  // Where nothing is to be printed an empty program is right: such a case is needed for full marks and earns no part.
  const earns = ({ output }: { output: string }) => custom !== undefined || output.trim() !== "";
  let passed = 0;
  let earned = 0;
  let first: { outcome: Outcome; detail: Record<string, unknown> } | undefined;
  let cpuMs = 0;
  for (const [i, { input, output }] of tests.cases.entries()) {
    const run = await runWith(built, job, input, Buffer.byteLength(output));
    cpuMs = Math.max(cpuMs, run.cpuMs);
    let outcome = refineOutcome(outcomeOf(run), run.stderr.toString());
    const actual = run.stdout.toString();
    if (outcome === "passed") {
      const isRight =
        judge !== undefined
          ? await askChecker(judge, input, actual, output)
          : checkOutput(checker as Exclude<Checker, { type: "program" }>, actual, output);
      if (typeof isRight === "object")
        return { verdict: "verifierError", reward: null, detail: { outcome: "sandboxFailed", ...isRight } };
      if (!isRight) outcome = "wrongOutput";
    }
    if (outcome === "passed") {
      passed += 1;
      earned += Number(earns(tests.cases[i]!));
    } else {
      const stderr = outcome === "wrongOutput" ? {} : { stderr: tail(run.stderr) };
      first ??= {
        outcome,
        detail: { case: i, exitCode: run.exitCode, output: actual.slice(0, 500), problem: run.problem, ...stderr },
      };
      if (job.partial !== true || outcome === "sandboxFailed") break;
    }
  }
  const counts = { passed, total: tests.cases.length, cpuMs: Math.round(cpuMs) };
  if (first === undefined) return gradeOf("passed", counts);
  const share = job.partial === true ? earned / Math.max(1, tests.cases.filter(earns).length) : 0;
  return gradeOf(first.outcome, { ...first.detail, ...counts }, share);
}
