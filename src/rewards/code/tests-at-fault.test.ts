import { describe, expect, it } from "vitest";
import { sandboxProblem } from "#sandbox";
import { gradeCode } from "./grade.ts";
import type { CodeRow } from "./types.ts";

const problem = await sandboxProblem();
if (problem !== undefined) console.warn(`skipped: tests at fault: ${problem}`);

const asserts = (language: CodeRow["language"], program: string, code: string, live = false) =>
  gradeCode({ language, program, tests: { type: "asserts", code, live }, timeLimitMs: 3000 });

const add = "def add(a, b): return a + b";
const plus = "function plus(a, b) { return a + b }";
const sum = "int sum(int a, int b) { return a + b; }";
const idle = "the tests assert nothing";
const alone = "the tests never call the program";
const testCase = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 3)\n";

describe.skipIf(problem !== undefined)("tests that are code", { timeout: 60_000 }, () => {
  it.each([
    ["a function that nobody calls", "python", "pass", "def test_add():\n    assert add(1, 2) == 3", alone],
    ["a call that is not compared", "python", add, "add(1, 2)", idle],
    ["an assertion about nothing", "python", add, "assert 1 == 1", alone],
    ["no test case found", "python", add, `${testCase}unittest.main(argv=['x'], module=None, exit=False)`, alone],
    ["an import of the program", "python", add, "from solution import add\nassert add(1, 2) == 3", "solution"],
    ["an import that is not there", "python", add, "import no_such\nassert add(1, 2) == 3", "no_such"],
    ["a call that is not compared", "javascript", plus, "plus(1, 2)", idle],
    ["a function that nobody calls", "javascript", plus, "function t() { console.assert(plus(1, 2) === 3) }", alone],
    ["a promise that never settles", "javascript", plus, "await new Promise(() => {}); plus(1, 2)", "never settles"],
    ["asserts compiled away", "cpp", sum, "int main() { sum(1, 2); }", idle],
    ["a function that nobody calls", "cpp", sum, "bool t() { return sum(1, 2) == 3; } int main() {}", alone],
  ] as const)("with %s (%s) pay nobody and cost nobody", async (_, language, program, code, why) => {
    const grade = await asserts(language, program, code);
    expect(grade).toMatchObject({
      verdict: "badGold",
      reward: null,
      detail: { problem: expect.stringContaining(why) },
    });
  });

  it.each([
    ["python", add],
    ["cpp", sum],
  ] as const)("that assert nothing beside the program (%s) pay nobody either", async (language, program) => {
    const code = language === "cpp" ? "int main() { }" : "def test():\n    assert add(1, 2) == 3";
    expect(await asserts(language, program, code, true)).toMatchObject({
      verdict: "badGold",
      detail: { problem: idle },
    });
  });

  const wantsError = "try:\n    add(1, 2)\n    raise AssertionError\nexcept ValueError: pass";
  const late =
    "const assert = require('assert'); (async () => { await new Promise((r) => setTimeout(r, 10)); assert(plus(1, 2) === 3) })()";
  it.each([
    ["unittest.main", "python", add, `${testCase}unittest.main()`, "def add(a, b): return 1"],
    ["unittest's silent runner", "python", add, `${testCase}unittest.main(exit=False)`, "def add(a, b): return 1"],
    ["a condition that raises", "python", add, "if add(1, 2) != 3: raise ValueError", "def add(a, b): return 1"],
    ["an error that is wanted", "python", "def add(a, b): raise ValueError", wantsError, add],
    ["console.assert", "javascript", plus, "console.assert(plus(1, 2) === 3)", "function plus() {}"],
    ["an assertion after a timer", "javascript", plus, late, "function plus() {}"],
    ["a throw", "javascript", plus, "if (plus(1, 2) !== 3) throw new Error('no')", "function plus() {}"],
    [
      "a main that returns 1",
      "cpp",
      sum,
      "int main() { return sum(1, 2) == 3 ? 0 : 1; }",
      "int sum(int a, int b) { return 1; }",
    ],
  ] as const)(
    "that check by %s (%s) tell a right program from a wrong one",
    async (_, language, right, code, wrong) => {
      expect(await asserts(language, right, code)).toMatchObject({ verdict: "correct" });
      expect(await asserts(language, wrong, code)).toMatchObject({ verdict: "wrong", reward: 0 });
    },
  );

  it("find neither files nor processes of earlier tests", async () => {
    const leave =
      "import os, subprocess\nos.makedirs('/tmp/a/b')\nopen('/dev/shm/x', 'w').close()\nsubprocess.Popen(['sleep', '100'], start_new_session=True)\nassert add(1, 2) == 3";
    const look =
      "import os\nleft = os.listdir('/tmp') + os.listdir('/dev/shm') + [p for p in os.listdir('/proc') if p.isdigit()][3:]\nassert add(1, 2) == 3 and left == [], left";
    for (const code of [leave, look, leave, look])
      expect(await asserts("python", add, code)).toMatchObject({ verdict: "correct" });
  });

  it("are not harmed by a program that ends while their verdict is under way", async () => {
    // Each program's end writes into the tests' input; none of it may be read as the next specification.
    const ends =
      "import os, threading\ndef add(a, b):\n    threading.Timer(0.002, os._exit, [0]).start()\n    return a + b";
    for (let round = 0; round < 12; round++) {
      await asserts("python", ends, "import time\nassert add(1, 2) == 3\ntime.sleep(0.003 * (add is not None))");
      expect(await asserts("python", add, "assert add(1, 2) == 3")).toMatchObject({ verdict: "correct" });
    }
  });
});
