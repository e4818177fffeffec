import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Limits } from "./types.ts";

/** Where in its list of streams a sandbox gets its filter, its options, its status line, its sign of life and its files. */
export const streams = { seccomp: 3, options: 4, status: 5, started: 6, files: 7 };

/** Where the text of a standard input stands inside. */
export const inputPath = "/input";

/**
 * Says that the sandbox is built, on a stream the program never gets, and becomes the program; its input is a file of the
 * read-only root, which can be reopened and sought, and which its owner cannot make writable.
 */
export const announce = (hasInput: boolean): string[] => {
  const redirect = hasInput ? `<${inputPath}` : "";
  return ["/bin/sh", "-c", `echo >&${streams.started}; exec "$@" ${streams.started}>&- ${redirect}`, "sh"];
};

const environment = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/tmp",
  TMPDIR: "/tmp",
  USER: "nobody",
  LOGNAME: "nobody",
  LANG: "C.UTF-8",
  // One thread: the processor time of a run is bounded, and so is what it takes from its neighbours.
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
};

/** Folders under /usr that no toolchain needs; each appears empty unless a mount asks for it. */
const hidden = ["/usr/local", "/usr/share", "/usr/src"];

/** The read-only view of the system: /usr, the loader's folders, and the two places in /etc that find libraries and commands. */
function systemMounts(): string[] {
  const options = ["--ro-bind", "/usr", "/usr"];
  for (const path of ["/bin", "/sbin", "/lib", "/lib64", "/lib32"]) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) options.push("--symlink", readlinkSync(path), path);
    else options.push("--ro-bind", path, path);
  }
  for (const path of hidden) if (existsSync(path)) options.push("--tmpfs", path);
  for (const path of ["/etc/ld.so.cache", "/etc/alternatives"]) options.push("--ro-bind-try", path, path);
  return options;
}

/** Options for `bwrap --args`: namespaces without network, a read-only root, a bounded /tmp, and no way to gain anything. */
export function bubblewrapOptions(
  limits: Limits,
  mounts: string[],
  files: { path: string; isExecutable?: boolean }[],
  env: Record<string, string>,
): string[] {
  const options = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"];
  options.push("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv");
  options.push(...systemMounts());
  for (const path of mounts) options.push("--ro-bind", path, path);
  for (const path of hidden) if (existsSync(path)) options.push("--remount-ro", path);
  options.push("--proc", "/proc", "--dev", "/dev");
  options.push("--size", String(Math.min(limits.tmpBytes, 2 ** 24)), "--perms", "0700", "--tmpfs", "/dev/shm");
  options.push("--remount-ro", "/dev");
  options.push("--size", String(limits.tmpBytes), "--perms", "0700", "--tmpfs", "/tmp", "--chdir", "/tmp");
  files.forEach(({ path, isExecutable }, i) => {
    options.push("--perms", isExecutable === true ? "0555" : "0444", "--file", String(streams.files + i), path);
  });
  for (const [name, value] of Object.entries({ ...environment, ...env })) options.push("--setenv", name, value);
  options.push("--seccomp", String(streams.seccomp), "--json-status-fd", String(streams.status), "--remount-ro", "/");
  return options;
}

/** `prlimit` with the limits of one process; per sandbox they are the control group's or the watcher's. */
export function resourceLimits(limits: Limits, dataBytes: number | undefined): string[] {
  const seconds = Math.ceil(limits.cpuMs / 1000) + 1;
  return [
    "/usr/bin/prlimit",
    `--nproc=${limits.maxProcesses}`,
    `--cpu=${seconds}:${seconds + 1}`,
    `--fsize=${limits.tmpBytes}`,
    `--nofile=${limits.maxOpenFiles}`,
    `--stack=${Math.min(limits.memoryBytes, 64 * 2 ** 20)}`,
    `--memlock=65536`,
    `--core=0`,
    `--msgqueue=0`,
    `--sigpending=256`,
    ...(dataBytes === undefined ? [] : [`--data=${dataBytes}`]),
    "--",
  ];
}

/**
 * Descriptors of this process that a child would inherit: those it was itself started with and nobody marked. A sandbox
 * gets /dev/null in the place of each.
 */
export function inheritedDescriptors(): number[] {
  const closeOnExec = 0o2000000;
  const found: number[] = [];
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) found.push(fd);
    } catch {
      // The folder's own descriptor, closed by now.
    }
  }
  return found;
}
