import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { announce, bubblewrapOptions, inheritedDescriptors, inputPath, resourceLimits, streams } from "./bubblewrap.ts";
import { seccompFilter } from "./seccomp.ts";
import { releaseSlot, type Slot, takeSlot } from "./slots.ts";
import { defaultLimits, type Limits, type RunEnd, type RunRequest, type RunResult } from "./types.ts";
import { isRunnable, numTmpFiles, startTicks, treeUsage } from "./watch.ts";

/** A sandbox that is running. */
export type Sandbox = {
  /** Its standard input, when it was started without `stdin`. */
  input: Writable | undefined;
  /** Called with each piece of its standard output as it comes. */
  onOutput: (listener: (chunk: Buffer) => void) => void;
  /**
   * Counts processor time, clock and output from zero again, under these limits: for a server that begins its next piece
   * of work. False where it has ended or is ending.
   */
  renew: (limits: Pick<Limits, "cpuMs" | "wallMs">) => boolean;
  /** Ends it at once. */
  stop: () => void;
  result: Promise<RunResult>;
};

const stderrBytes = 64 * 2 ** 10;
const watchEveryMs = 20;
/** The most that one look counts for on the program's clock. */
const longestTickMs = 250;
/** How many times its clock a program may last while it is runnable but gets no processor. */
const patience = 8;
const signalled = 128;
const killed = signalled + 9;
const outOfCpu = signalled + 24;

let filter: Buffer | undefined;

function start(request: RunRequest, limits: Limits, slot: Slot): ChildProcess {
  const { mounts = [], env = {}, stdin } = request;
  const input = stdin === undefined ? [] : [{ path: inputPath, data: stdin }];
  const files = [...(request.files ?? []), ...input];
  const opened: number[] = [];
  try {
    const stdio: ("pipe" | "ignore" | number)[] = [
      stdin === undefined ? "pipe" : "ignore",
      "pipe",
      "pipe",
      "pipe",
      "pipe",
      "pipe",
      "pipe",
    ];
    for (const _ of files) stdio.push("pipe");
    for (const fd of inheritedDescriptors()) {
      if (fd < stdio.length) continue;
      if (opened.length === 0) opened.push(openSync("/dev/null", "r"));
      while (stdio.length < fd) stdio.push("ignore");
      stdio.push(opened.at(-1)!);
    }
    // Without a group the watcher counts memory; this bounds what one process can take between two looks. Runtimes
    // reserve much that they never touch.
    const memory = slot.group === undefined ? limits.memoryBytes + 2 ** 30 : undefined;
    const command = [...announce(stdin !== undefined), ...resourceLimits(limits, memory), ...request.command];
    const identity = slot.uid === undefined ? {} : { uid: slot.uid, gid: slot.uid };
    const child = spawn("bwrap", ["--args", String(streams.options), "--", ...command], {
      ...identity,
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      cwd: "/",
      stdio,
    });
    if (child.pid === undefined) return child;
    // bwrap waits for its options, so nothing has been started outside the group yet.
    try {
      slot.group?.add(child.pid);
    } catch (error) {
      child.on("error", () => {});
      child.kill("SIGKILL");
      throw error;
    }
    const send = (stream: number, data: string | Uint8Array) => {
      const pipe = child.stdio[stream] as Writable;
      pipe.on("error", () => {});
      pipe.end(data);
    };
    filter ??= seccompFilter();
    send(streams.seccomp, filter);
    send(
      streams.options,
      bubblewrapOptions(limits, mounts, files, env)
        .map((option) => `${option}\0`)
        .join(""),
    );
    files.forEach(({ data }, i) => {
      send(streams.files + i, data);
    });
    return child;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Kills what is left of a sandbox and resolves once nothing of it lives; false after two seconds of trying. */
async function bury(slot: Slot, init: { pid: number; ticks: string | undefined } | undefined): Promise<boolean> {
  const alive = () => {
    const pids = slot.group?.pids() ?? [];
    if (init !== undefined && init.ticks !== undefined && startTicks(init.pid) === init.ticks) pids.push(init.pid);
    return pids;
  };
  for (let attempt = 0; attempt < 400; attempt++) {
    const pids = alive();
    if (pids.length === 0) return true;
    for (const pid of pids)
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself.
      }
    await new Promise((done) => setTimeout(done, attempt < 10 ? 1 : 5));
  }
  return false;
}

/**
 * Starts a command in a fresh sandbox: no network, no host file but the system's read-only, its own processes only, no
 * privileges, bounded in processor, clock, memory, processes, files and output. Linux with bubblewrap; see `sandboxProblem`.
 */
export function startSandbox(request: RunRequest): Sandbox {
  const limits = { ...defaultLimits, ...request.limits };
  const slot = takeSlot();
  const began = performance.now();
  let child: ChildProcess;
  try {
    slot.group?.reset(limits);
    child = start(request, limits, slot);
  } catch (error) {
    void bury(slot, undefined).then((isEmpty) => {
      if (isEmpty) releaseSlot(slot);
    });
    return {
      input: undefined,
      onOutput: () => {},
      renew: () => false,
      stop: () => {},
      result: Promise.resolve(failure(`${error}`, 0)),
    };
  }

  let end: RunEnd | undefined;
  let peak: number | undefined;
  let cpuMs = 0;
  let renewedAtCpuMs = 0;
  let clockMs = 0;
  let lastTick = began;
  let idleTicks = 0;
  let init: { pid: number; ticks: string | undefined } | undefined;
  const stop = (why: RunEnd) => {
    end ??= why;
    child.kill("SIGKILL");
  };

  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const listeners: ((chunk: Buffer) => void)[] = [];
  const forget: (() => void)[] = [];
  const collect = (stream: Readable | null, into: Buffer[], keepBytes: number, listen: boolean) => {
    let seen = 0;
    forget.push(() => {
      seen = into.length = 0;
    });
    stream?.on("error", () => {});
    stream?.on("data", (chunk: Buffer) => {
      if (seen < keepBytes) into.push(chunk.subarray(0, keepBytes - seen));
      seen += chunk.length;
      if (seen > limits.outputBytes) stop("output");
      else if (listen) for (const listener of listeners) listener(chunk);
    });
  };
  collect(child.stdout, stdout, limits.outputBytes, true);
  collect(child.stderr, stderr, stderrBytes, false);
  child.stdin?.on("error", () => {});

  let hasStarted = false;
  const sign = child.stdio[streams.started] as Readable | undefined;
  sign?.on("error", () => {});
  sign?.on("data", () => {
    hasStarted = true;
  });
  let status = "";
  const statusStream = child.stdio[streams.status] as Readable | undefined;
  statusStream?.on("error", () => {});
  statusStream?.on("data", (chunk: Buffer) => {
    status += chunk.toString();
    const pid = Number(/"child-pid"\s*:\s*(\d+)/.exec(status)?.[1]);
    if (init === undefined && pid > 0) init = { pid, ticks: startTicks(pid) };
  });

  const watch = setInterval(() => {
    if (slot.group !== undefined) {
      cpuMs = slot.group.cpuMs();
      if (slot.group.isOutOfMemory()) stop("memory");
    } else if (child.pid !== undefined) {
      const usage = treeUsage(child.pid);
      cpuMs = Math.max(cpuMs, usage.cpuMs);
      peak = Math.max(peak ?? 0, usage.memoryBytes);
      if (usage.memoryBytes > limits.memoryBytes) stop("memory");
    }
    if (cpuMs - renewedAtCpuMs > limits.cpuMs) stop("cpuTime");
    // Time in which this process itself was held up is not the program's.
    const now = performance.now();
    clockMs += Math.min(now - lastTick, longestTickMs);
    lastTick = now;
    const overMs = clockMs - limits.wallMs;
    if (overMs > 0) {
      // Waiting for a processor that neighbours hold is not the program's fault; sleeping is.
      idleTicks =
        overMs < limits.wallMs * patience && isRunnable(slot.group?.pids() ?? [child.pid ?? 0]) ? 0 : idleTicks + 1;
      if (idleTicks >= 2) stop("wallTime");
    }
    if (init !== undefined && numTmpFiles(init.pid, limits.tmpBytes) > limits.maxTmpFiles) stop("files");
  }, watchEveryMs);

  const ended = new Promise<string | undefined>((done) => {
    child.on("error", (error) => done(error.message));
    child.on("exit", () => {
      // What held the output open dies with process 1; the streams close a moment later.
      const late = setTimeout(() => done(undefined), 1000);
      child.on("close", () => {
        clearTimeout(late);
        done(undefined);
      });
    });
  });

  const finish = async (): Promise<RunResult> => {
    const problem = await ended;
    clearInterval(watch);
    for (const stream of child.stdio) stream?.destroy();
    const wallMs = performance.now() - began;
    const isEmpty = await bury(slot, init);
    const isOutOfMemory = slot.group?.isOutOfMemory() ?? false;
    if (slot.group !== undefined) {
      cpuMs = slot.group.cpuMs();
      peak = slot.group.peakMemoryBytes();
    }
    // A slot whose processes will not die is worn by nobody else.
    if (isEmpty) releaseSlot(slot);
    const text = Buffer.concat(stderr);
    if (problem !== undefined) return failure(`bwrap: ${problem}`, wallMs);
    const exitCode = /"exit-code"\s*:\s*(\d+)/.exec(status)?.[1];
    // What ends before the program began, other than by our will, is never the program's doing; what ends after always is.
    if (!hasStarted && end !== "stopped")
      return failure(text.toString().trim() || `bwrap ended with ${child.exitCode ?? child.signalCode}`, wallMs);
    if (end === undefined && isOutOfMemory) end = "memory";
    cpuMs -= renewedAtCpuMs;
    if (end === undefined && cpuMs > limits.cpuMs) end = "cpuTime";
    if (end === undefined && exitCode === undefined) end = "signal"; // It killed its own process 1.
    const code = exitCode === undefined ? undefined : Number(exitCode);
    if (end === undefined)
      end = code === outOfCpu ? "cpuTime" : code !== undefined && code >= killed - 8 ? "signal" : "exit";
    return { end, exitCode: code, stdout: Buffer.concat(stdout), stderr: text, cpuMs, wallMs, peakMemoryBytes: peak };
  };

  return {
    input: request.stdin === undefined ? (child.stdin ?? undefined) : undefined,
    onOutput: (listener) => listeners.push(listener),
    renew(next) {
      Object.assign(limits, next);
      renewedAtCpuMs = slot.group?.cpuMs() ?? cpuMs;
      clockMs = idleTicks = 0;
      for (const reset of forget) reset();
      return end === undefined && child.exitCode === null && child.signalCode === null;
    },
    stop: () => stop("stopped"),
    result: finish(),
  };
}

function failure(problem: string, wallMs: number): RunResult {
  const none = Buffer.alloc(0);
  return {
    end: "failed",
    exitCode: undefined,
    stdout: none,
    stderr: none,
    cpuMs: 0,
    wallMs,
    peakMemoryBytes: undefined,
    problem,
  };
}

/** Pauses in milliseconds after which a sandbox that the machine had no process left for is tried again. */
const pauses = [50, 200, 800];

/** The program had not begun, and what was lacking may be there in a moment: what fork says where it may have no more processes. */
const isForNow = ({ end, problem }: RunResult): boolean =>
  end === "failed" && /Resource temporarily unavailable/.test(problem ?? "");

/** Runs a command in a fresh sandbox to its end. Never rejects: what went wrong is in `end` and `problem`. */
export async function runSandboxed(request: RunRequest): Promise<RunResult> {
  const run = () => startSandbox({ ...request, stdin: request.stdin ?? "" }).result;
  let result = await run();
  for (const pause of pauses) {
    if (!isForNow(result)) break;
    await sleep(pause);
    result = await run();
  }
  return result;
}
