/** What the world of a user's own rows asks for before it asks for anything else. */
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as settled } from "node:timers/promises";
import { liveTensors, promptsFolder } from "aha-rl";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { resolveConfig } from "#run";
import { dataWorld } from "../../recipes/r1/data.ts";
import { checkRoom } from "../../recipes/r1/room.ts";
import recipe from "../../recipes/r1.ts";
import { type FakeServer, fakeServer, sendJson, sendMessage } from "../../src/teacher/fake-server.ts";
import { writeJsonLines, writeModel } from "./own-data.ts";

let dir: string;
let server: FakeServer;
/** A model of random weights. */
let folder: string;
/** Questions that are in nobody's words but their own. */
let sums: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-r1-world-"));
  server = await fakeServer((response) => sendMessage(response, { content: "Verdict: safe" }));
  folder = writeModel(join(dir, "model"));
  sums = write(
    "sums.jsonl",
    Array.from({ length: 80 }, (_, n) => ({ problem: `What is ${n} + ${n}?`, answer: 2 * n })),
  );
  process.env.AHA_TEST_KEY = "key of the author";
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const write = (name: string, rows: readonly object[]) => writeJsonLines(join(dir, name), rows);

/** The last value of each setting counts. */
const world = (...given: string[]) => {
  const set = [...new Map(["world=data", ...given].map((one) => [one.split("=")[0], one])).values()];
  return dataWorld(resolveConfig(recipe, { set }).data, 1);
};
const needed = (...rows: object[]) => [`data.requests=${write("requests.jsonl", rows)}`, `data.math.rows=${sums}`];
const byServer = () => [`data.author.url=${server.url}`, "data.author.model=author"];
const good = { prompt: "Hello!", kind: "helpful" };
const enough = ["helpful", "safe"].flatMap((kind) => Array.from({ length: 30 }, (_, i) => ({ prompt: `${kind} ${i}`, kind }))); // biome-ignore format: one line

describe("a world of one's own data", () => {
  it("mixes the tasks by their weights, in the paper's template for R1-Zero and in each one's manner after", async () => {
    const { reasoning } = await world(...byServer(), ...needed(...enough), "data.math.weight=3", `data.own.rows=${sums}`, "data.own.graded=judge"); // biome-ignore format: one line
    const sketch = (form: "answer" | "summary", language: number) =>
      reasoning({ form, language }).map(({ task, weight, isJudged }) => [task.name, weight, isJudged, task.weights!.language, task.prompt({ question: "1 + 1?" }).map(({ role }) => role)]); // biome-ignore format: one line
    expect(sketch("answer", 0)).toEqual([["math", 3, false, 0, ["system", "user"]]]);
    expect(sketch("summary", 1)).toEqual([["math", 3, false, 1, ["user"]], ["own", 1, true, 1, ["user"]]]); // biome-ignore format: one line
  });

  it("holds a tenth of each kind of request out, whatever their order, and never asks for it", async () => {
    const [one, other] = [
      await world(...byServer(), ...needed(...enough)),
      await world(...byServer(), ...needed(...enough.toReversed())),
    ];
    const scorer = (judges: "summary" | "response") => ({ judges, score: async () => [0] });
    const tasks = one.general.tasks({ helpfulness: scorer("summary"), safety: scorer("response") });
    for (const [task, asked] of [
      [tasks.helpful, one.general.helpful],
      [tasks.safe, one.general.sensitive],
    ] as const) {
      // biome-ignore format: one line
      const heldOut = (await task.load("test")).map((row) => task.prompt(row)[0]!.content);
      expect([heldOut.length, asked.length]).toEqual([3, 27]);
      expect(asked.filter((prompt) => heldOut.includes(prompt))).toEqual([]);
    }
    expect(other.general.helpful.toSorted()).toEqual(one.general.helpful.toSorted());
  });

  it("gives the author's key to no other server", async () => {
    await using judging = await fakeServer((response) => sendMessage(response, { content: "Verdict: safe" }));
    const { general } = await world(...byServer(), ...needed(...enough), "data.author.apiKeyEnv=AHA_TEST_KEY", `data.judge.url=${judging.url}`, "data.judge.model=j"); // biome-ignore format: one line
    expect(await general.judge.isSafe({ question: "Hello?", response: "Hello!" })).toBe(true);
    expect(judging.asked.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it("depends on the model that a server has, where none is named, and on the words it is asked in", async () => {
    let id = "first";
    await using only = await fakeServer((response) => sendJson(response, { data: [{ id }] }));
    const prompts = join(dir, "prompts");
    cpSync(promptsFolder, prompts, { recursive: true });
    const inputs = async () =>
      (await world(...needed(...enough), `data.author.url=${only.url}`, `data.prompts=${prompts}`)).inputs;
    const before = await inputs();
    expect(await inputs()).toEqual(before);
    appendFileSync(join(prompts, "judge-safe.txt"), "Be strict.\n");
    const strict = await inputs();
    expect({ ...strict, judge: before.judge }).toEqual(before);
    expect(strict.judge).not.toEqual(before.judge);
    id = "second";
    const second = await inputs();
    expect([second.rewriter, second.judge]).toMatchObject([
      { author: { model: "second" } },
      { judge: { model: "second" } },
    ]);
  });

  it("has a model folder in memory from the first question until it is released, and again after", async () => {
    const before = liveTensors();
    const { general, release } = await world(...needed(...enough), `data.author.folder=${folder}`);
    expect(liveTensors()).toBe(before);
    const ask = () => general.author.answer({ question: "Hello?", withThought: false });
    const said = await ask();
    const loaded = liveTensors();
    expect(loaded).toBeGreaterThan(before);
    // The judge is the author again: no second model.
    expect(await general.judge.isSafe({ question: "Hello?", response: "Hello!" })).toBeUndefined();
    expect(liveTensors()).toBe(loaded);
    release();
    await vi.waitFor(() => expect(liveTensors()).toBe(before));
    expect(await ask()).toEqual(said);
    // What it is still writing is nobody's any more.
    const [unfinished] = [ask(), await settled(), release()];
    await expect(unfinished).rejects.toThrow(folder);
    await vi.waitFor(() => expect(liveTensors()).toBe(before));
  });

  it.each([
    [
      ["data.author.url=http://a/v1", "data.author.folder=a"],
      "data.author.url is http://a/v1, but the author is the model in a,",
    ],
    [["data.author.folder=a", "data.judge.model=b"], "data.judge.model is b, but the judge is the model in a,"],
    [
      ["data.author.folder=a", "data.judge.folder=c", "data.judge.apiKeyEnv=KEY"],
      "data.judge.apiKeyEnv is KEY, but the judge is the model in c,",
    ],
  ])("refuses what a folder has no use for: %j", async (set, message) => {
    const inFolders = set.map((one) => one.replace(/(?<=folder=)./, folder));
    await expect(world(...needed(...enough), ...inFolders)).rejects.toThrow(
      `recipe r1: ${message.replace(/(?<=model in )./, folder)} which runs here. Expected a server or a folder: leave one of them out.`,
    );
  });

  it("says at once that a folder holds no model, or one without its weights", async () => {
    const by = (author: string) => world(...needed(...enough), `data.author.folder=${author}`);
    await expect(by("nowhere")).rejects.toThrow("nowhere: no such model folder.");
    const empty = join(dir, "empty");
    cpSync(folder, empty, { recursive: true });
    rmSync(join(empty, "model.safetensors"));
    await expect(by(empty)).rejects.toThrow(`${empty}: no weights.`);
  });

  it("asks for all that is not set at once", async () => {
    await expect(world("data.own.rows=rows.jsonl", "data.own.graded=judge")).rejects.toThrow(
      'recipe r1: world is "data", but not set: data.requests (general requests, as in examples/requests.jsonl); data.author.url (an OpenAI-compatible server) or data.author.folder (a model that runs here); data.gsm8k.rows, data.math.rows, data.code.rows, data.choice.rows, data.own.rows (one or more, whose answers a rule grades). Give each with --set NAME=VALUE, or set world=tiny.',
    );
  });

  it.each([
    [["data.requests=foo"], 'data.requests is foo, but world is "tiny", which reads nothing of "data". Leave it out, or set world=data.'], // biome-ignore format: one line
    [["data.math.rows=foo"], 'data.math.rows is foo, but world is "tiny"'],
    [["data.author.url=foo"], 'data.author.url is foo, but world is "tiny"'],
    [["data.decontaminate=0"], 'data.decontaminate is 0, but world is "tiny"'],
    [["world=data", "noise.judge=0.9"], 'noise.judge is 0.9, but world is "data", which reads nothing of "noise". Leave it out, or set world=tiny.'], // biome-ignore format: one line
    [["world=data", "data.gsm8k.weight=3"], "data.gsm8k.weight is 3, but data.gsm8k.rows is not set. Expected rows beside it: set them, or leave it out."], // biome-ignore format: one line
    [["world=data", "data.own.graded=judge"], "data.own.graded is judge, but data.own.rows is not set."],
    [["world=data", "data.code.heldOut=foo"], "data.code.heldOut is foo, but data.code.rows is not set."],
  ])("refuses what nothing would read: %j", (set, message) => {
    for (const isTiny of [false, true])
      expect(() => resolveConfig(recipe, { set, isTiny })).toThrow(`--set: ${message}`);
  });

  it("takes each world's own settings, and the other's where they are the defaults", () => {
    expect(resolveConfig(recipe, { set: ["noise.judge=0.9", "data.gsm8k.weight=1"] }).noise.judge).toBe(0.9);
    const set = ["world=data", "noise.judge=0.1", "data.gsm8k.rows=foo", "data.gsm8k.weight=3"];
    expect(resolveConfig(recipe, { set }).data.gsm8k.weight).toBe(3);
  });

  it.each([
    [
      "data.math.rows",
      [{ problem: "1 + 1?", answer: 2 }, { problem: "2 + 2?" }],
      /^recipe r1: data\.math\.rows: .*bad\.jsonl:2: none of the fields answer, final_answer, gold, solution holds a value/,
    ],
    [
      "data.math.heldOut",
      [{ answer: 2 }],
      /^recipe r1: data\.math\.heldOut: .*bad\.jsonl:1: none of the fields problem/,
    ],
    [
      "data.math.heldOut",
      [{ problem: "1 + 1?", answer: 2 }],
      /^recipe r1: data\.math\.heldOut: 1 rows held out to measure by\. Expected at least 2\.$/,
    ],
    ["data.own.rows", [], /^recipe r1: data\.own\.rows: 0 rows to train on\. Expected at least 1\.$/],
    [
      "data.gsm8k.rows",
      [{ question: "1 + 1?", answer: "2" }],
      /^recipe r1: data\.gsm8k\.rows: .*bad\.jsonl:1: field "answer" has no "####"/,
    ],
    [
      "data.ifeval",
      [{ prompt: "Say it." }],
      /^recipe r1: data\.ifeval: .*bad\.jsonl:1: no field "instruction_id_list"/,
    ],
    [
      "data.exemplars",
      [{ question: "1 + 1?", response: "2" }],
      /^recipe r1: data\.exemplars: .*bad\.jsonl:1: response is in another form/,
    ],
  ])("says before anything else which line of %s is bad: %j", async (setting, rows, message) => {
    const bad = `${setting}=${write("bad.jsonl", rows)}`;
    await expect(world(...byServer(), ...needed(...enough), bad)).rejects.toThrow(message);
  });

  it.each(["data.own.rows", "data.math.heldOut", "data.ifeval", "data.exemplars", "data.prompts"])(
    "says before anything else that there is no file of %s",
    async (setting) => {
      const nowhere = join(dir, "nowhere.jsonl");
      await expect(world(...byServer(), ...needed(...enough), `${setting}=${nowhere}`)).rejects.toThrow(
        setting === "data.prompts" ? nowhere : `recipe r1: ${setting}: ${nowhere}: no such file.`,
      );
    },
  );

  it.each([
    [
      "data.math.heldOut",
      [
        { problem: "1 + 1?", answer: 2 },
        { problem: "why ".repeat(2000), answer: 2 },
      ],
      /^recipe r1: .*long\.jsonl:2: \d{4} tokens as a prompt of task math\. Expected at most 1792: .*model has a context of 2048, of which \S+ takes 256\. Shorten the row, leave it out, or lower/,
    ],
    [
      "data.own.rows",
      [{ problem: "why ".repeat(2000), answer: 2 }],
      /^recipe r1: .*long\.jsonl:1: .*task own.*drafts\.maxNewTokens takes 256/,
    ],
    [
      "data.requests",
      [...enough, { prompt: "why ".repeat(2000), kind: "safe" }, { prompt: "why? ".repeat(2000), kind: "helpful" }],
      /^recipe r1: data\.requests, "why.*": \d+ tokens .*Expected at most 1952: .*answers\.maxNewTokens takes 96/,
    ],
  ])("says before anything else which row of %s leaves an answer no room", async (setting, rows, message) => {
    const own = [`data.own.rows=${sums}`, `data.own.heldOut=${sums}`, "data.decontaminate=0"];
    const given = (...more: string[]) => [
      ...byServer(),
      ...needed(...enough),
      ...own,
      `data.math.heldOut=${sums}`,
      ...more,
    ];
    const room = async (...set: string[]) => {
      const models = [`model=${folder}`, `student=${folder}`, "zero.maxNewTokens=256", "dev2.maxNewTokens=256", "r1.maxNewTokens=256", "studentRl.maxNewTokens=256", "distilledRl.maxNewTokens=256"]; // biome-ignore format: one line
      const config = resolveConfig(recipe, { set: ["world=data", ...models, ...new Map(set.map((one) => [one.split("=")[0], one])).values()] }); // biome-ignore format: one line
      return checkRoom(await dataWorld(config.data, 1), config, 1);
    };
    await room(...given());
    await expect(room(...given(`${setting}=${write("long.jsonl", rows)}`))).rejects.toThrow(message);
  });

  it.each([
    [{ prompt: "Bye!" }, /requests\.jsonl:2: kind is undefined\. Expected "helpful" or "safe"\.$/],
    [{ kind: "safe" }, /requests\.jsonl:2: no field "prompt"\. Fields here: kind\.$/],
    [{ prompt: " ", kind: "safe" }, /requests\.jsonl:2: prompt is empty\. Expected a request\.$/],
    [
      { prompt: "Bye!", kind: "safe", thought: "no" },
      /requests\.jsonl:2: thought is "no"\. Expected true, false or none\.$/,
    ],
    [{ prompt: "Hello!", kind: "safe" }, /requests\.jsonl:2: the same prompt as at .*requests\.jsonl:1\./],
    [
      { prompt: "Bye!", kind: "safe" },
      /requests\.jsonl: 1 rows of kind "helpful"\. Expected at least 4, of which 2 are held out\.$/,
    ],
  ])("names a bad request by its line: %j", async (row, message) => {
    await expect(world(...byServer(), ...needed(good, row))).rejects.toThrow(message);
  });
});

describe("a training question that is too like a held-out one", () => {
  const asking = "a train leaves at noon and goes forty miles an hour for three hours";
  const rows = (...problems: string[]) => problems.map((problem) => ({ problem, answer: 120 }));
  const options = { choices: ["the first of them", "the second of them"], answer: "A" };

  it("is left out and counted, whatever held it out, and by no words that are the task's", async () => {
    const { reasoning, general, notes } = await world(
      ...byServer(),
      ...needed(...enough, { prompt: `Tell a story: ${asking}.`, kind: "helpful" }),
      `data.math.rows=${write("math.jsonl", rows(`${asking}. How far?`, "A Train leaves at noon, and goes forty miles an HOUR.", "A train leaves at noon and goes forty miles.", "1 + 1?"))}`,
      `data.math.heldOut=${write("math-500.jsonl", rows(`If ${asking}, where is it?`, "2 + 2?"))}`,
      `data.choice.rows=${write("choice.jsonl", [
        { question: "Which is right?", ...options },
        { question: `Say: ${asking}?`, ...options },
      ])}`,
      `data.choice.heldOut=${write("choice-test.jsonl", [
        { question: "Which is wrong?", ...options },
        { question: "Which is neither?", ...options },
      ])}`,
    );
    const [math, choice] = reasoning({ form: "summary", language: 1 }).map(({ task }) => task);
    const questions = async (task: typeof math) => (await task!.load("train")).map((row) => task!.prompt(row).at(-1)!.content.split("\n")[0]); // biome-ignore format: one line
    expect(await questions(math)).toEqual(["A train leaves at noon and goes forty miles.", "1 + 1?"]);
    expect(await questions(choice)).toEqual(["Which is right?"]);
    expect(general.helpful.filter((prompt) => prompt.includes("train"))).toEqual([]);
    expect(notes.slice(2)).toEqual([
      "math: 2 (2 more are too like a held-out one) questions, and 2 held out",
      "choice: 1 (1 more are too like a held-out one) questions, and 2 held out",
      "helpful requests: 27 (1 more are too like a held-out one), and 3 held out",
      "safe requests: 27, and 3 held out",
    ]);
  });

  it("stays where decontaminate is 0, and leaves a task that has no other nothing to train on", async () => {
    const set = [
      ...byServer(),
      ...needed(...enough),
      `data.own.rows=${write("own.jsonl", rows(`${asking}. How far?`))}`,
      `data.own.heldOut=${write("own-test.jsonl", rows(`${asking}. Where?`, "2 + 2?"))}`,
    ];
    const { notes } = await world(...set, "data.decontaminate=0");
    expect(notes).toContain("own: 1 questions, and 2 held out");
    await expect(world(...set)).rejects.toThrow(
      "recipe r1: data.own.rows: each of its 1 questions shares 10 words in a row with a held-out one.",
    );
  });
});
