import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines } from "#run";
import { randomOf } from "#tasks";
import { type CollectedRow, refuseGenerated } from "#teacher";
import { aha, start } from "./cli.ts";
import { outcome } from "./outcome.ts";

let dir: string;
let seconds: number;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-r1-"));
  const from = performance.now();
  expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
  seconds = (performance.now() - from) / 1000;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const command = (run: string) => ["train", "recipes/r1.ts", "--tiny", "--out", dir, "--run", run];
const read = (run: string, ...path: string[]) => readFileSync(join(dir, run, ...path), "utf8");

/** The rows that stages hand on. */
const rows = [
  "stages/cold-start/cold-start.jsonl",
  "stages/sampling/countdown.jsonl",
  "stages/general/general.jsonl",
  "stages/judging/pairs.jsonl",
];

describe("R1 on the embedded model, shortened", () => {
  it("passes through every stage and fills a row of the table for each model", () => {
    const rows = new Set((JSON.parse(read("whole", "table.json")) as { row: string }[]).map(({ row }) => row));
    expect([...rows].slice(0, 6)).toEqual(["base", "R1-Zero", "Dev1", "Dev2", "Dev3", "R1"]);
    expect(rows.size).toBe(9);
    expect(read("whole", "report.html")).toContain("Dev2");
  });

  it("learns from no row that a generator solved, and every row says where it came from", () => {
    for (const file of [
      "stages/cold-start/cold-start.jsonl",
      "stages/sampling/countdown.jsonl",
      "stages/general/general.jsonl",
    ]) {
      const rows = readJsonLines<CollectedRow>(join(dir, "whole", file));
      expect(() => refuseGenerated(rows, file)).not.toThrow();
    }
    const started = readJsonLines<CollectedRow>(join(dir, "whole", "stages/cold-start/cold-start.jsonl"));
    expect(started.length).toBeGreaterThan(0);
    for (const { provenance } of started)
      expect(provenance.draft).toMatchObject({ origin: "policy", model: "R1-Zero" });
  });

  it("is what the claims are read from, each with figures that are numbers", async () => {
    const args = ["train", "recipes/claims.ts", "--tiny", "--out", dir, "--run", "claims", "--set", `r1=${join(dir, "whole")}`]; // biome-ignore format: one line
    expect(await aha(...args)).toMatchObject({ code: 0 });
    const claims = JSON.parse(read("claims", "claims.json")) as { number: number; figures: Record<string, number> }[];
    expect(claims.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]);
    for (const { number, figures } of claims)
      for (const [name, figure] of Object.entries(figures))
        expect([number, name, Number.isFinite(figure)]).toEqual([number, name, true]);
  });

  it("gives the same numbers when it is killed four times at random instants", async () => {
    const random = randomOf("r1-kill");
    for (let kill = 0; kill < 4; kill++) {
      const { child, ended } = start(command("killed"));
      // At any instant between its start and the time that the whole pipeline takes.
      const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * (1 + random.uniform() * 0.7 * seconds));
      await ended;
      clearTimeout(timer);
    }
    expect(await aha(...command("killed"))).toMatchObject({ code: 0 });
    expect(outcome(join(dir, "killed"), rows)).toEqual(outcome(join(dir, "whole"), rows));
  });

  it("begins again from a stage whose judge is another, and from no earlier one", async () => {
    const other = [...command("whole"), "--until", "judging", "--set", "noise.judge=0.3"];
    expect((await aha(...other)).stderr).toContain("--from judging");
    expect(await aha(...other, "--from", "judging")).toMatchObject({ code: 0 });
    expect(readdirSync(join(dir, "whole", "aside"))).toHaveLength(1);
  });
});
