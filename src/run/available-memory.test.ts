import { freemem } from "node:os";
import { describe, expect, it } from "vitest";
import { availableMemory, memoryLimit } from "./available-memory.ts";

const MB = 2 ** 20;
const files = (given: Record<string, string>) => (path: string) => given[path] ?? "";
const meminfo = `MemTotal: 9 kB\nMemAvailable:    ${2000 * 1024} kB\n`;

describe("the memory that is left", () => {
  it("is what the system has available where no control group limits it", () => {
    expect(availableMemory(files({ "/proc/meminfo": meminfo }))).toBe(2000 * MB);
    expect(memoryLimit(files({ "/sys/fs/cgroup/memory.max": "max\n" }))).toBeUndefined();
  });

  it("counts dropable file cache of a control group as free", () => {
    const read = files({
      "/proc/meminfo": meminfo,
      "/sys/fs/cgroup/memory.max": `${1000 * MB}\n`,
      "/sys/fs/cgroup/memory.current": `${900 * MB}\n`,
      "/sys/fs/cgroup/memory.stat": `anon 5\ninactive_file ${700 * MB}\n`,
    });
    expect(availableMemory(read)).toBe(800 * MB);
    expect(memoryLimit(read)).toBe(1000 * MB);
  });

  it("obeys the process's own group of version 2 and of version 1", () => {
    const v2 = files({
      "/proc/meminfo": meminfo,
      "/proc/self/cgroup": "0::/box\n",
      "/sys/fs/cgroup/box/memory.max": `${300 * MB}`,
      "/sys/fs/cgroup/box/memory.current": `${100 * MB}`,
    });
    expect(availableMemory(v2)).toBe(200 * MB);
    const v1 = files({
      "/proc/meminfo": meminfo,
      "/proc/self/cgroup": "5:memory:/box\n3:cpu,cpuacct:/\n",
      "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": `${400 * MB}`,
      "/sys/fs/cgroup/memory/box/memory.usage_in_bytes": `${150 * MB}`,
    });
    expect(availableMemory(v1)).toBe(250 * MB);
  });

  it("falls back to the system's free memory where /proc is not there", () => {
    expect(Math.abs(availableMemory(files({})) - freemem())).toBeLessThan(500 * MB);
  });
});
