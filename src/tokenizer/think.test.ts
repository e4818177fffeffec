import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  continuationOf,
  joinResponse,
  prefillOf,
  prefillOfIds,
  sftExample,
  splitResponse,
  stripHistory,
  type ThinkEvent,
  ThinkStream,
  toAnswer,
} from "./think.ts";

const split = (text: string, prefilled = false) => {
  const { thought, answer, form } = splitResponse(text, { prefilled });
  return { thought, answer, form };
};

describe("splitResponse", () => {
  it("reads R1-Zero's form and trims both parts", () => {
    expect(split("<think> one and one </think> <answer> 2 </answer>")).toEqual({
      thought: "one and one",
      answer: "2",
      form: "answer",
    });
  });
  it("reads a thought and its summary", () => {
    expect(split("<think>\nhm\n</think>\n\nIt is **2**.")).toEqual({
      thought: "hm",
      answer: "It is **2**.",
      form: "summary",
    });
  });
  it("reads the same whether the think tag was prefilled or sampled", () => {
    const sampled = "\nhm\n</think>\n\n2";
    expect(splitResponse(sampled, { prefilled: true })).toEqual(splitResponse(`<think>${sampled}`));
    expect(split(sampled, true)).toEqual({ thought: "hm", answer: "2", form: "summary" });
  });
  it("takes an unclosed thought whole and finds no answer in it", () => {
    expect(split("<think>so <answer>2</answer>")).toEqual({
      thought: "so <answer>2</answer>",
      answer: undefined,
      form: undefined,
    });
    expect(splitResponse("<think>so").isClosed).toBe(false);
  });
  it("finds no answer part when only white space follows the thought", () => {
    expect(splitResponse("<think>so</think>\n\n")).toMatchObject({ answer: undefined, hasAnswerPart: false });
    expect(splitResponse(" \n")).toMatchObject({ answer: undefined, hasAnswerPart: false, hasThought: false });
  });
  it.each(["\u200b", "\u3164", "\u2800", "…", "\u200b!\ufeff"])(
    "finds no form where thought or answer say only %j",
    (nothing) => {
      for (const text of [
        `<think>a</think>${nothing}`,
        `<think>a</think> <answer>${nothing}</answer>`,
        `<think>${nothing}</think> <answer>2</answer>`,
      ])
        expect(split(text).form).toBe(undefined);
    },
  );
  it.each(["∞", "∅", "-1", "好", "€", "$"])("takes %j for an answer", (answer) => {
    expect(split(`<think>a</think> <answer>${answer}</answer>`).form).toBe("answer");
    expect(split(`<think>a</think>${answer}`).form).toBe("summary");
  });
  it("takes a response without a thought as its answer", () => {
    expect(split("Hello!")).toEqual({ thought: "", answer: "Hello!", form: undefined });
    expect(split("<answer>2</answer>").answer).toBe("2");
  });
  it("does not open a thought in the middle of a response", () => {
    expect(split("The tag <think>x</think> opens it.")).toEqual({
      thought: "",
      answer: "The tag <think>x</think> opens it.",
      form: undefined,
    });
  });
  it("gives no format to repeated, nested, missing or misplaced tags", () => {
    for (const text of [
      "<think>a<think>b</think>c</think><answer>2</answer>",
      "<think>a</think><think>b</think><answer>2</answer>",
      "<think>a</think><answer>2</answer><answer>3</answer>",
      "<think>a <answer>1</answer></think><answer>2</answer>",
      "<think>a</think><answer>2",
      "<think>a</think>2</answer>",
      "<think>a</think></answer>2<answer>",
      "<think>a</think>so <answer>2</answer>",
      "<think>a</think><answer>2</answer> really",
      "<think>a</think><answer> </answer>",
      "<think> </think><answer>2</answer>",
      "x<think>a</think><answer>2</answer>",
      "a</think><answer>2</answer>",
    ])
      expect(splitResponse(text).form, text).toBeUndefined();
    expect(splitResponse("<think>a</think>b", { prefilled: true }).form).toBeUndefined();
  });
  it("reads the summary, not one of the two, when there is a second answer", () => {
    expect(split("<think>a</think><answer>2</answer><answer>3</answer>").answer).toBe(
      "<answer>2</answer><answer>3</answer>",
    );
  });
  it("ends a nested thought at the first closing tag", () => {
    expect(split("<think>a<think>b</think>c</think>d")).toMatchObject({ thought: "a<think>b", answer: "c</think>d" });
  });
  it("keeps an empty answer apart from no answer", () => {
    expect(splitResponse("<think>a</think><answer></answer>")).toMatchObject({ answer: "", hasAnswerPart: true });
  });
});

describe("toAnswer", () => {
  it("gives a reward the whole text, its parts and its length", () => {
    expect(toAnswer({ text: "<think>a</think><answer>2</answer>", numTokens: 9, finishReason: "stop" })).toEqual({
      text: "<think>a</think><answer>2</answer>",
      thought: "a",
      answer: "2",
      numTokens: 9,
      finishReason: "stop",
    });
  });
});

const encode = (text: string) => [...text].map((c) => c.charCodeAt(0));
const decode = (ids: readonly number[]) => String.fromCharCode(...ids);

describe("prefill", () => {
  it("is the opened thought at the very end of the prompt, with its white space", () => {
    expect(prefillOf("…reasoning in <think> </think>. Assistant: <think>\n")).toBe("<think>\n");
    expect(prefillOf("Assistant:<think>")).toBe("<think>");
    expect(prefillOf("write <think> first. Assistant:")).toBe("");
    expect(prefillOf("<|im_start|>assistant\n<think>\n\n</think>\n\n")).toBe("");
  });
  it("is the same seen from the ids of the prompt", () => {
    expect(prefillOfIds(encode(`${"x".repeat(40)}<think>\n`), decode)).toBe("<think>\n");
    expect(prefillOfIds(encode("<think> is a tag. Assistant:"), decode)).toBe("");
  });
  it("and the continuation together parse as the response", () => {
    for (const prefill of ["", "<think>", "<think>\n"])
      for (const response of [
        "<think>a</think>2",
        "<think>\na\n</think>\n\n2",
        "<think> a</think><answer>2</answer>",
      ]) {
        const whole = prefill + continuationOf(response, prefill);
        expect(splitResponse(whole), JSON.stringify(whole)).toEqual(splitResponse(response));
      }
  });
  it("is closed at once by a response without a thought", () => {
    expect(split(`<think>\n${continuationOf("Hello!", "<think>\n")}`)).toEqual({
      thought: "",
      answer: "Hello!",
      form: undefined,
    });
  });
});

describe("sftExample", () => {
  const trainedText = (prompt: string, response: string) => {
    const { ids, trained } = sftExample({ prompt, response, eosId: 36, encode });
    return [decode(ids), decode(ids.filter((_, i) => trained[i]))];
  };
  it("trains the first think tag and the end of sequence", () => {
    expect(trainedText("Q:", "<think>a</think>2")).toEqual(["Q:<think>a</think>2$", "<think>a</think>2$"]);
  });
  it("does not train, nor repeat, a prefilled think tag", () => {
    expect(trainedText("Q:<think>\n", "<think>\na</think>2")).toEqual(["Q:<think>\na</think>2$", "a</think>2$"]);
  });
});

describe("stripHistory", () => {
  it("strips the reasoning of earlier assistant turns and of no other", () => {
    const user = { role: "user", content: "<think>me</think>?" };
    const turn = { role: "assistant", content: "<think>a</think>\n\nb" };
    expect(stripHistory([user, turn, user, turn])).toEqual([user, { role: "assistant", content: "b" }, user, turn]);
  });
});

describe("ThinkStream", () => {
  const tag = fc.constantFrom("<think>", "</think>", "<answer>", "</answer>");
  const piece = fc.oneof(
    tag,
    fc.constantFrom(" ", "\n", "<", "</", "<thi", "<ans", "wer>", "nk>"),
    fc.string({ unit: "grapheme", maxLength: 5 }),
  );
  const response = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const run = (text: string, cuts: number[], prefilled: boolean) => {
    const stream = new ThinkStream({ prefilled });
    const ends = [...cuts.map((c) => c % (text.length + 1)), text.length].sort((a, b) => a - b);
    const events: ThinkEvent[] = [];
    let at = 0;
    for (const end of ends) {
      events.push(...stream.push(text.slice(at, end)));
      at = end;
    }
    return [...events, ...stream.end()];
  };
  const joined = (events: ThinkEvent[], kind: ThinkEvent["kind"]) =>
    events
      .filter((e) => e.kind === kind)
      .map((e) => e.text)
      .join("");

  it("gives the parse's parts for any chunking of any text", () => {
    fc.assert(
      fc.property(response, fc.array(fc.nat(80), { maxLength: 12 }), fc.boolean(), (text, cuts, prefilled) => {
        const events = run(text, cuts, prefilled);
        const parsed = splitResponse(text, { prefilled });
        expect(joined(events, "thinking")).toBe(parsed.thought);
        expect(joined(events, "answer")).toBe(parsed.shown);
      }),
      { numRuns: 3000 },
    );
  });
  it("never emits thinking after the answer, nor an empty event", () => {
    fc.assert(
      fc.property(response, (text) => {
        const events = run(
          text,
          [...text].map((_, i) => i),
          false,
        );
        const kinds = events.map((e) => e.kind);
        expect(kinds.lastIndexOf("thinking")).toBeLessThan(
          kinds.includes("answer") ? kinds.indexOf("answer") : kinds.length + 1,
        );
        expect(events.every((e) => e.text !== "")).toBe(true);
      }),
    );
  });
  it("emits text as soon as it cannot be part of a tag", () => {
    const stream = new ThinkStream();
    expect(stream.push(" <thi")).toEqual([]);
    expect(stream.push("nk>Wait, ")).toEqual([{ kind: "thinking", text: "Wait," }]);
    expect(stream.push("no.</th")).toEqual([{ kind: "thinking", text: " no." }]);
    expect(stream.push("ink>\n\nIt is <b>")).toEqual([{ kind: "answer", text: "It is <b>" }]);
    expect(stream.push("2</b> <answ")).toEqual([{ kind: "answer", text: "2</b>" }]);
    expect(stream.end()).toEqual([{ kind: "answer", text: " <answ" }]);
  });
});

describe("joinResponse", () => {
  it("gives back both parts when it is split again", () => {
    const { thought, summary, form } = splitResponse(joinResponse(" hm \n\n so ", "\nIt is 2. "));
    expect({ thought, summary, form }).toEqual({ thought: "hm \n\n so", summary: "It is 2.", form: "summary" });
  });

  it("is the summary alone where nothing was thought", () => {
    expect(joinResponse(" \n", " Hello. ")).toBe("Hello.");
  });
});
