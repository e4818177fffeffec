import { describe, expect, test } from "vitest";
import { gradeMath, gradeMathAnswer } from "./index.ts";

/** text with `core` inside `depth` pairs of `open` and `close`. */
const nest = (open: string, core: string, close: string, depth: number): string =>
  open.repeat(depth) + core + close.repeat(depth);

/** A set of two sets of two sets … of numbers. */
const tree = (depth: number, seed = 1): string =>
  depth === 0 ? String(seed) : `\\{${tree(depth - 1, 2 * seed)},${tree(depth - 1, 2 * seed + 1)}\\}`;

const answers: [string, string][] = [
  ["mixed numbers in mixed numbers", nest("1\\frac{", "1\\frac{x}{2}", "}{2}", 35)],
  ["improper mixed numbers in denominators", nest("1\\frac{1}{", "x", "}", 35)],
  ["orders of derivatives in orders of derivatives", nest("\\frac{d^{", "\\frac{d+1}{2}", "}+1}{2}", 35)],
  ["derivatives by a power that is none", nest("\\frac{d}{dx^{", "\\frac{1}{2}", "}+1}", 35)],
  ["sets in sets", `\\{${nest("1,\\{", "1,2", "\\}", 35)}\\}, \\{${nest("1,\\{", "1,3", "\\}", 35)}\\}`],
  ["sums of fractions of high powers", "\\sum_{k=1}^{1500}\\frac{1}{k^{9}+1}"],
  ["sums of remainders of a factorial", "\\sum_{j=1}^{99}\\sum_{k=1}^{1500}(1500! \\bmod k)"],
  ["lists of dear sums", Array(90).fill("\\sum_{k=1}^{900}\\frac{1}{k^{9}+1}").join(",")],
  ["lists of long binomials", Array(200).fill("\\binom{18446744073709551615}{1500}").join("+")],
  ["roots of long powers", Array(300).fill("\\sqrt{10^{4000}+1}").join("+")],
  ["logarithms of logarithms in a sum", "\\sum_{k=2}^{1500}\\ln(\\ln(k+\\sqrt{2}))+\\arctan(k\\sqrt{3})"],
  ["greatest common divisors of long numbers", `\\gcd(${"7".repeat(2900)},${"3".repeat(2900)})`],
  ["sets of trees", tree(10)],
];

describe("work is bounded by the length of an answer", () => {
  test.each(answers)("%s: wrong, within a second", (_, answer) => {
    const start = performance.now();
    expect(gradeMath("42", `\\boxed{${answer}}`).verdict).toBe("wrong");
    for (const gold of ["\\{1, 2\\}", "1, 2", "x = 3", "2 + \\ln 3", answer.replace(/(\d)(?=\D*$)/, "$15")])
      expect(gradeMathAnswer(gold, answer).verdict).toMatch(/wrong|badGold/);
    expect(performance.now() - start).toBeLessThan(1_000);
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

test.each([
  ["parentheses and commas in a formula", `The answer is foo $${"(".repeat(660)}${",".repeat(1300)}$`],
  ["braces in a formula", `The answer is foo $${"\\{".repeat(900)}$`],
  ["letters in a formula", `The answer is foo $${"a".repeat(19_000)}$`],
  ["letters and spaces in a formula", `The answer is foo $${"a ".repeat(9_000)}$`],
  ["openers without closers", "\\(\\]".repeat(5_000)],
  ["macros in a formula", `The answer is foo $${"\\a{".repeat(4_000)}$`],
])("%s cost time in proportion to their length", (_, completion) => {
  const start = performance.now();
  expect(gradeMath("42", completion).reward).toBe(0);
  expect(performance.now() - start).toBeLessThan(250);
});
