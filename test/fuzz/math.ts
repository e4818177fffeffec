import { gradeMath, gradeMathAnswer, type Verdict } from "#rewards";

/** Golds of every kind the verifier knows; answers are mutations of these. */
export const golds = [
  "42",
  "-7",
  "3.14159",
  "1,234,567",
  "\\frac{3}{4}",
  "2\\frac{1}{3}",
  "0.\\overline{27}",
  "12\\%",
  "\\$45.50",
  "3.2 \\times 10^{-5}",
  "\\sqrt{2}",
  "\\frac{\\sqrt{3}}{2}",
  "\\sqrt[3]{5}+\\sqrt{7}",
  "2\\pi",
  "e^{2}-1",
  "\\ln 3",
  "\\log_2 10",
  "\\sin\\frac{\\pi}{7}",
  "5!",
  "\\binom{10}{3}",
  "x^2+2x+1",
  "\\frac{x+1}{x-1}",
  "(a+b)^3",
  "y = 2x+3",
  "x^2+y^2=25",
  "x \\ge 3",
  "-1 < x \\le 4",
  "(0, 1] \\cup [2, \\infty)",
  "\\{1, 2, 3\\}",
  "(3, -4)",
  "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
  "x = 1, y = 2",
  "1 \\pm \\sqrt{5}",
  "3:4",
  "1011_2",
  "45^\\circ",
  "12 \\text{ cm}^2",
  "\\text{Monday}",
  "B",
  "\\mathbb{R}",
  "\\int_0^1 x^2 dx",
  "\\sum_{k=1}^{n} k^2",
  "\\lim_{x\\to 0} \\frac{\\sin x}{x}",
  "f(x) = \\frac{1}{x}",
  "|x-1|",
  "\\lfloor 2.7 \\rfloor",
  "i^2",
  "\\gcd(12, 18)",
  "17 \\bmod 5",
  "\\frac{d}{dx} x^3",
];

const splinters = [
  "{",
  "}",
  "\\{",
  "\\}",
  "(",
  ")",
  "[",
  "]",
  "|",
  "\\left(",
  "\\right)",
  "\\left|",
  "$",
  "$$",
  "\\(",
  "\\]",
  "\\boxed{",
  "\\frac",
  "\\sqrt[",
  "^",
  "_",
  "^{",
  "^^",
  "!",
  "!!",
  "'",
  ",",
  ";",
  ":",
  "/",
  "=",
  "<",
  "\\le",
  "\\pm",
  "\\cup",
  "\\begin{matrix}",
  "\\end{matrix}",
  "&",
  "\\\\",
  "\\text{",
  "\\int",
  "\\sum_{",
  "\\lim",
  "9^9^9^9",
  "10^{10^{10}}",
  "1e9999",
  "1e-9999",
  "99999999999999999999",
  "0.0000000000000000001",
  "\u0000",
  "\u202e",
  "\u200f",
  "٣",
  "½",
  "²",
  "∞",
  "√",
  "🎲",
  "\ud800",
  "中文",
  " ",
  "\n",
  "\t",
  "\\",
  "\\\\\\",
  "<think>",
  "</think>",
  "<answer>",
  "</answer>",
  "\\sin",
  "\\log_",
  "\\binom",
  "x",
  "e",
  "i",
  "d",
  "dx",
  "%",
  "#",
  "~",
  "\\,",
  "{,}",
  "and",
  "or",
  "the answer is",
  "\\overline{",
  "1/0",
  "0^0",
  "\\infty-\\infty",
  "1000000!",
  "\\binom{1000000}{500000}",
  "2^{100000}",
];

/** A small deterministic generator (mulberry32): a failing case is its seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One to six random cuts, insertions, repetitions and splices. */
export function mutate(text: string, random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const place = (): number => Math.floor(random() * (text.length + 1));
  const numEdits = 1 + Math.floor(random() * 6);
  for (let edit = 0; edit < numEdits; edit++) {
    const [a, b] = [place(), place()].sort((x, y) => x - y) as [number, number];
    const kind = Math.floor(random() * 6);
    if (kind === 0) text = text.slice(0, a) + text.slice(b);
    else if (kind === 1) text = text.slice(0, a) + pick(splinters) + text.slice(a);
    else if (kind === 2)
      text = text.slice(0, b) + text.slice(a, b).repeat(1 + Math.floor(random() * 8)) + text.slice(b);
    else if (kind === 3) text = text.slice(0, a) + pick(golds) + text.slice(b);
    else if (kind === 4)
      text = text.slice(0, a) + pick(splinters).repeat(1 + Math.floor(random() * 40)) + text.slice(a);
    else text = text.slice(b) + text.slice(0, a);
    if (text.length > 4_000) text = text.slice(0, 4_000);
  }
  return text;
}

/** Brackets and arguments that stand inside themselves: what is read twice at each level takes 2^depth steps. */
const nests: readonly (readonly [open: string, close: string])[] = [
  ["\\frac{", "}{2}"],
  ["\\frac{1}{", "}"],
  ["1\\frac{", "}{2}"],
  ["\\frac{d^{", "}+1}{2}"],
  ["\\frac{d}{dx}\\left(", "\\right)"],
  ["\\{1,", "\\}"],
  ["(1,", ")"],
  ["[0,1]\\cup(", ")"],
  ["\\{x \\mid x>", "\\}"],
  ["\\sqrt[3]{", "}"],
  ["2^{", "}"],
  ["\\left|", "\\right|"],
  ["\\lfloor ", "\\rfloor"],
  ["\\sin(", ")"],
  ["\\arctan\\frac{", "}{3}"],
  ["\\ln(1+", ")"],
  ["\\gcd(12,", ")"],
  ["(", ")!"],
  ["\\binom{", "}{2}"],
  ["\\sum_{k=1}^{99}\\frac{k}{", "}"],
  ["\\prod_{k=1}^{9}(k+", ")"],
  ["\\int_0^{", "}x dx"],
  ["1\\pm(", ")"],
  ["\\begin{pmatrix}1&", "\\end{pmatrix}"],
];
const links = [
  "%",
  "!",
  "'",
  "^\\circ",
  "/2",
  "^2",
  "_2",
  "-1",
  "\\bmod 7",
  "\\pm 1",
  ",1",
  "<2",
  "=2",
  "\\cup(0,1)",
  ":3",
  " or 1",
];

/** Balanced nests of one or two kinds round a gold, wide ones too, and chains of one link, all as long as an answer may be. */
export function nested(random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const inside = (core: string): string => {
    const [outer, inner] = [pick(nests), pick(nests)];
    const depth = 1 + Math.floor(random() * 40);
    const level = (text: string, i: number): string => {
      const [open, close] = i % 2 === 0 ? outer : inner;
      return open + text + close;
    };
    let text = core;
    for (let i = 0; i < depth && text.length < 3_000; i++) text = level(text, i);
    return text;
  };
  const kind = random();
  if (kind < 0.5) return inside(pick(golds));
  if (kind < 0.7) return pick(golds) + pick(links).repeat(1 + Math.floor(random() * 1_000));
  if (kind < 0.85) return `${inside(pick(golds))}${pick([",", "+", "=", "\\cup"])}${inside(pick(golds))}`;
  const [open, close] = pick(nests);
  let text = pick(golds);
  for (let i = 0; i < 8 && text.length < 1_500; i++) text = `${open}${text},${text}${close}`;
  return text;
}

/** What one grading may take; on a machine that was busy, a second try counts processor time. */
export const limitMs = 1_000;

export type FuzzReport = {
  numAnswers: number;
  verdicts: Partial<Record<Verdict, number>>;
  slowestMs: number;
  slowest: string;
  failures: string[];
};

/**
 * Grades mutated and nested answers as completions and as bare answers; collects crashes and what ran over the limit.
 * `progress` is told every ten seconds which seed was reached and which answer was the slowest.
 */
export function fuzzMath(
  numAnswers: number,
  seed: number,
  progress: (seedReached: number, report: FuzzReport) => void = () => {},
): FuzzReport {
  const report: FuzzReport = { numAnswers, verdicts: {}, slowestMs: 0, slowest: "", failures: [] };
  const grade = (gold: string, answer: string, isBare: boolean): void => {
    const start = performance.now();
    const { verdict, reward } = (isBare ? gradeMathAnswer : gradeMath)(gold, answer);
    const elapsed = performance.now() - start;
    report.verdicts[verdict] = (report.verdicts[verdict] ?? 0) + 1;
    if (verdict === "verifierError") report.failures.push(`verifierError: ${JSON.stringify([gold, answer])}`);
    if ((verdict === "correct") !== (reward === 1))
      report.failures.push(`reward ${reward} for ${verdict}: ${JSON.stringify([gold, answer])}`);
    if (elapsed > report.slowestMs) [report.slowestMs, report.slowest] = [elapsed, JSON.stringify([gold, answer])];
    if (elapsed > limitMs) {
      const before = process.cpuUsage();
      (isBare ? gradeMathAnswer : gradeMath)(gold, answer);
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 > limitMs)
        report.failures.push(`${Math.round(elapsed)} ms: ${JSON.stringify([gold, answer])}`);
    }
  };
  let toldAt = performance.now();
  for (let i = 0; i < numAnswers; i++) {
    if (performance.now() - toldAt > 10_000) {
      progress(seed + i, report);
      toldAt = performance.now();
    }
    const random = randomOf(seed + i);
    const gold = golds[Math.floor(random() * golds.length)]!;
    const answer =
      i % 8 === 7
        ? nested(random)
        : mutate(random() < 0.7 ? gold : golds[Math.floor(random() * golds.length)]!, random);
    try {
      grade(gold, random() < 0.3 ? `Therefore \\boxed{${answer}}.` : answer, random() < 0.5);
    } catch (error) {
      report.failures.push(`${String(error)}: ${JSON.stringify([gold, answer])} (seed ${seed + i})`);
    }
    if (report.failures.length > 20) break;
  }
  return report;
}
