import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Terminal } from "#run";
import { user } from "#tasks";
import { ChatError } from "./chat.ts";
import type { Comparison, Judge, Judged } from "./judge.ts";
import { type ComparePairsOptions, comparePairs, labelSafety } from "./judged.ts";
import { collectPrompt } from "./prompts.ts";
import type { CollectedRow, Origin } from "./provenance.ts";

const folder = mkdtempSync(join(tmpdir(), "aha-judged-"));
let numPaths = 0;
const newPath = () => join(folder, `verdicts-${numPaths++}.jsonl`);

/** The responses to "Tell <name>.", each after a thought of its own. */
function rowsOf(name: string, summaries: readonly string[], origin: Origin = "policy"): CollectedRow[] {
  const messages = [{ role: "system", content: "Think." }, user(`Tell ${name}.`)] as const;
  const { id: promptId } = collectPrompt(messages);
  return summaries.map((summary, sample) => ({
    promptId,
    messages: [...messages, { role: "assistant", content: `<think>thought ${sample}</think>${summary}` }],
    provenance: { origin, model: "m", promptId, sample, filters: [], numSampled: summaries.length, dropped: {} },
  }));
}

/** Answers are worth their length; a response with "bad" in it is unsafe; later questions are answered first. */
function judgeOf(override: Partial<Judge> = {}) {
  const compared: Comparison[] = [];
  const labelled: Judged[] = [];
  let delay = 12;
  const judge: Judge = {
    description: "by length",
    scores: async ({ answers: [a, b] }) => [a.length, b.length],
    isSafe: async ({ response }) => !response.includes("bad"),
    isEqual: async () => undefined,
    isReadable: async () => undefined,
    ...override,
  };
  const asked: Judge = {
    ...judge,
    async scores(ask) {
      compared.push(ask);
      await sleep(delay--);
      return judge.scores(ask);
    },
    async isSafe(ask) {
      labelled.push(ask);
      await sleep(delay--);
      return judge.isSafe(ask);
    },
  };
  return { judge: asked, compared, labelled };
}

const rows = ["one", "two", "three", "four"].flatMap((name) => rowsOf(name, ["a", "bb", "ccc", "dddd"]));
const options = (change: Partial<ComparePairsOptions> = {}): ComparePairsOptions => ({
  path: newPath(),
  seed: 1,
  ...change,
});

describe("comparePairs", () => {
  it("shows the judge summaries alone, in both orders, and gives the whole responses", async () => {
    const { judge, compared } = judgeOf();
    const two = rowsOf("one", ["short", "<answer>longer</answer>"]);
    const pairs = await comparePairs(two, judge, options());
    expect(pairs).toEqual([
      {
        prompt: [{ role: "system", content: "Think." }, user("Tell one.")],
        responses: ["<think>thought 0</think>short", "<think>thought 1</think><answer>longer</answer>"],
        difference: -1,
      },
    ]);
    expect(compared.map(({ question }) => question)).toEqual(Array(4).fill("Tell one."));
    expect(compared.map(({ answers, round }) => [round, ...answers])).toEqual([
      [0, "short", "longer"],
      [1, "longer", "short"],
      [2, "short", "longer"],
      [3, "longer", "short"],
    ]);
  });

  it("compares no answers that show the same, or nothing", async () => {
    const { judge, compared } = judgeOf();
    const alike = [...rowsOf("one", ["same", "same", ""]), ...rowsOf("two", ["same", "x", "same", ""])];
    const pairs = await comparePairs(alike, judge, options({ pairsPerPrompt: 9, rounds: 2 }));
    expect(pairs.map(({ responses }) => responses)).toEqual([
      ["<think>thought 0</think>same", "<think>thought 1</think>x"],
    ]);
    expect(compared).toHaveLength(2);
  });

  it("draws a prompt's pairs by the seed, whatever other prompts there are, and in the order of the rows", async () => {
    const responses = async (given: readonly CollectedRow[], change: Partial<ComparePairsOptions>) =>
      (await comparePairs(given, judgeOf().judge, options(change))).map((pair) => pair.responses);
    const drawn = await responses(rows, { pairsPerPrompt: 2 });
    expect(drawn).toHaveLength(8);
    expect(await responses(rows.slice(8, 12), { pairsPerPrompt: 2 })).toEqual(drawn.slice(4, 6));
    expect(await responses(rows, { pairsPerPrompt: 2, concurrency: 1 })).toEqual(drawn);
    expect(await responses(rows, { pairsPerPrompt: 2, seed: 2 })).not.toEqual(drawn);
    const all = await responses(rows.slice(0, 4), { pairsPerPrompt: 99 });
    expect(all.map((pair) => pair.map((text) => text.at(-1)).join(""))).toEqual(["ab", "ac", "ad", "bc", "bd", "cd"]);
  });

  it("goes on after a throw and asks only what is missing, and the pairs are those of a call that was never stopped", async () => {
    const whole = await comparePairs(rows, judgeOf().judge, options({ pairsPerPrompt: 3 }));
    const path = newPath();
    let numLeft = 18;
    const broken = judgeOf({
      scores: async ({ answers: [a, b] }) => {
        if (numLeft-- <= 0) throw new Error("the power went out");
        return [a.length, b.length];
      },
    });
    const given = options({ pairsPerPrompt: 3, path, concurrency: 2 });
    await expect(comparePairs(rows, broken.judge, given)).rejects.toThrow("the power went out");
    const numKept = readFileSync(path, "utf8").trim().split("\n").length - 1;
    expect(numKept).toBeGreaterThan(1);
    const second = judgeOf();
    expect(await comparePairs(rows, second.judge, given)).toEqual(whole);
    expect(second.compared).toHaveLength(4 * (12 - numKept));
    const third = judgeOf();
    expect(await comparePairs(rows, third.judge, given)).toEqual(whole);
    expect(third.compared).toEqual([]);
  });

  it("gives no difference where the judge gave no verdict, keeps that on the disk and says how many", async () => {
    const mute = judgeOf({ scores: async ({ question }) => (question.includes("two") ? undefined : [1, 2]) });
    const said: string[] = [];
    using terminal = new Terminal({ output: { write: (text) => said.push(text) } });
    const given = options({ terminal });
    const differences = async () => (await comparePairs(rows, mute.judge, given)).map(({ difference }) => difference);
    expect(await differences()).toEqual([0, undefined, 0, 0]);
    expect(said.join("")).toContain("1 of 4 verdicts cannot be read");
    expect(await differences()).toEqual([0, undefined, 0, 0]);
    expect(mute.compared).toHaveLength(16);
  });

  it("refuses to mix verdicts of another judge or other settings, and names them", async () => {
    const given = options();
    await comparePairs(rows, judgeOf().judge, given);
    const again = (judge: Judge, change: Partial<ComparePairsOptions>) =>
      comparePairs(rows, judge, { ...given, ...change });
    const { judge } = judgeOf();
    await expect(again(judge, { rounds: 2 })).rejects.toThrow(/other settings \(rounds 4 → 2\)/);
    await expect(again({ ...judge, description: "by weight" }, {})).rejects.toThrow(
      /judge .*by length.* → .*by weight/,
    );
    await expect(labelSafety(rows, judge, given)).rejects.toThrow(/asked .*preference.* → .*isSafe/);
    await expect(again(judge, { rounds: 1 })).rejects.toThrow(/rounds is 1\. Expected 2 or more/);
    const solved = rowsOf("five", ["x", "y"], "generator");
    await expect(comparePairs(solved, judge, options())).rejects.toThrow(/generator's solution/);
  });

  it.skipIf(process.platform !== "linux")("leaves no file open behind a refusal", async () => {
    const given = options();
    await comparePairs(rows, judgeOf().judge, given);
    await expect(comparePairs(rows, judgeOf().judge, { ...given, rounds: 2 })).rejects.toThrow("other settings");
    const open = readdirSync("/proc/self/fd").map(
      (fd) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`),
    );
    expect(open).not.toContain(given.path);
  });
});

describe("labelSafety", () => {
  const mixed = [...rowsOf("one", ["good", "bad"]), ...rowsOf("two", ["unclear", "good"]), ...rowsOf("one", ["good"])];
  const isSafe: Judge["isSafe"] = async ({ response }) =>
    response.includes("unclear") ? undefined : !/bad|thought 1/.test(response);

  it("labels whole responses in the order of the rows, without those whose verdict cannot be read", async () => {
    const { judge, labelled } = judgeOf({ isSafe });
    const given = options();
    const labels = await labelSafety(mixed, judge, given);
    expect(labels.map(({ response, isSafe }) => [response, isSafe])).toEqual([
      ["<think>thought 0</think>good", true],
      ["<think>thought 1</think>bad", false],
      ["<think>thought 1</think>good", false], // Its thought is judged too.
      ["<think>thought 0</think>good", true],
    ]);
    expect(labels[2]!.prompt.at(-1)).toEqual(user("Tell two."));
    expect(await labelSafety(mixed, judge, { ...given, concurrency: 1 })).toEqual(labels);
    expect(labelled).toHaveLength(4); // The last row is the first one again.
  });

  it("goes on from a file that was cut anywhere", async () => {
    const { path } = options();
    const labels = await labelSafety(mixed, judgeOf({ isSafe }).judge, { path });
    const whole = readFileSync(path);
    for (const cut of [0, 1, Math.floor(whole.length / 2), whole.length - 1]) {
      truncateSync(path, 0);
      appendFileSync(path, whole.subarray(0, cut));
      const numWhole = Math.max(0, whole.subarray(0, cut).toString().split("\n").length - 2);
      const again = judgeOf({ isSafe });
      expect(await labelSafety(mixed, again.judge, { path })).toEqual(labels);
      expect(again.labelled).toHaveLength(4 - numWhole);
    }
  });

  it("leaves what got no answer for the next time, and stops when nobody answers", async () => {
    const { path } = options();
    const refusing = (isRefused: (response: string) => boolean, isFatal = false) =>
      judgeOf({
        isSafe: async ({ response }) => {
          if (isRefused(response)) throw new ChatError("too long.", { isFatal });
          return true;
        },
      });
    expect(await labelSafety(rows, refusing((text) => text.endsWith("bb")).judge, { path })).toHaveLength(12);
    const later = refusing(() => false);
    expect(await labelSafety(rows, later.judge, { path })).toHaveLength(16);
    expect(later.labelled).toHaveLength(4);
    const deaf = refusing(() => true);
    await expect(labelSafety(rows, deaf.judge, { path: newPath() })).rejects.toThrow(
      /10 questions in a row.*same command/,
    );
    const locked = refusing(() => true, true);
    await expect(labelSafety(rows, locked.judge, { path: newPath(), concurrency: 1 })).rejects.toThrow(
      /too long\. What was/,
    );
    expect(locked.labelled).toHaveLength(1);
  });
});
