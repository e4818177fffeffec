import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Run } from "aha-rl";

/** "updating:3": this process kills itself the third time that it begins an update. */
const [wanted, count] = (process.env.TEST_KILL_AT ?? "").split(":");
let left = Number(count);
const pass = (instant: string) => {
  if (instant === wanted && --left === 0) process.kill(process.pid, "SIGKILL");
};

/** Watches what the run says it does, and while it saves each of its file-system calls. */
export function watch({ terminal }: Run): void {
  let phase = "";
  const [begin, advance] = [terminal!.begin.bind(terminal), terminal!.advance.bind(terminal)];
  terminal!.begin = (what, total) => {
    phase = /reading|sampling|updating|evaluating|saving|renewing/.exec(what)?.[0] ?? "";
    pass(phase);
    begin(what, total);
  };
  terminal!.advance = (done) => {
    pass(`inside ${phase}`);
    advance(done);
  };
  for (const name of ["fsyncSync", "renameSync", "rmSync"] as const) {
    const call = fs[name] as (...args: unknown[]) => unknown;
    const watched = (...args: unknown[]) => {
      if (phase === "saving") pass(name);
      return call(...args);
    };
    Object.assign(fs, { [name]: watched });
  }
  syncBuiltinESMExports();
}
