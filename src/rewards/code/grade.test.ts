import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sandboxProblem } from "#sandbox";
import { gradeCode } from "./grade.ts";
import type { CodeRow } from "./types.ts";

const problem = await sandboxProblem();
if (problem !== undefined) console.warn(`skipped: grading programs: ${problem}`);

const sum: CodeRow["tests"] = {
  type: "stdio",
  cases: [
    { input: "1 2\n", output: "3\n" },
    { input: "20 22\n", output: "42\n" },
  ],
};
const addAsserts: CodeRow["tests"] = { type: "asserts", code: "assert add(1, 2) == 3\nassert add([1], [2]) == [1, 2]" };
const grade = (program: string, tests: CodeRow["tests"], more: Partial<CodeRow> = {}) =>
  gradeCode({ language: "python", program, tests, timeLimitMs: 1500, ...more });

describe.skipIf(problem !== undefined)("gradeCode", { timeout: 60_000 }, () => {
  it.each([
    ["a right program", "print(sum(map(int, input().split())))", "correct", "passed"],
    ["a wrong output", "print(3)", "wrong", "wrongOutput"],
    ["a crash", "print(undefined_name)", "wrong", "runtimeError"],
    ["no end", "while True: pass", "timeout", "timeLimit"],
    ["a sleep", "import time; time.sleep(100)", "timeout", "timeLimit"],
    ["too much memory", "x = bytearray(1 << 30)", "wrong", "memoryLimit"],
    ["too much output", "while True: print('x' * 9999)", "wrong", "outputLimit"],
  ])("calls %s by its name", async (_, program, verdict, outcome) => {
    expect(await grade(program, sum, { memoryMb: 64 })).toMatchObject({ verdict, detail: { outcome } });
  });

  it("never takes a program that acts like a broken sandbox for one", async () => {
    const fakes = [
      "os.kill(1, signal.SIGKILL)",
      "os.kill(-1, signal.SIGKILL)",
      "os.kill(os.getpid(), signal.SIGKILL)",
      "sys.exit(1)",
    ];
    const programs = fakes.map(
      (end) =>
        `import os, signal, sys, time\nsys.stderr.write("bwrap: cannot mount\\n"); sys.stderr.flush()\n${end}\ntime.sleep(1)`,
    );
    const grades = await Promise.all(programs.map((program) => grade(program, sum)));
    expect(grades.map(({ verdict, reward }) => [verdict, reward])).toEqual(fakes.map(() => ["wrong", 0]));
  });

  it("tells a compile error from a run that fails", async () => {
    expect(await grade("int main() { return x; }", sum, { language: "cpp" })).toMatchObject({
      verdict: "wrong",
      detail: { outcome: "compileError", message: expect.stringContaining("x") },
    });
  });

  it("pays parts only where the row says so", async () => {
    expect(await grade("print(3)", sum)).toMatchObject({ reward: 0 });
    expect(await grade("print(3)", sum, { partial: true })).toMatchObject({ verdict: "wrong", reward: 0.5 });
    expect(await grade("def add(a, b): return 3", addAsserts, { partial: true })).toMatchObject({ reward: 0.5 });
  });

  it("pays no part for the cases that want no output", async () => {
    const cases = [
      { input: "a", output: "" },
      { input: "b", output: "b" },
      { input: "c", output: "c" },
    ];
    expect(await grade("", { type: "stdio", cases }, { partial: true })).toMatchObject({ reward: 0 });
    expect(await grade("print('b')", { type: "stdio", cases }, { partial: true })).toMatchObject({ reward: 0.5 });
  });

  it("gives bad tests no reward at all, rather than none", async () => {
    expect(await grade("x = 1", { type: "asserts", code: "assert (" })).toMatchObject({
      verdict: "badGold",
      reward: null,
    });
    expect(await grade("x = 1", { type: "stdio", cases: [] })).toMatchObject({ verdict: "badGold", reward: null });
  });

  it.each([
    [{ language: "pythn" }, 'language is "pythn"'],
    [{ timeLimitMs: "fast" }, 'timeLimitMs is "fast"'],
    [{ memoryMb: -1 }, "memoryMb is -1"],
    [{ tests: { type: "stdo" } }, 'tests.type is "stdo"'],
    [{ tests: { type: "stdio", cases: [{ input: 1, output: 1 }] } }, "tests.cases[0] is"],
    [{ tests: { type: "stdio", cases: [{ input: "", output: "" }], checker: "nope" } }, 'tests.checker is "nope"'],
    [{ tests: { type: "function", cases: [] } }, "tests.name is missing"],
    [{ tests: { type: "asserts" } }, "tests.code is missing"],
  ])("refuses %j before it runs anything, and says what was expected", async (more, problem) => {
    expect(await grade("print(1)", sum, more as Partial<CodeRow>)).toMatchObject({
      verdict: "badGold",
      reward: null,
      detail: { problem: expect.stringContaining(problem) },
    });
  });

  it("asks a checker program, which sees input, output and expected output", async () => {
    const checker = {
      type: "program" as const,
      language: "python" as const,
      program:
        "import sys\ni, o, e = (open(p).read().split() for p in sys.argv[1:])\nsys.exit(0 if sorted(o) == sorted(e) else 1)",
    };
    const tests: CodeRow["tests"] = { type: "stdio", cases: [{ input: "", output: "1 2 3" }], checker };
    expect(await grade("print('3 1 2')", tests)).toMatchObject({ verdict: "correct" });
    expect(await grade("print('3 1')", tests)).toMatchObject({ verdict: "wrong" });
  });

  it("runs tests beside the program only where their own text needs its classes, and says so", async () => {
    const program = "class P:\n    pass\ndef make(): return P()";
    expect(await grade(program, { type: "asserts", code: "assert isinstance(make(), P)" })).toMatchObject({
      verdict: "correct",
      detail: { mode: expect.stringContaining("weaker") },
    });
    expect(await grade(program, { type: "asserts", code: "assert make() == 1" })).toMatchObject({
      verdict: "wrong",
      detail: { mode: "split" },
    });
  });

  it("grades a function in three languages by its values", async () => {
    const tests: CodeRow["tests"] = {
      type: "function",
      name: "twice",
      cases: [{ args: [[1, 2.5]], expected: [2, 5] }],
    };
    expect(await grade("def twice(xs): return [2 * x for x in xs]", tests)).toMatchObject({ verdict: "correct" });
    const typed = "const twice = (xs: number[]): number[] => xs.map((x) => 2 * x);";
    expect(await grade(typed, tests, { language: "typescript" })).toMatchObject({ verdict: "correct" });
    const cpp =
      "#include <vector>\nusing namespace std;\nvector<double> twice(const vector<double>& xs) { vector<double> r; for (double x : xs) r.push_back(2 * x); return r; }";
    expect(await grade(cpp, tests, { language: "cpp" })).toMatchObject({ verdict: "correct" });
  });

  it("keeps its clock while the main thread is blocked for five seconds", async () => {
    await grade("print(1)", sum);
    const quick = grade("import time; time.sleep(0.3); print(sum(map(int, input().split())))", sum);
    const stuck = grade("while True: pass", sum, { timeLimitMs: 1000 });
    await new Promise((done) => setTimeout(done, 50));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
    expect(await quick).toMatchObject({ verdict: "correct" });
    expect(await stuck).toMatchObject({ verdict: "timeout" });
    expect(Number((await stuck).detail?.cpuMs)).toBeLessThan(2000);
  });

  it("judges neighbours of a fork bomb as if they were alone", async () => {
    const bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass";
    const [bombed, ...neighbours] = await Promise.all([
      grade(bomb, sum),
      ...Array.from({ length: 6 }, () => grade("print(sum(map(int, input().split())))", sum)),
    ]);
    expect(bombed.reward).toBe(0);
    expect(neighbours.map(({ verdict }) => verdict)).toEqual(Array(6).fill("correct"));
  });

  it("lets no test see what an earlier one left in the interpreter they share", async () => {
    const add = "def add(a, b): return a + b";
    const spoil =
      "import builtins, sys\nbuiltins.sorted = lambda x: 7\nsys.modules['math'] = None\nassert add(1, 2) == 3";
    const notice = "import math\nassert sorted([1]) == [1] and math.floor(add(1, 1.5)) == 2";
    for (const code of [spoil, notice, spoil, notice])
      expect(await grade(add, { type: "asserts", code })).toMatchObject({ verdict: "correct" });
  });

  it("grades on after programs and tests that die in the middle of a call", async () => {
    const deaths = ["import os\ndef add(a, b): os._exit(0)", "def add(a, b):\n    while True: pass"];
    const endless: CodeRow["tests"] = { type: "asserts", code: "import os\nassert add(1, 2) == 3\nos._exit(0)" };
    const right = "def add(a, b): return a + b";
    const early = "import threading\nthreading.Thread(target=lambda: [add(i, 0) for i in range(9999)]).start()";
    const talkative: CodeRow["tests"] = { type: "asserts", code: `${early}\nassert 1 == 1` };
    for (let round = 0; round < 2; round++) {
      for (const program of deaths) expect(await grade(program, addAsserts)).toMatchObject({ reward: 0 });
      expect(await grade(right, endless)).toMatchObject({ reward: 0 });
      await grade(right, talkative);
      expect(await grade(right, addAsserts)).toMatchObject({ verdict: "correct" });
    }
  });

  it("loses no verdict with its host, even where the host dies under the next question", async () => {
    const children = () =>
      readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "latin1").trim().split(" ").map(Number);
    const isHost = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("code/host");
    const right = "print(sum(map(int, input().split())))";
    const before = grade(`import time; time.sleep(0.3)\n${right}`, sum);
    await new Promise((done) => setTimeout(done, 200));
    for (const pid of children().filter(isHost)) process.kill(pid, "SIGKILL");
    const after = grade(right, sum);
    expect((await Promise.all([before, after])).map(({ verdict }) => verdict)).toEqual(["correct", "correct"]);
  });

  it("reads no program longer than a quarter of a million characters", async () => {
    expect(await grade("#".repeat(2 ** 18 + 1), sum)).toMatchObject({ reward: 0, detail: { outcome: "compileError" } });
  });

  it("grades two short programs a second even on a machine ten times too busy", async () => {
    const began = performance.now();
    const grades = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 2 === 0
          ? grade("def add(a, b): return a + b", addAsserts)
          : grade("print(sum(map(int, input().split())))", sum),
      ),
    );
    expect(grades.filter(({ verdict }) => verdict !== "correct")).toEqual([]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("finds no program in a completion without one", async () => {
    expect(
      await gradeCode({ language: "python", completion: "I would sort it.\n```text\nx\n```", tests: sum }),
    ).toMatchObject({
      verdict: "noAnswer",
      reward: 0,
    });
  });
});
