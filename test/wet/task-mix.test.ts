import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines, runRecipe } from "#run";
import { defineTask, type Task, user } from "#tasks";
import { type GrpoConfig, type GrpoResult, grpo, grpoConfig, share, type Tasks } from "#train";
import { defineRecipe } from "../../src/run/recipe.ts";
import { failsAfter } from "./resumed.ts";
import { parity, vowels, writeTinyModel } from "./tiny.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-mix-"));
  writeTinyModel(join(dir, "model"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const small = { promptsPerStep: 2, groupSize: 4, miniBatches: 2, lr: 1e-3, maxNewTokens: 12, evalEvery: 4, evalPrompts: 4, checkpointEvery: 100, keepCheckpoints: 1 }; // biome-ignore format: one line

async function train<R>(name: string, tasks: Tasks<R>, changes: Partial<GrpoConfig>) {
  const recipe = defineRecipe({
    name,
    config: { model: join(dir, "model"), grpo: grpoConfig({ ...small, ...changes }) },
    run: ({ config, stage }) => stage("grpo", () => grpo(config.model, tasks, config.grpo)),
  });
  const { result } = await runRecipe(recipe, { dir: join(dir, name), seed: 1 });
  const metrics = readJsonLines<Record<string, number>>(join(dir, name, "metrics.jsonl"));
  return { result: result as GrpoResult, metrics };
}

describe("training on a mixture", () => {
  it("has each task's curves under its name from the first step, the late task's from its own on", async () => {
    const { metrics } = await train("curves", [share(parity), share(vowels, { fromStep: 4 })], { steps: 8 });
    expect(metrics).toHaveLength(8);
    expect(metrics.every((line) => line["reward/parity/correct"] !== undefined)).toBe(true);
    expect(metrics.map((line) => line["reward/vowels/correct"] !== undefined)).toEqual(Array.from({ length: 8 }, (_, i) => i >= 4)); // biome-ignore format: one line
    expect(metrics[3]).toHaveProperty("eval/parity/accuracy");
    expect(metrics[3]).not.toHaveProperty("eval/vowels/accuracy");
    expect(metrics[7]!["eval/accuracy"]).toBeCloseTo(
      (metrics[7]!["eval/parity/accuracy"]! + metrics[7]!["eval/vowels/accuracy"]!) / 2,
      12,
    );
  });

  it("leaves a judged task out of the held-out accuracy", async () => {
    const { metrics } = await train("judged", [share(parity), share(vowels, { isJudged: true })], { steps: 4 });
    expect(metrics[3]!["eval/accuracy"]).toBe(metrics[3]!["eval/parity/accuracy"]);
  });

  it("is refused where a task enters after the end, or has nothing to be measured by", async () => {
    await expect(train("late", [share(parity), share(vowels, { fromStep: 8 })], { steps: 8 })).rejects.toThrow(
      "task vowels enters at step 8, training has 8",
    );
    const unwatched: Task<{ n: number }> = { ...parity, load: (split) => (split === "train" ? [{ n: 1 }] : []) };
    await expect(train("unwatched", unwatched, { steps: 4 })).rejects.toThrow('has 0 rows in its "test" split');
  });

  it("is refused on resume where its tasks, their rows or their weights have changed", async () => {
    const settings = { steps: 8, evalEvery: 0, checkpointEvery: 2 };
    await failsAfter(5, () => train("changed", [share(parity), share(vowels)], settings));
    const fewer: Task<{ n: number }> = { ...parity, load: async (split) => (await parity.load(split)).slice(1) };
    for (const tasks of [parity, [share(fewer), share(vowels)], [share(parity, { weight: 2 }), share(vowels)]])
      await expect(train("changed", tasks as Tasks<{ n: number }>, settings)).rejects.toThrow(
        /checkpoints\/grpo\/4: the tasks or their rows have changed since this checkpoint/,
      );
    expect((await train("changed", [share(parity), share(vowels)], settings)).metrics).toHaveLength(8);
  });
});

describe("over-optimisation", () => {
  /** Held-out answers are right in the first evaluation and never again; in training every answer earns more than the one before. */
  const hacked = () => {
    let numHeldOut = 0;
    let numTrained = 0;
    return defineTask<{ n: number; isHeldOut: boolean }>({
      name: "hacked",
      load: (split) => Array.from({ length: 8 }, (_, n) => ({ n, isHeldOut: split === "test" })),
      prompt: ({ n }) => [user(`Make ${n}.`)],
      rewards: {
        correct: (_, { isHeldOut }) => (isHeldOut ? Number(numHeldOut++ < 4) : 0),
        paid: (_, { isHeldOut }) => (isHeldOut ? 0 : numTrained++ / 1000),
      },
    });
  };

  it("rolls back to the best checkpoint, which is there though none was due", async () => {
    const { result, metrics } = await train("rollback", hacked(), { steps: 40, alarm: 1, onAlarm: "rollback" });
    expect(result.ended?.reason).toBe("overoptimised");
    expect([result.steps, metrics.length]).toEqual([8, 8]);
    expect(result.model).toBe(join(dir, "rollback", "checkpoints", "grpo", "4"));
    expect(existsSync(join(result.model, "model.safetensors"))).toBe(true);
  });

  it("stops with the last weights, or only says so, as the setting asks", async () => {
    const stopped = await train("stop", hacked(), { steps: 40, alarm: 1, onAlarm: "stop" });
    expect(stopped.result.model).toBe(join(dir, "stop", "checkpoints", "grpo", "8"));
    const warned = await train("warn", hacked(), { steps: 12, alarm: 1 });
    expect([warned.result.steps, warned.result.ended]).toEqual([12, undefined]);
  });

  it("a plateau ends the training with the last weights", async () => {
    const { result } = await train("plateau", hacked(), { steps: 40, plateau: 2 });
    expect([result.ended?.reason, result.steps]).toEqual(["plateau", 12]);
    expect(readdirSync(join(dir, "plateau", "checkpoints", "grpo")).sort()).toEqual(["12", "4"]);
  });
});
