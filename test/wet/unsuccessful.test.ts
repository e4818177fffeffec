import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModel, type LabelledSteps, type Recipe, Tokenizer } from "aha-rl";
import { afterAll, describe, expect, it } from "vitest";
import { modelFolder } from "#models";
import { readJsonLines, readTable, runRecipe } from "#run";
import mcts from "../../recipes/mcts.ts";
import prm from "../../recipes/prm.ts";
import { stepIdsOf } from "../../recipes/steps/paths.ts";
import { failsAfter } from "./resumed.ts";

const dir = mkdtempSync(join(tmpdir(), "aha-unsuccessful-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noExplicitAny: recipes of any settings.
const run = (recipe: Recipe<any>, name: string) => runRecipe(recipe, { dir: join(dir, name), seed: 1, isTiny: true });
const table = (name: string) => readTable(join(dir, name, "table.json"));
const result = (name: string, stage: string) =>
  JSON.parse(readFileSync(join(dir, name, "stages", `${stage}.json`), "utf8")).result;

describe("recipes/prm.ts with its tiny settings", () => {
  it("labels every step by a share of its continuations, and the last by what the answer is", async () => {
    expect((await run(prm, "prm")).isFinished).toBe(true);
    const texts = readJsonLines<LabelledSteps>(join(dir, "prm", "stages/labels/steps.jsonl"));
    const tokenizer = Tokenizer.load(modelFolder(embeddedModel));
    const stepIds = stepIdsOf(tokenizer);
    expect(texts.length).toBeGreaterThan(3);
    for (const { ids, ends, chances } of texts)
      for (const [i, end] of ends.entries()) {
        const isLast = end === ids.length - 1 && tokenizer.eosIds.includes(ids[end]!);
        expect(isLast || stepIds.includes(ids[end]!)).toBe(true);
        expect(isLast ? [0, 1] : [0, 0.5, 1]).toContain(chances[i]);
      }
  });

  it("reports every use of the reward, with the true accuracy beside what the policy was trained on", () => {
    expect(table("prm").rows.map(({ name }) => name)).toEqual([
      "one sample",
      "majority",
      "best of N by process reward, min",
      "best of N by process reward, mean",
      "best of N by process reward, last",
      "any of N right",
      "guided search",
      "before RL on the process reward",
      "most accurate on the way",
      "after RL on the process reward",
    ]);
    const { before, after, curve } = result("prm", "rl-figures");
    for (const { evaluation } of [before, after]) {
      expect(evaluation.rewards.process.value).toBeGreaterThan(0);
      expect(evaluation.accuracy.value).toBe(evaluation.rewards.correct.value);
    }
    expect(curve.map(({ step }: { step: number }) => step)).toEqual([2, 4]);
    // The rule's verdict is logged and earns nothing: the reward that is trained on is the model's alone.
    const steps = readJsonLines<Record<string, number> & { stage: string }>(join(dir, "prm", "metrics.jsonl"));
    const rl = steps.filter(({ stage }) => stage === "rl");
    expect(rl).toHaveLength(4);
    for (const line of rl) expect(line["reward/mean"]).toBeCloseTo(line["reward/process"]!, 6);
    expect(readFileSync(join(dir, "prm", "report.html"), "utf8")).toContain("guided search");
  });

  it("that failed in the reinforcement and went on has the same figures", async () => {
    await failsAfter(4, () => run(prm, "prm-failed"));
    await run(prm, "prm-failed");
    expect(table("prm-failed")).toEqual(table("prm"));
  });
});

describe("recipes/mcts.ts with its tiny settings", () => {
  it("measures plain sampling and search after each of three rounds, on about as many tokens", async () => {
    expect((await run(mcts, "mcts")).isFinished).toBe(true);
    const { columns, rows } = table("mcts");
    expect(rows.map(({ name }) => name)).toEqual(["round 0", "round 1", "round 2", "round 3"]);
    expect(columns.slice(0, 4)).toEqual(["one sample %", "majority %", "best of N by value %", "search %"]);
    for (const round of [0, 1, 2, 3]) {
      const { tokens } = result("mcts", `figures-${round}`);
      // No expansion begins beyond the budget; one is two steps of at most 24 tokens.
      expect(tokens.search).toBeLessThan(tokens.samples + 48);
    }
  });

  it("learns from right answers alone, found by the search of that round", () => {
    for (const round of [1, 2, 3]) {
      const { rows, problems, solved, numRows } = result("mcts", `search-${round}`);
      expect(problems).toBe(4);
      expect(readJsonLines(rows)).toHaveLength(numRows);
      expect(numRows).toBeLessThanOrEqual(2 * solved);
      const { model } = result("mcts", `actor-${round}`);
      expect(model.includes(`actor-${round}`)).toBe(numRows > 0);
    }
  });

  it("that failed in its second round and went on has the same figures", async () => {
    await failsAfter(7, () => run(mcts, "mcts-failed"));
    await run(mcts, "mcts-failed");
    expect(table("mcts-failed")).toEqual(table("mcts"));
  });
});
