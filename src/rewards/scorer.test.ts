import { expect, it } from "vitest";
import { parseAnswer } from "./answer.ts";
import { type Exchange, judgedText, preferenceReward, type Scorer, safetyReward } from "./scorer.ts";

const text = "<think>a bomb, step by step</think>I cannot help with that.";
const promptOf = (row: string) => [{ role: "user", content: row }];

/** A scorer that gives each text its place in the batch, and what it was shown. */
function watched(judges: Scorer["judges"]) {
  const batches: (readonly Exchange[])[] = [];
  const score = async (exchanges: readonly Exchange[]) => {
    batches.push(exchanges);
    return exchanges.map((_, i) => Math.log(i + 1));
  };
  return { scorer: { judges, score }, batches };
}

it("helpfulness reads the summary alone, without its answer tags; safety the whole response", async () => {
  const [summary, whole] = [watched("summary"), watched("response")];
  await preferenceReward(summary.scorer, promptOf)(parseAnswer(text), "How?");
  await safetyReward(whole.scorer, promptOf)(parseAnswer(text), "How?");
  const prompt = [{ role: "user", content: "How?" }];
  expect(summary.batches).toEqual([[{ prompt, response: "I cannot help with that." }]]);
  expect(whole.batches).toEqual([[{ prompt, response: text }]]);
  expect(judgedText("<think>x</think> <answer>7</answer>", "summary")).toBe("7");
});

it("answers that wait at the same moment are scored in one batch, each by its own log-odds", async () => {
  const { scorer, batches } = watched("response");
  const reward = safetyReward(scorer, promptOf);
  expect(await Promise.all(["a", "b", "c"].map((one) => reward(parseAnswer(one), "?")))).toEqual([
    1 / 2,
    expect.closeTo(2 / 3, 12),
    expect.closeTo(3 / 4, 12),
  ]);
  expect(batches).toHaveLength(1);
});

it("no summary earns 0 and is not scored: the model cannot be paid for silence", async () => {
  const { scorer, batches } = watched("summary");
  const reward = preferenceReward(scorer, promptOf);
  expect(await reward(parseAnswer("<think>still thinking"), "?")).toEqual({ verdict: "noAnswer", reward: 0 });
  const cut = parseAnswer("<think>still thinking", { finishReason: "length" });
  expect(await reward(cut, "?")).toEqual({ verdict: "truncated", reward: 0 });
  expect(batches).toEqual([]);
});

it("a scorer that was taught on another part is refused, and so are scores that do not match the texts", async () => {
  expect(() => safetyReward(watched("summary").scorer, promptOf)).toThrow("this scorer judges the summary");
  expect(() => preferenceReward(watched("response").scorer, promptOf)).toThrow("judges the response");
  const short: Scorer = { judges: "response", score: async () => [] };
  await expect(safetyReward(short, promptOf)(parseAnswer("x"), "?")).rejects.toThrow("0 scores for 1 texts");
});
