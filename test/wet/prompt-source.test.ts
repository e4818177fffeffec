import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defineTask, user } from "#tasks";
import { Tokenizer } from "#tokenizer";
import { freshSource, PromptSource, type SourceOptions } from "../../src/train/prompt-source.ts";
import { loadTasks, share, type TaskShare } from "../../src/train/task-mix.ts";

const tokenizer = Tokenizer.load(join(import.meta.dirname, "../golden/tokenizer/tiny"));
const all: SourceOptions = { minSolved: 0, maxSolved: 1, curriculum: "none", maxPromptTokens: 1000 };

const numbers = (name: string, count: number) =>
  defineTask<{ n: number }>({
    name,
    load: () => Array.from({ length: count }, (_, n) => ({ n })),
    prompt: ({ n }) => [user(`Make ${n}.`)],
    rewards: { correct: () => 1 },
    difficulty: ({ n }) => Math.floor(n / 4),
  });

async function sourceOf(shares: TaskShare[], options: Partial<SourceOptions> = {}, state = freshSource()) {
  return new PromptSource(await loadTasks(shares, 100), tokenizer, { ...all, ...options, seed: 1, state });
}
const namesOf = (prompts: { task: { name: string } }[]) => prompts.map(({ task }) => task.name);
const rowsOf = (prompts: { row: unknown }[]) => prompts.map(({ row }) => (row as { n: number }).n);

describe("prompts of several tasks", () => {
  it("come in the ratio of the weights, in every stretch", async () => {
    const source = await sourceOf([share(numbers("a", 50), { weight: 3 }), share(numbers("b", 50))]);
    for (let rollout = 0; rollout < 5; rollout++) {
      const numA = namesOf(source.take(40, 0)).filter((name) => name === "a").length;
      expect(Math.abs(numA - 30)).toBeLessThanOrEqual(2);
    }
  });

  it("of a task that enters later are there from its step on, and not before", async () => {
    const source = await sourceOf([share(numbers("a", 9)), share(numbers("late", 9), { fromStep: 12 })]);
    expect(namesOf(source.take(20, 11))).not.toContain("late");
    expect(namesOf(source.take(20, 12))).toContain("late");
  });

  it("go on from a saved state as if never stopped", async () => {
    const shares = [share(numbers("a", 7)), share(numbers("b", 5), { weight: 2 })];
    const source = await sourceOf(shares);
    source.take(11, 0);
    const resumed = await sourceOf(shares, {}, JSON.parse(JSON.stringify(source.state)));
    expect(resumed.take(30, 0)).toEqual(source.take(30, 0));
  });

  it("take each row of a task once an epoch, in another order the next", async () => {
    const source = await sourceOf([share(numbers("a", 12))]);
    const [first, second] = [rowsOf(source.take(12, 0)), rowsOf(source.take(12, 0))];
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect([...second].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(second).not.toEqual(first);
  });

  it("skip for one epoch the rows that were solved outside of the wanted share", async () => {
    const source = await sourceOf([share(numbers("a", 12))], { minSolved: 0.1, maxSolved: 0.9 });
    for (const { id, row } of source.take(12, 0)) source.solved(id, (row as { n: number }).n < 4 ? 1 : 0.5);
    const next = source.take(8, 0);
    expect(rowsOf(next).every((n) => n >= 4)).toBe(true);
    for (const { id } of next) source.solved(id, 0.5);
    expect(new Set(rowsOf(source.take(12, 0))).size).toBe(12);
  });

  it("that are all too easy are asked again rather than never", async () => {
    const source = await sourceOf([share(numbers("a", 3))], { maxSolved: 0.9 });
    for (const { id } of source.take(3, 0)) source.solved(id, 1);
    expect(source.take(3, 0)).toHaveLength(3);
  });

  it("too long for the context are left out and counted; where all are, it is said", async () => {
    const lengths = numbers("a", 12);
    const source = await sourceOf([share({ ...lengths, prompt: ({ n }) => [user("1 ".repeat(n < 3 ? 60 : 1))] })], {
      maxPromptTokens: 40,
    });
    expect(rowsOf(source.take(9, 0)).every((n) => n >= 3)).toBe(true);
    expect(source.state.numTooLong).toBeLessThanOrEqual(3);
    source.take(9, 0);
    expect(source.state.numTooLong).toBeGreaterThanOrEqual(3);
    const none = await sourceOf([share(lengths)], { maxPromptTokens: 1 });
    expect(() => none.take(1, 0)).toThrow("every prompt of task a is longer than 1 tokens");
  });

  it("begin with the easy ones where the curriculum says so", async () => {
    const source = await sourceOf([share(numbers("a", 12))], { curriculum: "easyFirst" });
    const difficulty = rowsOf(source.take(12, 0)).map((n) => Math.floor(n / 4));
    expect(difficulty).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });
});

describe("a mixture that cannot be", () => {
  it("is refused by name", async () => {
    expect(() => share(numbers("a", 1), { weight: 0 })).toThrow("task a: its weight in the mixture is 0");
    await expect(loadTasks([share(numbers("a", 1)), share(numbers("a", 1))], 9)).rejects.toThrow("two tasks");
    await expect(loadTasks([share(numbers("a", 1), { fromStep: 4 })], 9)).rejects.toThrow("no task is in from step 0");
    await expect(loadTasks([share(numbers("a", 0))], 9)).rejects.toThrow('task a has no rows in its "train" split');
    const { difficulty: _, ...plain } = numbers("plain", 2);
    await expect(sourceOf([share(plain)], { curriculum: "easyFirst" })).rejects.toThrow("no difficulty(row)");
  });
});
