import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { user } from "#tasks";
import { type CollectedRow, comparePairs, type Judge, labelSafety, noisyJudge, preference } from "#teacher";
import { streamKey, uniformAt } from "#tensor";
import { balanceLengths, type ComparedPair, collectPairs, type PreferencePair } from "./pairs.ts";
import type { LabelledResponse } from "./reward-data.ts";

const prompt = [{ role: "user", content: "?" }];
const pair = (chosen: number, rejected: number): PreferencePair => ({
  prompt,
  chosen: "c".repeat(chosen),
  rejected: "r".repeat(rejected),
});

it("a pair is kept where the judge's mean difference is above the threshold, the better answer first, and what is dropped is counted", () => {
  const compared = (difference: number | undefined, responses: [string, string] = ["one", "two"]): ComparedPair => ({
    prompt,
    responses,
    difference,
  });
  const { pairs, dropped } = collectPairs(
    [compared(1.5), compared(-3), compared(1), compared(-0.25), compared(undefined), compared(5, ["same", "same"])],
    { threshold: 1, seed: 1 },
  );
  expect(pairs).toEqual([
    { prompt, chosen: "one", rejected: "two", difference: 1.5 },
    { prompt, chosen: "two", rejected: "one", difference: 3 },
  ]);
  expect(dropped).toEqual({ noVerdict: 1, same: 1, unsure: 2, lengthBalance: 0 });
});

it("where long answers are favoured, as many are kept that favour the short, and the mean lengths come out alike", () => {
  const at = (i: number, what: string) => uniformAt(streamKey(i, what), 0);
  const biased = Array.from({ length: 1000 }, (_, i) => {
    const [short, long] = [20 + Math.floor(80 * at(i, "short")), 110 + Math.floor(150 * at(i, "long"))];
    return at(i, "favoured") < 0.8 ? pair(long, short) : pair(short, long);
  });
  const ratio = (pairs: PreferencePair[]) =>
    pairs.reduce((sum, { chosen }) => sum + chosen.length, 0) /
    pairs.reduce((sum, { rejected }) => sum + rejected.length, 0);
  const balanced = balanceLengths(biased, (text) => text.length, 1);
  expect(ratio(biased)).toBeGreaterThan(1.5);
  expect(ratio(balanced)).toBeCloseTo(1, 1);
  expect(balanced.filter(({ chosen, rejected }) => chosen.length > rejected.length)).toHaveLength(balanced.length / 2);
  expect(balanced.length).toBeGreaterThan(350);
});

it("pairs of equal length all stay, in their order, and the same seed keeps the same", () => {
  const pairs = [pair(5, 5), pair(9, 3), pair(7, 7), pair(3, 9), pair(9, 3)];
  const balance = (seed: number) => balanceLengths(pairs, (text) => text.length, seed);
  expect(balance(1)).toHaveLength(4);
  expect(balance(1)).toEqual(balance(1));
  expect(balance(1).filter(({ chosen, rejected }) => chosen.length === rejected.length)).toEqual([pairs[0], pairs[2]]);
});

it("a judge who likes the first place better says the same of a pair as one who does not", async () => {
  const worth: Record<string, number> = { poor: 3, best: 6 };
  const judge = (liking: number): Pick<Judge, "scores"> => ({
    scores: async ({ answers: [first, second] }) => [worth[first]! + liking, worth[second]!],
  });
  const asked = async (liking: number) => {
    const responses = ["poor", "best"] as const;
    const told = await preference(judge(liking) as Judge, { question: "?", answers: responses });
    return collectPairs([{ prompt, responses, difference: told?.difference }], { threshold: 1, seed: 1 });
  };
  const sameLength = [{ prompt, chosen: "best", rejected: "poor", difference: 3 }];
  expect((await asked(0)).pairs).toEqual(sameLength);
  expect((await asked(4)).pairs).toEqual(sameLength);
});

it("what a judge said of collected rows is what reward models are taught", async () => {
  const truth = {
    score: (_: string, answer: string) => (answer === "good" ? 8 : 3),
    isSafe: (_: string, response: string) => response.endsWith("good"),
    isEqual: () => false,
    isReadable: () => true,
  };
  const judge = noisyJudge(truth, { noise: 0, seed: 1 });
  const folder = mkdtempSync(join(tmpdir(), "aha-judged-"));
  const responses = ["<think>x</think>poor", "<think>x</think>good"] as const;
  const rows = responses.map((content, sample): CollectedRow => {
    const provenance = { origin: "policy", model: "m", promptId: "p", sample, numSampled: 2 } as const;
    const messages = [user("?"), { role: "assistant", content } as const];
    return { promptId: "p", messages, provenance: { ...provenance, filters: [], dropped: {} } };
  });
  const compared: ComparedPair[] = await comparePairs(rows, judge, { path: join(folder, "pairs.jsonl"), seed: 1 });
  const [poor, good] = responses;
  expect(collectPairs(compared, { threshold: 1, seed: 1 }).pairs).toEqual([
    { prompt, chosen: good, rejected: poor, difference: 5 },
  ]);
  const labelled: LabelledResponse[] = await labelSafety(rows, judge, { path: join(folder, "safe.jsonl") });
  expect(labelled).toEqual([
    { prompt, response: poor, isSafe: false },
    { prompt, response: good, isSafe: true },
  ]);
});
