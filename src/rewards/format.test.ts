import { expect, it } from "vitest";
import { formatReward, generalFormat, thinkFormat } from "./format.ts";

const good = "<think> 3 + 5 = 8 </think> <answer> 3 + 5 </answer>";

it("the whole response has to be one thought and one answer", () => {
  expect(formatReward({ text: good })).toBe(1);
  expect(formatReward({ text: `\n${good}\n` })).toBe(1);
  for (const text of [
    "",
    "3 + 5",
    "<think> a </think> 3 + 5",
    "<answer> 3 + 5 </answer>",
    "<think> a <answer> 3 + 5 </answer>",
    "<think> a </think> <answer> 3 + 5",
    "<think> </think> <answer> 3 + 5 </answer>",
    "<think> a </think> <answer> \n </answer>",
    `${good} and more`,
    `first ${good}`,
    `${good} ${good}`,
    `${good} <answer> 4 + 4 </answer>`,
    "<think> <think> a </think> <answer> 1 </answer>",
    "<think> <answer> 2 </answer> </think> <answer> 1 </answer>",
    "<think> a </think> so <answer> 1 </answer>",
    "<think> a </think> </think> <answer> 1 </answer>",
    "<answer> 1 </answer> <think> a </think>",
    "<think> \u200b\u2060 </think> <answer> 1 </answer>",
    "<think> ... </think> <answer> 1 </answer>",
    "<THINK> a </THINK> <ANSWER> 1 </ANSWER>",
  ]) {
    expect([text, formatReward({ text })]).toEqual([text, 0]);
  }
});

it("a summary after the thought is R1's format and not R1-Zero's", () => {
  const text = "<think> 3 + 5 = 8 </think> The answer is 8.";
  expect([formatReward({ text }), thinkFormat({ text }), thinkFormat({ text: good })]).toEqual([0, 1, 1]);
  expect(thinkFormat({ text: "<think> 3 + 5 = 8 The answer is 8." })).toBe(0);
});

it("a general request may be answered at once, but a thought that was begun has to end", () => {
  const of = (text: string, finishReason: "stop" | "length" = "stop") => generalFormat({ text, finishReason });
  expect([of("Hello!"), of("<think> a greeting </think> Hello!"), of(good)]).toEqual([1, 1, 1]);
  expect([of(""), of("<think> a greeting"), of("<think> </think> Hello!"), of("Hello", "length")]).toEqual([
    0, 0, 0, 0,
  ]);
});
