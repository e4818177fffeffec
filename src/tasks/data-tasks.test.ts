import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseAnswer } from "#rewards";
import { sandboxProblem } from "#sandbox";
import { checkTask } from "./check.ts";
import { choice } from "./choice.ts";
import { code } from "./code.ts";
import { gsm8k } from "./gsm8k.ts";
import { ifeval } from "./ifeval.ts";
import { math } from "./math.ts";
import { scoreAnswer } from "./score.ts";
import type { Split, Task } from "./types.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aha-tasks-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, rows: object[]): string {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

const verdictOf = async <R>(task: Task<R>, row: R, text: string, finishReason: "stop" | "length" = "stop") =>
  (await scoreAnswer(task, parseAnswer(text, { finishReason }), row)).verdicts.correct;

const sums = Array.from({ length: 40 }, (_, i) => ({
  question: `What is ${i} + ${i}?`,
  answer: `${i} + ${i} = <<${i}+${i}=${2 * i}>>${2 * i}\n#### ${2 * i}`,
}));

describe("gsm8k", () => {
  test("the number after #### is the answer, and the gold solution has no calculator marks", async () => {
    const task = gsm8k({ data: write("gsm8k-train.jsonl", sums) });
    const [row] = await task.load("train");
    expect(row).toEqual({ question: "What is 0 + 0?", answer: "0", solution: "0 + 0 = 0" });
    expect((await checkTask(task, { limit: 20 })).failures).toEqual([]);
  });

  test("with R1-Zero's prompt the format reward asks for its tags, and gold has them", async () => {
    const task = gsm8k({ data: write("gsm8k-train.jsonl", sums), prompt: "r1-zero" });
    const [row] = await task.load("train");
    expect(task.prompt(row!)[0]?.content).toContain("<think> reasoning process here </think>");
    expect((await checkTask(task, { limit: 20 })).ok).toBe(true);
    const score = await scoreAnswer(task, parseAnswer("<think>a</think>\n\nThe answer is \\boxed{0}."), row!);
    expect(score.rewards).toMatchObject({ format: 0, correct: { verdict: "correct" } });
  });

  test("a row without its mark is an error with file and line", async () => {
    const task = gsm8k({ data: write("bad-train.jsonl", [sums[0]!, { question: "q", answer: "4" }]) });
    await expect(task.load("train")).rejects.toThrow(/bad-train\.jsonl:2: field "answer" has no "####"/);
  });
});

describe("gsm8k's final number", () => {
  const load = (gold: string) =>
    gsm8k({ data: write("gold-train.jsonl", [sums[0]!, { question: "q", answer: `so\n####${gold}` }]) }).load("train");

  test.each(["", " abc", " see step 2"])("%j is none: an error with file and line", async (gold) => {
    const shown = JSON.stringify(gold.trim());
    await expect(load(gold)).rejects.toThrow(`gold-train.jsonl:2: field "answer" has ${shown} after "####"`);
  });

  test.each([" -10", "2,125", " $4.50", " .5", " -$3", " 12 apples", " 3/4"])("%j is one", async (gold) => {
    expect((await load(gold))[1]?.answer).toBe(gold.trim());
  });
});

describe("splits", () => {
  test("a file whose name says its split has no other", async () => {
    const task = gsm8k({ data: write("gsm8k-train.jsonl", sums) });
    await expect(task.load("test")).rejects.toThrow(/holds split "train" by its name, not "test"/);
  });

  test("a file of no split is divided by question, without overlap and without loss", async () => {
    const task = gsm8k({ data: write("rows.jsonl", sums) });
    const [train, held] = [await task.load("train"), await task.load("test")];
    expect(held.length).toBeGreaterThan(0);
    expect([...train, ...held].map((row) => row.question).sort()).toEqual(sums.map((row) => row.question).sort());
  });

  test("a path for each split is read for that split", async () => {
    const data = { train: write("a.jsonl", sums.slice(0, 3)), test: write("b.jsonl", sums.slice(3, 5)) };
    const task = gsm8k({ data });
    expect([(await task.load("train")).length, (await task.load("test")).length]).toEqual([3, 2]);
  });
});

describe("math", () => {
  test("answers come from whichever field has one; a number and a list are answers too", async () => {
    const task = math({
      data: write("math-test.jsonl", [
        { problem: "p", answer: "\\frac12" },
        { question: "q", final_answer: ["2", "3"] },
        { prompt: "r \\boxed{}", answer: 70 },
        { problem: "s", solution: "so $\\boxed{5}$" },
        { problem: "t", answer: "" },
      ]),
    });
    const rows = await task.load("test");
    expect(rows.map((row) => row.answer)).toEqual(["\\frac12", "2, 3", "70", "so $\\boxed{5}$", ""]);
    expect(task.prompt(rows[2]!)[0]?.content).toBe("r \\boxed{}");
    expect(await verdictOf(task, rows[0]!, "<think>x</think> It is \\boxed{0.5}.")).toBe("correct");
    expect(await verdictOf(task, rows[3]!, "<think>x</think> It is \\boxed{5}.")).toBe("correct");
    expect(await verdictOf(task, rows[4]!, "<think>x</think> It is \\boxed{5}.")).toBe("badGold");
  });

  test.each([{}, { answer: [] }, { gold: { value: 5 } }, { answer: ["2", null] }, { answer: true, solution: null }])(
    "%j is no gold: an error with file and line",
    async (gold) => {
      const task = math({
        data: write("math-test.jsonl", [
          { problem: "p", answer: "7" },
          { problem: "q", ...gold },
        ]),
      });
      await expect(task.load("test")).rejects.toThrow(
        /math-test\.jsonl:2: none of the fields answer, .* holds a value/,
      );
    },
  );

  test.each([{ answer: null }, { answer: "" }, { answer: null, solution: " " }])(
    "rows with %j are no reason to refuse a file, unless no row of it has a gold",
    async (gold) => {
      const empty = [
        { problem: "q", ...gold },
        { problem: "r", ...gold },
      ];
      const some = math({ data: write("math-test.jsonl", [...empty, { problem: "p", answer: "7" }]) });
      const rows = await some.load("test");
      expect(await verdictOf(some, rows[0]!, "<think>x</think> It is \\boxed{5}.")).toBe("badGold");
      const none = math({ data: write("none-test.jsonl", empty) });
      await expect(none.load("test")).rejects.toThrow(
        /none-test\.jsonl:1: no gold here, nor in any row after it \(2 in all\)/,
      );
    },
  );

  test("a field without a value does not hide one that has it", async () => {
    const row = { problem: "p", answer: null, final_answer: "3", solution: null };
    expect((await math({ data: write("math-test.jsonl", [row]) }).load("test"))[0]?.answer).toBe("3");
  });

  test("an answer in a thought that never ended, or cut off after it, earns nothing", async () => {
    const task = math({ data: write("math-test.jsonl", [{ problem: "p", answer: "7" }]) });
    const [row] = await task.load("test");
    expect(await verdictOf(task, row!, "<think>it is \\boxed{7} <answer>7</answer>")).toBe("noAnswer");
    expect(await verdictOf(task, row!, "<think>it is 7</think> so \\boxed{7}", "length")).toBe("truncated");
    expect(await verdictOf(task, row!, "<think>\\boxed{7}</think> so \\boxed{8}")).toBe("wrong");
  });
});

describe("choice", () => {
  const row = { question: "Which is a fruit?", choices: ["car", "apple", "stone", "cloud"] };
  test("letter, index and text name the same option, and gold holds", async () => {
    const rows = ["B", 1, "apple", "(b)"].map((answer, i) => ({ ...row, question: `${i}: ${row.question}`, answer }));
    const task = choice({ data: write("choice-test.jsonl", rows) });
    const read = await task.load("test");
    expect(read.map(({ answer }) => answer)).toEqual(["B", "B", "B", "B"]);
    expect(read[0]?.question).toContain("B) apple");
    expect((await checkTask(task, { split: "test" })).failures).toEqual([]);
  });
  test("an answer that is no option is an error with file and line", async () => {
    const task = choice({ data: write("choice-test.jsonl", [{ ...row, answer: "E" }]) });
    await expect(task.load("test")).rejects.toThrow(/choice-test\.jsonl:1: field "answer" is "E"/);
  });
});

describe("ifeval", () => {
  const row = { prompt: "No commas.", instruction_id_list: ["punctuation:no_comma"], kwargs: [null] };
  test("the summary is graded, not the thought, and tags alone are no answer", async () => {
    const task = ifeval({ data: write("ifeval-test.jsonl", [row]) });
    const [read] = await task.load("test");
    expect(await verdictOf(task, read!, "<think>a, b</think>done")).toBe("correct");
    expect(await verdictOf(task, read!, "<think>a</think>done, really")).toBe("wrong");
    expect(await verdictOf(task, read!, "<think>a</think><answer><answer></answer>")).toBe("noAnswer");
  });
});

const shared = "../shared/data";
const real: [string, (data: string) => Task<unknown>, string, Split][] = [
  ["gsm8k", (data) => gsm8k({ data }) as Task<unknown>, "math/gsm8k-test.jsonl.gz", "test"],
  ["aime24", (data) => math({ data }) as Task<unknown>, "math/aime24-test.jsonl.gz", "test"],
  ["amc23", (data) => math({ data }) as Task<unknown>, "math/amc23-test.jsonl.gz", "test"],
  ["math-train", (data) => math({ data }) as Task<unknown>, "math/math-train.json.gz", "train"],
  ["ifeval", (data) => ifeval({ data: { test: data } }) as Task<unknown>, "instruction/ifeval.jsonl.gz", "test"],
];
describe("on real data", () => {
  beforeEach((context) => context.skip(!existsSync(shared), `no ${shared}`));
  test.each(real)(
    "%s: gold earns full marks, stock answers nothing",
    { timeout: 600_000 },
    async (_, make, path, split) => {
      const report = await checkTask(make(join(shared, path)), { split, limit: 100 });
      expect(report.failures).toEqual([]);
      expect(report.problems).toEqual([]);
    },
  );
});

const noSandbox = await sandboxProblem();
if (noSandbox !== undefined) console.warn(`skipped: programs of the task code: ${noSandbox}`);

describe("code", { timeout: 60_000 }, () => {
  const start = "def add(a, b):\n";
  const rows = [
    {
      prompt: start,
      entry_point: "add",
      canonical_solution: "    return a + b\n",
      test: "def check(candidate):\n    assert candidate(1, 2) == 3",
    },
    { text: "Double a number.", code: "def twice(n):\r\n  return 2 * n", test_list: ["assert twice(4) == 8"] },
    { problem: "Negate.", solutions: "def neg(n): return -n", tests: { functional: "assert neg(3) == -3" } },
    {
      problem: "Print the sum.",
      solution: "print(sum(map(int, input().split())))",
      tests: [{ input: "1 2", output: "3" }],
    },
    {
      prompt: "function half(n) {",
      language: "js",
      tests: "const assert = require('assert'); assert.equal(half(4), 2);",
    },
  ];

  test.skipIf(noSandbox !== undefined)("golds of every form of row pass, and nothing else does", async () => {
    const report = await checkTask(code({ data: write("code-train.jsonl", rows) }));
    expect([report.failures, report.problems, report.numGolds]).toEqual([[], [], 4]);
  });

  test.skipIf(noSandbox !== undefined)(
    "the last program of the answer counts, in the language of its row",
    async () => {
      const task = code({ data: write("code-train.jsonl", rows) });
      const half = (await task.load("train"))[4]!;
      const fence = (body: string) => `<think>x</think>\n\n\`\`\`javascript\n${body}\n\`\`\``;
      expect(await verdictOf(task, half, fence("function half(n) { return n / 2; }"))).toBe("correct");
      expect(await verdictOf(task, half, fence("function half(n) { return n; }"))).toBe("wrong");
    },
  );

  test("a prompt shows no test but MBPP's first", async () => {
    const prompts = (await code({ data: write("code-train.jsonl", rows) }).load("train")).map(
      ({ question }) => question,
    );
    expect(prompts.map((text) => /assert|candidate/.test(text))).toEqual([false, true, false, false, false]);
    expect(prompts[3]).toContain("reads standard input");
  });

  test.each([
    [{ problem: "x", tests: [{ input: 1, output: "1" }] }, 'tests.cases[0] is {"input":1,"output":"1"}'],
    [
      { problem: "x", tests: [{ input: "1", output: " \n" }] },
      "tests.cases want no output at all: an empty program would pass",
    ],
    [{ problem: "x", language: "cobol", tests: [{ input: "1", output: "1" }] }, 'language is "cobol"'],
    [{ problem: "x" }, 'no field "tests"'],
  ])("%j is refused with file and line", async (row, problem) => {
    const task = code({ data: write("bad-train.jsonl", [rows[3]!, row]) });
    await expect(async () => task.load("train")).rejects.toThrow(`bad-train.jsonl:2: ${problem}`);
  });
});
