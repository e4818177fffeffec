import { describe, expect, test } from "vitest";
import { gradeMath, gradeMathAnswer } from "./index.ts";

const verdict = (gold: string, answer: string): string => gradeMathAnswer(gold, answer).verdict;

describe("answers that are the same", () => {
  test.each([
    ["1/2", "0.5"],
    ["\\frac{1}{2}", "\\dfrac12"],
    ["1.5", "1 1/2"],
    ["2\\frac{1}{3}", "\\frac73"],
    ["0.1", "10\\%"],
    ["\\$1,250", "1250"],
    ["1250", "1{,}250 \\text{ dollars}"],
    ["3 \\times 10^{8}", "300000000"],
    ["\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt{2}}"],
    ["\\sqrt{12}", "2\\sqrt3"],
    ["\\sqrt{3+2\\sqrt2}", "1+\\sqrt{2}"],
    ["0.\\overline{3}", "\\frac13"],
    ["\\frac{2\\pi}{3}", "120^\\circ"],
    ["\\ln 8", "3\\ln 2"],
    ["\\log_2 8", "3"],
    ["5!", "120"],
    ["\\binom{5}{2}", "10"],
    ["e^{i\\pi}", "-1"],
    ["(x+1)^2", "x^2+2x+1"],
    ["\\frac{x^2-1}{x-1}", "x+1"],
    ["\\sin^2 x", "1-\\cos^2 x"],
    ["x = 5", "5"],
    ["2x+4y-3=0", "y=-\\frac12 x+\\frac34"],
    ["x > 5", "(5, \\infty)"],
    ["-x \\ge -1", "x \\le 1"],
    ["x \\neq 0", "(-\\infty,0)\\cup(0,\\infty)"],
    ["\\{x \\mid -2 \\le x < 1\\}", "[-2,1)"],
    ["[0,2]", "[0,1] \\cup [1,2]"],
    ["1, 2, 3", "3, 1, 2"],
    ["\\{1,2\\}", "\\{2,1,1\\}"],
    ["1 \\pm \\sqrt{2}", "1-\\sqrt2, 1+\\sqrt2"],
    ["x=1, y=2", "(1, 2)"],
    ["x=1, y=2", "y = 2, x = 1"],
    ["\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\langle 1, 2 \\rangle"],
    ["7:32", "14:64"],
    ["1011_2", "1011_{2}"],
    ["12 \\text{ cm}", "0.12 m"],
    ["all real numbers", "\\mathbb{R}"],
    ["Monday", "\\text{monday}."],
    ["½", "0.5"],
    ["３．５", "3.5"],
    ["x²＋1", "1 + x^{2}"],
    ["\\frac{\\pit}{2}", "\\frac{\\pi t}{2}"],
    ["4/3", "\\\\frac{4}{3}"],
    ["]0, 1[", "(0, 1)"],
    ["5 million", "5000000"],
    ["f(x) = x^2", "f(t) = t^2"],
    ["(B)", "\\text{B. } 12"],
    ["|x| < 2", "(-2, 2)"],
    ["\\cos 60^\\circ", "0.5"],
    ["8 \\text{ minutes}", "x = 8"],
    ["-2, -2", "-2"],
    ["1, 2", "1, 1, 2"],
    ["The area is $5$ today", "5"],
    ["$ax+b$, where $b$ is odd", "$ax + b$, where $b$ is odd."],
    ["He sells 24.\n#### 24", "24"],
    ["\\frac{\\pi}{4}+k\\pi, k \\in \\mathbb{Z}", "x = \\frac{\\pi}{4}+n\\pi, n \\in \\mathbb{Z}"],
    ["x \\equiv 3 \\pmod 7", "x \\equiv 10 \\pmod{7}"],
    ["72^\\circ F", "72"],
    ["5", "5^{\\text{th}}"],
    ["\\sum_{i=1}^n i^2", "\\sum_{k=1}^n k^2"],
    ["3:30 PM", "3:30 \\text{ p.m.}"],
    ["3:30", "3:30 pm"],
    ["3 hours 20 minutes", "200 minutes"],
    ["5 feet 6 inches", "66 \\text{ in}"],
    ["5 p.m.", "5:00 PM"],
    ["\\{k\\pi+\\frac{\\pi}{4} \\mid k\\in\\mathbb{Z}\\}", "\\{\\frac{\\pi}{4}+n\\pi \\mid n\\in\\mathbb{Z}\\}"],
    ["\\{(x, 2x) \\mid x\\in\\mathbb{R}\\}", "\\{(t, 2t) : t\\in\\mathbb{R}\\}"],
    ["\\{2a+3b \\mid a, b\\in\\mathbb{Z}\\}", "\\{2m+3n \\mid m, n\\in\\mathbb{Z}\\}"],
    ["(0, 1)", "\\{t \\in \\mathbb{R} \\mid 0 < t < 1\\}"],
    ["\\sum_{i=1}^n\\sum_{j=1}^m i j^2", "\\sum_{k=1}^n\\sum_{l=1}^m k l^2"],
  ])("%s = %s", (gold, answer) => {
    expect(verdict(gold, answer)).toBe("correct");
  });
});

describe("answers that are not the same", () => {
  test.each([
    ["1/2", "0.51"],
    ["2024", "20 24"],
    ["x = 2", "y = 2"],
    ["x=2, y=3", "a=2, b=3"],
    ["1, 1, 2", "1, 2"],
    ["\\text{(C)}", "\\text{(C)}, 288\\pi"],
    ["\\sqrt{2}/2", "0.5"],
    ["(A)", "(A) or (B)"],
    ["(A) 5", "(A) 5 or (B) 7"],
    ["$ax+b$, where $b=1$", "b = 1"],
    ["1/3", "0.33"],
    ["5", "5.001"],
    ["4", "4\\sqrt{2}"],
    ["x^2+2x+1", "x^2+2x+2"],
    ["|x|", "x"],
    ["\\sqrt{x^2}", "x"],
    ["[0,1)", "(0,1)"],
    ["(1,2)", "(2,1)"],
    ["(3,1)", "\\{1,3\\}"],
    ["1, 2", "1, 2, 3"],
    ["x > 5", "x \\ge 5"],
    ["x > 5", "x < 5"],
    ["a^2+b=0", "0"],
    ["12 \\text{ cm}", "12 m"],
    ["3:30 PM", "3:30 AM"],
    ["1:00P.M", "5:00 P.M."],
    ["2:30", "1:15"],
    ["3", "3 hours 20 minutes"],
    ["5", "5 \\text{ or maybe 6}"],
    ["5", "5 or 6"],
    ["5", "5 apples 6 pears"],
    ["6", "5 = 6 \\approx 7, 8"],
    ["0.3", "\\frac13 \\approx 0.3"],
    ["10:15 A.M.", "\\frac{2}{3}"],
    ["12.5", "12.52"],
    ["1011_2", "1011_3"],
    ["odd", "oddd"],
    ["no", "on"],
    ["B", "C"],
    ["\\sqrt{67}", "\\sqrt{67}, -\\sqrt{85}"],
    ["2", "x"],
    ["\\infty", "-\\infty"],
    ["10^{40}", "10^{40}+1"],
    ["\\{k\\pi+\\frac{\\pi}{4} \\mid k\\in\\mathbb{Z}\\}", "\\{5k \\mid k\\in\\mathbb{Z}\\}"],
    ["\\{(x, 2x) \\mid x\\in\\mathbb{R}\\}", "\\{(t, 3t) \\mid t\\in\\mathbb{R}\\}"],
    ["\\{2a+3b \\mid a, b\\in\\mathbb{Z}\\}", "\\{2m+5n \\mid m, n\\in\\mathbb{Z}\\}"],
    ["(0,1)", "\\{7x \\mid 0<x<1\\}"],
    ["(0,1)", "\\{y \\mid 0<x<1\\}"],
    ["\\sum_{i=1}^n\\sum_{j=1}^m i j^2", "\\sum_{i=1}^n\\sum_{j=1}^m i^2 j"],
    ["0", "\\arctan(1e-9999)"],
    ["42", "9.1e9999\\overline{27}"],
    ["0.5", "0.5\\%"],
    ["\\pi", "\\pi^\\circ"],
    ["11", "11_3"],
    ["101_2", "101_3"],
    ["15 cm^2", "15 \\text{ m}"],
    ["2+\\log 3", "2+\\ln 3"],
    ["12345678901234567", "12345678901234500.0"],
    ["\\$5", "5 cents"],
    ["5 cents", "\\$5"],
    ["[0,1]", "0, 1"],
    ["(0,1)", "0, 1"],
    ["0", "\\arcsin(1e-9999\\cdot 1e-9999)"],
    ["|xy|", "xy"],
    ["|xyz|", "xyz"],
    ["|x+y|", "x+y"],
    // Equal to twelve digits, not to thirteen.
    ["e^{\\pi\\sqrt{163}}", "262537412640768744"],
    ["\\frac{103993}{33102}", "\\pi"],
  ])("%s ≠ %s", (gold, answer) => {
    expect(verdict(gold, answer)).toBe("wrong");
  });
});

test.each([..."abcdfghjklmnopqrstuvwxyz"])("|%s| is not that letter, nor \\sqrt of its square", (letter) => {
  expect(verdict(letter, `|${letter}|`)).toBe("wrong");
  expect(verdict(`\\sqrt{${letter}^2}`, letter)).toBe("wrong");
});

describe("where the answer is", () => {
  test("the last complete box counts, an unfinished one after it does not", () => {
    expect(gradeMath("7", "So \\boxed{5}. No: \\boxed{7}. Check: \\boxed{8").verdict).toBe("correct");
  });
  test("an answer inside the thinking does not count when an answer follows or is missing", () => {
    expect(gradeMath("7", "<think>\\boxed{7}</think> It is \\boxed{8}").verdict).toBe("wrong");
    expect(gradeMath("7", "<think>\\boxed{7}</think>").verdict).toBe("noAnswer");
  });
  test("a thought that never ends is truncated", () => {
    expect(gradeMath("7", "<think> it is \\boxed{7}").verdict).toBe("truncated");
    expect(gradeMath("7", "\\boxed{7}", { finishReason: "length" }).verdict).toBe("truncated");
    expect(gradeMath("7", "we try 6, then \\[ n = 7").verdict).toBe("truncated");
    expect(gradeMath("7", "so the answer is \\boxed{\\frac{7}{").verdict).toBe("truncated");
  });
  test("<answer> outranks a box outside it", () => {
    expect(gradeMath("7", "\\boxed{8} <answer>7</answer>").verdict).toBe("correct");
  });
  test("an explicit final answer after a box outranks it", () => {
    expect(
      gradeMath("10455", "an interest of $\\boxed{255}$. Final Answer: The final answer is $10,455$.").verdict,
    ).toBe("correct");
  });
  test("neighbouring boxes are one answer", () => {
    expect(gradeMath("1, 2", "$\\boxed{1}$ and $\\boxed{2}$").verdict).toBe("correct");
    expect(gradeMath("2", "$\\boxed{1}$ and $\\boxed{2}$").verdict).toBe("wrong");
    expect(gradeMath("-1, -9", "\\boxed{-1, -9} or \\boxed{-1}").verdict).toBe("wrong");
  });
  test.each([
    ["34", "The largest $n$ is 34."],
    ["2/3", "therefore the probability is 2/3."],
    ["\\frac13", "so we find $x = \\frac{1}{3}$ as claimed"],
    ["D", "hence 40 sales. The answer is (D)."],
    ["18", "#### 18"],
    ["12", "所以答案是12。"],
    ["(0,1)", "the domain is the interval (0, 1)"],
    ["1000.99", "the number is not 10 which is 1,000.99€"],
  ])("%s in: %s", (gold, completion) => {
    expect(gradeMath(gold, completion).verdict).toBe("correct");
  });
  test("strict takes only a marked answer", () => {
    expect(gradeMath("34", "The largest n is 34.", { strict: true }).verdict).toBe("noAnswer");
    expect(gradeMath("34", "\\boxed{34}", { strict: true }).verdict).toBe("correct");
  });
  test("digits inside a word are no number", () => {
    expect(gradeMath("2", "AZYUK2A").verdict).toBe("wrong");
  });
});

describe("verdicts", () => {
  test.each(["", "   ", "$", "\\frac{}{2}", "{", "\\sqrt", "\\lfloor x"])(
    "%j is a bad gold, whatever the answer",
    (gold) => {
      expect(gradeMath(gold, `\\boxed{${gold}}`)).toMatchObject({ verdict: "badGold", reward: null });
    },
  );
  test("an empty completion holds no answer and earns nothing", () => {
    expect(gradeMath("5", "")).toEqual({ verdict: "noAnswer", reward: 0 });
  });
  test("a restated problem is no value under strict", () => {
    expect(gradeMath("385", "\\boxed{\\sum_{k=1}^{10} k^2}", { strict: true }).verdict).toBe("wrong");
  });
  test.each([
    ["2", "\\gcd(1234,5678)"],
    ["9", "7^{100}\\bmod 13"],
    ["338350", "\\sum_{k=1}^{100}k^2"],
    ["4368", "\\binom{16}{5}"],
    ["\\frac{\\sqrt{3}}{2}", "\\sin 60^\\circ"],
    ["120", "x = 5!"],
    ["120", "5! = x"],
    ["x = 120", "5!"],
    ["2", "|3-5|"],
    ["\\frac{\\pi}{4}", "\\arctan 1"],
    ["2, 3", "\\log_2 4, 3"],
    ["(2, 3)", "(\\lfloor 2.5 \\rfloor, 3)"],
  ])("%s: the question %s is equal, and no evaluated answer", (gold, answer) => {
    expect(gradeMath(gold, `\\boxed{${answer}}`).verdict).toBe("correct");
    expect(gradeMath(gold, `\\boxed{${answer}}`, { evaluated: true }).verdict).toBe("wrong");
  });
  test.each([
    ["120", "5! = 120"],
    ["x = 120", "x = 5! = 120"],
    ["6", "\\gcd(12, 18) = 6"],
    ["0.6931", "\\ln 2 \\approx 0.6931"],
    ["\\ln 8", "3\\ln 2"],
    ["5!", "120"],
    ["a^b", "e^{b\\ln a}"],
    ["\\frac{\\pi}{3}", "60^\\circ"],
    ["1024", "2^{10}"],
  ])("%s: %s is an evaluated answer", (gold, answer) => {
    expect(gradeMath(gold, `\\boxed{${answer}}`, { evaluated: true }).verdict).toBe("correct");
  });
  test("the end of a chain is its value, however right its beginning", () => {
    expect(gradeMath("0.6931", "\\boxed{\\ln 2 \\approx 0.5}", { evaluated: true }).verdict).toBe("wrong");
    expect(gradeMath("120", "\\boxed{5! = 0}", { evaluated: true }).verdict).toBe("wrong");
  });
});
