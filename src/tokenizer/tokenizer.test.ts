import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Tokenizer } from "./tokenizer.ts";

const goldenFolder = fileURLToPath(new URL("../../test/golden/tokenizer/", import.meta.url));
const tiny = join(goldenFolder, "tiny");
const golden = JSON.parse(readFileSync(join(goldenFolder, "golden.json"), "utf8"));
const tokenizer = Tokenizer.load(tiny);

describe("the tiny byte-level BPE folder", () => {
  it.each(golden.encodings as { text: string; ids: number[]; decoded: string; skipped: string }[])(
    "encodes and decodes $text as the Rust tokenizers do",
    ({ text, ids, decoded, skipped }) => {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(skipped);
    },
  );
  it("gives back any text it encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });
  it("renders and encodes a conversation as transformers do", () => {
    expect(tokenizer.render(golden.conversation, { addGenerationPrompt: true })).toBe(golden.rendered);
    expect(tokenizer.encodePrompt(golden.conversation)).toEqual(golden.promptIds);
  });
  it("ends with the tokenizer's end id first, then those of generation_config.json", () => {
    expect(tokenizer.eosIds).toEqual([tokenizer.idOf("<|end|>"), 3]);
    expect(tokenizer.bosId).toBe(0);
  });
  it("decodes ids beyond its vocabulary to nothing", () => {
    expect(tokenizer.decode([tokenizer.vocabSize, tokenizer.vocabSize + 7])).toBe("");
    expect(tokenizer.decode([tokenizer.vocabSize - 1])).not.toBe("");
  });
  it("keeps think tags when special tokens are skipped", () => {
    const ids = tokenizer.encode("<think>a</think>b<|end|>");
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("<think>a</think>b");
  });
});

describe("decodeStream", () => {
  const pieces = (ids: number[]) => {
    const stream = tokenizer.decodeStream();
    return [...ids.map((id) => stream.push(id)), stream.end()];
  };
  it("gives a character of several tokens when its last byte arrives", () => {
    const ids = tokenizer.encode("😀"); // not in the fixture's corpus: one token for a byte or two
    expect(ids.length).toBeGreaterThan(1);
    expect(pieces(ids)).toEqual([...ids.slice(1).map(() => ""), "😀", ""]);
  });
  it("gives the whole text, and no replacement character, for any valid text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (raw) => {
        const text = raw.replaceAll("\ufffd", "");
        const given = pieces(tokenizer.encode(text));
        expect(given.join("")).toBe(text);
        expect(given.some((piece) => piece.includes("\ufffd"))).toBe(false);
      }),
    );
  });
  it("gives what decode gives for any ids, valid UTF-8 or not", () => {
    const ids = fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 150 });
    fc.assert(
      fc.property(ids, (ids) => {
        expect(pieces(ids).join("")).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 500 },
    );
  });
  it("gives half a character at the end as one replacement character", () => {
    expect(pieces(tokenizer.encode("a😀").slice(0, -1)).join("")).toBe("a\ufffd");
  });
});

describe("a tokenizer folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "aha-tokenizer-"));
    cpSync(tiny, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is saved byte for byte", () => {
    const copy = join(folder, "copy");
    tokenizer.save(copy);
    expect(readdirSync(copy).sort()).toEqual(readdirSync(tiny).sort());
    for (const name of readdirSync(tiny))
      expect(readFileSync(join(copy, name))).toEqual(readFileSync(join(tiny, name)));
  });
  it("says which file is missing and where one comes from", () => {
    rmSync(join(folder, "tokenizer.json"));
    expect(() => Tokenizer.load(folder)).toThrow(`${folder}: no tokenizer.json. Copy the tokenizer files`);
    writeFileSync(join(folder, "tokenizer.model"), "");
    expect(() => Tokenizer.load(folder)).toThrow("convert it once");
    expect(() => Tokenizer.load(join(folder, "nowhere"))).toThrow("no such folder");
  });
  it("says which file is cut off or of the wrong kind", () => {
    const path = join(folder, "tokenizer.json");
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(() => Tokenizer.load(folder)).toThrow(`${path}: not JSON (1000 bytes)`);
    writeFileSync(path, "[]");
    expect(() => Tokenizer.load(folder)).toThrow(`${path}: expected a JSON object, found an array.`);
    writeFileSync(path, "{}");
    expect(() => Tokenizer.load(folder)).toThrow("tokenizer.json is not one this tokenizer reads");
  });
  it("of two different models is refused", () => {
    writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ eos_token: { content: "<|im_end|>" } }));
    expect(() => Tokenizer.load(folder)).toThrow('eos_token is "<|im_end|>", which tokenizer.json does not have');
  });
  it("adds the tokens that only tokenizer_config.json has", () => {
    const path = join(folder, "tokenizer_config.json");
    const added_tokens_decoder = { "900": { content: "<answer>", special: false } };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), added_tokens_decoder }));
    expect(Tokenizer.load(folder).encode("<answer>")).toEqual([900]);
  });
  it.each([
    ["<|end|>", 1, "the tokenizer's end token"],
    ["<|user|>", 3, "another token that ends sampling"],
    ["<|system|>", 1, "the tokenizer's own, since sampling would not end at what the template writes"],
  ])("whose template closes a turn with %s ends answers with id %i: %s", (close, id) => {
    writeFileSync(
      join(folder, "chat_template.jinja"),
      `{% for m in messages %}<|assistant|>{{ m.content }}${close}\n{% endfor %}`,
    );
    expect(Tokenizer.load(folder).endOfTurnId).toBe(id);
  });
  it("without an end token says that no answer would end", () => {
    const path = join(folder, "tokenizer_config.json");
    const { eos_token: _, ...rest } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify(rest));
    rmSync(join(folder, "generation_config.json"));
    expect(() => Tokenizer.load(folder).endOfTurnId).toThrow(`${folder}: no end token, so that no answer would end.`);
  });
  it("without a chat template encodes text and says so when asked to render", () => {
    rmSync(join(folder, "chat_template.jinja"));
    const bare = Tokenizer.load(folder);
    expect(bare.hasChatTemplate).toBe(false);
    expect(() => bare.render([])).toThrow(`${folder}: no chat template.`);
  });
  it("takes the template of a list that fits, tools or none", () => {
    rmSync(join(folder, "chat_template.jinja"));
    const chat_template = [
      { name: "default", template: "plain" },
      { name: "tool_use", template: "{{ tools | length }} tools" },
    ];
    writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify({ chat_template }));
    const named = Tokenizer.load(folder);
    expect(named.render([])).toBe("plain");
    expect(named.render([], { tools: [{}] })).toBe("1 tools");
  });
  it("whose template refuses a conversation says which and why", () => {
    writeFileSync(join(folder, "chat_template.jinja"), "{{ raise_exception('no system role') }}");
    expect(() => Tokenizer.load(folder).render([{ role: "system", content: "x" }])).toThrow(
      `${folder}: the chat template refuses the conversation (roles: system): no system role`,
    );
    writeFileSync(join(folder, "chat_template.jinja"), "{% if %}");
    expect(() => Tokenizer.load(folder).render([])).toThrow("the chat template does not parse");
  });
  it("gives the template the date, the tools, the documents and the caller's variables", () => {
    const template =
      "{{ strftime_now('%d %b %Y %-d %j %A %H:%M %p %q') }}|{{ tools is none }}|{{ documents[0].t }}|{{ enable_thinking }}|{{ eos_token }}";
    writeFileSync(join(folder, "chat_template.jinja"), template);
    const now = new Date(2024, 6, 6, 15, 4);
    const rendered = Tokenizer.load(folder).render([], {
      now,
      documents: [{ t: "doc" }],
      variables: { enable_thinking: false },
    });
    expect(rendered).toBe("06 Jul 2024 6 188 Saturday 15:04 PM %q|True|doc|False|<|end|>");
  });
});
