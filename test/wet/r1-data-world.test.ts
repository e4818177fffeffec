/** What the world of a user's own rows asks for before it asks for anything else. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as settled } from "node:timers/promises";
import { liveTensors } from "aha-rl";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { resolveConfig } from "#run";
import { dataWorld } from "../../recipes/r1/data.ts";
import recipe from "../../recipes/r1.ts";
import { type FakeServer, fakeServer, sendMessage } from "../../src/teacher/fake-server.ts";
import { writeJsonLines, writeModel } from "./own-data.ts";

let dir: string;
let server: FakeServer;
/** A model of random weights. */
let folder: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-r1-world-"));
  server = await fakeServer((response) => sendMessage(response, { content: "Verdict: safe" }));
  folder = writeModel(join(dir, "model"));
  process.env.AHA_TEST_KEY = "key of the author";
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const write = (name: string, rows: readonly object[]) => writeJsonLines(join(dir, name), rows);

describe("a world of one's own data", () => {
  const world = (...set: string[]) => dataWorld(resolveConfig(recipe, { set }).data, 1);
  const needed = (...rows: object[]) => [`data.requests=${write("requests.jsonl", rows)}`, "data.math.rows=rows.jsonl"];
  const byServer = () => [`data.author.url=${server.url}`, "data.author.model=author"];
  const good = { prompt: "Hello!", kind: "helpful" };
  const enough = ["helpful", "safe"].flatMap((kind) => Array.from({ length: 30 }, (_, i) => ({ prompt: `${kind} ${i}`, kind }))); // biome-ignore format: one line

  it("mixes the tasks by their weights, in the paper's template for R1-Zero and in each one's manner after", async () => {
    const { reasoning } = await world(...byServer(), ...needed(...enough), "data.math.weight=3", "data.own.rows=own.jsonl", "data.own.graded=judge"); // biome-ignore format: one line
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

  it("says at once that a folder holds no model", async () => {
    await expect(world(...needed(...enough), "data.author.folder=nowhere")).rejects.toThrow("nowhere");
  });

  it("asks for all that is not set at once, and refuses half of a setting", async () => {
    await expect(world("data.own.rows=rows.jsonl", "data.own.graded=judge")).rejects.toThrow(
      'recipe r1: world is "data", but not set: data.requests (general requests, as in examples/requests.jsonl); data.author.url (an OpenAI-compatible server) or data.author.folder (a model that runs here); data.gsm8k.rows, data.math.rows, data.code.rows, data.choice.rows, data.own.rows (one or more, whose answers a rule grades). Give each with --set NAME=VALUE, or set world=tiny.',
    );
    await expect(world(...byServer(), ...needed(), "data.code.heldOut=tests.jsonl")).rejects.toThrow(
      "recipe r1: data.code.heldOut is tests.jsonl, data.code.rows is not set. Expected both, or rows alone.",
    );
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
