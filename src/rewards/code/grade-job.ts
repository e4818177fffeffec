import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SandboxUnavailable, sandboxProblem } from "#sandbox";
import type { Grade } from "../types.ts";
import { gradeCalls } from "./asserts.ts";
import { gradeOf } from "./outcome.ts";
import { gradeStdio } from "./stdio.ts";
import type { CodeJob } from "./types.ts";

/** Grades JavaScript in WebAssembly in a process of its own, which is ended at a deadline even where the engine hangs. */
function gradeInWebAssembly(job: CodeJob): Promise<Grade> {
  const numRuns = job.tests.type === "stdio" ? job.tests.cases.length : 4;
  const deadlineMs = 5000 + 2 * numRuns * (job.timeLimitMs ?? 10_000);
  const name = import.meta.url.endsWith(".ts") ? "./quickjs-host.ts" : "./quickjs-host.js";
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), [], {
    env: {},
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child.send(job);
  return new Promise((resolve) => {
    const settle = (grade: Grade) => {
      clearTimeout(deadline);
      child.kill("SIGKILL");
      resolve(grade);
    };
    const deadline = setTimeout(() => settle(gradeOf("timeLimit", { mode: "webassembly" })), deadlineMs);
    child.on("message", settle);
    child.on("error", (error) => settle(gradeOf("sandboxFailed", { problem: String(error) })));
    child.on("exit", () =>
      settle(gradeOf("sandboxFailed", { problem: "the WebAssembly host ended without a verdict" })),
    );
  });
}

/**
 * Grades one program in this process: the verifier host's work. Without bubblewrap only JavaScript and TypeScript are.
 * @throws SandboxUnavailable where the program cannot be run.
 */
export async function gradeJob(job: CodeJob): Promise<Grade> {
  const missing = await sandboxProblem();
  const hasFallback = job.language === "javascript" || job.language === "typescript";
  if (missing !== undefined && !hasFallback) throw new SandboxUnavailable(missing);
  if (missing !== undefined) return await gradeInWebAssembly(job);
  return job.tests.type === "stdio" ? await gradeStdio(job, job.tests) : await gradeCalls(job, job.tests);
}
