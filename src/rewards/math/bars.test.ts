import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { type AnswerSource, gradeMath, gradeMathAnswer } from "./index.ts";

/** Labelled answers of other graders, which are not part of this project. */
const folder = join(import.meta.dirname, "../../../../shared/data/verifier");
const isThere = existsSync(folder);
beforeEach((context) => context.skip(!isThere, "no ../shared/data/verifier"));

function rows<T>(name: string): T[] {
  const text = gunzipSync(readFileSync(join(folder, `${name}.jsonl.gz`))).toString("utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line.replace(/-?Infinity(?=[,\]])/g, "null")) as T);
}

test("at least 240 of the peers' 247 cases, and no false correct", () => {
  const onlyLatex: AnswerSource[] = ["boxed", "answerTag", "formula"];
  let numRight = 0;
  type Case = {
    gold: string;
    pred: string;
    expected: boolean;
    opts?: { match_types?: string[]; precision?: number; strict?: boolean };
  };
  for (const { gold, pred, expected, opts } of rows<Case>("math-cases")) {
    const { verdict } = gradeMath(gold, pred, {
      strict: opts?.strict ?? false,
      ...(opts?.precision ? { decimals: opts.precision } : {}),
      ...(opts?.match_types?.length && !opts.match_types.includes("expr") ? { sources: onlyLatex } : {}),
    });
    if ((verdict === "correct") === expected) numRight++;
    expect(verdict === "correct" && !expected, `${gold} | ${pred}`).toBe(false);
  }
  expect(numRight).toBeGreaterThanOrEqual(240);
});

test("every LaTeX value equals what computer algebra says it is, both ways, and its decimal", () => {
  type Case = {
    kind: string;
    latex: string;
    sympy?: string;
    expected?: string;
    number?: [number | null, number] | null;
  };
  for (const { kind, latex, sympy, expected, number } of rows<Case>("latex-cases")) {
    if (kind === "must_fail" || sympy === "None") expect(gradeMathAnswer(latex, latex).verdict, latex).toBe("badGold");
    else {
      const value = expected ?? sympy!;
      expect(gradeMathAnswer(value, latex).verdict, latex).toBe("correct");
      expect(gradeMathAnswer(latex, value).verdict, latex).toBe("correct");
      if (number && number[0] !== null)
        expect(gradeMathAnswer(String(number[0]), latex).verdict, latex).toBe("correct");
    }
  }
});

test("agrees with a peer's verdict on 98.5 % of real completions, in a median below 0.2 ms", () => {
  const graded = rows<{ gold: string; completion: string; peer_verdict: boolean }>("graded-math");
  const times: number[] = [];
  let numAgreed = 0;
  for (const { gold, completion, peer_verdict } of graded) {
    const start = performance.now();
    const { verdict } = gradeMath(gold, completion);
    times.push(performance.now() - start);
    if ((verdict === "correct") === peer_verdict) numAgreed++;
  }
  expect(numAgreed / graded.length).toBeGreaterThanOrEqual(0.985);
  expect(times.toSorted((a, b) => a - b)[times.length >> 1]).toBeLessThan(0.2);
});
