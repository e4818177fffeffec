import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

/** What a control group allows and how much of it is taken, in bytes. File cache that can be dropped does not count. */
type Group = { limit: number; used: number };

/** Bytes this process may still take: what the system has available, or less where a control group sets a limit. */
export function availableMemory(read: (path: string) => string = readText): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1];
  const system = kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  return Math.min(system, ...groups(read).map(({ limit, used }) => Math.max(0, limit - used)));
}

/** The lowest memory limit of this process's control groups, in bytes; undefined where there is none. */
export function memoryLimit(read: (path: string) => string = readText): number | undefined {
  const limits = groups(read).map(({ limit }) => limit);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Version 2 of control groups, the process's own and the outermost one it sees; then version 1. */
function groups(read: (path: string) => string): Group[] {
  const own = (pattern: RegExp) => pattern.exec(read("/proc/self/cgroup"))?.[1] ?? "";
  const [root, rootV1] = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"];
  const v2 = ["memory.max", "memory.current", "inactive_file"] as const;
  const v1 = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"] as const;
  const places = [
    [root + own(/^0::(.*)$/m), ...v2],
    [root, ...v2],
    [rootV1 + own(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m), ...v1],
    [rootV1, ...v1],
  ] as const;
  return places.flatMap(([folder, limitFile, usedFile, cacheName]) => {
    const limit = Number.parseInt(read(`${folder}/${limitFile}`), 10);
    if (!(limit < totalmem())) return [];
    const cache = new RegExp(`^${cacheName} (\\d+)$`, "m").exec(read(`${folder}/memory.stat`))?.[1] ?? 0;
    return [{ limit, used: Number.parseInt(read(`${folder}/${usedFile}`), 10) - Number(cache) }];
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
