/** What one run may use. Each is enforced by the kernel or by the watching process, never by the program's goodwill. */
export type Limits = {
  /** Processor time of all its processes together, milliseconds. */
  cpuMs: number;
  /** Time on the clock, milliseconds; a program that is ready to run but gets no processor is given more. */
  wallMs: number;
  /** Memory of all its processes, their files in /tmp included, bytes. */
  memoryBytes: number;
  /** Processes and threads at once. */
  maxProcesses: number;
  /** Bytes under /tmp. */
  tmpBytes: number;
  /** Files and folders under /tmp. */
  maxTmpFiles: number;
  /** Open files per process. */
  maxOpenFiles: number;
  /** Bytes of standard output; more ends the run. */
  outputBytes: number;
};

/** A command inside the sandbox and everything it gets to see. */
export type RunRequest = {
  /** Absolute path of an executable inside, and its arguments. */
  command: string[];
  /** Files that appear inside, read-only, before the command starts. */
  files?: { path: string; data: string | Uint8Array; isExecutable?: boolean }[];
  /** Host folders or files visible inside at the same path, read-only, besides the system's own (see `systemMounts`). */
  mounts?: string[];
  /** Environment; nothing is inherited. */
  env?: Record<string, string>;
  /** Standard input, as a read-only file that can also be reopened as /dev/stdin. */
  stdin?: string | Uint8Array;
  limits?: Partial<Limits>;
};

/**
 * How a run ended. `exit`: by itself, see `exitCode`; `signal`: killed by a signal of its own making; the others name the
 * limit it ran into; `failed`: the sandbox could not be built, which is never the program's fault.
 */
export type RunEnd = "exit" | "signal" | "cpuTime" | "wallTime" | "memory" | "output" | "files" | "stopped" | "failed";

export type RunResult = {
  end: RunEnd;
  /** Exit status, 128 + n for signal n, or undefined where a limit ended it. */
  exitCode: number | undefined;
  stdout: Buffer;
  /** The first 64 KiB. */
  stderr: Buffer;
  cpuMs: number;
  wallMs: number;
  /** Largest memory in use at once, bytes, where it could be measured. */
  peakMemoryBytes: number | undefined;
  /** Why the sandbox could not be built, for `failed`. */
  problem?: string;
};

/** Limits of a run that asks for none: a short program on small inputs. */
export const defaultLimits: Limits = {
  cpuMs: 10_000,
  wallMs: 21_000,
  memoryBytes: 512 * 2 ** 20,
  maxProcesses: 48,
  tmpBytes: 64 * 2 ** 20,
  maxTmpFiles: 10_000,
  maxOpenFiles: 256,
  outputBytes: 16 * 2 ** 20,
};
