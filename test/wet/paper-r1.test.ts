import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defineRecipe,
  defineTask,
  type GrpoConfig,
  grpo,
  grpoConfig,
  paperGeneralSteps,
  paperReasoning,
  paperScenarios,
  preferenceReward,
  type Scorer,
  safetyReward,
  share,
  type Task,
  type TaskShare,
  user,
} from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines, runRecipe } from "#run";
import { parity, writeTinyModel } from "./tiny.ts";

type Line = Record<string, number>;
/** Rollouts of 16 questions × 4 short answers, and a learning rate at which a tiny model moves. */
const scaled = { promptsPerStep: 1, groupSize: 4, lr: 4e-3, kl: 0.02, maxNewTokens: 16, evalPrompts: 2, checkpointEvery: 1000 }; // biome-ignore format: one line
let dir: string;
let model: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-paper-r1-"));
  model = writeTinyModel(join(dir, "model"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function train(name: string, tasks: Task<{ n: number }> | TaskShare[], config: GrpoConfig): Promise<Line[]> {
  const recipe = defineRecipe({
    name,
    config: { grpo: config },
    run: ({ config, stage }) => stage("grpo", () => grpo(model, tasks, config.grpo)),
  });
  await runRecipe(recipe, { dir: join(dir, name), seed: 1 });
  return readJsonLines(join(dir, name, "metrics.jsonl"));
}

describe("the paper's reinforcement of reasoning, scaled", () => {
  it("keeps the paper's values: R1-Zero's, 32,768 tokens throughout, a clip of 10", () => {
    const shared = { promptsPerStep: 32, groupSize: 16, miniBatches: 16, lr: 3e-6, kl: 0.001, referenceEvery: 400 };
    expect(paperReasoning).toMatchObject({ ...shared, temperature: 1, maxNewTokens: 32_768, clipLow: 10, clipHigh: 10 }); // biome-ignore format: one line
    expect(paperReasoning.longerFrom).toBeUndefined();
  });

  it("does not clip at ε 10 where ε 0.2 clips: answers up to 15 updates old are trained as they are", async () => {
    const wide = await train("wide", parity, { ...paperReasoning, ...scaled, steps: 32 });
    const narrow = await train("narrow", parity, { ...paperReasoning, ...scaled, steps: 32, clipLow: 0.2, clipHigh: 0.2 }); // biome-ignore format: one line
    const clipped = (lines: Line[]) => Math.max(...lines.map((line) => line["train/clipShare"]!));
    expect(clipped(wide)).toBe(0);
    expect(clipped(narrow)).toBeGreaterThan(0);
    expect(Math.max(...wide.map((line) => line["train/staleness"]!))).toBe(15);
  });
});

describe("the paper's reinforcement for all scenarios, scaled", () => {
  /** 17 rollouts for its 106, and a reference renewed as often in relation. */
  const steps = 16 * 17;
  const config = grpoConfig({ ...paperScenarios, ...scaled, steps, referenceEvery: 64 });
  const fromStep = Math.round((1 - paperGeneralSteps / paperScenarios.steps) * steps);
  const scorer = (judges: Scorer["judges"]): Scorer => ({
    judges,
    score: async (exchanges) => exchanges.map(({ response }) => (response.length % 7) - 3),
  });
  const asked = ({ n }: { n: number }) => [user(`Count ${n}.`)];
  const general = (name: string, judged: Task<{ n: number }>["rewards"][string]) =>
    share(defineTask({ ...parity, name, prompt: asked, rewards: { judged } }), {
      weight: 0.5,
      fromStep,
      isJudged: true,
    });
  let lines: Line[];
  beforeAll(async () => {
    const judged = [general("helpful", preferenceReward(scorer("summary"), asked)), general("safe", safetyReward(scorer("response"), asked))]; // biome-ignore format: one line
    lines = await train("scenarios", [share(parity), ...judged], config);
  });

  it("keeps the paper's values: the first stage's but for temperature 0.7, whole rollouts of its 1,700 steps and of the last 400", () => {
    expect(paperScenarios).toEqual({ ...paperReasoning, steps: 1_696, temperature: 0.7 });
    const perRollout = paperScenarios.miniBatches;
    expect(1700 - paperScenarios.steps).toBeLessThan(perRollout);
    expect([paperScenarios.steps % perRollout, paperGeneralSteps, paperGeneralSteps % perRollout]).toEqual([0, 400, 0]);
  });

  it("lets general prompts and preference rewards in for the last 400 of 1,700 steps alone, a helpfulness or a safety one each", () => {
    const has = (name: string) => lines.map((line) => line[`reward/${name}/judged`] !== undefined);
    const late = lines.map((_, i) => i >= 13 * 16);
    expect(has("helpful")).toEqual(late);
    expect(has("safe")).toEqual(late);
    expect(lines.every((line) => line["reward/parity/correct"] !== undefined)).toBe(true);
  });

  it("samples at 0.7 what it differentiates at 0.7", () => {
    const gaps = lines.flatMap((line) => line["sample/logprobGap"] ?? []);
    expect(gaps).toHaveLength(17);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1e-4);
  });

  it("measures accuracy by the task that a rule grades, not by those that a model judges", () => {
    expect(lines.at(-1)!["eval/accuracy"]).toBe(lines.at(-1)!["eval/parity/accuracy"]);
  });
});
