import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SandboxUnavailable } from "#sandbox";
import type { Grade } from "../types.ts";
import { extractProgram } from "./extract.ts";
import type { FromHost } from "./messages.ts";
import { codeRowProblem } from "./row-problem.ts";
import type { CodeJob, CodeRow } from "./types.ts";

type Pending = { job: CodeJob; resolve: (grade: Grade) => void; reject: (error: Error) => void };

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
  child.on("message", (message: FromHost) => {
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    rest(child);
    if ("refused" in message) waiting?.reject(new SandboxUnavailable(message.refused));
    else waiting?.resolve(message.grade);
  });
  child.on("exit", (code, signal) => {
    host = undefined;
    const problem = `the verifier host ended with ${code ?? signal}`;
    for (const { resolve } of pending.values())
      resolve({ verdict: "verifierError", reward: null, detail: { problem } });
    pending.clear();
  });
  return child;
}

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
    pending.set(id, { job, resolve, reject });
    child.send({ id, job });
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
  const limits = { timeLimitMs: timeLimitMs ?? undefined, memoryMb: memoryMb ?? undefined };
  const job: CodeJob = { ...rest, ...limits, program: found };
  const grade = await ask(job);
  return grade.verdict === "verifierError" ? await ask(job) : grade;
}
