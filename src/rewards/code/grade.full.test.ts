import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { sandboxProblem } from "#sandbox";
import { gradeCode } from "./grade.ts";
import type { CodeRow } from "./types.ts";

const problem = await sandboxProblem();
if (problem !== undefined) console.warn(`skipped: a verifier host that hangs: ${problem}`);

it.skipIf(problem !== undefined)("ends a verifier host that hangs and asks another", { timeout: 200_000 }, async () => {
  const tests: CodeRow["tests"] = { type: "stdio", cases: [{ input: "", output: "3" }] };
  const grade = () => gradeCode({ language: "python", program: "print(3)", tests });
  await grade();
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "latin1").trim().split(" ");
  for (const pid of children.map(Number))
    if (readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("code/host")) process.kill(pid, "SIGSTOP");
  const began = performance.now();
  expect(await grade()).toMatchObject({ verdict: "correct" });
  expect(performance.now() - began).toBeGreaterThan(30_000);
});
