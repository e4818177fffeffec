import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAllRows } from "#data";
import { parseAnswer } from "#rewards";
import { defineTask, user } from "#tasks";
import { ChatError, type ChatModel } from "./chat.ts";
import { coldStart } from "./cold-start.ts";
import { type CollectPrompt, collectRows, formatSummary } from "./collect.ts";
import { generalFilters, hasSummary, isCorrect, isFinished, restatesResult } from "./filters.ts";
import { humanCheck } from "./human-check.ts";
import { collectPrompt, filePrompts, taskPrompts } from "./prompts.ts";
import type { CollectedRow } from "./provenance.ts";
import { chatSampler, generalSampler } from "./samplers.ts";
import { noisyAuthor, noisyJudge } from "./stand-in.ts";

const folder = mkdtempSync(join(tmpdir(), "aha-collect-"));
let numPaths = 0;
const newOut = (kind = "jsonl") => join(folder, `rows-${numPaths++}.${kind}`);

const sums = defineTask<{ a: number; b: number }>({
  name: "sums",
  load: () => Array.from({ length: 6 }, (_, i) => ({ a: i, b: 2 * i })),
  prompt: ({ a, b }) => [user(`What is ${a} + ${b}?`)],
  rewards: { length: ({ text }) => text.length, correct: ({ answer }, { a, b }) => Number(answer === String(a + b)) },
});

/** A teacher who adds up, and is wrong for a share of seeds; `say` may throw or write something else. */
function adder(say: (question: string, answer: string, seed: number) => string = (_, answer) => answer) {
  const asked: string[] = [];
  const model: ChatModel = {
    name: "adder",
    async chat(messages, { seed = 0 } = {}) {
      const question = messages.at(-1)!.content;
      asked.push(question);
      const [a = 0, b = 0] = question.match(/\d+/g)?.map(Number) ?? [];
      // Later questions are answered first.
      await new Promise((resolve) => setTimeout(resolve, 12 - 2 * a));
      const content = say(question, String(a + b), seed);
      return { reasoning: `I add ${a} and ${b}.`, content, finishReason: "stop" };
    },
  };
  return { model, asked };
}

const prompts = () => taskPrompts(sums, { correct: "correct" });
const sampler = (model: ChatModel, samples = 1) => chatSampler(model, { samples, seed: 1, temperature: 0.6 });

describe("collectRows", () => {
  it("writes the rows in the order of the prompts, with where each comes from", async () => {
    const out = newOut();
    const summary = await collectRows({
      prompts: await prompts(),
      sampler: sampler(adder((_, answer, seed) => (seed % 2 ? "no" : answer)).model, 4),
      filters: [isCorrect],
      mostPerPrompt: 1,
      out,
    });
    const rows = (await readAllRows(out)) as CollectedRow[];
    expect(rows.map(({ messages }) => messages[0]!.content)).toEqual(
      (await prompts())
        .map(({ question }) => question)
        .filter((q) => rows.some((row) => row.messages[0]!.content === q)),
    );
    expect(rows.length).toBeGreaterThan(3);
    const { promptId, messages, verdict, provenance } = rows[1]!;
    expect(messages[1]!.content).toMatch(/^<think>\nI add 1 and 2\.\n<\/think>\n\n3$/);
    expect(verdict).toBe("correct");
    expect(provenance).toMatchObject({
      origin: "chat",
      model: "adder",
      seed: 1,
      temperature: 0.6,
      promptId,
      numSampled: 4,
    });
    expect(provenance.filters).toEqual(["correct"]);
    const dropped = Object.values(summary.dropped).reduce((a, b) => a + b, 0);
    expect(summary.numRows + dropped).toBe(24);
    expect(summary.verdicts.correct! + summary.verdicts.wrong!).toBe(24);
    expect(formatSummary(summary)).toMatch(/^prompts +6$/m);
  });

  it("asks only the prompts that are missing, and gives the same rows as one that was never stopped", async () => {
    const [whole, out] = [newOut(), newOut()];
    const options = { filters: [isCorrect], prompts: await prompts() };
    await collectRows({ ...options, sampler: sampler(adder().model), out: whole });
    const broken = adder((question, answer) => {
      if (question.includes("4")) throw new Error("the power went out");
      return answer;
    });
    await expect(collectRows({ ...options, sampler: sampler(broken.model), out })).rejects.toThrow(
      "the power went out",
    );
    const second = adder();
    const { numAsked } = await collectRows({ ...options, sampler: sampler(second.model), out });
    expect(second.asked).toHaveLength(numAsked);
    expect(numAsked).toBeLessThan(6);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(whole, "utf8"));
    const third = adder();
    await collectRows({ ...options, sampler: sampler(third.model), out });
    expect(third.asked).toEqual([]);
  });

  it("goes on from a journal that was cut anywhere", async () => {
    const out = newOut();
    const journal = join(`${out}.progress`, "journal.jsonl");
    const options = { filters: [isFinished], prompts: await prompts(), out };
    await collectRows({ ...options, sampler: sampler(adder().model) });
    const [rows, whole] = [readFileSync(out, "utf8"), readFileSync(journal)];
    for (const cut of [0, 1, 40, Math.floor(whole.length / 2), whole.length - 1]) {
      truncateSync(journal, 0);
      appendFileSync(journal, whole.subarray(0, cut));
      const numWhole = Math.max(0, whole.subarray(0, cut).toString().split("\n").length - 2);
      const again = adder();
      await collectRows({ ...options, sampler: sampler(again.model) });
      expect(again.asked).toHaveLength(6 - numWhole);
      expect(readFileSync(out, "utf8")).toBe(rows);
    }
  });

  it("asks again what a judge who could not be reached has not judged, and stops when he stays away", async () => {
    const out = newOut();
    let isDown = true;
    const judged = defineTask({
      ...sums,
      rewards: {
        correct: (_, { a }) => {
          if (isDown && a < 3) throw new ChatError("the connection failed");
          return 1;
        },
      },
    });
    const options = { filters: [isCorrect], prompts: await taskPrompts(judged), out };
    const without = await collectRows({ ...options, sampler: sampler(adder().model) });
    expect(without).toMatchObject({ numFailed: 3, numSampled: 3, numRows: 3, dropped: {}, verdicts: { correct: 3 } });
    const stopped = collectRows({ ...options, sampler: sampler(adder().model), maxFailures: 3 });
    await expect(stopped).rejects.toThrow(/the connection failed 3 questions in a row.*same command/);
    isDown = false;
    const again = adder();
    const whole = await collectRows({ ...options, sampler: sampler(again.model) });
    expect(whole).toMatchObject({ numAsked: 3, numFailed: 0, numSampled: 6, numRows: 6 });
    expect(again.asked).toHaveLength(3);
  });

  it("goes on past an answer that a judge refuses to read, whose prompt is counted", async () => {
    const judge = noisyJudge({ score: () => 5, isEqual: () => true, isSafe: () => true, isReadable: () => true }, { noise: 0, seed: 1 }); // biome-ignore format: one line
    const picky: typeof judge = {
      ...judge,
      isEqual: async (ask) => {
        if (ask.truth === "3") throw new ChatError("context length exceeded", { status: 400 });
        return judge.isEqual(ask);
      },
    };
    const given = await taskPrompts(sums, { judge: { judge: picky, truth: ({ a, b }) => String(a + b) } });
    const out = newOut();
    const summary = await collectRows({ prompts: given, sampler: sampler(adder().model), filters: [isCorrect], out });
    expect(summary).toMatchObject({ numPrompts: 6, numFailed: 1, numRows: 5 });
  });

  it("refuses to mix rows of other settings, and names them", async () => {
    const out = newOut();
    const { model } = adder();
    const options = { prompts: await prompts(), out };
    await collectRows({ ...options, sampler: sampler(model), filters: [isFinished] });
    await expect(collectRows({ ...options, sampler: sampler(model, 2), filters: [isFinished] })).rejects.toThrow(
      /other settings \(samples 1 → 2\)/,
    );
    await expect(collectRows({ ...options, sampler: sampler(model), filters: [] })).rejects.toThrow(/filters/);
  });

  it("leaves a prompt without an answer for the next time, and stops when nobody answers", async () => {
    const out = newOut();
    const moody = adder((question, answer) => {
      if (question.includes("0")) throw new ChatError("too long");
      return answer;
    });
    const options = { filters: [isFinished], prompts: await prompts(), out };
    const summary = await collectRows({ ...options, sampler: sampler(moody.model) });
    expect(summary).toMatchObject({ numFailed: 2, numRows: 4 });
    const deaf = adder(() => {
      throw new ChatError("busy");
    });
    const stopped = collectRows({ ...options, sampler: sampler(deaf.model), maxFailures: 2 });
    await expect(stopped).rejects.toThrow(/busy 2 questions in a row.*same command/);
    const locked = adder(() => {
      throw new ChatError("wrong key", { isFatal: true });
    });
    await expect(collectRows({ ...options, sampler: sampler(locked.model) })).rejects.toThrow(/wrong key What was/);
    expect((await collectRows({ ...options, sampler: sampler(adder().model) })).numRows).toBe(6);
  });

  it("counts an answer that was withheld as lost", async () => {
    const model: ChatModel = {
      name: "shy",
      chat: async () => ({ reasoning: "", content: "", finishReason: "filtered" }),
    };
    const summary = await collectRows({
      prompts: await prompts(),
      sampler: sampler(model),
      filters: [],
      out: newOut(),
    });
    expect(summary).toMatchObject({ numSampled: 6, numRows: 0, dropped: { withheld: 6 } });
  });

  it("writes Parquet with the same rows", async () => {
    const [jsonl, parquet] = [newOut(), newOut("parquet")];
    const options = { prompts: await prompts(), filters: [isCorrect] };
    for (const out of [jsonl, parquet]) await collectRows({ ...options, sampler: sampler(adder().model), out });
    expect(await readAllRows(parquet)).toEqual(await readAllRows(jsonl));
  });

  it("lets one process at a time have a collection", async () => {
    const options = { prompts: await prompts(), filters: [], out: newOut() };
    const first = collectRows({ ...options, sampler: sampler(adder().model) });
    await expect(collectRows({ ...options, sampler: sampler(adder().model) })).rejects.toThrow(/process|lock/i);
    await first;
  });
});

describe("prompts", () => {
  it("are graded by a judge who sees the truth, where a task is given one; no verdict is never correct", async () => {
    const truth = { score: () => 1, isSafe: () => true, isReadable: () => true };
    const judge = noisyJudge({ ...truth, isEqual: (_, known, answer) => known === answer }, { noise: 0, seed: 1 });
    const grade = async (use: typeof judge, text: string) => {
      const [prompt] = await taskPrompts(sums, { judge: { judge: use, truth: ({ a, b }) => String(a + b) } });
      return prompt!.grade!(parseAnswer(text));
    };
    expect(await grade(judge, "<think>x</think>0")).toBe("correct");
    expect(await grade(judge, "1")).toBe("wrong");
    expect(await grade(judge, "<think>0")).toBe("noAnswer");
    expect(await grade({ ...judge, isEqual: async () => undefined }, "0")).toBe("verifierError");
    await expect(taskPrompts(sums, { correct: "right" })).rejects.toThrow(/no reward "right".*length, correct/);
  });

  it("come from a file as texts or as conversations, without the answer at their end", async () => {
    const path = join(folder, "prompts.jsonl");
    const messages = [user("Hi"), { role: "assistant", content: "Hello." }];
    writeFileSync(
      path,
      [{ prompt: "A" }, { question: "B" }, { messages }].map((row) => JSON.stringify(row)).join("\n"),
    );
    expect((await filePrompts(path)).map(({ messages }) => messages)).toEqual([[user("A")], [user("B")], [user("Hi")]]);
    writeFileSync(path, '{"prompt": "A"}\n{"text": "B"}\n');
    await expect(filePrompts(path)).rejects.toThrow(/prompts\.jsonl:2: no prompt.*Fields here: text/);
  });
});

describe("general data", () => {
  it("thinks only where it helps", async () => {
    const author = noisyAuthor(
      {
        rewrite: () => undefined,
        answers: (question, withThought) => ({
          good: withThought ? "<think>\nWhat rhymes with day?\n</think>\n\nMay." : `You said ${question}`,
          bad: "",
        }),
      },
      { noise: 0, seed: 1 },
    );
    const out = newOut();
    const asked = ["hello", "Write a rhyme"].map((text) => collectPrompt([user(text)]));
    const needsThought = (question: string) => question !== "hello";
    await collectRows({
      prompts: asked,
      sampler: generalSampler(author, { needsThought }),
      filters: generalFilters,
      out,
    });
    const rows = (await readAllRows(out)) as CollectedRow[];
    expect(rows.map(({ messages }) => messages[1]!.content.includes("<think>"))).toEqual([false, true]);
    expect(rows[0]!.provenance.model).toMatch(/stand-in.*0\.0%/);
  });
});

describe("coldStart", () => {
  const author = noisyAuthor(
    {
      rewrite: (_, response) => response.replace(/\n\n(.*)$/, "\n\n$1"),
      answers: () => undefined,
    },
    { noise: 0, seed: 1 },
  );
  const options = async (name: string, check: "person" | "skip") => {
    const asPolicy = adder((question, answer) => (question.includes("4") ? "5" : answer));
    const asked: CollectPrompt[] = (await prompts()).map((one) => ({
      ...one,
      messages: [{ role: "system", content: "Think in tags." }, ...one.messages],
    }));
    return {
      folder: join(folder, name),
      prompts: asked,
      drafts: { zero: sampler(asPolicy.model) },
      author,
      draftFilters: [isCorrect],
      filters: [isCorrect, hasSummary, restatesResult],
      check,
    };
  };

  it("rewrites right drafts, drops the template that asked for them, and says what each row is made of", async () => {
    const { path, numRows, summaries } = await coldStart(await options("skip", "skip"));
    const rows = (await readAllRows(path)) as CollectedRow[];
    expect(summaries.zero!.dropped).toEqual({ correct: 2 });
    expect([numRows, rows.length]).toEqual([4, 4]);
    expect(rows[0]!.messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(rows[0]!.provenance).toMatchObject({
      origin: "author",
      checked: "skipped",
      draft: { origin: "chat", model: "adder" },
    });
  });

  it("waits for a person, and goes on with what was kept and mended", async () => {
    const given = await options("person", "person");
    await expect(coldStart(given)).rejects.toThrow(/to-check\.jsonl: 4 rows wait for a person/);
    await expect(coldStart(given)).rejects.toThrow(/wait for a person/);
    const path = join(given.folder, "to-check.jsonl");
    const [header, ...lines] = readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const edited = [
      { ...header, checked: true },
      { ...lines[0], keep: false },
      { ...lines[1], text: "It is 3." },
      lines[2],
    ];
    writeFileSync(path, edited.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const { numRows, path: out } = await coldStart(given);
    const rows = (await readAllRows(out)) as CollectedRow[];
    expect(numRows).toBe(2);
    expect(rows.map(({ provenance }) => provenance.checked)).toEqual(["edited", "kept"]);
    expect(rows[0]!.messages.at(-1)!.content).toBe("It is 3.");
  });

  it.each([
    [{ keep: "yes" }, /:2: keep is "yes"/],
    [{ text: "<think>hm" }, /:2: text has no answer/],
    [{ id: "other#0" }, /:2: no row other#0/],
    [{ id: 7 }, /:2: no "id"/],
  ])("names the line of an edit that cannot be read: %o", (edit, message) => {
    const path = newOut();
    const row = { promptId: "p", messages: [user("q"), { role: "assistant" as const, content: "a" }] };
    const provenance = {
      origin: "chat" as const,
      model: "m",
      promptId: "p",
      sample: 0,
      filters: [],
      numSampled: 1,
      dropped: {},
    };
    const line = { id: "p#0", keep: true, question: "q", text: "a", ...edit };
    writeFileSync(path, `{"checked": true}\n${JSON.stringify(line)}\n`);
    expect(() => humanCheck([{ ...row, provenance }], { path })).toThrow(message);
  });

  it("reads what an editor saved: a mark at the begin, empty lines, no end of the last line; names the file's own lines", () => {
    const path = newOut();
    const provenance = { origin: "chat" as const, model: "m", promptId: "p", filters: [], numSampled: 2, dropped: {} };
    const messages = [user("q"), { role: "assistant" as const, content: "a" }];
    const rows = [0, 1].map((sample) => ({ promptId: "p", messages, provenance: { ...provenance, sample } }));
    const [first, second] = rows.map(({ provenance: { sample } }) =>
      JSON.stringify({ id: `p#${sample}`, keep: true, question: "q", text: "a" }),
    );
    writeFileSync(path, `\uFEFF{"checked": true}\r\n\r\n${first}\r\n${second}`);
    expect(humanCheck(rows, { path }).map(({ provenance: { sample } }) => sample)).toEqual([0, 1]);
    writeFileSync(path, `{"checked": true}\n\n${first}\n${second!.slice(0, -1)}`);
    expect(() => humanCheck(rows, { path })).toThrow(/:4: not JSON .*Mend the line/);
  });

  it("says so when a person kept no row", async () => {
    const given = await options("none", "person");
    await expect(coldStart(given)).rejects.toThrow(/wait for a person/);
    const path = join(given.folder, "to-check.jsonl");
    writeFileSync(path, '{"checked": true}\n');
    await expect(coldStart(given)).rejects.toThrow(/to-check\.jsonl: none of its 4 rows is kept/);
  });
});
