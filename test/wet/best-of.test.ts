import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bestOf, bestOfConfig, type FrozenPolicy, LocalFrozen, localChat, noisyJudge, user } from "aha-rl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines } from "#run";
import type { CollectedRow } from "#teacher";
import { parity, writeTinyModel } from "./tiny.ts";

const dir = mkdtempSync(join(tmpdir(), "aha-best-of-"));
let policy: LocalFrozen;
beforeAll(async () => {
  policy = await LocalFrozen.load(writeTinyModel(join(dir, "model")));
});
afterAll(() => {
  policy.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** The policy, sampling in another way. */
const samplingBy = (sample: FrozenPolicy["sample"]): FrozenPolicy => Object.assign(Object.create(policy), { sample });

/** A random model's answers are in no language and rarely end: only what the rule says is looked at. */
const config = bestOfConfig({
  samples: 24,
  maxNewTokens: 80,
  minLanguageShare: 0,
  maxRepeatedShare: 1,
  mostPerPrompt: 2,
});
const parts = (out: string, over: FrozenPolicy = policy) => ({
  policy: over,
  task: parity,
  model: "tiny",
  checkpoint: "out/zero/checkpoints/24",
  out: join(dir, out),
  seed: 5,
});

describe("bestOf", () => {
  it("keeps right answers, at most so many of a prompt, and counts where every other one went", async () => {
    const { numRows, numSampled, dropped, verdicts } = await bestOf(parts("rows.jsonl"), config);
    const rows = readJsonLines<CollectedRow>(join(dir, "rows.jsonl"));
    expect(numSampled).toBe(24 * config.samples);
    expect(verdicts.correct! + verdicts.wrong!).toBe(24 * config.samples);
    expect(numRows + Object.values(dropped).reduce((a, b) => a + b, 0)).toBe(24 * config.samples);
    expect(numRows).toBeGreaterThan(0);
    const perPrompt = rows.map((row) => rows.filter(({ promptId }) => promptId === row.promptId).length);
    expect(Math.max(...perPrompt)).toBe(2);
    for (const { messages, verdict, provenance } of rows) {
      const text = messages.at(-1)!.content;
      expect([...text].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 2).toBe(0);
      expect(verdict).toBe("correct");
      expect(provenance).toMatchObject({
        origin: "policy",
        model: "tiny",
        checkpoint: "out/zero/checkpoints/24",
        seed: 5,
      });
    }
  });

  it("stopped in the middle, samples the rest as one that was never stopped", async () => {
    await bestOf(parts("whole.jsonl"), config);
    let left = 7;
    const tired = samplingBy(async function* (prompts, options) {
      for await (const group of policy.sample(prompts, options)) {
        if (left-- === 0) throw new Error("out of power");
        yield group;
      }
    });
    await expect(bestOf(parts("again.jsonl", tired), config)).rejects.toThrow("out of power");
    const { numAsked } = await bestOf(parts("again.jsonl"), config);
    expect(numAsked).toBe(24 - 7);
    expect(readFileSync(join(dir, "again.jsonl"), "utf8")).toBe(readFileSync(join(dir, "whole.jsonl"), "utf8"));
  });

  it("draws the same answers to a prompt, however many others there are", async () => {
    await bestOf(parts("few.jsonl"), { ...config, numPrompts: 12 });
    const few = readFileSync(join(dir, "few.jsonl"), "utf8");
    expect(few.length).toBeGreaterThan(0);
    expect(readFileSync(join(dir, "rows.jsonl"), "utf8").startsWith(few)).toBe(true);
  });

  it("asks a judge in place of the rule, who never wins by saying nothing", async () => {
    const truth = { score: () => 1, isSafe: () => true, isReadable: () => true, isEqual: () => true };
    const asked: string[] = [];
    const judge = noisyJudge(truth, { noise: 0, seed: 1 });
    const silent = { ...judge, isEqual: async () => undefined };
    const seeing = { ...judge, isEqual: (ask: Parameters<typeof judge.isEqual>[0]) => judge.isEqual({ ...ask, round: asked.push(ask.truth) }) }; // biome-ignore format: one line
    const run = (name: string, use: typeof judge) =>
      bestOf({ ...parts(name), judge: { judge: use, truth: ({ n }) => `n=${n}` } }, config);
    const { verdicts } = await run("judged.jsonl", seeing);
    expect(verdicts.correct).toBe(asked.length);
    expect(asked).toContain("n=23");
    expect((await run("silent.jsonl", silent)).numRows).toBe(0);
  });
});

describe("localChat", () => {
  const chatOf = () => localChat(policy, { name: "tiny", seed: 3, maxNewTokens: 20 });
  const questions = Array.from({ length: 6 }, (_, i) => [user(`Make ${i} from 1, 2, ${i}.`)]);

  it("answers the same alone as among others, and another thing under another seed", async () => {
    const { chat } = chatOf();
    const together = await Promise.all(questions.map((question) => chat(question)));
    expect(await chatOf().chat(questions[4]!)).toEqual(together[4]);
    expect(await chat(questions[4]!, { seed: 1 })).not.toEqual(together[4]);
    expect(together[0]!.usage!.completionTokens).toBeLessThanOrEqual(20);
  });

  it("answers together what is asked together", async () => {
    let numCalls = 0;
    const counted = samplingBy((prompts, options) => {
      numCalls++;
      return policy.sample(prompts, options);
    });
    const { chat } = localChat(counted, { name: "tiny", seed: 3, maxNewTokens: 20 });
    await Promise.all([...questions.map((question) => chat(question)), chat(questions[0]!, { temperature: 0 })]);
    expect(numCalls).toBe(2);
  });

  it("says why it cannot answer one question, and answers the others", async () => {
    const { chat } = chatOf();
    const tooLong = chat([user("Make 1. ".repeat(200))]);
    const others = questions.map((question) => chat(question));
    await expect(tooLong).rejects.toThrow(/tiny: .*exceed the model's context/);
    expect(await Promise.all(others)).toEqual(await Promise.all(questions.map((question) => chatOf().chat(question))));
  });
});
