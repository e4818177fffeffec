/** R1 on models and rows that have nothing of the embedded model's world, with a server that judges and writes. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CollectedRow, liveTensors, type Row, readAllRows } from "aha-rl";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readJsonLines, runRecipe } from "#run";
import recipe from "../../recipes/r1.ts";
import { readStageRecord } from "../../src/run/stage-record.ts";
import { type FakeServer, fakeServer, sendJson } from "../../src/teacher/fake-server.ts";
import { root } from "./cli.ts";
import { answerAs, readPrompt } from "./knowing-teacher.ts";
import { learnSolutions, ownSettings, type Source, writeSource, writeSources } from "./own-data.ts";

const shared = join(root, "../shared/data");
let dir: string;
let server: FakeServer;
/** What the author writes to a question: gold responses. */
const solutions = new Map<string, string>();

/** Real rows where they are on this machine, and rows of our own. */
async function allSources(): Promise<Record<string, Source>> {
  const ours = writeSources(dir);
  if (!existsSync(shared)) {
    console.log(`GSM8K, MATH, MBPP and IFEval skipped: no ${shared}`);
    return ours;
  }
  const real = (rows: string, heldOut: string): Source => ({
    rows: join(shared, rows),
    heldOut: join(shared, heldOut),
  });
  // MBPP's own splits by number: 511 to 600 for validation, 601 on for training.
  const mbpp = (await readAllRows(join(shared, "code/mbpp.jsonl.gz"))).filter(({ task_id: id }) => Number(id) > 510);
  return {
    ...ours,
    gsm8k: real("math/gsm8k-train.jsonl.gz", "math/gsm8k-test.jsonl.gz"),
    math: real("math/math-train.json.gz", "math/math-500.jsonl.gz"),
    code: writeSource(join(dir, "code"), [...mbpp.slice(90), ...mbpp.slice(0, 90)], 90),
  };
}

let settings: string[];
/** All tasks, and those that a rule grades, sorted. */
let all: string[];
let ruled: string[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-r1-data-"));
  server = await fakeServer((response, asked) => answerAs(solutions, response, asked));
  const sources = await allSources();
  all = Object.keys(sources).sort();
  ruled = all.filter((name) => name !== "own");
  for (const name of ruled) await learnSolutions(solutions, name, sources[name]!);
  process.env.AHA_TEST_KEY = "key of the author";
  settings = [
    ...ownSettings(dir, sources, server.url),
    "data.author.apiKeyEnv=AHA_TEST_KEY",
    ...(existsSync(shared) ? [`data.ifeval=${join(shared, "instruction/ifeval.jsonl.gz")}`] : []),
  ];
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

describe("R1 on random models of a byte-level vocabulary, real rows, and a server that judges and writes", () => {
  type Line = Record<string, number> & { stage: string };
  let lines: Line[];
  const linesOf = (stage: string) => lines.filter((line) => line.stage === stage);
  const recordOf = (stage: string) => readStageRecord(join(dir, "whole"), stage);
  const rowsOf = async (stage: string, file: string) =>
    (await readAllRows(join(dir, "whole/stages", stage, file))) as (Row & CollectedRow)[];
  /** With other values of some settings. */
  const runWhole = (...changes: string[]) => {
    const set = [...new Map([...settings, ...changes].map((one) => [one.split("=")[0], one])).values()];
    return runRecipe(recipe, { dir: join(dir, "whole"), seed: 1, isTiny: true, set });
  };
  beforeAll(async () => {
    await runWhole();
    lines = readJsonLines(join(dir, "whole/metrics.jsonl"));
  });

  it("goes through all stages, each training with two updates that change something", () => {
    const names = Object.keys(recipe.stages!);
    expect(names.map((name) => recordOf(name)?.state)).toEqual(names.map(() => "done"));
    const trainings = ["zero", "dev1", "dev2", "dev3", "helpfulness", "safety", "r1", "distill", "student-rl", "distilled-rl"]; // biome-ignore format: one line
    expect(lines.map(({ stage, step }) => [stage, step])).toEqual(trainings.flatMap((name) => [[name, 1], [name, 2]])); // biome-ignore format: one line
    for (const line of lines) expect([line.stage, line["train/gradNorm"]! > 0]).toEqual([line.stage, true]);
  });

  it("trains R1-Zero by rules alone, later stages by the judge too, and the last one's end by the reward models", () => {
    const trainedBy = (line: Line) =>
      Object.keys(line).flatMap((name) => /^reward\/(.+)\/correct$/.exec(name)?.[1] ?? []).sort(); // biome-ignore format: one line
    for (const stage of ["zero", "student-rl"]) expect(linesOf(stage).map(trainedBy)).toEqual([ruled, ruled]);
    for (const stage of ["dev2", "distilled-rl", "r1"]) expect(linesOf(stage).map(trainedBy)).toEqual([all, all]);
    const judged = (line: Line) => [line["reward/helpful/judged"], line["reward/safe/judged"]];
    expect(linesOf("r1").map(judged)).toEqual([[undefined, undefined], [expect.any(Number), expect.any(Number)]]); // biome-ignore format: one line
  });

  it("starts cold from the author's solutions to each task that the rules found right", async () => {
    const drafts = await rowsOf("cold-start", "drafts-prompted.jsonl");
    const graders = new Set(drafts.map(({ provenance }) => provenance.gradedBy));
    expect([...graders].sort()).toEqual(ruled.map((name) => `task ${name}: correct`));
    const [row] = await rowsOf("cold-start", "cold-start.jsonl");
    expect(row!.messages[0]!.role).toBe("user"); // Without the template that asked for the draft.
    expect(row!.provenance).toMatchObject({ origin: "author", draft: { origin: "author", style: "fewShot" } });
  });

  it("keeps of Dev2's answers those that the judge let pass, and answers a greeting without a thought", async () => {
    const sampled = await rowsOf("sampling", "own.jsonl");
    expect(sampled.length).toBeGreaterThan(0);
    for (const { verdict, provenance } of sampled)
      expect([verdict, provenance.model, provenance.gradedBy]).toEqual(["correct", "Dev2", "task own: correct"]);
    const general = await rowsOf("general", "general.jsonl");
    const thinks = (row: CollectedRow) => row.messages.at(-1)!.content.startsWith("<think>");
    const [atOnce, others] = [general.filter((row) => !thinks(row)), general.filter(thinks)];
    expect(atOnce.map(({ messages }) => messages[0]!.content)).toContain("你好！");
    expect(others.length).toBeGreaterThan(10);
  });

  it("asks the judge and the author by their names, and shows the author the exemplar", () => {
    const asked = server.asked.map((one) => ({ ...one, ...readPrompt(one) }));
    for (const { name, body, authorization } of asked)
      expect([name, body.model, authorization]).toEqual([name, name.split("-")[0], "Bearer key of the author"]);
    const fewShot = asked.find(({ name }) => name === "author-few-shot");
    expect(fewShot!.value("exemplars")).toBe("Question: 1 + 1?\n\n### Thought\none more\n\n### Summary\n2");
  });

  it("keeps each model's vocabulary and shape, and measures every task for every checkpoint", () => {
    const shape = ["model_type", "vocab_size", "hidden_size", "num_hidden_layers", "tie_word_embeddings", "dtype"];
    const shapeOf = (folder: string) => {
      const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
      return shape.map((name) => [name, config[name]]);
    };
    for (const [stage, folder] of [
      ["r1", "base"],
      ["distilled-rl", "student"],
    ] as const) {
      // biome-ignore format: one line
      const { model } = recordOf(stage)!.result as { model: string };
      expect(shapeOf(model)).toEqual(shapeOf(join(dir, folder)));
      for (const file of ["tokenizer.json", "chat_template.jinja", "generation_config.json"])
        expect(readFileSync(join(model, file))).toEqual(readFileSync(join(dir, folder, file)));
    }
    const cells: { row: string; column: string }[] = JSON.parse(readFileSync(join(dir, "whole/table.json"), "utf8"));
    const columns = [...all, ...(existsSync(shared) ? ["ifeval"] : [])].map((name) => `${name} %`);
    const columnsOf = (row: string) => cells.flatMap((cell) => (cell.row === row ? cell.column : []));
    for (const row of ["Dev1", "Dev2", "Dev3", "R1", "student, distilled, then RL"])
      expect([row, columnsOf(row)]).toEqual([row, expect.arrayContaining(columns)]);
    // Asked in the form they were taught, which knows rules alone.
    const byRules = columns.filter((name) => name !== "own %");
    for (const row of ["base", "R1-Zero", "student, RL alone"]) {
      expect([row, columnsOf(row)]).toEqual([row, expect.arrayContaining(byRules)]);
      expect(columnsOf(row)).not.toContain("own %");
    }
  });

  it.each([
    [
      "a prompt of the author's",
      "prompts/author-rewrite.txt",
      /stage "cold-start" was done with other inputs \(author\.prompts \w+ → \w+\)/,
    ],
    [
      "a prompt of the judge's",
      "prompts/judge-equal.txt",
      /stage "dev1-figures" was done with other inputs \(judge\.prompts/,
    ],
    ["an exemplar", "exemplars.jsonl", /stage "cold-start" was done with other inputs \(author\.exemplars/],
    ["a row", "own-rows.jsonl", /stage "dev2" was done with other inputs \(rows\.own \w+ → \w+\)/],
    [
      "a held-out row",
      "own-held-out.jsonl",
      /stage "dev1-figures" was done with other inputs \(heldOut\.own \w+ → \w+\)/,
    ],
  ])("refuses to go on from the first stage that met %s, once it has changed", async (_, file, message) => {
    const path = join(dir, file);
    const before = readFileSync(path, "utf8");
    writeFileSync(path, before.replace(/\w(?=\W*$)/, "7"));
    const refused = await runWhole().catch((error: Error) => error.message);
    writeFileSync(path, before);
    expect(refused).toMatch(message);
  });

  it.each([
    ["data.own.graded=rule", /own\.graded judge → rule.* invalid with this: base-figures, zero,/],
    ["data.math.weight=2", /math\.weight 1 → 2.* invalid with this: zero, zero-figures, cold-start,/],
    ["data.own.weight=2", /own\.weight 1 → 2.* invalid with this: dev2, dev2-figures,/],
    ["data.decontaminate=0", /decontaminate 10 → 0.* invalid with this: zero,/],
    ["data.author.model=other", /stage "cold-start" was done with other inputs \(author\.model author → other\)/],
    ["data.author.maxTokens=99", /stage "cold-start" was done with other inputs \(author\.maxTokens 32768 → 99\)/],
    ["data.judge.model=other", /stage "dev1-figures" was done with other inputs \(judge\.model judge → other\)/],
  ])("refuses %s from the first stage that depends on it", async (change, message) => {
    const kept = () => ["config.json", "log.txt"].map((name) => readFileSync(join(dir, "whole", name), "utf8"));
    const before = kept();
    await expect(runWhole(change)).rejects.toThrow(message);
    expect(kept()).toEqual(before);
  });

  it("goes on where the same rows lie elsewhere, and the same models behind other servers", async () => {
    await using moved = await fakeServer((response) => sendJson(response, {}, 500));
    const rows = join(dir, "moved.jsonl");
    copyFileSync(join(dir, "own-rows.jsonl"), rows);
    const to = [`data.author.url=${moved.url}`, `data.judge.url=${moved.url}`, `data.own.rows=${rows}`];
    expect(await runWhole(...to)).toMatchObject({ isFinished: true });
    expect(moved.asked).toEqual([]);
    expect(await runWhole()).toMatchObject({ isFinished: true });
  });
});

describe("R1 on rows that nobody solves", () => {
  const counts =
    /cold-start\.jsonl: no row is left to learn from, of \d+ prompts\. Answers: zero \d+ \(dropped: .*\), prompted \d+ \(dropped: \d+ unusable\), rewritten 0 \(dropped: none\)\. Expected/;
  const untilColdStart = (name: string, set: readonly string[]) =>
    runRecipe(recipe, { dir: join(dir, name), seed: 1, isTiny: true, set, until: "cold-start" });

  it("stops at its cold start, and says what became of the answers", async () => {
    solutions.clear();
    await expect(untilColdStart("unsolved", settings)).rejects.toThrow(counts);
  });

  it("asks an author that is a folder in the same way, and has it in memory no longer than that", async () => {
    const before = liveTensors();
    const others = settings.filter((one) => !/^data\.(author|judge)/.test(one));
    const byFolder = [...others, `data.author.folder=${join(dir, "student")}`, "data.author.maxTokens=24"];
    const numAsked = server.asked.length;
    await expect(untilColdStart("unsolved-here", byFolder)).rejects.toThrow(counts);
    expect(server.asked).toHaveLength(numAsked);
    await vi.waitFor(() => expect(liveTensors()).toBe(before));
  });
});
