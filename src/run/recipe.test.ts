import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { saveCheckpoint } from "./checkpoints.ts";
import { currentRun, defineRecipe, resolveConfig, runRecipe } from "./recipe.ts";
import { count, oneOf } from "./setting-rules.ts";

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "aha-recipe-")), "r1");
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

const recipeOf = (log: string[], failAt = "", extra: Record<string, unknown> = {}) =>
  defineRecipe({
    name: "two-stages",
    config: { sft: { lr: 1e-5 }, grpo: { steps: count(200), level: oneOf("token", ["token", "sequence"]) } },
    tiny: { grpo: { steps: 3 } },
    async run({ config, stage }) {
      const step = async (name: string, value: unknown) => {
        if (name === failAt) throw new Error(`${name} broke`);
        log.push(name);
        return value;
      };
      const sft = await stage("sft", () => step("sft", { loss: 0.5, none: undefined }), { ...config.sft, ...extra });
      return stage("grpo", () => step("grpo", [sft, config.grpo.steps]));
    },
  });

describe("a recipe", () => {
  it("its settings are defaults, then tiny, then --set", () => {
    const recipe = recipeOf([]);
    expect(resolveConfig(recipe, { isTiny: true, set: ["grpo.level=sequence"] })).toMatchObject({
      sft: { lr: 1e-5 },
      grpo: { steps: 3, level: "sequence" },
    });
    expectTypeOf(resolveConfig(recipe).grpo.level).toEqualTypeOf<"token" | "sequence">();
  });

  it("a typo in tiny fails when the recipe is defined", () => {
    const config = { grpo: { steps: 3 } };
    const tiny = { grpo: { step: 1 } } as object;
    expect(() => defineRecipe({ name: "r", config, tiny, run() {} })).toThrow(
      'recipe r, tiny: grpo.step: no such setting. Did you mean "steps"?',
    );
  });

  it("finds its own run while it runs, and none outside", async () => {
    const recipe = defineRecipe({ name: "r", config: {}, run: async () => currentRun()?.dir });
    expect(await runRecipe(recipe, { dir, seed: 1 })).toEqual({ isFinished: true, result: dir });
    expect(currentRun()).toBeUndefined();
  });
});

describe("a stage", () => {
  it("that is done is not done again on resume, and gives the same result", async () => {
    const log: string[] = [];
    await expect(runRecipe(recipeOf(log, "grpo"), { dir, seed: 1 })).rejects.toThrow("grpo broke");
    expect(log).toEqual(["sft"]);
    const { result } = await runRecipe(recipeOf(log), { dir, seed: 1 });
    expect(result).toEqual([{ loss: 0.5 }, 200]);
    expect((await runRecipe(recipeOf(log), { dir, seed: 1 })).result).toEqual(result);
    expect(log).toEqual(["sft", "grpo"]);
  });

  it("records its inputs, result and time", async () => {
    await runRecipe(recipeOf([]), { dir, seed: 1 });
    const record = JSON.parse(readFileSync(join(dir, "stages", "sft.json"), "utf8"));
    expect(record).toMatchObject({ state: "done", settings: {}, inputs: { lr: 1e-5 }, result: { loss: 0.5 } });
    expect(record.versions).toMatchObject({ node: process.version });
    expect(record.seconds).toBeGreaterThanOrEqual(0);
    expect(Date.parse(record.startedAt)).not.toBeNaN();
  });

  it("that is done refuses other inputs and says what they would invalidate", async () => {
    await runRecipe(recipeOf([]), { dir, seed: 1 });
    await expect(runRecipe(recipeOf([], "", { lr: 2e-5 }), { dir, seed: 1 })).rejects.toThrow(
      'stage "sft" was done with other inputs (lr 1e-5 → 2e-5). This would invalidate: sft, grpo.',
    );
  });

  it("refuses a result that JSON would change", async () => {
    const recipe = defineRecipe({
      name: "r",
      config: {},
      run: ({ stage }) => stage("eval", () => ({ scores: [1, Number.NaN] })),
    });
    await expect(runRecipe(recipe, { dir, seed: 1 })).rejects.toThrow('stage "eval": its result: scores[1] is NaN.');
  });

  it("begins at the lengths it first began with, when it has no checkpoint", async () => {
    let isKilled = true;
    const recipe = defineRecipe({
      name: "r",
      config: {},
      async run({ stage, run }) {
        await stage("one", () => run.appendMetrics({ step: 1 }));
        await stage("two", () => {
          run.truncateTo(run.stageStart);
          run.appendMetrics({ step: 2 });
          if (isKilled) throw new Error("killed");
        });
      },
    });
    await expect(runRecipe(recipe, { dir, seed: 1 })).rejects.toThrow("killed");
    isKilled = false;
    await runRecipe(recipe, { dir, seed: 1 });
    expect(readFileSync(join(dir, "metrics.jsonl"), "utf8")).toBe(
      '{"stage":"one","step":1}\n{"stage":"two","step":2}\n',
    );
  });

  it("keeps its checkpoints apart from those of other stages, and trains once", async () => {
    const recipe = defineRecipe({
      name: "r",
      config: {},
      async run({ stage, run }) {
        const train = () => saveCheckpoint(run.claimCheckpoints(), { step: 3, lengths: run.lengths() }, () => {});
        const folders = [await stage("sft", train), await stage("rl", train)];
        expect(folders).toEqual([join(dir, "checkpoints", "sft", "3"), join(dir, "checkpoints", "rl", "3")]);
        await stage("twice", async () => [await train(), await train()]);
      },
    });
    await expect(runRecipe(recipe, { dir, seed: 1 })).rejects.toThrow('stage "twice" trains twice');
  });

  it("is not recorded as done when a stop was asked for inside it", async () => {
    const recipe = (shouldStop: boolean) =>
      defineRecipe({
        name: "r",
        config: {},
        run: ({ stage, run }) =>
          stage("train", () => {
            run.shouldStop = shouldStop;
            run.stopIfAsked();
            return "trained";
          }),
      });
    expect(await runRecipe(recipe(true), { dir, seed: 1 })).toEqual({ isFinished: false });
    expect(await runRecipe(recipe(false), { dir, seed: 1 })).toEqual({ isFinished: true, result: "trained" });
  });
});
