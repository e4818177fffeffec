import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, type LockOwner, processStartTime } from "./lock.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-lock-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A lock left in the folder by `changes` to this very process. */
function leaveLock(changes: Partial<LockOwner>): LockOwner {
  const { owner, release } = acquireLock(dir);
  release();
  const [name] = readdirSync(dir);
  const left = { ...owner, ...changes };
  writeFileSync(join(dir, name!), JSON.stringify(left));
  return left;
}

describe("a lock", () => {
  it("that is held is refused, naming process and host", () => {
    const { release } = acquireLock(dir);
    expect(() => acquireLock(dir)).toThrow(`${dir} is in use by process ${process.pid} on ${hostname()}`);
    release();
    acquireLock(dir).release();
    expect(readdirSync(dir)).toHaveLength(1);
  });

  it("of a dead process is not in the way", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    leaveLock({ pid });
    acquireLock(dir).release();
  });

  it("whose pid lives again as another process is not in the way", () => {
    leaveLock({ pid: process.ppid, startTime: "12345" });
    acquireLock(dir).release();
  });

  it("from before this machine's last boot is not in the way", () => {
    leaveLock({ bootId: "another boot" });
    acquireLock(dir).release();
  });

  it("from another namespace of processes is never taken to be dead: they cannot be seen from here", () => {
    leaveLock({ pid: 4_000_000, pidNamespace: "pid:[1]" });
    expect(() => acquireLock(dir)).toThrow(/is in use by process 4000000/);
  });

  it("from another host is never taken to be dead", () => {
    leaveLock({ host: "elsewhere", pid: 77, bootId: "another boot" });
    expect(() => acquireLock(dir)).toThrow(
      /is in use by process 77 on elsewhere.*cannot be told whether it is alive.*delete .*lock\.1/,
    );
  });

  it("that cannot be read is not taken to be dead", () => {
    writeFileSync(join(dir, "lock.3"), "{");
    expect(() => acquireLock(dir)).toThrow(
      /lock\.3 cannot be read as a lock. If no process uses this run, delete that file/,
    );
    expect(readFileSync(join(dir, "lock.3"), "utf8")).toBe("{");
  });
});

it("a process that was killed and not yet waited for is dead", { skip: process.platform !== "linux" }, async () => {
  // sh starts a child and becomes a sleep, which never waits for it.
  const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(String(line));
    expect(processStartTime(pid)).toMatch(/^\d+$/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.kill(pid, "SIGKILL");
    await expect.poll(() => processStartTime(pid)).toBeUndefined();
    expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(" Z ");
  } finally {
    parent.kill("SIGKILL");
  }
});
