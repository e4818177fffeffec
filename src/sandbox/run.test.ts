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
