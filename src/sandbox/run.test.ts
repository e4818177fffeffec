import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runSandboxed, sandboxProblem } from "./index.ts";
import { releaseSlot, takeSlot } from "./slots.ts";

const problem = await sandboxProblem();
if (problem !== undefined) console.warn(`skipped: running in a sandbox: ${problem}`);

const shell = (script: string, stdin?: string) => runSandboxed({ command: ["/bin/sh", "-c", script], stdin });

describe.skipIf(problem !== undefined)("a sandbox", { timeout: 30_000 }, () => {
  it("gives its slot back where its program could not even be started", async () => {
    const next = takeSlot();
    releaseSlot(next);
    for (let i = 0; i < 3; i++) expect(await runSandboxed({ command: ["\0"] })).toMatchObject({ end: "failed" });
    await new Promise((done) => setTimeout(done, 50));
    const after = takeSlot();
    releaseSlot(after);
    expect(after.id).toBe(next.id);
  });

  it.each([
    [2, { end: "exit" }, 3],
    [9, { end: "failed", problem: expect.stringContaining("Resource temporarily unavailable") }, 4],
  ])(
    "is tried again where the machine has no process left %d times, four times at most",
    async (times, ends, tries) => {
      // A bwrap that refuses the first times, as the real one does, then is the real one.
      const folder = mkdtempSync(join(tmpdir(), "aha-bwrap-"));
      const path = process.env.PATH;
      try {
        const seen = join(folder, "seen");
        mkdirSync(seen);
        const script = `#!/bin/sh
n=$(ls ${seen} | wc -l); touch ${seen}/$n
[ $n -ge ${times} ] && PATH=${path} exec bwrap "$@"
echo "bwrap: Can't fork for pid 1: Resource temporarily unavailable" >&2; exit 1
`;
        writeFileSync(join(folder, "bwrap"), script);
        chmodSync(join(folder, "bwrap"), 0o755);
        chmodSync(folder, 0o755);
        chmodSync(seen, 0o777);
        process.env.PATH = `${folder}:${path}`;
        expect(await shell("true")).toMatchObject(ends);
        expect(readdirSync(seen)).toHaveLength(tries);
      } finally {
        process.env.PATH = path;
        rmSync(folder, { recursive: true });
      }
    },
  );

  it("reads its input again from the beginning, and cannot change it", async () => {
    const script =
      "cat; cat /dev/stdin; { chmod 666 /proc/self/fd/0 || chmod 666 /input; } 2>/dev/null && echo changed; { echo x 1<>/dev/stdin; } 2>/dev/null && echo written; true";
    const run = await shell(script, "text\n");
    expect([run.end, run.stdout.toString()]).toEqual(["exit", "text\ntext\n"]);
  });

  it("has an empty input where it was given none", async () => {
    expect((await shell("cat; echo end")).stdout.toString()).toBe("end\n");
  });
});
