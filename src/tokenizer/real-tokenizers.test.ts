/** Real vocabularies and chat templates; what is not on this machine is skipped, and said. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.ts";
import { Tokenizer } from "./tokenizer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const shared = join(root, "../shared/data");
const jsonl = (path: string) =>
  gunzipSync(readFileSync(path))
    .toString()
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l));

const templateCases = join(shared, "tokenizer/chat-template-cases.jsonl.gz");
describe.skipIf(!existsSync(templateCases))("real chat templates", () => {
  const [note, ...cases] = existsSync(templateCases) ? jsonl(templateCases) : [{}];
  const lib = join(root, "bench/peers/.venv/lib");
  const python = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith("python")) : undefined;
  const trl = python && join(lib, python, "site-packages/trl/chat_templates");
  const sources = new Map<string, string | undefined>();
  for (const { template } of cases) {
    if (sources.has(template)) continue;
    const path = trl && template.startsWith("trl/") ? join(trl, template.slice("trl/".length)) : undefined;
    const verl = join(shared, "models/arithmetic-random/tokenizer_config.json");
    if (template === "verl/arithmetic_sequence" && existsSync(verl))
      sources.set(template, JSON.parse(readFileSync(verl, "utf8")).chat_template);
    else sources.set(template, path && existsSync(path) ? readFileSync(path, "utf8") : undefined);
  }
  const absent = [...sources].filter(([, source]) => !source).length;
  if (absent)
    console.log(
      `chat templates: ${absent} of ${sources.size} skipped, their text is not here (npm run bench installs TRL's)`,
    );

  it.each([...sources].filter(([, source]) => source))("%s renders as Jinja2 rendered it", (name, source) => {
    for (const c of cases.filter((c) => c.template === name)) {
      const template = new ChatTemplate(name, source!, { bos: c.bos_token, eos: c.eos_token });
      const render = () =>
        template.render(c.messages, {
          addGenerationPrompt: c.add_generation_prompt,
          variables: { strftime_now: () => "26 Jul 2024" },
          ...(c.tools ? { tools: note.tools } : {}),
        });
      if (c.error === undefined) expect(render(), c.case).toBe(c.rendered);
      else expect(render, `${c.case}: ${c.error}`).toThrow();
    }
  });
});
if (!existsSync(templateCases)) console.log(`real chat templates skipped: no ${templateCases}`);

const tiktoken = join(shared, "tokenizer/qwen.tiktoken");
const tokenCases = join(shared, "tokenizer/token-cases.jsonl.gz");
describe("the Qwen vocabulary", () => {
  const isThere = existsSync(tiktoken) && existsSync(tokenCases);
  beforeEach((context) => context.skip(!isThere, "no ../shared/data/tokenizer"));
  it("encodes the recorded texts to the recorded ids, and decodes them back", () => {
    const ranks = readFileSync(tiktoken, "latin1").trim().split("\n");
    const tokenizer = new Tokenizer({ tokenizerJson: qwenTokenizerJson(ranks) }, "qwen");
    const cases = jsonl(tokenCases);
    const qwen = cases.filter((c) => c.tokenizer.toLowerCase().includes("qwen"));
    console.log(
      `token cases: ${qwen.length} of Qwen tried; ${cases.length - qwen.length} of other vocabularies skipped, which are not here`,
    );
    expect(qwen.length).toBeGreaterThan(0);
    for (const { text, ids } of qwen) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      const stream = tokenizer.decodeStream();
      const streamed = ids.map((id: number) => stream.push(id)).join("") + stream.end();
      expect(streamed).toBe(text.normalize("NFC"));
      expect(tokenizer.decode(ids)).toBe(streamed);
    }
  }, 120_000);
});
if (!existsSync(tiktoken)) console.log(`the Qwen vocabulary skipped: no ${tiktoken}`);

/** A tokenizer.json from tiktoken's list of (base64 bytes, rank): the merge of a token is what BPE leaves of it before it exists. */
function qwenTokenizerJson(lines: string[]): object {
  const tokens = lines.map((line) => atob(line.split(" ")[0]!)); // one character a byte
  const rankOf = new Map(tokens.map((token, rank) => [token, rank]));
  const printable = byteAlphabet();
  const print = (bytes: string) => [...bytes].map((c) => printable[c.charCodeAt(0)]!).join("");
  const merges: [string, string][] = [];
  for (const [rank, token] of tokens.entries()) {
    if (token.length === 1) continue;
    let parts = [...token];
    while (parts.length > 2) {
      let [best, at] = [rank, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const r = rankOf.get(parts[i]! + parts[i + 1]!) ?? Number.POSITIVE_INFINITY;
        if (r < best) [best, at] = [r, i];
      }
      if (at < 0) throw new Error(`token ${rank} is no merge of two earlier ones`);
      parts = [...parts.slice(0, at), parts[at]! + parts[at + 1]!, ...parts.slice(at + 2)];
    }
    merges.push([print(parts[0]!), print(parts[1]!)]);
  }
  const Regex =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  return {
    added_tokens: [],
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, rank) => [print(token), rank])), merges },
  };
}

/** GPT-2's printable stand-in of each byte. */
function byteAlphabet(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
}
