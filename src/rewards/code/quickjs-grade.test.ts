import { describe, expect, it } from "vitest";
import { SandboxUnavailable } from "#sandbox";
import { gradeCode } from "./grade.ts";
import type { CodeRow } from "./types.ts";

// The verifier host of this file is started where no bwrap can be found.
process.env.PATH = "/nowhere";

const sum: CodeRow["tests"] = { type: "stdio", cases: [{ input: "1 2\n", output: "3\n" }] };
const asserts: CodeRow["tests"] = {
  type: "asserts",
  code: "const assert = require('node:assert');\nfunction test() {\n  let candidate = add;\n  assert.deepEqual(candidate([1], [2]), [1, 2]);\n}\ntest();",
};
const lost: CodeRow["tests"] = {
  type: "asserts",
  code: "const assert = require('assert');\n(async () => { await null; assert.deepEqual(add([1], [2]), [1, 2]); })()",
};
const grade = (program: string, tests: CodeRow["tests"], language: CodeRow["language"] = "javascript") =>
  gradeCode({ language, program, tests, timeLimitMs: 500, memoryMb: 32 });
const add = "const add = (a, b) => a.concat(b);";

describe("a machine without bubblewrap", { timeout: 60_000 }, () => {
  it("refuses Python with the line that installs it", async () => {
    await expect(grade("print(3)", sum, "python")).rejects.toThrow(/no bwrap on the path.*apt-get install bubblewrap/);
    await expect(grade("print(3)", sum, "python")).rejects.toThrow(SandboxUnavailable);
  });

  it.each([
    [
      "reads and prints",
      "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number); console.log(a + b)",
      sum,
      "correct",
      "passed",
    ],
    ["is right by asserts", add, asserts, "correct", "passed"],
    [
      "is right by values",
      add,
      { type: "function", name: "add", cases: [{ args: [[1], [2.5]], expected: [1, 2.5] }] },
      "correct",
      "passed",
    ],
    ["is wrong", "const add = () => 1", asserts, "wrong", "failedAssertion"],
    ["defines nothing", "", asserts, "wrong", "missingFunction"],
    [
      "patches assert",
      "globalThis.require = () => ({ deepEqual() {} }); JSON.stringify = () => '{\"value\":true}'; const add = () => 1",
      asserts,
      "wrong",
      "failedAssertion",
    ],
    ["fails where nobody waits", "const add = () => 1", lost, "wrong", "failedAssertion"],
    ["throws where nobody waits", "const add = () => { throw new TypeError() }", lost, "wrong", "runtimeError"],
    ["is right a moment later", add, lost, "correct", "passed"],
    [
      "fails console.assert",
      "const add = () => []",
      { type: "asserts", code: "console.assert(add([1], []).length === 1)" },
      "wrong",
      "failedAssertion",
    ],
    ["exits", "process.exit(0)", asserts, "wrong", "runtimeError"],
    ["never ends", "for (;;) {}", sum, "timeout", "timeLimit"],
    ["allocates", "const x = []; for (;;) x.push(new Uint8Array(1 << 20))", sum, "wrong", "memoryLimit"],
    ["floods", "for (;;) console.log('x'.repeat(9999))", sum, "wrong", "outputLimit"],
    ["recurses", "const f = () => f() + 1; f()", sum, "wrong", "runtimeError"],
    [
      "looks for the machine",
      "console.log(typeof fetch, typeof WebAssembly, require('child_process'))",
      sum,
      "wrong",
      "runtimeError",
    ],
    ["is no program", "const const", sum, "wrong", "compileError"],
  ] as const)("grades JavaScript that %s in WebAssembly", async (_, program, tests, verdict, outcome) => {
    expect(await grade(program, tests as CodeRow["tests"])).toMatchObject({
      verdict,
      detail: { mode: "webassembly", outcome },
    });
  });

  it.each([
    ["assert nothing", "add([1], [2])", "assert nothing"],
    ["call nothing", "function test() { console.assert(add([1], [2]).length === 2) }", "never call"],
    ["never settle", "add([1], [2]); new Promise(() => {})", "never settles"],
  ])("pays nobody for tests that %s", async (_, code, why) => {
    expect(await grade(add, { type: "asserts", code })).toMatchObject({
      verdict: "badGold",
      detail: { problem: expect.stringContaining(why) },
    });
  });

  it("grades TypeScript there too", async () => {
    const typed = "function add(a: number[], b: number[]): number[] { return [...a, ...b]; }";
    expect(await grade(typed, asserts, "typescript")).toMatchObject({ verdict: "correct" });
  });
});
