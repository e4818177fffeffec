import { expect, test } from "vitest";
import { builtInTask, builtInTaskNames } from "./built-in.ts";

test("every built-in name gives the task of that name", () => {
  for (const name of builtInTaskNames) {
    const needsData = ["gsm8k", "math", "code", "choice", "ifeval"].includes(name);
    expect(builtInTask(name, needsData ? { data: "rows.jsonl" } : {})?.name).toBe(name);
  }
  expect(builtInTask("no-such-task")).toBeUndefined();
  expect(builtInTask("constructor")).toBeUndefined();
});

test("a choice that a task does not read, and data that is missing, are errors", () => {
  expect(() => builtInTask("gsm8k")).toThrow(/task gsm8k: no data/);
  expect(() => builtInTask("gsm8k", { data: "x.jsonl", difficulty: 2 })).toThrow(/difficulty means nothing/);
  expect(() => builtInTask("sudoku", { data: "x.jsonl" })).toThrow(/data means nothing/);
  expect(() => builtInTask("countdown", { difficulty: 2 })).toThrow(/difficulty means nothing/);
  expect(() => builtInTask("sudoku", { difficulty: 99 })).toThrow(/from 1 to 5/);
});
