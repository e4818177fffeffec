import type { RunResult, Sandbox, Toolchain } from "#sandbox";

/** One line of JSON; undefined where it is none. */
export function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Calls `listener` with each whole line of a sandbox's output; one that no listener can bear ends who wrote it. */
export function onLine(sandbox: Sandbox, listener: (line: string) => void): void {
  let pending: Buffer[] = [];
  sandbox.onOutput((chunk) => {
    let from = 0;
    try {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        pending.push(chunk.subarray(from, at));
        listener(Buffer.concat(pending).toString());
        pending = [];
        from = at + 1;
      }
    } catch {
      sandbox.stop();
    }
    if (from < chunk.length) pending.push(chunk.subarray(from));
  });
}

/** A side of a split test: what runs in its sandbox. */
export type Side = {
  toolchain: Toolchain;
  command: string[];
  files: { path: string; data: string | Uint8Array; isExecutable?: boolean }[];
  /** What a server that stays warm is told; a side without it is started for one test. */
  spec?: object;
};

/** How a side of a split test ended. */
export type Ending = Pick<RunResult, "end" | "exitCode" | "stderr" | "cpuMs" | "problem">;

/** What speaks in lines and ends: a sandbox, or one piece of a server's work. */
export type Speaker = {
  write: (line: string) => void;
  /** Says that nothing more will be written. */
  end: () => void;
  onLine: (listener: (line: string) => void) => void;
  stop: () => void;
  result: Promise<Ending>;
};

export function speaker(sandbox: Sandbox): Speaker {
  return {
    write: (line) => void sandbox.input?.write(line),
    end: () => void sandbox.input?.end(),
    onLine: (listener) => onLine(sandbox, listener),
    stop: sandbox.stop,
    result: sandbox.result,
  };
}

/** What the tests said, if they came to say it, and how both runs ended. */
export type Bridged = { verdict: Record<string, unknown> | undefined; program: Ending; tests: Ending };

/**
 * Joins a program and its tests, each in its own sandbox: the tests' lines that begin with C are calls and go to the
 * program, the program's lines go back as replies, and the tests' line that begins with V is the verdict, which ends both.
 * The program is read only while a call waits, so it cannot speak first; and it never hears a verdict or an expected value.
 */
export async function bridge(program: Speaker, tests: Speaker): Promise<Bridged> {
  let verdict: Record<string, unknown> | undefined;
  // The first line says what the program defines; the tests wait for it.
  let waiting = 1;
  program.onLine((line) => {
    if (waiting === 0) return;
    waiting -= 1;
    tests.write(`${line}\n`);
  });
  tests.onLine((line) => {
    if (line.startsWith("C")) {
      waiting += 1;
      program.write(`${line.slice(1)}\n`);
    } else if (line.startsWith("V") && verdict === undefined) {
      verdict = parseLine(line.slice(1));
      program.stop();
      tests.stop();
    }
  });
  void program.result.then(() => tests.end());
  void tests.result.then(() => program.stop());
  const [ranProgram, ranTests] = await Promise.all([program.result, tests.result]);
  return { verdict, program: ranProgram, tests: ranTests };
}
