import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatBytes } from "./format.ts";
import { plotLines } from "./plot.ts";
import { defineRecipe, type RunRecipeOptions, runRecipe } from "./recipe.ts";
import { compareRuns, listRuns, readRun } from "./runs.ts";
import { Table, tableLines } from "./table.ts";
import { WaitsForPerson } from "./user-error.ts";

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "aha-runs-"));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

const recipe = (end: "done" | "stopped" | "failed") =>
  defineRecipe({
    name: "r1",
    config: { grpo: { lr: 1e-5, steps: 3 } },
    stages: ["sft", "grpo"],
    async run({ stage, run, config }) {
      await stage("sft", () => run.appendMetrics({ step: 1, "train/nll": 2 }), { grpo: config.grpo });
      await stage("grpo", () => {
        for (let step = 1; step <= 3; step++)
          run.appendMetrics({ step, "reward/mean": step * config.grpo.lr, ...(step === 2 && { "eval/accuracy": 0.25, "eval/standardError": 0.1 }) }); // biome-ignore format: one line
        run.shouldStop = end === "stopped";
        run.stopIfAsked();
        if (end === "failed") throw new Error("broke");
      });
    },
  });
const make = (name: string, end: "done" | "stopped" | "failed" = "done", more: Partial<RunRecipeOptions> = {}) =>
  runRecipe(recipe(end), { dir: join(out, name), seed: 1, ...more });
const states = () => Object.fromEntries(listRuns(out).map(({ name, state }) => [name, state]));

describe("the list of runs", () => {
  it("tells each one's recipe, stage, step, last accuracy and size", async () => {
    await make("one", "done", { seed: 7 });
    expect(listRuns(out)).toEqual([
      expect.objectContaining({ name: "one", recipe: "r1", seed: 7, stage: "grpo", step: 3, accuracy: 0.25, state: "done" }), // biome-ignore format: one line
    ]);
    const [{ sizeBytes, seconds, started }] = listRuns(out) as [ReturnType<typeof listRuns>[0]];
    expect(sizeBytes).toBeGreaterThan(1000);
    expect(seconds).toBeLessThan(10);
    expect(Date.now() - Date.parse(started)).toBeLessThan(60_000);
  });

  it("tells how each one ended, and passes over what is no run", async () => {
    await make("done");
    await make("stopped", "stopped");
    await make("until", "done", { until: "sft" });
    await expect(make("failed", "failed")).rejects.toThrow("broke");
    mkdirSync(join(out, "notes"));
    mkdirSync(join(out, "model"));
    writeFileSync(join(out, "model", "config.json"), '{"model_type": "qwen2"}');
    expect(states()).toEqual({ done: "done", stopped: "stopped", failed: "crashed", until: "stopped" });
  });

  it("is stopped where a person is waited for, and goes on without a run whose files are broken, which it tells", async () => {
    const check = defineRecipe({ name: "r1", config: {}, stages: ["check"], run: ({ stage }) => stage("check", () => { throw new WaitsForPerson("rows wait for a person."); }) }); // biome-ignore format: one line
    await expect(runRecipe(check, { dir: join(out, "waits"), seed: 1 })).rejects.toThrow("wait for a person");
    mkdirSync(join(out, "broken"));
    writeFileSync(join(out, "broken", "config.json"), '{"recipe": "r1", ');
    const told: string[] = [];
    const list = listRuns(out, (message) => told.push(message));
    expect(list.map(({ name, state }) => [name, state])).toEqual([["waits", "stopped"]]);
    expect(told).toEqual([expect.stringMatching(/broken\/config\.json: not JSON .*Put it right/)]);
    expect(() => listRuns(out)).toThrow(/broken\/config\.json: not JSON/);
  });

  it("a done one that is asked for again, in part or in whole, stays done", async () => {
    await make("one");
    for (const until of ["sft", "grpo", undefined]) {
      await make("one", "done", { until });
      expect(states()).toEqual({ one: "done" });
    }
  });

  it("a killed one has crashed, one that is worked on is running", async () => {
    const script = `
      import { openRun } from ${JSON.stringify(import.meta.resolve("./run-folder.ts"))};
      openRun({ dir: ${JSON.stringify(join(out, "one"))}, recipe: "r1", config: {}, seed: 1 });
      process.stdout.write("open");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
    await once(child.stdout, "data");
    expect(states()).toEqual({ one: "running" });
    child.kill("SIGKILL");
    await once(child, "close");
    expect(states()).toEqual({ one: "crashed" });
  });

  it("counts the time that was worked, not the pause between two processes", async () => {
    await make("one");
    const log = ["10:00:00.000Z started by process 1", "10:00:30.000Z stopped as asked", "22:00:00.000Z resumed by process 2", "22:00:05.000Z stopped as asked", "23:00:00.000Z resumed by process 3"]; // biome-ignore format: one line
    writeFileSync(join(out, "one", "log.txt"), log.map((line) => `2026-01-01T${line}\n`).join(""));
    const [{ seconds, state }] = listRuns(out) as [ReturnType<typeof listRuns>[0]];
    const lastSpan = Date.now() / 1000 - Date.parse("2026-01-01T23:00:00.000Z") / 1000;
    expect(Math.abs(seconds - 35 - lastSpan)).toBeLessThan(10);
    expect(state).toBe("crashed");
  });

  it("reads a run while a line is being written", async () => {
    await make("one");
    appendFileSync(join(out, "one", "metrics.jsonl"), '{"step": 4, "ev');
    expect(listRuns(out)[0]).toMatchObject({ step: 3 });
  });

  it("says what to do about a folder that is not there", () => {
    expect(() => listRuns(join(out, "nix"))).toThrow(/nix: no such folder\. Runs are made by aha train/);
    expect(() => readRun(out)).toThrow("no run here");
  });
});

describe("two runs compared", () => {
  it("differ in their settings, seed and figures", async () => {
    await make("a");
    await make("b", "done", { seed: 2, set: ["grpo.lr=2e-5"] });
    const { differences, figures, runs } = compareRuns(readRun(join(out, "a"), "a"), readRun(join(out, "b"), "b"));
    expect(differences).toEqual([
      { path: "seed", before: 1, after: 2 },
      { path: "grpo.lr", before: 1e-5, after: 2e-5 },
    ]);
    expect(figures.find(({ name }) => name === "reward/mean")?.values).toEqual([3 * 1e-5, 3 * 2e-5]);
    // Steps go on over the stages: the first line is the first stage's.
    expect(runs[0].curves["eval/accuracy"]).toEqual([{ x: 3, y: 0.25, error: 0.1 }]);
  });

  it("a figure that one does not have is absent, not zero", async () => {
    await make("a");
    await expect(make("b", "failed")).rejects.toThrow();
    writeFileSync(join(out, "a", "summary.json"), '{"trained": {"accuracy": 0.5}}');
    const { figures } = compareRuns(readRun(join(out, "a")), readRun(join(out, "b")));
    expect(figures).toContainEqual({ name: "summary.trained.accuracy", values: [0.5, undefined] });
  });

  it("are drawn on the same axes", () => {
    const [low, high] = [0, 1].map((y) => [{ x: 0, y }, { x: y + 1, y }]) as [{ x: number; y: number }[], { x: number; y: number }[]]; // biome-ignore format: one line
    const lines = (points: typeof low) => plotLines({ title: "t", points, beside: [...low, ...high], width: 16, height: 3, isUnicode: false }); // biome-ignore format: one line
    expect(lines(low)).toEqual(["t               ", "1.00 |          ", "     |          ", "   0 |******    ", "      0        2"]); // biome-ignore format: one line
    expect(lines(high)[1]).toBe("1.00 |**********");
  });
});

describe("a table", () => {
  const table = () => new Table(join(out, "table.json"), () => undefined);

  it("is filled cell by cell, and a resumed run finds it", () => {
    table().add("Dev1", { "reasoning %": 41.25, note: "a" });
    table().add("R1", { safety: { value: 0.9, standardError: 0.02 } });
    table().add("Dev1", { "reasoning %": 43 });
    expect(tableLines(table().view, { missing: "." })).toEqual([
      "      reasoning %  note          safety",
      "Dev1         43.0     a               .",
      "R1              .     .  0.900 ± 0.0200",
    ]);
  });

  it("goes on below where it is too wide, and refuses what was not measured", () => {
    table().add("row", { first: 1, second: 2, third: 3 });
    const lines = tableLines(table().view, { width: 20 });
    expect(lines).toEqual(["     first  second", "row   1.00    2.00", "", "     third", "row   3.00"]);
    expect(() => table().add("row", { first: Number.NaN })).toThrow("row, first: the figure is NaN");
  });
});

it("sizes are short", () => {
  expect([0, 999, 1000, 34_021_368, 4e12].map(formatBytes)).toEqual(["0 B", "999 B", "1.0 kB", "34 MB", "4.0 TB"]);
});
