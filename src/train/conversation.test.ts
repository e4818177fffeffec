import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readAllRows } from "#data";
import { Tokenizer } from "#tokenizer";
import { type Sequence, type SftRow, sequencesOf, truncated } from "./conversation.ts";

const folder = (name: string) => join(import.meta.dirname, "../..", name);
/** Its template begins an assistant turn without a thought; one word, one token. */
const world = Tokenizer.load(folder("models/tiny-base"));
/** Its template opens the thought, and shows no earlier one. */
const prefilled = Tokenizer.load(folder("test/golden/tokenizer/tiny"));

/** Each sequence as text, with what is trained of it. */
const texts = (row: SftRow, tokenizer = world, turns: "all" | "last" = "all") =>
  sequencesOf(row, tokenizer, { turns }).map(({ ids, trained }: Sequence) => [
    tokenizer.decode(Array.from(ids)),
    tokenizer.decode(Array.from(ids).filter((_, i) => trained[i])),
  ]);
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string, more: object = {}) => ({ role: "assistant", content, ...more });
const thought = "<think> 1 + 1 = 2 </think> <answer> 2 </answer>";

describe("a conversation", () => {
  it("is read as chat shows it, and the whole answer is trained: its first think tag and its end", () => {
    const row = { messages: [{ role: "system", content: "so" }, user("1 + 1"), assistant(thought)] };
    expect(texts(row)).toEqual([
      [`<|system|> so <|user|> 1 + 1 <|assistant|> ${thought} <|endoftext|>`, `${thought} <|endoftext|>`],
    ]);
    expect(sequencesOf(row, world, { turns: "all" })[0]!.numTrained).toBe(thought.split(" ").length + 1);
  });

  it("goes through the template once: one opening of the text, one of the assistant's turn", () => {
    const [[text] = []] = texts({ prompt: "Hi", completion: "<think>\nhm\n</think>\n\nHello" }, prefilled);
    expect(text).toBe("<|start|><|user|>Hi<|end|><|assistant|><think>\nhm\n</think>\n\nHello<|end|>");
  });

  it("does not train a think tag that the template wrote, and closes it where nothing is thought", () => {
    expect(texts({ prompt: "Hi", completion: "<think>\nhm\n</think>\n\nHello" }, prefilled)[0]![1]).toBe(
      "hm\n</think>\n\nHello<|end|>",
    );
    expect(texts({ prompt: "Hi", completion: "Hello" }, prefilled)[0]![1]).toBe("</think>\n\nHello<|end|>");
  });

  it("takes a thought from its tags or from a field of its own", () => {
    const apart = { messages: [user("Hi"), assistant("Hello", { reasoning_content: "hm" })] };
    const tagged = { messages: [user("Hi"), assistant("<think>\nhm\n</think>\n\nHello")] };
    expect(sequencesOf(apart, prefilled, { turns: "all" })).toEqual(sequencesOf(tagged, prefilled, { turns: "all" }));
  });
});

it("a row may hold null for what it lacks, as Parquet does", () => {
  const lacking = { reasoning_content: null, train: null };
  const row = {
    prompt: null,
    ids: null,
    tools: null,
    messages: [{ ...user("1"), ...lacking }, assistant("2", lacking)],
  };
  expect(texts(row as unknown as SftRow)[0]![1]).toBe("2 <|endoftext|>");
});

describe("several turns", () => {
  const plain = [user("1"), assistant("2"), user("3"), assistant("4")];
  const thinking = [user("1"), assistant(thought), user("3"), assistant("<think> so </think> 4")];

  it("that only add to each other share one sequence", () => {
    expect(texts({ messages: plain })).toEqual([
      [
        "<|user|> 1 <|assistant|> 2 <|endoftext|> <|user|> 3 <|assistant|> 4 <|endoftext|>",
        "2 <|endoftext|> 4 <|endoftext|>",
      ],
    ]);
  });

  it("with thoughts are a sequence each, the history without its thoughts", () => {
    expect(texts({ messages: thinking })).toEqual([
      [`<|user|> 1 <|assistant|> ${thought} <|endoftext|>`, `${thought} <|endoftext|>`],
      [
        "<|user|> 1 <|assistant|> <answer> 2 </answer> <|endoftext|> <|user|> 3 <|assistant|> <think> so </think> 4 <|endoftext|>",
        "<think> so </think> 4 <|endoftext|>",
      ],
    ]);
  });

  it("are trained as chosen: the last one, all but one, or one alone", () => {
    const trained = (...args: Parameters<typeof texts>) => texts(...args).map(([, text]) => text);
    expect(trained({ messages: plain }, world, "last")).toEqual(["4 <|endoftext|>"]);
    const [a, b, c, d] = plain as [object, object, object, object];
    const with_ = (first: object, second: object) => ({ messages: [a, { ...b, ...first }, c, { ...d, ...second }] });
    expect(trained(with_({ train: false }, {}) as SftRow)).toEqual(["4 <|endoftext|>"]);
    expect(trained(with_({ train: true }, {}) as SftRow)).toEqual(["2 <|endoftext|>"]);
    expect(trained(with_({ train: true }, { train: true }) as SftRow, world, "last")).toEqual([
      "2 <|endoftext|> 4 <|endoftext|>",
    ]);
  });
});

describe("without a conversation", () => {
  it("a text is trained whole but for its first token, which nothing predicts, and ended", () => {
    expect(texts({ text: "1 + 2 = 3" })).toEqual([["1 + 2 = 3 <|endoftext|>", "+ 2 = 3 <|endoftext|>"]]);
  });

  it("ids stay as they are, ended or not", () => {
    const row = { ids: [5, 6, 7, 8], trained: [false, false, true, true] };
    expect(sequencesOf(row, world, { turns: "all" })).toEqual([
      { ids: Int32Array.from(row.ids), trained: Uint8Array.from([0, 0, 1, 1]), numTrained: 2 },
    ]);
  });
});

it("a sequence cut to a length keeps its beginning, and is none where nothing trained is left", () => {
  const [sequence] = sequencesOf({ ids: [5, 6, 7, 8], trained: [0, 0, 1, 1] }, world, { turns: "all" });
  expect(truncated(sequence!, 3)).toEqual({
    ids: Int32Array.from([5, 6, 7]),
    trained: Uint8Array.from([0, 0, 1]),
    numTrained: 1,
  });
  expect(truncated(sequence!, 2)).toBeUndefined();
});

describe("a bad row is named by file and line", () => {
  const dir = mkdtempSync(join(tmpdir(), "aha-rows-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it.each([
    [{ question: "1" }, 'nothing to train on. Expected messages, prompt and completion, text, or ids. Fields here: question.'], // biome-ignore format: one line
    [{ messages: [] }, "messages is not a list of messages with role and content."],
    [{ messages: [{ content: "1" }] }, "messages[0] has no role."],
    [{ messages: [user("1"), { role: "assistant", content: null }] }, "messages[1] has no text as its content."],
    [{ messages: [{ ...user("1"), train: true }, assistant("2")] }, "messages[0] is a user's turn with train: true."],
    [{ messages: [user("1"), assistant("2", { train: "yes" })] }, "messages[1] has a train that is not true or false."],
    [{ messages: [user("1")] }, "no assistant turn to train."],
    [{ messages: [user("1"), assistant("2", { train: false })] }, "no assistant turn to train."],
    [{ prompt: "1", completion: 2 }, "completion is not a list of messages with role and content."],
    [{ ids: [1, 99_999] }, "ids has 99999. Expected whole numbers from 0 to"],
    [{ ids: [1, 2, 3], trained: [true] }, "trained has 1 values for 3 ids."],
    [{ ids: [1, 2], trained: [true, false] }, "none of its 2 tokens would be trained."],
  ])("%j", async (row, message) => {
    const path = join(dir, "rows.jsonl");
    writeFileSync(path, `${JSON.stringify({ text: "1" })}\n${JSON.stringify(row)}\n`);
    const [, bad] = await readAllRows(path);
    expect(() => sequencesOf(bad!, world, { turns: "all" })).toThrow(`${path}:2: ${message}`);
  });
});
