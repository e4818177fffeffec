import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { type ChatMessage, ChatTemplate, type RenderOptions } from "./chat-template.ts";
import { DecodeStream } from "./decode-stream.ts";
import { readTokenizerParts, type TokenizerParts, writeTokenizerFiles } from "./tokenizer-files.ts";

export type DecodeOptions = {
  /** Leave out special tokens (end of sequence, padding, turn marks; in most models not `<think>`). */
  skipSpecialTokens?: boolean;
};

/** Text to token ids and back, as a Hugging Face folder says, and its chat template. */
export class Tokenizer {
  /** The folder it was loaded from, for messages. */
  readonly name: string;
  /** Ids that end a response, the tokenizer's own `eos_token` first; may be empty. */
  readonly eosIds: readonly number[];
  readonly bosId: number | undefined;
  readonly padId: number | undefined;
  /** One more than the largest id. A model's embedding may have more rows (padding); those decode to nothing. */
  readonly vocabSize: number;
  readonly #library: LibraryTokenizer;
  readonly #template: ChatTemplate | undefined;
  readonly #files: Map<string, Uint8Array>;
  #endOfTurnId: number | undefined;

  constructor(parts: TokenizerParts, name = "tokenizer") {
    this.name = name;
    try {
      this.#library = new LibraryTokenizer(parts.tokenizerJson, parts.config ?? {});
    } catch (cause) {
      const message = `${name}: tokenizer.json is not one this tokenizer reads: ${(cause as Error).message}. Expected the format of Hugging Face's fast tokenizers (model BPE, WordPiece or Unigram).`;
      throw new Error(message, { cause });
    }
    const special = parts.specialTokens ?? {};
    const ids = [this.#idOfSpecial("eos", special.eos), ...(parts.generationEosIds ?? [])];
    this.eosIds = [...new Set(ids.filter((id) => id !== undefined))];
    this.bosId = this.#idOfSpecial("bos", special.bos);
    this.padId = special.pad ? this.idOf(special.pad) : undefined;
    let largest = -1;
    for (const id of this.#library.get_vocab(true).values()) if (id > largest) largest = id;
    this.vocabSize = largest + 1;
    this.#template = parts.chatTemplate ? new ChatTemplate(name, parts.chatTemplate, special) : undefined;
    this.#files = parts.files ?? new Map();
  }

  /** Reads tokenizer.json, tokenizer_config.json, chat_template.jinja, special_tokens_map.json and the end ids of generation_config.json. */
  static load(folder: string): Tokenizer {
    return new Tokenizer(readTokenizerParts(folder), folder);
  }

  /** Copies the files it was loaded from, byte for byte. */
  save(folder: string): void {
    if (this.#files.size === 0)
      throw new Error(`${this.name}: a tokenizer made in memory has no files to save. Load it from a folder.`);
    writeTokenizerFiles(folder, this.#files);
  }

  get hasChatTemplate(): boolean {
    return this.#template !== undefined;
  }

  /** Special tokens written out in `text` become their ids. `addSpecialTokens`: also what the model wants around a text (often a bos). */
  encode(text: string, { addSpecialTokens = false }: { addSpecialTokens?: boolean } = {}): number[] {
    return this.#library.encode(text, { add_special_tokens: addSpecialTokens }).ids;
  }

  /** Exactly the tokens' text: no clean-up of spaces, which would change code. Ids the vocabulary does not have give nothing. */
  decode(ids: readonly number[], { skipSpecialTokens = false }: DecodeOptions = {}): string {
    const known = ids.filter((id) => this.#library.id_to_token(id) !== undefined);
    if (known.length === 0) return "";
    return this.#library.decode(known, { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: false });
  }

  /** Decodes one token at a time without ever giving half a character. */
  decodeStream(options: DecodeOptions = {}): DecodeStream {
    return new DecodeStream((ids) => this.decode(ids, options));
  }

  idOf(token: string): number | undefined {
    return this.#library.token_to_id(token);
  }

  /** A conversation as the model was taught to read it. Throws when there is no template or it refuses the conversation. */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    if (!this.#template)
      throw new Error(
        `${this.name}: no chat template. Expected chat_template.jinja, or chat_template in tokenizer_config.json; base models often have none, so write one or prompt with plain text.`,
      );
    return this.#template.render(messages, options);
  }

  /** Ids of a conversation that ends where the assistant begins to write. */
  encodePrompt(messages: readonly ChatMessage[], options: RenderOptions = {}): number[] {
    return this.encode(this.render(messages, { addGenerationPrompt: true, ...options }));
  }

  /**
   * The id that ends an assistant's turn: the end token that the template closes one with, else the tokenizer's own.
   * Throws where there is none.
   */
  get endOfTurnId(): number {
    this.#endOfTurnId ??= this.#findEndOfTurn();
    return this.#endOfTurnId;
  }

  #findEndOfTurn(): number {
    const [first] = this.eosIds;
    if (first === undefined)
      throw new Error(
        `${this.name}: no end token, so that no answer would end. Expected an eos_token in tokenizer_config.json.`,
      );
    if (!this.hasChatTemplate) return first;
    const mark = "⁂";
    const turns = ["user", "assistant"].map((role) => ({ role, content: mark }));
    const rendered = this.render(turns);
    const tail = this.encode(rendered.slice(rendered.lastIndexOf(mark) + mark.length));
    return tail.find((id) => this.eosIds.includes(id)) ?? first;
  }

  #idOfSpecial(role: string, token: string | undefined): number | undefined {
    if (!token) return undefined;
    const id = this.idOf(token);
    if (id === undefined)
      throw new Error(
        `${this.name}: ${role}_token is ${JSON.stringify(token)}, which tokenizer.json does not have. Are these files of two different models?`,
      );
    return id;
  }
}
