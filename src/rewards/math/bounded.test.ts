import { describe, expect, test } from "vitest";
import { gradeMath, gradeMathAnswer } from "./index.ts";

/** text with `core` inside `depth` pairs of `open` and `close`. */
const nest = (open: string, core: string, close: string, depth: number): string =>
  open.repeat(depth) + core + close.repeat(depth);

const answers: [string, string][] = [
  ["mixed numbers in mixed numbers", nest("1\\frac{", "1\\frac{x}{2}", "}{2}", 35)],
  ["improper mixed numbers in denominators", nest("1\\frac{1}{", "x", "}", 35)],
  ["orders of derivatives in orders of derivatives", nest("\\frac{d^{", "\\frac{d+1}{2}", "}+1}{2}", 35)],
  ["derivatives by a power that is none", nest("\\frac{d}{dx^{", "\\frac{1}{2}", "}+1}", 35)],
];

describe("work is bounded by the length of an answer", () => {
  test.each(answers)("%s: wrong, within half a second", (_, answer) => {
    const start = performance.now();
    expect(gradeMath("42", `\\boxed{${answer}}`).verdict).toBe("wrong");
    expect(gradeMathAnswer("\\{1, 2\\}", answer).verdict).toBe("wrong");
    expect(performance.now() - start).toBeLessThan(500);
  });

  test.each(["%", "!", "'", "^\\circ", "/2", "_2"])("a chain of %s as long as an answer may be is wrong", (link) => {
    const chain = `5${link.repeat(5_900 / link.length)}`;
    expect(gradeMathAnswer("42", chain).verdict).toBe("wrong");
    expect(gradeMathAnswer(chain, `${chain}+1`).verdict).toMatch(/wrong|badGold/);
  });
});

test.each([
  ["\\frac{7}{3}", "2\\frac13"],
  ["\\frac{7}{3}", "2\\frac{1}{3}"],
  ["3x", "2\\frac{3x}{2}"],
  ["3", "2\\frac{3}{2}"],
])("%s = %s: a fraction after a number is added when it is proper, else multiplied", (gold, answer) => {
  expect(gradeMathAnswer(gold, answer).verdict).toBe("correct");
});
