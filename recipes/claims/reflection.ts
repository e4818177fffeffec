import { type Row, readAllRows } from "aha-rl";
import { phrases } from "../tiny-world/words.ts";
import type { Point } from "./claim.ts";

/** The ways a thought of the tiny world looks back, by what it says after "wait". */
const ways = ["check", "backTo", "anotherWay"] as const;
export type Way = (typeof ways)[number];

/** The words that the paper counts in real models' thoughts (arXiv 2501.12948 v2, figure on reflective words). */
const paperWords = new Set([
  "wait",
  "mistake",
  "however",
  "but",
  "retry",
  "error",
  "verify",
  "wrong",
  "evaluate",
  "check",
]);

export type Reflections = {
  /** By way, in the tiny world's phrases. */
  counts: Record<Way, number>;
  /** The paper's words, whatever they are said for: what can be counted in a real model's thought. */
  words: number;
  /** Words, numbers and signs. */
  length: number;
};

/** How often a thought reflects, and how long it is. */
export function reflectionsIn(thought: string): Reflections {
  const padded = ` ${thought
    .replace(/([,.()])/g, " $1 ")
    .replace(/\s+/g, " ")
    .trim()} `;
  const count = (phrase: string) => padded.split(` ${phrase} `).length - 1;
  const counts = Object.fromEntries(ways.map((way) => [way, count(phrases[way].en) + count(phrases[way].zh)]));
  const tokens = padded.trim().toLowerCase().split(" ").filter(Boolean);
  const words = tokens.filter((token) => paperWords.has(token)).length;
  return { counts: counts as Record<Way, number>, words, length: tokens.length };
}

/** Reflections per 100 tokens of thought over the steps of a stage, all ways together and each, from its kept rollouts. */
export async function reflectionCurves(
  rollouts: string,
  stage: string,
): Promise<Record<"all" | "words" | Way, Point[]>> {
  const bySteps = new Map<number, Reflections>();
  for (const row of (await readAllRows(rollouts)) as Row[]) {
    if (row.stage !== stage || row.task !== "countdown") continue;
    const { counts, words, length } = reflectionsIn(thoughtOf(String(row.text)));
    const none = { counts: { check: 0, backTo: 0, anotherWay: 0 }, words: 0, length: 0 };
    const sum = bySteps.get(row.step as number) ?? none;
    for (const way of ways) sum.counts[way] += counts[way];
    sum.words += words;
    sum.length += length;
    bySteps.set(row.step as number, sum);
  }
  const points = (of: (sum: Reflections) => number) =>
    [...bySteps].map(([step, sum]): Point => [step, (100 * of(sum)) / Math.max(1, sum.length)]);
  return {
    all: points(({ counts }) => ways.reduce((sum, way) => sum + counts[way], 0)),
    words: points(({ words }) => words),
    check: points(({ counts }) => counts.check),
    backTo: points(({ counts }) => counts.backTo),
    anotherWay: points(({ counts }) => counts.anotherWay),
  };
}

/** A right answer of a stage's late rollouts that looked back and then went on to the solution. */
export async function ahaSample(rollouts: string, stage: string): Promise<string | undefined> {
  const rows = ((await readAllRows(rollouts)) as Row[]).filter(
    (row) => row.stage === stage && row.task === "countdown",
  );
  const found = rows.findLast((row) => {
    const { correct } = row.rewards as { correct?: { verdict?: string } };
    const { counts } = reflectionsIn(thoughtOf(String(row.text)));
    return correct?.verdict === "correct" && ways.some((way) => counts[way] > 0);
  });
  return found && `${String(found.prompt)} ${String(found.text)}`;
}

const thoughtOf = (text: string): string => /<think>([\s\S]*?)(?:<\/think>|$)/.exec(text)?.[1] ?? "";
