import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { saveCheckpoint } from "./checkpoints.ts";
import { readJsonLines } from "./jsonl.ts";
import { learnedShares, Pipeline, plannedStages } from "./pipeline.ts";
import { defineRecipe, type RunRecipeOptions, runRecipe } from "./recipe.ts";
import { openRun } from "./run-folder.ts";
import { setAside } from "./set-aside.ts";
import { optional } from "./setting-rules.ts";
import { readStageRecord, stageRecords } from "./stage-record.ts";
import { readTable } from "./table.ts";

let dir: string;
let did: string[];
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "aha-pipeline-")), "r1");
  did = [];
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

/** Three stages: rows made by the first, each later one with its own settings and what the one before it gave. */
const recipe = defineRecipe({
  name: "r1",
  config: { coldStart: { rows: 3 }, sft: { lr: 1e-5 }, rl: { steps: 2 } },
  stages: { "cold-start": 1, sft: 2, rl: 7 },
  async run({ config, stage, run }) {
    const rows = await stage(
      "cold-start",
      () => {
        did.push("cold-start");
        const path = run.path("rows.jsonl");
        writeFileSync(path, "{}\n".repeat(config.coldStart.rows));
        return { path, numRows: config.coldStart.rows };
      },
      { coldStart: config.coldStart },
    );
    const train = (name: string, steps: number) => async () => {
      did.push(name);
      writeFileSync(join(run.stageDir(name), "notes"), `${name} with ${rows.numRows}`);
      for (let step = 1; step <= steps; step++) run.appendMetrics({ step });
      await saveCheckpoint(run.claimCheckpoints(), { step: steps, lengths: run.lengths() }, () => {});
      run.table.add(name, { "reasoning %": steps, note: `${name} done` });
      return { model: join(run.checkpointsDir, String(steps)) };
    };
    const sft = await stage("sft", train("sft", 1), { sft: config.sft, rows });
    const rl = await stage("rl", train("rl", config.rl.steps), { rl: config.rl, sft });
    run.table.add("all", { stages: 3 });
    return rl.model;
  },
});
const train = (more: Partial<RunRecipeOptions> = {}) => runRecipe(recipe, { dir, seed: 1, ...more });
const steps = () => readJsonLines(join(dir, "metrics.jsonl"));

describe("a stage's record", () => {
  it("tells settings from other inputs, and names the files its result names", async () => {
    await train();
    expect(readStageRecord(dir, "sft")).toMatchObject({
      settings: { sft: { lr: 1e-5 } },
      inputs: { rows: { path: join(dir, "rows.jsonl"), numRows: 3 } },
      outputs: ["checkpoints/sft/1"],
      versions: { node: process.version },
    });
    expect(readStageRecord(dir, "cold-start")!.outputs).toEqual(["rows.jsonl"]);
    expect(stageRecords(dir).map(({ name }) => name)).toEqual(["cold-start", "sft", "rl"]);
  });

  it("counts the seconds of every process that worked on it", async () => {
    const slow = (isStopped: boolean) =>
      defineRecipe({
        name: "r",
        config: {},
        run: ({ stage, run }) =>
          stage("one", async () => {
            await new Promise((resolve) => setTimeout(resolve, 40));
            run.shouldStop = isStopped;
            run.stopIfAsked();
          }),
      });
    for (const isStopped of [true, true, false]) await runRecipe(slow(isStopped), { dir, seed: 1 });
    expect(readStageRecord(dir, "one")!.seconds).toBeGreaterThanOrEqual(0.11);
  });

  it("a change of settings that no done stage has read goes on; config.json holds the new ones", async () => {
    await train({ until: "sft" });
    expect(await train({ set: ["rl.steps=3"] })).toMatchObject({ isFinished: true });
    expect(did).toEqual(["cold-start", "sft", "rl"]);
    expect(JSON.parse(readFileSync(join(dir, "config.json"), "utf8")).config.rl).toEqual({ steps: 3 });
  });

  it("a change of one that a done stage has read names that stage and those after it, and changes nothing", async () => {
    await train();
    await expect(train({ set: ["sft.lr=2e-5"] })).rejects.toThrow(
      "exists with a different config (sft.lr 1e-5 → 2e-5). Resume with the old one, redo these with --from sft, or choose another --run. Begun with the old one, and invalid with this: sft, rl.",
    );
    expect(await train()).toMatchObject({ isFinished: true });
    expect(did).toHaveLength(3);
  });

  describe("of settings that were not given", () => {
    const optionals = defineRecipe({
      name: "r1",
      config: {
        data: { rows: "a", requests: optional("string") },
        other: { file: optional("string"), steps: 1, lr: 2 },
      },
      async run({ config, stage }) {
        const { file } = config.other;
        await stage("whole", () => 1, { data: config.data });
        await stage("part", () => 2, { other: { steps: config.other.steps }, hash: file === "new" ? "b" : "a" });
      },
    });
    const go = (...set: string[]) => runRecipe(optionals, { dir, seed: 1, set });
    const kept = () => ["config.json", "log.txt", "versions.json"].map((name) => readFileSync(join(dir, name), "utf8"));

    it("names the stage that read the whole of their group, and changes nothing", async () => {
      await go();
      const before = kept();
      await expect(go("data.requests=foo")).rejects.toThrow(
        "exists with a different config (data.requests none → foo). Resume with the old one, redo these with --from whole, or choose another --run. Begun with the old one, and invalid with this: whole, part.",
      );
      expect(kept()).toEqual(before);
    });

    it("takes a new one that no stage has read, and writes down none that a later stage's inputs refuse", async () => {
      await go();
      expect(await go("other.file=old")).toMatchObject({ isFinished: true });
      const before = kept();
      expect(before[0]).toContain('"file": "old"');
      expect(before[1]).toContain("settings changed: other.file none → old; no stage that stays has read them");
      await expect(go("other.file=new")).rejects.toThrow('stage "part" was done with other inputs (hash a → b)');
      expect(kept()).toEqual(before);
    });
  });
});

describe("--until", () => {
  it("an unknown stage leaves no folder", async () => {
    await expect(train({ until: "zzz" })).rejects.toThrow("--until zzz: no such stage.");
    expect(existsSync(dir)).toBe(false);
  });

  it("stops after that stage, also when it was done before, and the same run goes on", async () => {
    expect(await train({ until: "sft" })).toEqual({ isFinished: false, afterStage: "sft" });
    expect(await train({ until: "cold-start" })).toEqual({ isFinished: false, afterStage: "cold-start" });
    expect(did).toEqual(["cold-start", "sft"]);
    expect(await train()).toMatchObject({ isFinished: true });
    expect(did).toEqual(["cold-start", "sft", "rl"]);
  });
});

describe("--from", () => {
  it("does that stage and the later ones again, with other settings too, and keeps all they had made", async () => {
    await train();
    expect(await train({ from: "sft", set: ["sft.lr=2e-5", "rl.steps=1"] })).toMatchObject({ isFinished: true });
    expect(did).toEqual(["cold-start", "sft", "rl", "sft", "rl"]);
    expect(steps()).toEqual([
      { stage: "sft", step: 1 },
      { stage: "rl", step: 1 },
    ]);
    const aside = join(dir, "aside", "1");
    expect(readJsonLines(join(aside, "metrics.jsonl"))).toHaveLength(3);
    expect(readdirSync(join(aside, "checkpoints", "rl"))).toEqual(["2"]);
    expect(readdirSync(join(aside, "stages")).sort()).toEqual(["rl", "rl.json", "sft", "sft.json"]);
    expect(JSON.parse(readFileSync(join(aside, "moved.json"), "utf8")).stages).toEqual(["sft", "rl"]);
    expect(existsSync(join(dir, "rows.jsonl"))).toBe(true);
    expect(readFileSync(join(dir, "log.txt"), "utf8")).toMatch(/set aside in .*aside\/1, to be done again: sft, rl/);
  });

  it("sets figures of redone stages aside with them", async () => {
    await train();
    await train({ from: "rl", until: "rl", set: ["rl.steps=4"] });
    const figures = (path: string) => readTable(path).rows.map(({ name, figures }) => [name, figures[0]]);
    expect(figures(join(dir, "table.json"))).toEqual([
      ["sft", 1],
      ["rl", 4],
    ]);
    expect(figures(join(dir, "aside", "1", "table.json"))).toContainEqual(["rl", 2]);
  });

  it("moves the file that the first stage's result names", async () => {
    await train({ from: undefined, until: "cold-start" });
    await train({ from: "cold-start", set: ["coldStart.rows=1"] });
    expect(readFileSync(join(dir, "aside", "1", "rows.jsonl"), "utf8")).toBe("{}\n{}\n{}\n");
    expect(readFileSync(join(dir, "rows.jsonl"), "utf8")).toBe("{}\n");
  });

  it("of a killed process is finished by the next, wherever it was cut off", async () => {
    await train();
    for (let missing = 0; ; missing++) {
      const redone = stageRecords(dir).slice(1);
      const folder = setAside(dir, redone);
      // As if killed before the last `missing` moves: they go back, and the plan is still a plan.
      const plan = JSON.parse(readFileSync(join(folder, "moved.json"), "utf8")) as { moves: string[] };
      writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
      rmSync(join(folder, "moved.json"));
      for (const path of plan.moves.slice(plan.moves.length - missing))
        if (existsSync(join(folder, path))) rename(join(folder, path), join(dir, path));
      expect(await train()).toMatchObject({ isFinished: true });
      expect(steps()).toHaveLength(3);
      expect(readdirSync(folder)).not.toContain("plan.json");
      if (missing === plan.moves.length) break;
    }
  });

  it.each([
    [{ from: "sfd" }, '--from sfd: no such stage. Did you mean "sft"? Known: cold-start, sft, rl.'],
    [{ until: "x" }, "--until x: no such stage. Known: cold-start, sft, rl."],
    [{ from: "rl" }, "--from rl: not done yet, of the stages before it: sft. Leave --from away to do them."],
    [{ from: "sft", until: "cold-start" }, "cold-start comes before sft"],
  ])("%o is refused, and nothing is set aside", async (options, message) => {
    await train({ until: "cold-start" });
    await expect(train(options)).rejects.toThrow(message);
    expect(existsSync(join(dir, "aside"))).toBe(false);
  });
});

it("a recipe that declares no stages knows those that have begun", async () => {
  const other = defineRecipe({ name: "r", config: {}, run: ({ stage }) => stage("one", () => did.push("one")) });
  const options = { dir, seed: 1, from: "one" };
  await expect(runRecipe(other, options)).rejects.toThrow(
    "--from one: no such stage. Known: none: the recipe declares no stages, and none has begun here.",
  );
  await runRecipe(other, { dir, seed: 1 });
  expect(await runRecipe(other, options)).toMatchObject({ isFinished: true });
  expect(did).toEqual(["one", "one"]);
});

it("a stage that the recipe did not declare is refused", async () => {
  const other = defineRecipe({ name: "r", config: {}, stages: ["a"], run: ({ stage }) => stage("b", () => 1) });
  await expect(runRecipe(other, { dir, seed: 1 })).rejects.toThrow('stage "b": not among the recipe\'s stages');
  expect(() => plannedStages({ a: 0 }, "recipe r")).toThrow('recipe r: stage "a" has share 0');
  expect(() => plannedStages(["a", "a"], "recipe r")).toThrow('stage "a" is declared twice');
});

describe("time left", () => {
  let now: number;
  const pipeline = (learned = new Map<string, number>()) => {
    now = 0;
    return new Pipeline(plannedStages({ a: 1, b: 2, c: 7 }, "r"), learned, () => now);
  };

  it("comes from the speed of the stages done and of the one at work", () => {
    const line = pipeline();
    line.begin("a", false);
    expect(line.status).toMatchObject({ index: 1, numStages: 3, share: 0, secondsLeft: undefined });
    now = 5;
    line.advance(0.5);
    expect(line.status).toMatchObject({ share: 0.05, secondsLeft: 5 + 90 });
    line.finish("a", 20);
    line.begin("b", false);
    expect(line.status?.secondsLeft).toBeCloseTo(40 + 140, 9);
    now = 15;
    line.advance(0.5); // Twice as fast as expected: 10 s for half of it.
    expect(line.status).toMatchObject({ stageShare: 0.5, share: 0.2, secondsLeft: 10 + 7 * (30 / 2) });
  });

  it("of a resumed stage does not count the work of the process before", () => {
    const line = pipeline();
    line.begin("a", true);
    now = 2;
    line.advance(0.5);
    now = 4;
    line.advance(0.6);
    expect(line.status?.secondsLeft).toBeCloseTo((2 / 0.1) * 0.4 + 9 * 20, 6);
  });

  it("is known from the start where another run with the same settings is done", async () => {
    await runRecipe(recipe, { dir: join(dir, "..", "seed-2"), seed: 2 });
    using run = openRun({ dir, recipe: "r1", config: recipe.config, seed: 1 });
    const learned = learnedShares(dir, "r1", run.config);
    expect([...learned.keys()].sort()).toEqual(["cold-start", "rl", "sft"]);
    expect(learnedShares(dir, "r1", { ...run.config, rl: { steps: 9 } }).size).toBe(0);
    const line = pipeline(new Map([["a", 30], ["b", 10], ["c", 60]])); // biome-ignore format: one line
    line.begin("a", false);
    expect(line.status?.secondsLeft).toBe(100);
  });
});

function rename(from: string, to: string): void {
  mkdirSync(join(to, ".."), { recursive: true });
  renameSync(from, to);
}
