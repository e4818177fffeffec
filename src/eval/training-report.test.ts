import { expect, it } from "vitest";
import { parseAnswer } from "#rewards";
import { defineTask, scoreAnswer, user } from "#tasks";
import type { Scored } from "./answers.ts";
import type { Evaluation } from "./evaluate.ts";
import { withExamples } from "./training-report.ts";

it("an example is right where the task's first reward pays in full, whatever its name, and whether as a number or a verdict", async () => {
  const task = defineTask<{ n: number }>({
    name: "counting",
    load: () => [],
    prompt: ({ n }) => [user("Count."), user(`To ${n}.`)],
    rewards: {
      counted: ({ answer }, { n }) =>
        answer === "?" ? { verdict: "verifierError", reward: null } : Number(answer === String(n)),
      correct: () => ({ verdict: "wrong", reward: 0 }),
    },
  });
  const problem = async (n: number, ...texts: string[]) => {
    const scored = texts.map(async (text) => {
      const answer = parseAnswer(`<think>so</think>${text}`);
      return { answer, score: await scoreAnswer(task, answer, { n }) } as Scored;
    });
    return { row: { n }, scored: await Promise.all(scored) };
  };
  const problems = [
    await problem(2, "2", "3", "2"),
    await problem(3, "?", "3"),
    ...Array(5).fill(await problem(4, "4")),
  ];
  const { examples } = withExamples(task, { evaluation: {} as Evaluation, problems });
  expect(examples.map(({ completions }) => completions.map(({ isCorrect }) => isCorrect))).toEqual([
    [true, false],
    [false, true],
    [true],
    [true],
  ]);
  expect(examples[0]).toMatchObject({ prompt: "Count.\nTo 2.", completions: [{ thought: "so", answer: "2" }, {}] });
});
