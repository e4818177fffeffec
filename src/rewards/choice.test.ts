import { expect, test } from "vitest";
import { gradeChoice } from "./choice.ts";

const choices = ["12 apples", "15 apples", "20 apples"];

test.each([
  "\\boxed{B}",
  "The answer is (B).",
  "<think>A or B?</think><answer> B </answer>",
  "\\boxed{\\text{(B)}}",
  "B",
  "(B)",
  "Answer: B. 15 apples",
  "so it is 15.\nOption (B) is right",
])("%j is B", (completion) => {
  expect(gradeChoice("B", completion)).toMatchObject({ verdict: "correct", reward: 1 });
});
test("the text of an option is its letter", () => {
  expect(gradeChoice("B", "\\boxed{15 apples}", { choices }).verdict).toBe("correct");
  expect(gradeChoice("B", "\\boxed{20 apples}", { choices }).verdict).toBe("wrong");
});
test.each([
  "It is (A) or (B)",
  "\\boxed{B, C}",
  "\\boxed{(B) 5 or (C) 7}",
  "\\boxed{B} or \\boxed{\\text{(C)}}",
  "<answer>B / C</answer>",
  "Answer: (B) or maybe (C)",
  "\\boxed{[B], [C]}",
  "\\boxed{not (B)}",
])("%j is no answer", (completion) => {
  expect(gradeChoice("B", completion).verdict).toBe("noAnswer");
});
test.each(["The answer is B, since (A) is negative.", "\\boxed{(B) \\text{ the sets A and C}}"])(
  "a letter in the reason does not hedge %j",
  (completion) => expect(gradeChoice("B", completion).verdict).toBe("correct"),
);
test("silence is no answer", () => {
  expect(gradeChoice("B", "").verdict).toBe("noAnswer");
});
test("another letter is wrong, and a cut thought is truncated", () => {
  expect(gradeChoice("B", "The answer is (C).")).toMatchObject({ verdict: "wrong", reward: 0 });
  expect(gradeChoice("B", "<think> surely B").verdict).toBe("truncated");
  expect(gradeChoice("B", "\\boxed{B}", { finishReason: "length" }).verdict).toBe("truncated");
});
test("a gold that names no option is a bad gold", () => {
  expect(gradeChoice("42", "B")).toMatchObject({ verdict: "badGold", reward: null });
  expect(gradeChoice("D", "D", { choices })).toMatchObject({ verdict: "badGold", reward: null });
});
test("a letter inside a thought is no answer, whether or not one follows", () => {
  expect(gradeChoice("B", "<think>perhaps (B)</think>").verdict).toBe("noAnswer");
  expect(gradeChoice("B", "<think>perhaps (B)</think>\n\nI do not know.").verdict).toBe("noAnswer");
  expect(gradeChoice("B", "<think>perhaps (A)</think>\nSo it is\nnumber (B)").verdict).toBe("correct");
});
test.each([
  [["-5", "5"], "A", "5", "wrong"],
  [["-5", "5"], "A", "-5", "correct"],
  [["-5", "5"], "A", "$-5$", "correct"],
  [["[0,1)", "(0,1]"], "A", "(0, 1]", "wrong"],
  [["[0,1)", "(0,1]"], "A", "[0, 1)", "correct"],
  [["O", "A", "B", "AB"], "C", "B", "wrong"],
  [["O", "A", "B", "AB"], "B", "B", "correct"],
  [["O", "A", "B", "AB"], "D", "AB", "correct"],
  [["O", "A", "B", "AB"], "A", "O", "correct"],
  [["a cat", "C. elegans", "a dog"], "B", "C. elegans", "correct"],
  [["car", "an apple"], "B", "\\text{An apple}", "correct"],
  [["-5 apples", "5 apples"], "A", "5 apples", "wrong"],
])("of %j with gold %s, %s is %s", (texts, gold, answer, verdict) => {
  expect(gradeChoice(gold, `\\boxed{${answer}}`, { choices: texts }).verdict).toBe(verdict);
});
