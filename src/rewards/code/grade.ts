import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SandboxUnavailable } from "#sandbox";
import type { Grade } from "../types.ts";
import { extractProgram } from "./extract.ts";
import type { FromHost, Heartbeat } from "./messages.ts";
import { codeRowProblem } from "./row-problem.ts";
import type { CodeJob, CodeRow } from "./types.ts";

type Pending = {
  child: ChildProcess;
  settle: (message: FromHost) => void;
};

/** A longer program is not read: no right answer is. */
const maxProgramChars = 2 ** 18;
/** A host that says nothing for so long while it has work hangs. */
const silentMs = 60_000;
const tickMs = 1000;

/** The one verifier host of this process, started at the first grading and ended with it. */
let host: ChildProcess | undefined;
let nextId = 0;
const pending = new Map<number, Pending>();

function startHost(): ChildProcess {
  const isSource = import.meta.url.endsWith(".ts");
  const path = fileURLToPath(new URL(isSource ? "./host.ts" : "./host.js", import.meta.url));
  const loader = () => pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(path, [], {
    execArgv: isSource ? ["--conditions=aha-src", "--import", loader()] : [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  // Ticks of this process count, not its clock: while it is blocked itself, no message can arrive.
  let numSilentTicks = 0;
  const clock = setInterval(() => {
    numSilentTicks = pending.size > 0 ? numSilentTicks + 1 : 0;
    if (numSilentTicks * tickMs > silentMs) child.kill("SIGKILL");
  }, tickMs);
  clock.unref();
  child.on("message", (message: FromHost | Heartbeat) => {
    numSilentTicks = 0;
    if (message === "alive") return;
    pending.get(message.id)?.settle(message);
    rest(child);
  });
  const lose = (why: string) => {
    clearInterval(clock);
    if (host === child) host = undefined;
    for (const [id, one] of pending) if (one.child === child) one.settle(lost(id, why));
  };
  child.on("disconnect", () => lose("closed its channel"));
  child.on("error", (error) => lose(`failed: ${error.message}`));
  child.on("exit", (code, signal) => lose(`ended with ${code ?? signal}`));
  return child;
}

const lost = (id: number, why: string): FromHost => ({
  id,
  grade: { verdict: "verifierError", reward: null, detail: { problem: `the verifier host ${why}` } },
});

/** Lets this process end while the host has nothing to do. */
function rest(child: ChildProcess): void {
  if (pending.size > 0) return;
  child.unref();
  child.channel?.unref();
}

function ask(job: CodeJob): Promise<Grade> {
  host ??= startHost();
  const child = host;
  child.ref();
  child.channel?.ref();
  const id = nextId++;
  return new Promise((resolve, reject) => {
    const settle = (message: FromHost) => {
      pending.delete(id);
      if ("refused" in message) reject(new SandboxUnavailable(message.refused));
      else resolve(message.grade);
    };
    pending.set(id, { child, settle });
    child.send({ id, job }, (error) => {
      if (error !== null) pending.get(id)?.settle(lost(id, `takes no work: ${error.message}`));
    });
  });
}

/**
 * Grades a program by running it in a sandbox against its tests: `correct` when all pass, `timeout` over its processor
 * time, `noAnswer` and `truncated` where the completion holds no whole program, `badGold` where the tests themselves do
 * not run, else `wrong`; `detail.outcome` tells compile errors, crashes, wrong output and each limit apart. Expected
 * outputs never enter the program's sandbox. A failure of the machine is tried twice before it is `verifierError`.
 * @throws SandboxUnavailable where programs cannot be run safely; the message says what to install.
 */
export async function gradeCode(row: CodeRow): Promise<Grade> {
  const problem = codeRowProblem(row);
  if (problem !== undefined) return { verdict: "badGold", reward: null, detail: { problem } };
  const { completion, finishReason, program, timeLimitMs, memoryMb, ...rest } = row;
  let found = program;
  if (found == null) {
    const extracted = extractProgram(completion ?? "", row.language, finishReason);
    if ("none" in extracted) return { verdict: extracted.none, reward: 0, detail: { outcome: "noProgram" } };
    found = extracted.program;
  }
  if (found.length > maxProgramChars) {
    const message = `a program of ${found.length} characters; expected at most ${maxProgramChars}`;
    return { verdict: "wrong", reward: 0, detail: { outcome: "compileError", message } };
  }
  const limits = { timeLimitMs: timeLimitMs ?? undefined, memoryMb: memoryMb ?? undefined };
  const job: CodeJob = { ...rest, ...limits, program: found };
  const grade = await ask(job);
  return grade.verdict === "verifierError" ? await ask(job) : grade;
}
