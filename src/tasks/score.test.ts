import { describe, expect, test } from "vitest";
import type { Answer, Grade } from "#rewards";
import { defineTask } from "./define-task.ts";
import { scoreAnswer } from "./score.ts";

const answer: Answer = { text: "<think>a</think>4", thought: "a", answer: "4", numTokens: 3, finishReason: "stop" };
const base = { name: "t", load: () => [{ gold: "4" }], prompt: () => [{ role: "user" as const, content: "2+2" }] };
const correct = ({ answer }: Answer, row: { gold: string }) => Number(answer === row.gold);

describe("scoreAnswer", () => {
  test("a reward without a stated weight counts once, one with weight 0 not at all", async () => {
    const task = defineTask({
      ...base,
      rewards: { correct, format: () => 0.5, length: () => 7 },
      weights: { format: 0.1, length: 0 },
    });
    const score = await scoreAnswer(task, answer, { gold: "4" });
    expect(score.total).toBeCloseTo(1.05, 12);
    expect(score.rewards).toEqual({ correct: 1, format: 0.5, length: 7 });
  });

  test("a weight that names no reward is an error, not a silent 1", async () => {
    const task = { ...base, rewards: { correct }, weights: { corect: 0 } };
    await expect(scoreAnswer(task, answer, { gold: "4" })).rejects.toThrow(/"corect".*no reward.*correct/);
    expect(() => defineTask(task)).toThrow(/"corect"/);
  });

  test("a reward cannot take the name of a metric of the trainers", () => {
    const part = { name: "t", load: () => [], prompt: () => [] };
    expect(() => defineTask({ ...part, rewards: { mean: () => 1 } })).toThrow("a reward cannot be named mean");
  });

  test("a reward that throws leaves the answer without a total and says verifierError", async () => {
    const task = defineTask({
      ...base,
      rewards: {
        correct,
        broken: () => {
          throw new Error("boom");
        },
      },
    });
    const score = await scoreAnswer(task, answer, { gold: "4" });
    expect(score.total).toBeNull();
    expect(score.verdicts).toEqual({ broken: "verifierError" });
    expect((score.rewards.broken as Grade).detail).toEqual({ error: "boom" });
  });

  test("a crash of a reward that only logs (weight 0) does not take the answer out", async () => {
    const task = defineTask({ ...base, rewards: { correct, broken: () => Number.NaN }, weights: { broken: 0 } });
    expect((await scoreAnswer(task, answer, { gold: "4" })).total).toBe(1);
  });

  test("a verifier that fails once and then answers is believed the second time", async () => {
    let calls = 0;
    const flaky = (): Grade =>
      calls++ === 0 ? { verdict: "timeout", reward: null } : { verdict: "correct", reward: 1 };
    const score = await scoreAnswer(defineTask({ ...base, rewards: { flaky } }), answer, { gold: "4" });
    expect([score.total, score.verdicts.flaky, calls]).toEqual([1, "correct", 2]);
  });

  test("a bad gold and a program's own timeout are not asked again", async () => {
    let calls = 0;
    const counted = (grade: Grade) => () => {
      calls++;
      return grade;
    };
    const badGold = counted({ verdict: "badGold", reward: null });
    const slow = counted({ verdict: "timeout", reward: 0 });
    const score = await scoreAnswer(
      defineTask({ ...base, rewards: { badGold, slow }, weights: { badGold: 0 } }),
      answer,
      { gold: "4" },
    );
    expect([score.total, calls]).toEqual([0, 2]);
  });

  test("null from a weighted reward makes the total null, never 0", async () => {
    const score = await scoreAnswer(defineTask({ ...base, rewards: { correct, model: () => null } }), answer, {
      gold: "4",
    });
    expect([score.total, score.rewards.model]).toEqual([null, null]);
  });
});
