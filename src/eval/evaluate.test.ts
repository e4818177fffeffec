import { expect, test } from "vitest";
import { LocalFrozen } from "#policy";
import { defineTask, user } from "#tasks";
import { evaluate } from "./evaluate.ts";

test("a judge that cannot be reached for some answers ends an evaluation: what is left would be the answers that need none", async () => {
  using policy = await LocalFrozen.load("tiny-base");
  let numJudged = 0;
  const taskWhose = (fails: (index: number) => boolean) =>
    defineTask({
      name: "judged",
      load: () => Array.from({ length: 10 }, (_, i) => ({ question: `make 1${i} from 2, 3, 4.` })),
      prompt: ({ question }) => [user(question)],
      rewards: {
        correct: (_, { question }) => {
          numJudged++;
          if (fails(Number(question.slice(6, 7)))) throw new Error("the connection failed");
          return 1;
        },
      },
    });
  const options = { samples: 2, temperature: 1, maxNewTokens: 4, seed: 1 };
  await expect(
    evaluate(
      policy,
      taskWhose((i) => i < 2),
      options,
    ),
  ).rejects.toThrow(/eval: task judged: 4 of 20 answers have no reward.*the connection failed.*at most 10 %/);
  expect(numJudged).toBe(24); // Each of the four was asked twice.
  const { evaluation } = await evaluate(
    policy,
    taskWhose((i) => i < 1),
    options,
  );
  expect(evaluation.accuracy.value).toBe(1);
});
