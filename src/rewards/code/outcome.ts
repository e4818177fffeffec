import type { RunResult } from "#sandbox";
import type { Grade, Verdict } from "../types.ts";

/** What became of a program, told apart in a verdict's detail. */
export type Outcome =
  | "passed"
  | "wrongOutput"
  | "failedAssertion"
  | "missingFunction"
  | "compileError"
  | "runtimeError"
  | "timeLimit"
  | "memoryLimit"
  | "outputLimit"
  | "fileLimit"
  | "sandboxFailed";

const verdicts: Partial<Record<Outcome, Verdict>> = {
  passed: "correct",
  timeLimit: "timeout",
  sandboxFailed: "verifierError",
};

/** How a run that should have ended by itself with status 0 fared; "passed" where it did. */
export function outcomeOf(run: Pick<RunResult, "end" | "exitCode">): Outcome {
  if (run.end === "exit") return run.exitCode === 0 ? "passed" : "runtimeError";
  if (run.end === "cpuTime" || run.end === "wallTime") return "timeLimit";
  if (run.end === "memory") return "memoryLimit";
  if (run.end === "output") return "outputLimit";
  if (run.end === "files") return "fileLimit";
  return run.end === "failed" ? "sandboxFailed" : "runtimeError";
}

/** Where control groups do not tell, a runtime's own words do: it died of memory, not of a mistake. */
export function refineOutcome(outcome: Outcome, stderr: string): Outcome {
  if (outcome !== "runtimeError") return outcome;
  return /\bMemoryError\b|std::bad_alloc|heap out of memory|OutOfMemoryError|Cannot allocate memory/.test(stderr)
    ? "memoryLimit"
    : outcome;
}

/** The grade of an outcome: full reward for "passed", else the share passed where parts are paid, null where nobody can tell. */
export function gradeOf(outcome: Outcome, detail: Record<string, unknown>, partialShare = 0): Grade {
  const verdict = verdicts[outcome] ?? "wrong";
  const reward = verdict === "verifierError" ? null : verdict === "correct" ? 1 : partialShare;
  return { verdict, reward, detail: { outcome, ...detail } };
}

/** Tests that came to their end and checked nothing would pay every program: the row's fault. */
export function idleTests(numChecks: number, numCalls: number, detail: Record<string, unknown>): Grade | undefined {
  const problem =
    numCalls === 0 ? "the tests never call the program" : numChecks === 0 ? "the tests assert nothing" : undefined;
  return problem === undefined ? undefined : { verdict: "badGold", reward: null, detail: { ...detail, problem } };
}

export const tail = (text: Buffer | string, length = 2000) => text.toString().slice(-length);
