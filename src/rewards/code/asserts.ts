import { randomUUID } from "node:crypto";
import { startSandbox } from "#sandbox";
import type { Grade } from "../types.ts";
import { onLine, parseLine, type Side } from "./bridge.ts";
import { gradeCpp } from "./cpp.ts";
import { javascriptProgram, javascriptTests } from "./javascript-wire.ts";
import { gradeOf, idleTests, outcomeOf, refineOutcome, tail } from "./outcome.ts";
import { pythonBeside, pythonTests } from "./python-tests.ts";
import { pythonProgram } from "./python-wire.ts";
import { gradeFunction, gradeSplit } from "./split.ts";
import { type Built, build, limitsOf } from "./stdio.ts";
import type { CodeJob, CodeTests } from "./types.ts";

type Ready = Exclude<Built, { grade: Grade }>;
type AssertTests = CodeTests & { type: "asserts" };

/** Import lines of a setup: a program may need them; anything else in it stays with the tests. */
const importLines = (setup = "") =>
  setup
    .split("\n")
    .filter((line) => /^(import|from)\s/.test(line))
    .join("\n");

const python = (path: string) => [path, "-I", "-S", "-B"];

/** The program's sandbox: a small server around it that answers calls. */
function programSide(job: CodeJob, { toolchain, program }: Ready, setup?: string): Side {
  const [interpreter] = toolchain.run as [string];
  if (job.language === "python")
    return {
      toolchain,
      command: [...python(interpreter), "/app/serve.py"],
      files: [
        { path: "/app/serve.py", data: pythonProgram },
        { path: "/app/program.py", data: program },
        { path: "/app/imports.py", data: importLines(setup) },
      ],
    };
  return {
    toolchain,
    command: [...toolchain.run.slice(0, -1), "/app/serve.cjs"],
    files: [
      { path: "/app/serve.cjs", data: javascriptProgram },
      { path: "/app/program.js", data: program },
    ],
  };
}

function testSide(job: CodeJob, { toolchain }: Ready, tests: AssertTests): Side {
  const spec = { code: tests.code, setup: tests.setup, entryPoint: tests.entryPoint, partial: job.partial };
  if (job.language === "python")
    return {
      toolchain,
      command: [...python(toolchain.run[0]!), "/app/serve.py"],
      files: [{ path: "/app/serve.py", data: pythonTests }],
      spec,
    };
  return {
    toolchain,
    command: [...toolchain.run.slice(0, -1), "/app/serve.cjs"],
    files: [
      { path: "/app/serve.cjs", data: javascriptTests },
      { path: "/app/tests.json", data: JSON.stringify(spec) },
    ],
  };
}

/** Program and tests in one interpreter. The word that makes a verdict ours is told over standard input. */
async function gradeBeside(job: CodeJob, { toolchain, program }: Ready, tests: AssertTests): Promise<Grade> {
  const word = randomUUID();
  const sandbox = startSandbox({
    command: [...python(toolchain.run[0]!), "/app/serve.py"],
    files: [
      { path: "/app/serve.py", data: pythonBeside },
      { path: "/app/program.py", data: program },
    ],
    mounts: toolchain.mounts,
    env: toolchain.env,
    limits: limitsOf(job, toolchain.overheadBytes),
  });
  let verdict: Record<string, unknown> | undefined;
  onLine(sandbox, (line) => {
    const said = line.startsWith("V") ? parseLine(line.slice(1)) : undefined;
    if (said?.word === word) verdict ??= said;
  });
  const { type: _, live: __, ...rest } = tests;
  sandbox.input?.end(`${JSON.stringify({ ...rest, imports: importLines(tests.setup), partial: job.partial, word })}\n`);
  const run = await sandbox.result;
  const mode = { mode: "beside (weaker: the tests use the program's live objects)", cpuMs: Math.round(run.cpuMs) };
  if (run.end === "failed") return gradeOf("sandboxFailed", { problem: run.problem });
  if (verdict === undefined) {
    const outcome = refineOutcome(outcomeOf(run), run.stderr.toString());
    return gradeOf(outcome === "passed" ? "runtimeError" : outcome, {
      ...mode,
      exitCode: run.exitCode,
      stderr: tail(run.stderr),
    });
  }
  const { passed, counts, calls, why, error, message } = verdict;
  if (why === "tests")
    return { verdict: "badGold", reward: null, detail: { ...mode, problem: `the tests do not run: ${message}` } };
  const [held = 0, total = 0] = Array.isArray(counts) ? (counts as number[]) : [];
  if (passed === true) {
    const idle = idleTests(total, Number(calls ?? 0), mode);
    if (idle !== undefined) return idle;
    if (held === total) return gradeOf("passed", mode);
  }
  const share = job.partial === true && total > 0 ? held / total : 0;
  const outcome =
    why === "missing" ? "missingFunction" : why === "assertion" || passed === true ? "failedAssertion" : "runtimeError";
  return gradeOf(outcome, { ...mode, error, message, ...(total > 0 ? { passed: held, total } : {}) }, share);
}

/** Grades a program by function calls or by test code. */
export async function gradeCalls(job: CodeJob, tests: Exclude<CodeTests, { type: "stdio" }>): Promise<Grade> {
  if (job.language === "cpp") return await gradeCpp(job, tests);
  if (job.language !== "python" && job.language !== "javascript" && job.language !== "typescript")
    return {
      verdict: "badGold",
      reward: null,
      detail: {
        problem: `tests of type "${tests.type}" are for python, javascript, typescript and cpp; ${job.language} has "stdio"`,
      },
    };
  const ready = await build(job.language, job.program);
  if ("grade" in ready) return ready.grade;
  if (tests.type === "function") return await gradeFunction(job, tests, programSide(job, ready));
  const isPython = job.language === "python";
  if (tests.live === true && isPython) return await gradeBeside(job, ready, tests);
  const trial = await gradeSplit(
    job,
    programSide(job, ready, tests.setup),
    testSide(job, ready, await stripTypes(job, tests)),
  );
  return trial.detail?.outcome === "needsLive" && isPython ? await gradeBeside(job, ready, tests) : trial;
}

/** TypeScript tests run as JavaScript, like the program. */
async function stripTypes(job: CodeJob, tests: AssertTests): Promise<AssertTests> {
  if (job.language !== "typescript") return tests;
  const { toJavascript } = await import("./transform.ts");
  const [code, setup] = await Promise.all(
    [tests.code, tests.setup ?? ""].map((text) => toJavascript(text, "typescript")),
  );
  return {
    ...tests,
    code: "code" in code! ? code.code : tests.code,
    setup: "code" in setup! ? setup.code : tests.setup,
  };
}
