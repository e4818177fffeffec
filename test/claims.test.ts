import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Recipe, resolveConfig } from "#run";
import { ahaSample, reflectionCurves, reflectionsIn } from "../recipes/claims/reflection.ts";
import { variantsOf } from "../recipes/claims/variants.ts";
import claims from "../recipes/claims.ts";
import mcts from "../recipes/mcts.ts";
import prm from "../recipes/prm.ts";
import r1 from "../recipes/r1.ts";
import { chartsOf, claimsPage } from "../scripts/lib/claims-page.mjs";
import { quick } from "../scripts/lib/claims-quick.mjs";
import { seedTable } from "../scripts/lib/seed-table.mjs";
import { seedsGiven } from "../scripts/lib/seeds.mjs";

const lengthens = (seed: number, tokens: number, holds: boolean) => ({
  seed,
  claims: [
    {
      number: 2,
      claim: "Length grows.",
      paper: "to thousands",
      figures: { "trained, tokens": tokens },
      holds,
      curves: { tokens: [[1, 20], [2, tokens]] }, // biome-ignore format: one line
    },
  ],
});

describe("the page of the claims", () => {
  const bySeed = [lengthens(1, 80, true), lengthens(2, 90, true), lengthens(3, 10, false)];
  const page = claimsPage(bySeed, { command: "npm run claims", charts: "claims", isQuick: false });

  it("has the mean over seeds with their standard deviation, and how many of them the claim held in", () => {
    // 80, 90 and 10: mean 60, squared differences 400 + 900 + 2500 over 2.
    expect(page).toContain("| trained, tokens | 60.0 ± 43.6 |");
    expect(page).toContain("| 2 | Length grows. | 2 of 3 |");
    expect(page).toContain("`npm run claims` over seeds 1, 2, 3");
    expect(page).toContain("![Length grows.](claims/2.svg)");
  });

  it("shows no figure where a seed has none: claims.json keeps NaN as null", () => {
    const [first, second] = bySeed as [(typeof bySeed)[0], (typeof bySeed)[0]];
    const lacks = { ...second.claims[0]!, figures: { "trained, tokens": null as unknown as number } };
    const some = claimsPage([first, { seed: 2, claims: [lacks] }], { command: "x", charts: "c", isQuick: false });
    expect(some).toContain("| trained, tokens | — |");
  });

  it("shows one seed without a spread", () => {
    const quick = claimsPage([bySeed[0]!], { command: "x", charts: "c", isQuick: true });
    expect(quick).toContain("| trained, tokens | 80.0 |");
  });

  it("puts the models beside each other, and says how many seeds go the paper's way from one to the next", () => {
    const seen = (seed: number, values: number[]) => {
      const [claim] = lengthens(seed, 80, true).claims;
      const rows = [
        { name: "countdown %", paper: { name: "AIME", values: [70, 60, 80] }, ours: values },
        { name: "declines %", ours: [10, 20, 30] },
      ];
      return { seed, claims: [{ ...claim!, byStage: { models: ["R1-Zero", "Dev1", "R1"], rows } }] };
    };
    const page = claimsPage([seen(1, [80, 70, 90]), seen(2, [90, 70, 60])], {
      command: "x",
      charts: "c",
      isQuick: false,
    });
    expect(page).toContain("| *paper: AIME* | *70.0* | *60.0* | *80.0* |");
    expect(page).toContain("| countdown % | 85.0 ± 7.07 | 70.0 ± 0.00 (2 of 2) | 75.0 ± 21.2 (1 of 2) |");
    expect(page).toContain("| declines % | 10.0 ± 0.00 | 20.0 ± 0.00 | 30.0 ± 0.00 |");
  });

  it("draws the mean curve over seeds in a band from the lowest to the highest", () => {
    const [[file, svg]] = chartsOf(bySeed) as [[string, string]];
    expect(file).toBe("2.svg");
    // At step 2 the seeds have 80, 90 and 10, mean 60: of 254 pixels up from 270 the line ends at two thirds, the band at all and a ninth.
    expect(svg).toMatch(/<polyline [^>]*points="[\d.]+,[\d.]+ 520\.0,100\.7"/);
    expect(svg).toMatch(/<polygon [^>]*points="[\d.]+,[\d.]+ 520\.0,16\.0 520\.0,241\.8 /);
    expect(svg).toContain(">tokens</text>");
  });
});

describe("R1's table over seeds", () => {
  it("has a column for each model, and each figure's mean over seeds with its standard deviation", () => {
    const run = (seed: number, value: number) => ({
      seed,
      cells: [
        { row: "Dev1", column: "countdown %", figure: { value, standardError: 2 } },
        { row: "R1", column: "countdown %", figure: { value: value + 20, standardError: 2 } },
        { row: "R1", column: "trained on, tokens", figure: 2_500_000 },
      ],
    });
    expect(seedTable([run(1, 60), run(2, 70)]).split("\n")).toEqual([
      "|  | Dev1 | R1 |",
      "| --- | --- | --- |",
      "| countdown % | 65.0 ± 7.07 | 85.0 ± 7.07 |",
      "| trained on, tokens |  | 2.50 ± 0.00 M |",
      "",
      "Mean ± standard deviation over seeds 1, 2.",
    ]);
  });
});

describe("reflections in a thought", () => {
  it("are counted by what it says after a sum, in both languages, and over all that it says", () => {
    const thought = "4 * 9 = 36, 36 + 9 = 45 no wait check 4 * 9 = 36 right 等等 回到 36 , 36 - 9 = 27 yes";
    expect(reflectionsIn(thought)).toEqual({ counts: { check: 1, backTo: 1, anotherWay: 0 }, words: 2, length: 30 });
    expect(reflectionsIn("wait another way 3 + 4 = 7 等等 换个 思路 7").counts.anotherWay).toBe(2);
  });

  it("becomes a curve over steps per 100 tokens, of the task and the stage that were asked for", async () => {
    const dir = mkdtempSync(join(tmpdir(), "aha-claims-"));
    const path = join(dir, "rollouts.jsonl");
    const row = (step: number, thought: string, verdict: string, more = {}) => ({
      stage: "zero",
      task: "countdown",
      step,
      prompt: "make 7",
      text: `<think> ${thought} </think> <answer> 7 </answer>`,
      rewards: { correct: { verdict, reward: 0 } },
      ...more,
    });
    const rows = [
      row(4, "1 + 1 = 2", "wrong"),
      row(4, "1 + 1 = 2", "wrong"),
      row(8, "wait check 1 + 1 = 2 right", "correct"),
      row(8, "1 + 1 = 2 wait another way", "wrong"),
      row(8, "wait check", "correct", { task: "ordering" }),
      row(8, "wait check", "correct", { stage: "dev2" }),
    ];
    writeFileSync(path, rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const curves = await reflectionCurves(path, "zero");
    expect(curves.all).toEqual([[4, 0], [8, 12.5]]); // biome-ignore format: one line
    expect(curves.check).toEqual([[4, 0], [8, 6.25]]); // biome-ignore format: one line
    expect(await ahaSample(path, "zero")).toBe(
      "make 7 <think> wait check 1 + 1 = 2 right </think> <answer> 7 </answer>",
    );
    rmSync(dir, { recursive: true });
  });
});

describe("the seeds of a script", () => {
  it("are those it is given, or its own", () => {
    expect(seedsGiven(["4", "0"])).toEqual([4, 0]);
    expect(seedsGiven([], [1])).toEqual([1]);
  });

  it.each(["--quikc", "1.5", "-1", ""])("refuses %j, saying what a seed is", (word) => {
    expect(() => seedsGiven(["1", word])).toThrow(`${word} is not a seed. Expected whole numbers`);
  });
});

describe("the quick claims", () => {
  it.each(Object.entries({ r1, prm, mcts, claims }))("%s takes what it is set to", (name, recipe) => {
    expect(() => resolveConfig(recipe as unknown as Recipe, { set: quick[name as keyof typeof quick] })).not.toThrow();
  });

  it.each([
    ["all seeds", []],
    ["quick", quick.claims],
  ])("every objective fits the steps that it is given, %s", (_name, set) => {
    const { variant } = resolveConfig(claims, { set });
    for (const [name, { steps }] of variantsOf(variant)) expect([name, steps]).toEqual([name, variant.steps]);
    expect(() => variantsOf({ ...variant, steps: 24 })).toThrow(/steps is 24, each rollout makes 16/);
  });
});
