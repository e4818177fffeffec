import type { Grade } from "../types.ts";
import { type Expr, some, symbolsOf } from "./ast.ts";
import { resetBudget } from "./budget.ts";
import { cleanFormula, stringKey } from "./clean.ts";
import { compareValues, type Oracle } from "./compare.ts";
import { ALL_SOURCES, type AnswerSource, extractAnswer, findFormulas, STRICT_SOURCES } from "./extract.ts";
import { MAX_FORMULA, parseClean } from "./parse.ts";
import { readAssignment } from "./relations.ts";
import type { Outcome } from "./scalar.ts";
import { isOptionLetter, optionLetter, withoutOptionLabel } from "./text.ts";

export type MathOptions = {
  /** Only a marked answer counts (\boxed or <answer>), names and units must agree, and an unevaluated sum or integral is no value. Default false. */
  strict?: boolean;
  /**
   * Where the gold holds no unknown, an answer that still holds a sum, an integral, a gcd, a remainder, a binomial, a
   * factorial, a logarithm or a trigonometric function, none of which the gold has, is wrong: in training, else, copying
   * the question would be paid. Default false: equal is equal.
   */
  evaluated?: boolean;
  /** "length": the completion was cut at its limit, which is the verdict `truncated` whatever stands in it. */
  finishReason?: "stop" | "length";
  /** Agreement to this many places after the point is enough for decimals; default: the precision they state. */
  decimals?: number;
  /** Decides what stays open between two scalars; gradeMathWithAlgebra asks computer algebra. */
  oracle?: Oracle;
  /** Where to look for the answer, instead of what `strict` implies. */
  sources?: readonly AnswerSource[];
};

const correct = (detail: Record<string, unknown>): Grade => ({ verdict: "correct", reward: 1, detail });
const wrong = (detail: Record<string, unknown>): Grade => ({ verdict: "wrong", reward: 0, detail });

/**
 * Grades a completion against a gold answer (LaTeX or plain text, with or without $…$ or \boxed). Synchronous, without
 * computer algebra: what cannot be proved equal is `wrong`, with `detail.undecided` where algebra might still prove it
 * (see gradeMathWithAlgebra). Never throws, a failure of its own is `verifierError`; work is bounded whatever the texts hold.
 */
export const gradeMath = (gold: string, completion: string, options: MathOptions = {}): Grade =>
  guarded(() => gradeCompletion(gold, completion, options));

/** Grades a bare answer: nothing is searched for, but $…$ and \boxed{…} around it are taken off. */
export const gradeMathAnswer = (gold: string, answer: string, options: MathOptions = {}): Grade =>
  guarded(() => gradeBare(gold, answer, options));

function guarded(grade: () => Grade): Grade {
  try {
    return grade();
  } catch (error) {
    return { verdict: "verifierError", reward: null, detail: { message: String(error) } };
  }
}

function gradeCompletion(gold: string, completion: string, options: MathOptions): Grade {
  const reference = readGold(gold);
  if (!reference) return { verdict: "badGold", reward: null, detail: { gold: String(gold).slice(0, 200) } };
  if (options.finishReason === "length") return { verdict: "truncated", reward: 0 };
  if (typeof completion !== "string") return { verdict: "noAnswer", reward: 0 };
  const found = extractAnswer(completion, options.sources ?? (options.strict ? STRICT_SOURCES : ALL_SOURCES));
  if (found.found === "cut") return { verdict: "truncated", reward: 0 };
  if (found.found === "nothing") return { verdict: "noAnswer", reward: 0 };
  return gradeExtracted(reference, found.answer, found.source, options);
}

function gradeBare(gold: string, answer: string, options: MathOptions): Grade {
  const reference = readGold(gold);
  if (!reference) return { verdict: "badGold", reward: null, detail: { gold: String(gold).slice(0, 200) } };
  if (typeof answer !== "string" || answer.trim() === "") return { verdict: "noAnswer", reward: 0 };
  return gradeExtracted(reference, answer, "whole", options);
}

type Reference = { readonly text: string; readonly clean: string; readonly key: string; readonly value: Expr };

/** Golds repeat (a group of samples, epochs): the last few hundred stay parsed. */
const golds = new Map<string, Reference | null>();
const MAX_GOLDS = 512;

function readGold(gold: string): Reference | undefined {
  if (typeof gold !== "string") return undefined;
  const known = golds.get(gold);
  if (known !== undefined) return known ?? undefined;
  const reference = parseGold(gold);
  if (golds.size >= MAX_GOLDS) golds.delete(golds.keys().next().value!);
  golds.set(gold, reference ?? null);
  return reference;
}

/** A gold is a bare answer, or a worked solution in which one is marked. */
function parseGold(gold: string): Reference | undefined {
  resetBudget();
  const read = (text: string): Reference | undefined => {
    const clean = cleanFormula((isOptionLetter(text) ? withoutOptionLabel(text) : text).slice(0, MAX_FORMULA + 1));
    const value = parseClean(clean);
    return value && { text, clean, key: stringKey(clean), value };
  };
  const bare = !/\\boxed|####/.test(gold) && gold.length <= 300 && !/\n\s*\n/.test(gold) ? read(gold) : undefined;
  if (bare && (bare.value.kind !== "text" || !/[$\\]/.test(gold))) return bare;
  const found = extractAnswer(gold.replaceAll("\\\\boxed", "\\boxed"));
  if (found.found !== "answer") return undefined;
  // "f(x) = ax + b, where b is …": the last formula of a short sentence is not the sentence.
  if (found.source === "formula" && gold.length <= 300 && findFormulas(gold).length > 1) {
    const clean = cleanFormula(gold);
    return bare ?? { text: gold, clean, key: stringKey(clean), value: { kind: "text", text: clean } };
  }
  return read(found.answer);
}

function gradeExtracted(gold: Reference, answer: string, source: AnswerSource, options: MathOptions): Grade {
  const shown = answer.length > 200 ? `${answer.slice(0, 200)}…` : answer;
  const outcome = compareAnswer(gold, answer, options);
  const detail = { answer: shown, source };
  if (outcome === "equal") return correct(detail);
  return wrong(outcome === "unknown" ? { ...detail, undecided: true } : detail);
}

/** What is left to compute, by its name: a question is full of it, an answer is its value. */
const OPERATIONS = new Set(
  "abs sgn gcd lcm mod binomial factorial doubleFactorial floor ceil max min log ln det sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch arsinh arcosh artanh arcoth arsech arcsch".split(
    " ",
  ),
);

const isBinder = (e: Expr): boolean => e.kind === "binder";
const isOperation = (e: Expr): boolean => isBinder(e) || (e.kind === "call" && OPERATIONS.has(e.name));

/** What an answer states where values are asked for: itself, the end of 5! = 120, or nothing when it restates the problem. */
function evaluatedPart(gold: Expr, answer: Expr): Expr | undefined {
  const asked = (gold.kind === "relation" && readAssignment(gold)?.value) || gold;
  if (symbolsOf(asked).size > 0 || some(gold, isOperation) || !some(answer, isOperation)) return answer;
  const isChain = answer.kind === "relation" && answer.signs.every((sign) => sign === "=" || sign === "~");
  const end = isChain ? answer.sides.at(-1)! : answer;
  return some(end, isOperation) ? undefined : end;
}

/** $5 beside 5 cents is five dollars; beside a bare number it is that number. */
const inMoney = (value: Expr, clean: string, other: Expr): Expr =>
  other.kind === "quantity" && value.kind !== "quantity" && /^-?\\?\$\s*-?[\d.]/.test(clean) && !clean.endsWith("$")
    ? { kind: "quantity", value, unit: "dollars" }
    : value;

/** The fast path (same string, option letter), then the two parsed values. */
function compareAnswer(gold: Reference, answer: string, options: MathOptions): Outcome {
  if (isOptionLetter(gold.text)) {
    const letter = optionLetter(answer);
    if (letter !== undefined) return letter === optionLetter(gold.text) ? "equal" : "different";
  }
  if (answer.length > MAX_FORMULA) return "different";
  const clean = cleanFormula(isOptionLetter(gold.text) ? withoutOptionLabel(answer) : answer);
  if (clean === "") return "different";
  if (clean === gold.clean || stringKey(clean) === gold.key) return "equal";
  const parsed = parseClean(clean);
  if (!parsed) return "different";
  // Restating the problem (an unevaluated sum or integral) is not answering it.
  if (options.strict && some(parsed, isBinder) && !some(gold.value, isBinder)) return "different";
  const value = options.evaluated ? evaluatedPart(gold.value, parsed) : parsed;
  if (!value) return "different";
  resetBudget();
  const [left, right] = [inMoney(gold.value, gold.clean, value), inMoney(value, clean, gold.value)];
  return compareValues(left, right, {
    isStrict: options.strict ?? false,
    decimals: options.decimals,
    oracle: options.oracle,
  });
}
