import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chatAuthor } from "./author.ts";
import type { ChatModel, Reply } from "./chat.ts";
import { chatJudge, type Judge, preference } from "./judge.ts";
import { promptFile, promptsFolder } from "./prompt-file.ts";
import { noisyAuthor, noisyJudge } from "./stand-in.ts";
import { scoresOf, verdictOf } from "./verdict.ts";

/** A model that writes the same to everybody, and what it was asked. */
function parrot(content: string, reply: Partial<Reply> = {}): ChatModel & { asked: string[] } {
  const asked: string[] = [];
  const chat: ChatModel["chat"] = async (messages) => {
    asked.push(messages.at(-1)!.content);
    return { reasoning: "", content, finishReason: "stop", ...reply };
  };
  return { name: "parrot", chat, asked };
}

describe("verdictOf", () => {
  it.each([
    ["Verdict: equal", "equal"],
    ["It is 4.\n\n**Verdict: Equal**", "equal"],
    ["verdict：different.", "different"],
    ["> **Verdict:** `different`\n\nThat is all.", "different"],
    ['The answer says "Verdict: equal".\nVerdict: different', "different"],
    ["Verdict: equal\nNo, wait.\nVerdict: different", "different"],
  ])("reads the last line of %j", (text, expected) => {
    expect(verdictOf(text, ["equal", "different"])).toBe(expected);
  });

  it.each([
    "",
    "equal",
    "They are equal.",
    "Verdict:",
    "Verdict: equal or different",
    "Verdict: maybe",
    "My verdict: equal it is",
  ])("finds none in %j", (text) => expect(verdictOf(text, ["equal", "different"])).toBeUndefined());

  it("takes no earlier verdict where the last one is of another kind", () => {
    expect(verdictOf("Verdict: equal\nVerdict: unsure", ["equal", "different"])).toBeUndefined();
  });
});

describe("scoresOf", () => {
  it.each<[string, [number, number]]>([
    ["Scores: A=7, B=5", [7, 5]],
    ["B is better.\n**Scores:** A: 2.5, B: 10", [2.5, 10]],
    ["Scores: A=8/10, B=3/10", [8, 3]],
  ])("reads %j", (text, expected) => expect(scoresOf(text)).toEqual(expected));

  it.each(["A=7, B=5", "Scores: A=7", "Scores: A=0, B=5", "Scores: A=11, B=5", "Scores: B=5, A=7", "Scores: 7 and 5"])(
    "finds none in %j",
    (text) => expect(scoresOf(text)).toBeUndefined(),
  );
});

describe("a judge that is asked in words", () => {
  const ask = { question: "2 + 2 {a}?", truth: "4", answer: "four {truth}" };

  it("sees question, truth and answer, whatever braces they have", async () => {
    const model = parrot("Verdict: equal");
    expect(await chatJudge({ model }).isEqual(ask)).toBe(true);
    for (const text of Object.values(ask)) expect(model.asked[0]).toContain(text);
  });

  it("says no only where it wrote so", async () => {
    const says = (content: string, reply?: Partial<Reply>) => chatJudge({ model: parrot(content, reply) });
    const response = { question: "Hello", response: "Hi" };
    expect(await says("Verdict: different").isEqual(ask)).toBe(false);
    expect(await says("Verdict: unsafe").isSafe(response)).toBe(false);
    expect(await says("Verdict: readable").isReadable(response)).toBe(true);
    expect(await says("I cannot say.").isSafe(response)).toBeUndefined();
    expect(await says("Verdict: safe").isReadable(response)).toBeUndefined();
    expect(await says("Verdict: equal", { finishReason: "length" }).isEqual(ask)).toBeUndefined();
    expect(await says("", { reasoning: "Verdict: equal" }).isEqual(ask)).toBeUndefined();
  });
});

describe("preference", () => {
  const pair = { question: "Which?", answers: ["good", "bad"] as const };
  const judgeOf = (scores: Judge["scores"]): Judge => ({ ...chatJudge({ model: parrot("") }), scores });

  it("does not see a judge who only likes the first place", async () => {
    expect(
      await preference(
        judgeOf(async () => [9, 2]),
        pair,
      ),
    ).toEqual({ difference: 0, numVerdicts: 4 });
  });

  it("is the same whichever answer is named first, with its sign changed", async () => {
    const judge = judgeOf(async ({ answers: [a] }) => (a === "good" ? [8, 3] : [3, 8]));
    const [good, bad] = pair.answers;
    expect((await preference(judge, pair))?.difference).toBe(5);
    expect((await preference(judge, { ...pair, answers: [bad, good] }))?.difference).toBe(-5);
  });

  it("leaves out what cannot be read, and is none where one order was never judged", async () => {
    const first = judgeOf(async ({ round }) => (round === 0 ? undefined : round === 2 ? [7, 5] : [5, 7]));
    expect(await preference(first, pair)).toEqual({ difference: 2, numVerdicts: 3 });
    const straightOnly = judgeOf(async ({ round }) => (round! % 2 === 0 ? [9, 1] : undefined));
    expect(await preference(straightOnly, pair)).toBeUndefined();
  });
});

describe("a noisy stand-in", () => {
  const truth = {
    score: (_: string, answer: string) => (answer === "good" ? 9 : 2),
    isEqual: (_: string, known: string, answer: string) => known === answer,
    isSafe: () => true,
    isReadable: () => false,
  };
  const shareWrong = async (noise: number, round?: number) => {
    const judge = noisyJudge(truth, { noise, seed: 1 });
    const verdicts = await Promise.all(
      Array.from({ length: 2000 }, (_, i) => judge.isEqual({ question: `${i}`, truth: "4", answer: "4", round })),
    );
    return verdicts.filter((verdict) => verdict === false).length / verdicts.length;
  };

  it("is wrong at its rate, which it says", async () => {
    expect(await shareWrong(0)).toBe(0);
    expect(await shareWrong(0.1)).toBeGreaterThan(0.08);
    expect(await shareWrong(0.1)).toBeLessThan(0.12);
    expect(noisyJudge(truth, { noise: 0.1, seed: 7 }).description).toMatch(/10\.0%.*seed 7/);
    expect(() => noisyJudge(truth, { noise: 1.5, seed: 1 })).toThrow(/noise is 1\.5/);
  });

  it("says the same when asked the same, and may say another thing in another round", async () => {
    const judge = noisyJudge(truth, { noise: 0.5, seed: 1 });
    const ask = (round: number) => judge.isSafe({ question: "q", response: "r", round });
    const rounds = await Promise.all(Array.from({ length: 20 }, (_, round) => ask(round)));
    expect(await Promise.all(rounds.map((_, round) => ask(round)))).toEqual(rounds);
    expect(new Set(rounds).size).toBe(2);
  });

  it("exchanges the scores of a pair where it is wrong", async () => {
    const ask = { question: "q", answers: ["good", "bad"] as const };
    expect(await noisyJudge(truth, { noise: 0, seed: 1 }).scores(ask)).toEqual([9, 2]);
    expect(await noisyJudge(truth, { noise: 1, seed: 1 }).scores(ask)).toEqual([2, 9]);
  });

  it("writes by its rules, or not as it should; it solves nothing", async () => {
    const rules = {
      rewrite: (_: string, response: string) => `tidy ${response}`,
      answers: () => ({ good: "Hello.", bad: "Go away." }),
    };
    const write = async (noise: number) => {
      const author = noisyAuthor(rules, { noise, seed: 1 });
      const [rewritten, answer] = [
        await author.rewrite({ question: "q", response: "draft" }),
        await author.answer({ question: "q", withThought: false }),
      ];
      return [rewritten, answer, await author.solve({ question: "q", style: "reflect" })];
    };
    expect(await write(0)).toEqual(["tidy draft", "Hello.", undefined]);
    expect(await write(1)).toEqual(["draft", "Go away.", undefined]);
  });
});

describe("an author that is asked in words", () => {
  const written = "### Thought\nFirst six.\n\nThen seven.\n\n### Summary\nIt is 42.";

  it("puts thought and summary into R1's form", async () => {
    const model = parrot(written);
    const author = chatAuthor({ model, exemplars: [{ question: "1 + 1?", response: "<think>one and one</think>2" }] });
    const expected = "<think>\nFirst six.\n\nThen seven.\n</think>\n\nIt is 42.";
    expect(await author.solve({ question: "6 * 7?", style: "fewShot" })).toBe(expected);
    expect(model.asked[0]).toContain("Question: 1 + 1?\n\n### Thought\none and one\n\n### Summary\n2");
    expect(await author.rewrite({ question: "6 * 7?", response: "<think>hm 6x7</think>42" })).toBe(expected);
    expect(model.asked[1]).toContain("hm 6x7");
    expect(await author.answer({ question: "A rhyme", withThought: true })).toBe(expected);
    expect(await author.answer({ question: "Hello", withThought: false })).toBe(written);
    expect(model.asked[3]).toBe("Hello");
  });

  it("never shows an exemplar to whoever is asked its question", async () => {
    const model = parrot(written);
    const exemplars = ["1 + 1?", "2 + 2?"].map((question) => ({ question, response: `<think>${question}</think>so` }));
    await chatAuthor({ model, exemplars }).solve({ question: " 2 + 2? ", style: "fewShot" });
    expect(model.asked[0]).toContain("Question: 1 + 1?");
    expect(model.asked[0]).not.toContain("### Thought\n2 + 2?");
  });

  it("never takes the model's own thought for the one it was asked to write", async () => {
    const author = chatAuthor({ model: parrot("It is 42.", { reasoning: "The user wants a rewrite." }) });
    expect(await author.rewrite({ question: "q", response: "<think>r</think>42" })).toBeUndefined();
  });

  it.each(["### Thought\n\n### Summary\nIt is 42.", "### Thought\nhm", "### Summary\nIt is 42."])(
    "has written nothing with %j",
    async (text) => {
      expect(await chatAuthor({ model: parrot(text) }).solve({ question: "q", style: "reflect" })).toBeUndefined();
    },
  );
});

describe("a prompt file", () => {
  const folder = mkdtempSync(join(tmpdir(), "aha-prompts-"));
  const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.txt`), text);

  it("puts each value in wherever it is asked for, once", () => {
    write("ok", "{a} and {b}, {a} \\boxed{} { a }");
    expect(promptFile("ok", ["a", "b"], folder)({ a: "{b}", b: "2" })).toBe("{b} and 2, {b} \\boxed{} { a }");
  });

  it("is refused by the name of the placeholder that is missing, or unknown", () => {
    write("few", "{a}");
    write("many", "{a} {answr}");
    expect(() => promptFile("few", ["a", "truth"], folder)).toThrow(/few\.txt: no \{truth\}/);
    expect(() => promptFile("many", ["a"], folder)).toThrow(/many\.txt: nothing is known to put in for \{answr\}/);
    expect(() => promptFile("none", ["a"], folder)).toThrow(/none\.txt: cannot be read \(ENOENT\)/);
  });

  it("is read from a person's own folder", async () => {
    const own = join(folder, "own");
    cpSync(promptsFolder, own, { recursive: true });
    writeFileSync(join(own, "judge-safe.txt"), "Harmful? {question} {response}");
    const model = parrot("Verdict: safe");
    await chatJudge({ model, prompts: own }).isSafe({ question: "Q", response: "R" });
    expect(model.asked).toEqual(["Harmful? Q R"]);
    rmSync(join(own, "judge-equal.txt"));
    expect(() => chatJudge({ model, prompts: own })).toThrow(/judge-equal\.txt/);
  });
});
