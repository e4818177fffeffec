import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradeMath, gradeMathAnswer } from "./index.ts";

const correct = (gold: string, answer: string): boolean => gradeMathAnswer(gold, answer).verdict === "correct";

/** A formula that has a value at most points: numbers, letters, sums, products, fractions, powers, roots, functions. */
const formula: fc.Arbitrary<string> = fc.letrec<{ formula: string }>((tie) => ({
  formula: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 1, max: 99 }).map(String),
    fc.constantFrom("x", "y", "a", "\\pi", "t"),
    fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `(${a}) + (${b})`),
    fc.tuple(tie("formula"), tie("formula")).map(([a, b]) => `(${a}) \\cdot (${b})`),
    fc.tuple(tie("formula"), fc.integer({ min: 1, max: 30 })).map(([a, b]) => `\\frac{${a}}{${b}}`),
    tie("formula").map((a) => `\\sqrt{${a}}`),
    fc.tuple(tie("formula"), fc.integer({ min: 2, max: 4 })).map(([a, n]) => `{(${a})}^{${n}}`),
    fc.tuple(fc.constantFrom("sin", "cos", "arctan"), tie("formula")).map(([f, a]) => `\\${f}\\left(${a}\\right)`),
  ),
})).formula;

describe("equality of formulas", () => {
  test("every formula equals itself", () => {
    fc.assert(
      fc.property(formula, (f) => correct(f, f)),
      { numRuns: 300 },
    );
  });
  test("every formula equals itself rewritten: f = (2f + 0) / 2 = f·1", () => {
    fc.assert(
      fc.property(formula, (f) => {
        expect(correct(f, `\\frac{2\\left(${f}\\right)+0}{2}`)).toBe(true);
        expect(correct(f, `1\\cdot(${f})`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
  test("sums and products commute", () => {
    fc.assert(
      fc.property(formula, formula, (f, g) => {
        expect(correct(`(${f}) + (${g})`, `(${g}) + (${f})`)).toBe(true);
        expect(correct(`(${f})(${g})`, `(${g})(${f})`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
  test("a number of sixty digits with a root in it is not itself and one", () => {
    const f = "{({(({(16)}^{4}) \\cdot (\\sqrt{3}))}^{3})}^{4}";
    expect([correct(f, `(${f}) + 1`), correct(`(${f}) + 1`, f), correct(f, `1 \\cdot (${f})`)]).toEqual([
      false,
      false,
      true,
    ]);
  });
  // Powers of powers with a root in them pass 10^75, where one more is no longer seen (docs/math-verifier.md).
  const power = (f: string) => [...f.matchAll(/\^\{(\d)\}/g)].reduce((product, [, n]) => product * Number(n), 1);
  test("f + 1 is never f", () => {
    fc.assert(
      fc.property(
        formula.filter((f) => power(f) <= 12),
        (f) => !correct(f, `(${f}) + 1`),
      ),
      { numRuns: 300 },
    );
  });
  test("the verdict on two exact formulas does not depend on which is the gold", () => {
    fc.assert(
      fc.property(formula, formula, (f, g) => correct(f, g) === correct(g, f)),
      { numRuns: 300 },
    );
  });
});

describe("equality of numbers", () => {
  const rational = fc.tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 1, max: 500 }));
  test("two fractions are equal exactly when they are", () => {
    fc.assert(
      fc.property(
        rational,
        rational,
        ([a, b], [c, d]) => correct(`\\frac{${a}}{${b}}`, `${c}/${d}`) === (a * d === b * c),
      ),
      { numRuns: 2_000 },
    );
  });
  test("an integer has no neighbour that passes for it, in any spelling", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1000n, max: 10n ** 30n }), fc.integer({ min: 1, max: 9 }), (n, delta) => {
        const grouped = n.toString().replace(/\B(?=(\d{3})+$)/g, ",");
        expect(correct(String(n), grouped)).toBe(true);
        expect(correct(String(n), `${n}.0`)).toBe(true);
        expect(correct(String(n), `\\$${n}`)).toBe(true);
        expect(correct(String(n), String(n + BigInt(delta)))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
  test("a list is equal to its permutations, a tuple only to itself", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -99, max: 99 }), { minLength: 3, maxLength: 6 }), (items) => {
        const turned = [...items.slice(1), items[0]!];
        expect(correct(items.join(", "), turned.join(", "))).toBe(true);
        expect(correct(`(${items.join(", ")})`, `(${turned.join(", ")})`)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("hostile texts", () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(
        "\\",
        "{",
        "}",
        "^",
        "_",
        "$",
        "(",
        "|",
        "[",
        "1",
        "x",
        "\\frac",
        "\\boxed{",
        "\u0000",
        "\u202e",
        "&",
        "\\\\",
        ",",
      ),
      maxLength: 120,
    }),
  );
  test("any text as gold or answer gets a verdict", () => {
    fc.assert(
      fc.property(nasty, nasty, (gold, answer) => {
        expect(gradeMath(gold, answer).verdict).toMatch(/^(?:correct|wrong|noAnswer|truncated|badGold)$/);
      }),
      { numRuns: 2_000 },
    );
  });
  const big = 10_000_000;
  test.each([
    ["open braces", "{".repeat(big)],
    ["boxes that never close", "\\boxed{".repeat(big / 7)],
    ["complete boxes", "\\boxed{1}".repeat(big / 9)],
    ["dollars", "$ ".repeat(big / 2)],
    ["digits", "9".repeat(big)],
    ["backslashes", "\\".repeat(big)],
    ["NUL", "\u0000".repeat(big)],
    ["right-to-left", "\u202e٣".repeat(big / 2)],
    ["answer phrases", "the answer is ".repeat(big / 14)],
    ["phrase and spaces", `the answer${" ".repeat(big)}`],
    ["thoughts", "<think></think>".repeat(big / 15)],
    ["answers", "<answer>".repeat(big / 8)],
    ["nested fractions in a box", `\\boxed{${"\\frac{1}{1+".repeat(2_000)}1${"}".repeat(2_000)}}`],
    ["parentheses in a box", `\\boxed{${"(".repeat(5_000)}1${")".repeat(5_000)}}`],
    ["a tower of powers", `\\boxed{${"9^".repeat(1_000)}9}`],
    ["a long list", `\\boxed{${Array.from({ length: 1_200 }, (_, i) => i).join(",")}}`],
    ["bars", `\\boxed{${"|".repeat(3_000)}}`],
    ["a huge factorial", "\\boxed{((99999999!)!)!}"],
    ["a huge sum", "\\boxed{\\sum_{k=1}^{1500} \\sum_{j=1}^{1500} \\sin(kj)}"],
  ])("%s: no credit, and within two seconds", (_, completion) => {
    const start = performance.now();
    expect(gradeMath("42", completion).reward).toBe(0);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
