/** Writes models/tiny-base's tokenizer: `npx tsx --conditions=aha-src recipes/tiny-world/tokenizer.ts [folder]`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { specialTokens, tagTokens, vocabulary } from "./vocabulary.ts";

const eos = specialTokens[0];
const unk = specialTokens[1];

/** Signs that people type and the vocabulary writes differently. */
const replacements: [string, string][] = [
  ["×", "*"],
  ["·", "*"],
  ["÷", "/"],
  ["−", "-"],
  ["，", ","],
  ["、", ","],
  ["。", "."],
  ["？", "?"],
  ["！", "!"],
  ["：", ":"],
  ["；", ";"],
  ["（", "("],
  ["）", ")"],
];

/**
 * A word-level tokenizer.json: one word, number or sign is one token. Its model is WordPiece without any continuing
 * piece, which is a word list that every reader agrees on (a `WordLevel` model is read as WordPiece by some).
 * Text is lowercased, split at white space, signs and digits, and Chinese words are found without spaces between them.
 */
export function tokenizerJson(): object {
  const tokens = vocabulary();
  const chinese = tokens.filter((token) => /^\p{Script=Han}+$/u.test(token)).sort((a, b) => b.length - a.length);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [...specialTokens, ...tagTokens].map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: (specialTokens as readonly string[]).includes(content),
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        ...replacements.map(([from, content]) => ({ type: "Replace", pattern: { String: from }, content })),
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "WhitespaceSplit" },
        // The apostrophe stays inside its word: "cannot", "won't".
        { type: "Split", pattern: { Regex: `[+\\-*/=(),.?!:;"%<>]` }, behavior: "Isolated", invert: false },
        { type: "Split", pattern: { Regex: chinese.join("|") }, behavior: "Isolated", invert: false },
        { type: "Digits", individual_digits: false },
      ],
    },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}

/**
 * Turns are marked by one token each. The template opens no thought: the base has to write `<think>` itself, and the
 * format reward is about that. Of earlier assistant turns only what follows the thought is kept.
 */
export const chatTemplate =
  "{% for message in messages %}" +
  "{% if message['role'] == 'assistant' %}" +
  "{% if loop.last %}{{ '<|assistant|> ' + message['content'] + ' <|endoftext|>' }}" +
  "{% else %}{{ '<|assistant|> ' + message['content'].split('</think>')[-1].strip() + ' <|endoftext|>' }}{% endif %}" +
  "{% else %}{{ '<|' + message['role'] + '|> ' + message['content'] + ' ' }}{% endif %}" +
  "{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** Writes tokenizer.json, tokenizer_config.json and generation_config.json into a folder. */
export function writeTokenizer(folder: string): void {
  const write = (name: string, content: object, indent = 2): void =>
    writeFileSync(join(folder, name), `${JSON.stringify(content, null, indent)}\n`);
  mkdirSync(folder, { recursive: true });
  write("tokenizer.json", tokenizerJson(), 1);
  write("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: 512,
    eos_token: eos,
    pad_token: eos,
    unk_token: unk,
    clean_up_tokenization_spaces: false,
    chat_template: chatTemplate,
  });
  write("generation_config.json", {
    eos_token_id: 0,
    pad_token_id: 0,
    do_sample: true,
    temperature: 1.0,
    max_new_tokens: 256,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? fileURLToPath(new URL("../../models/tiny-base", import.meta.url));
  writeTokenizer(folder);
  console.log(`${folder}: ${vocabulary().length} tokens`);
}
