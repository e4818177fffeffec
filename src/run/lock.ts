import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { explained } from "./durable.ts";
import { UserError } from "./user-error.ts";

/** Who holds a run folder. `startTime` is the process's own (clock ticks since boot on Linux), so that a pid used again by another process is told apart. */
export type LockOwner = {
  pid: number;
  startTime: string;
  bootId: string;
  host: string;
  /** Which process numbers these are, where the system has several namespaces of them. */
  pidNamespace?: string;
  since: string;
};

export type Lock = { owner: LockOwner; release: () => void };

/**
 * Takes the lock of a folder or throws a UserError that names the holder.
 *
 * A lock is a file `lock.<n>`, made whole by a hard link, which exactly one process can do for each n. The highest n
 * holds; it is never deleted while it is the highest (a release empties it), so a process that found n stale and a
 * process that came later cannot both believe they hold it. Removing a stale file first would leave that race.
 */
export function acquireLock(folder: string): Lock {
  const owner = thisProcess();
  for (;;) {
    const highest = Math.max(0, ...generations(folder));
    const holder = highest === 0 ? undefined : readOwner(join(folder, `lock.${highest}`));
    if (holder === "gone") continue; // Superseded between listing and reading.
    const isFree = holder === undefined || holder === "released" || isDead(holder, owner);
    if (!isFree) throw refusal(folder, holder, highest);
    const mine = highest + 1;
    if (!createLock(folder, mine, owner)) continue;
    if (Math.max(...generations(folder)) > mine) {
      rmSync(join(folder, `lock.${mine}`), { force: true }); // Made from an old listing: a later lock was there already.
      continue;
    }
    for (const old of generations(folder)) if (old < mine) rmSync(join(folder, `lock.${old}`), { force: true });
    return { owner, release: () => release(join(folder, `lock.${mine}`)) };
  }
}

/** Who holds a folder and is not known to be dead; undefined when it is free. */
export function lockHolder(folder: string): LockOwner | undefined {
  const highest = Math.max(0, ...generations(folder));
  const holder = highest === 0 ? "released" : readOwner(join(folder, `lock.${highest}`));
  return typeof holder === "object" && !isDead(holder, thisProcess()) ? holder : undefined;
}

function generations(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice(5))] : []));
}

function createLock(folder: string, generation: number, owner: LockOwner): boolean {
  const temporary = join(folder, `.tmp-lock-${process.pid}-${randomBytes(4).toString("hex")}`);
  return explained(folder, () => {
    writeSynced(temporary, owner);
    try {
      linkSync(temporary, join(folder, `lock.${generation}`));
      return true;
    } catch (error) {
      // EEXIST: another process was faster. ENOENT: the holder cleared our temporary file away. Look again.
      if (["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

/** An empty lock is a released one: emptying a file needs no room, so it works on a full disk too. */
function release(path: string): void {
  try {
    truncateSync(path);
  } catch {
    // The folder was removed by hand, or made read-only: the lock goes stale when this process ends.
  }
}

function writeSynced(path: string, owner: LockOwner): void {
  const file = openSync(path, "wx");
  try {
    writeSync(file, `${JSON.stringify(owner)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readOwner(path: string): LockOwner | "gone" | "released" | "unreadable" {
  try {
    const text = readFileSync(path, "utf8");
    if (text === "") return "released";
    const owner: unknown = JSON.parse(text);
    const isOwner =
      typeof owner === "object" && owner !== null && "pid" in owner && "bootId" in owner && "host" in owner;
    return isOwner ? (owner as LockOwner) : "unreadable";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "gone" : "unreadable";
  }
}

/** True only where it is proven: this host has booted since, or no process here has that pid and start time. */
function isDead(holder: LockOwner | "unreadable", here: LockOwner): boolean {
  if (holder === "unreadable") return false;
  if (holder.host !== here.host) return false;
  if (holder.bootId !== here.bootId) return true;
  // Another container's processes cannot be seen from here.
  if (holder.pidNamespace !== undefined && holder.pidNamespace !== here.pidNamespace) return false;
  return processStartTime(holder.pid) !== holder.startTime;
}

function refusal(folder: string, holder: LockOwner | "unreadable", generation: number): UserError {
  const file = join(folder, `lock.${generation}`);
  if (holder === "unreadable") {
    return new UserError(`${folder}: ${file} cannot be read as a lock. If no process uses this run, delete that file.`);
  }
  const { pid, host, since } = holder;
  const stop =
    host === hostname()
      ? `Wait for it or stop it (kill ${pid})`
      : `From here (${hostname()}) it cannot be told whether it is alive: wait for it, or delete ${file} if it is not`;
  return new UserError(
    `${folder} is in use by process ${pid} on ${host}, since ${since}. ${stop}, or choose another --run.`,
  );
}

function thisProcess(): LockOwner {
  const startTime = processStartTime(process.pid) ?? "unknown";
  const since = new Date().toISOString();
  return {
    pid: process.pid,
    startTime,
    bootId: readBootId(),
    host: hostname(),
    pidNamespace: readPidNamespace(),
    since,
  };
}

function readPidNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}

/** When a process started, in the system's own notation; undefined when it is dead (a zombie is). */
export function processStartTime(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      // proc(5): after the name in brackets come state (field 3) … start time (field 22).
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const line = commandOutput("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  const [state = "", ...start] = line.split(/\s+/);
  return state === "" || state.startsWith("Z") ? undefined : start.join(" ");
}

function readBootId(): string {
  if (process.platform === "linux") return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return commandOutput("sysctl", ["-n", "kern.bootsessionuuid"]) || "unknown";
}

function commandOutput(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).trim();
  } catch {
    return "";
  }
}
