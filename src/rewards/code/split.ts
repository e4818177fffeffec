import { startSandbox } from "#sandbox";
import type { Grade } from "../types.ts";
import { type Bridged, bridge, type Ending, onLine, parseLine, type Side, type Speaker, speaker } from "./bridge.ts";
import { gradeOf, idleTests, type Outcome, outcomeOf, refineOutcome, tail } from "./outcome.ts";
import { limitsOf } from "./stdio.ts";
import type { CodeJob, CodeTests } from "./types.ts";
import { equalsJson, wireOfJson } from "./values.ts";
import { startWarm } from "./warm.ts";

/** Replies of a program are bounded together, and what it prints besides them. */
const replyBytes = 64 * 2 ** 20;

function launch(side: Side, job: Pick<CodeJob, "timeLimitMs" | "memoryMb">) {
  const { command, files, toolchain } = side;
  const { mounts, env } = toolchain;
  return startSandbox({ command, files, mounts, env, limits: sideLimits(side, job) });
}

const sideLimits = ({ toolchain }: Side, job: Pick<CodeJob, "timeLimitMs" | "memoryMb">) => ({
  ...limitsOf(job, toolchain.overheadBytes),
  outputBytes: replyBytes,
});

/** How a program ended before its tests were done, when it was not stopped by us. */
function endingOf(program: Ending): Outcome {
  const outcome = refineOutcome(outcomeOf(program), program.stderr.toString());
  return outcome === "passed" ? "runtimeError" : outcome;
}

const isText = (value: unknown): value is string => typeof value === "string";

/** The outcome behind the tests' own words. */
function outcomeOfVerdict(verdict: Record<string, unknown>): Outcome {
  const { why, error } = verdict;
  if (error === "MemoryError" || error === "std::bad_alloc") return "memoryLimit";
  if (why === "load")
    return error === "SyntaxError" || error === "IndentationError" || error === "TabError"
      ? "compileError"
      : "runtimeError";
  if (why === "missing") return "missingFunction";
  if (why === "error") return "runtimeError";
  return "failedAssertion";
}

/** The grade that a test run in two sandboxes comes to. */
export function gradeBridged({ verdict, program, tests }: Bridged, job: CodeJob): Grade {
  const mode = { mode: "split", cpuMs: Math.round(program.cpuMs) };
  if (program.end === "failed" || tests.end === "failed")
    return gradeOf("sandboxFailed", { problem: program.problem ?? tests.problem });
  if (verdict === undefined || verdict.why === "ended") {
    if (program.end !== "stopped")
      return gradeOf(endingOf(program), { ...mode, stderr: tail(program.stderr), exitCode: program.exitCode });
    // The tests broke on what the program gave them, or never end for it.
    const outcome = outcomeOf(tests) === "timeLimit" ? "timeLimit" : "failedAssertion";
    return gradeOf(outcome, { ...mode, problem: `the tests ended with ${tests.end}`, stderr: tail(tests.stderr) });
  }
  if (verdict.why === "live")
    return { verdict: "badGold", reward: null, detail: { ...mode, outcome: "needsLive", problem: verdict.message } };
  if (verdict.why === "tests")
    return {
      verdict: "badGold",
      reward: null,
      detail: { ...mode, problem: `the tests do not run: ${verdict.message}` },
    };
  const [passed = 0, total = 0] = Array.isArray(verdict.counts) ? (verdict.counts as number[]) : [];
  if (verdict.passed === true) {
    const idle = idleTests(total, Number(verdict.calls ?? 0), mode);
    if (idle !== undefined) return idle;
    if (passed === total) return gradeOf("passed", mode);
  }
  const share = job.partial === true && total > 0 ? passed / total : 0;
  const { error, message, line } = verdict;
  return gradeOf(
    outcomeOfVerdict(verdict),
    { ...mode, error, message, line, ...(total > 0 ? { passed, total } : {}) },
    share,
  );
}

/** Runs program and tests apart and grades what the tests say. */
export async function gradeSplit(job: CodeJob, program: Side, tests: Side): Promise<Grade> {
  const patient = { timeLimitMs: 10_000 + 2 * (job.timeLimitMs ?? 10_000), memoryMb: job.memoryMb };
  const run = (asking: Speaker) => bridge(speaker(launch(program, job)), asking);
  if (tests.spec === undefined) return gradeBridged(await run(speaker(launch(tests, patient))), job);
  const limits = sideLimits(tests, patient);
  const warm = startWarm(tests, limits, tests.spec);
  let bridged = await run(warm);
  // A server that breaks under tests may owe it to earlier ones; one that had run none is a failure of ours.
  if (isBroken(bridged) && warm.isUsed) bridged = await run(startWarm(tests, limits, tests.spec, true));
  const { end } = bridged.tests;
  if (isBroken(bridged) && (end === "exit" || end === "signal"))
    return gradeOf("sandboxFailed", { mode: "split", problem: `the tests' server ended with ${end}` });
  return gradeBridged(bridged, job);
}

/** The tests' server ended before it could say what came of the tests. */
const isBroken = ({ verdict, program, tests }: Bridged): boolean =>
  verdict === undefined && program.end === "stopped" && tests.end !== "stopped";

/** Grades a function by its values: arguments go in, values come out and are compared here, where the expected ones stay. */
export async function gradeFunction(
  job: CodeJob,
  tests: CodeTests & { type: "function" },
  program: Side,
): Promise<Grade> {
  const sandbox = launch(program, job);
  const { cases, name, tolerance = 1e-6 } = tests;
  let at = -1; // the line that says what the program defines comes first
  let passed = 0;
  let first: { outcome: Outcome; detail: Record<string, unknown> } | undefined;
  const fail = (outcome: Outcome, detail: Record<string, unknown>) => {
    first ??= { outcome, detail };
  };
  const next = () => {
    at += 1;
    if (at >= cases.length || (first !== undefined && job.partial !== true)) return sandbox.stop();
    const args = cases[at]!.args.map(wireOfJson);
    sandbox.input?.write(`${JSON.stringify({ op: "call", of: name, args, kwargs: { d: [] } })}\n`);
  };
  let isDone = false;
  onLine(sandbox, (line) => {
    if (isDone) return;
    const reply = parseLine(line) ?? {};
    if (at < 0) {
      if (reply.names === undefined) {
        isDone = true;
        fail("syntax" in reply ? "compileError" : "runtimeError", {
          error: reply.of,
          message: reply.syntax ?? reply.message,
        });
        return sandbox.stop();
      }
    } else if (!("value" in reply)) {
      const isMissing =
        reply.error === "KeyError" && isText(reply.message) && reply.message.replaceAll("'", "") === name.split(".")[0];
      fail(isMissing ? "missingFunction" : "runtimeError", { case: at, error: reply.of, message: reply.message });
    } else if (equalsJson(reply.value, cases[at]!.expected, tolerance)) passed += 1;
    else fail("wrongOutput", { case: at, value: tail(JSON.stringify(reply.value), 500) });
    next();
    if (at >= cases.length) isDone = true;
  });
  const run = await sandbox.result;
  if (run.end === "failed") return gradeOf("sandboxFailed", { problem: run.problem });
  if (run.end !== "stopped" && !isDone)
    fail(endingOf(run), { case: at, exitCode: run.exitCode, stderr: tail(run.stderr) });
  const counts = { mode: "split", passed, total: cases.length, cpuMs: Math.round(run.cpuMs) };
  if (first === undefined && passed === cases.length) return gradeOf("passed", counts);
  const { outcome, detail } = first ?? { outcome: "runtimeError" as const, detail: {} };
  return gradeOf(outcome, { ...detail, ...counts }, job.partial === true ? passed / cases.length : 0);
}
