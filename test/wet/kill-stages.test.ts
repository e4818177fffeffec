import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines } from "#run";
import { aha, start } from "./cli.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let model: string;
let whole: ReturnType<typeof outcome>;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-kill-stages-"));
  model = writeTinyModel(join(dir, "model"));
  expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
  whole = outcome("whole");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const command = (run: string) => ["train", "test/wet/kill-stages-recipe.ts", "--out", dir, "--run", run, "--set", `model=${model}`]; // biome-ignore format: one line
const ends: [string, number][] = [["cold-start", 7], ["rl", 4], ["again", 7]]; // biome-ignore format: one line

/** What must be the same: metrics but for times, and the weights at each stage's end, byte for byte. */
function outcome(run: string) {
  const lines = readJsonLines(join(dir, run, "metrics.jsonl"));
  return {
    metrics: lines.map((line) => JSON.stringify(Object.entries(line).filter(([name]) => !name.startsWith("time/")))),
    weights: ends.map(([stage, step]) =>
      readFileSync(join(dir, run, "checkpoints", stage, String(step), "model.safetensors")).toString("base64"),
    ),
  };
}

describe("a recipe that trains three times", () => {
  it("writes each stage's lines under its name and keeps its checkpoints apart", () => {
    const lines = readJsonLines<{ stage: string; step: number }>(join(dir, "whole", "metrics.jsonl"));
    const expected = ends.flatMap(([stage, steps]) => Array.from({ length: steps }, (_, i) => [stage, i + 1]));
    expect(lines.map(({ stage, step }) => [stage, step])).toEqual(expected);
    expect(readdirSync(join(dir, "whole", "checkpoints")).sort()).toEqual(["again", "cold-start", "rl"]);
    expect(new Set(whole.weights).size).toBe(3);
  });

  // One run, killed at each of these in turn; a kill that no longer comes about lets it end.
  const instants = [
    "reading:1",
    "updating:3",
    "saving:2",
    "fsyncSync:3",
    "evaluating:1",
    "inside sampling:3",
    "saving:1",
    "renameSync:2",
    "updating:2",
    "saving:3",
    "renameSync:4",
  ];
  it(`gives the same, killed at ${instants.join(", ")}`, async () => {
    const signals: (string | null)[] = [];
    for (const instant of instants)
      signals.push((await start(command("killed"), { TEST_KILL_AT: instant }).ended).signal);
    expect(signals.filter((signal) => signal === "SIGKILL").length).toBeGreaterThanOrEqual(8);
    expect(await aha(...command("killed"))).toMatchObject({ code: 0 });
    expect(outcome("killed")).toEqual(whole);
  });

  it("stopped by Ctrl-C inside supervised training saves that step and goes on from it", async () => {
    const { child, ended } = start(command("interrupted"));
    const metrics = join(dir, "interrupted", "metrics.jsonl");
    for (let waited = 0; readJsonLines(metrics).length < 1 && waited < 60_000; waited += 2)
      await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    const { stage, step } = readJsonLines<{ stage: string; step: number }>(metrics).at(-1)!;
    expect(readdirSync(join(dir, "interrupted", "checkpoints", stage))).toContain(String(step));
    expect(await aha(...command("interrupted"))).toMatchObject({ code: 0 });
    expect(outcome("interrupted")).toEqual(whole);
  });
});
