/**
 * The `<think>` contract, once: how a response is written, prefilled, trained, parsed, streamed and remembered.
 *
 * A response is `<think>…</think> <answer>…</answer>` (R1-Zero, arXiv 2501.12948 table 1) or `<think>…</think>` and a
 * summary (R1 from the cold start on), or a summary alone. Its thought begins the response or there is none, and ends
 * at the first `</think>`: tags written later are text, so that a stream and a parse cannot disagree.
 */
import { heldBack } from "./held-back.ts";

export const THINK_OPEN = "<think>";
export const THINK_CLOSE = "</think>";
export const ANSWER_OPEN = "<answer>";
export const ANSWER_CLOSE = "</answer>";
const ANSWER_TAGS = [ANSWER_OPEN, ANSWER_CLOSE];

/** Whether the prompt already opened the thought, so that the text given is only what was sampled after it. */
export type Prefilled = { prefilled?: boolean };

export type Response = {
  /** Inside of the thought, trimmed; all that follows `<think>` when it never closes; "" when there is none. */
  thought: string;
  /** Inside of the one `<answer>…</answer>`, else the summary; trimmed. Undefined when nothing follows the thought. */
  answer: string | undefined;
  /** All that follows the thought, tags included, trimmed. */
  summary: string;
  /** The summary as a reader sees it: without its `<answer>` tags. What a stream emits as "answer". */
  shown: string;
  hasThought: boolean;
  /** The thought was closed, or there is none. */
  isClosed: boolean;
  /** Something other than white space follows the thought. */
  hasAnswerPart: boolean;
  /**
   * Which of the paper's formats the whole response keeps: "answer" (R1-Zero's) or "summary" (R1's). Undefined when
   * a tag is missing, repeated, nested or out of place, or when the thought or the answer is blank.
   */
  form: "answer" | "summary" | undefined;
};

/** A response that has ended. */
export type Finished = { text: string; numTokens: number; finishReason: "stop" | "length" };

/** Splits a response into thought and answer. Total: any text gives a result. `prefilled`: `text` starts inside the thought. */
export function splitResponse(text: string, { prefilled = false }: Prefilled = {}): Response {
  const full = prefilled ? THINK_OPEN + text : text;
  const start = full.trimStart();
  const hasThought = start.startsWith(THINK_OPEN);
  const close = hasThought ? start.indexOf(THINK_CLOSE) : -1;
  const isClosed = !hasThought || close >= 0;
  const thought = hasThought ? start.slice(THINK_OPEN.length, isClosed ? close : undefined).trim() : "";
  const summary = (!hasThought ? start : isClosed ? start.slice(close + THINK_CLOSE.length) : "").trim();
  const inside = onlyAnswer(summary);
  const hasAnswerPart = summary !== "";
  return {
    thought,
    answer: hasAnswerPart ? (inside ?? summary) : undefined,
    summary,
    shown: summary.replace(/<\/?answer>/g, "").trim(),
    hasThought,
    isClosed,
    hasAnswerPart,
    form: hasWord(thought) && isClosed ? formOf(start, summary, inside) : undefined,
  };
}

/** White space, invisible signs (some are letters to Unicode) and punctuation alone are no thought. */
const hasWord = (thought: string): boolean => /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}]/u.test(thought);
/** Nor are they an answer, which may be a symbol: ∞, ∅, €. */
const saysSomething = (answer: string): boolean => hasWord(answer) || /(?!\u2800)[\p{Sm}\p{Sc}\p{So}]/u.test(answer);

/** Inside of `<answer>…</answer>` when there is exactly one, trimmed. */
function onlyAnswer(summary: string): string | undefined {
  if (count(summary, ANSWER_OPEN) !== 1 || count(summary, ANSWER_CLOSE) !== 1) return undefined;
  const open = summary.indexOf(ANSWER_OPEN) + ANSWER_OPEN.length;
  const close = summary.indexOf(ANSWER_CLOSE);
  return close < open ? undefined : summary.slice(open, close).trim();
}

function formOf(full: string, summary: string, inside: string | undefined): Response["form"] {
  if (count(full, THINK_OPEN) !== 1 || count(full, THINK_CLOSE) !== 1) return undefined;
  const [opens, closes] = [count(full, ANSWER_OPEN), count(full, ANSWER_CLOSE)];
  if (opens === 0 && closes === 0) return saysSomething(summary) ? "summary" : undefined;
  const isAlone = summary.startsWith(ANSWER_OPEN) && summary.endsWith(ANSWER_CLOSE);
  return opens === 1 && closes === 1 && isAlone && inside && saysSomething(inside) ? "answer" : undefined;
}

/** A response in R1's form: the thought in its tags, then the summary; the summary alone where nothing was thought. */
export function joinResponse(thought: string, summary: string): string {
  const [inside, rest] = [thought.trim(), summary.trim()];
  return inside === "" ? rest : `${THINK_OPEN}\n${inside}\n${THINK_CLOSE}\n\n${rest}`;
}

function count(text: string, part: string): number {
  let n = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) n++;
  return n;
}

/**
 * What a reward sees of a completion. `text` is the whole response: the prompt's prefill (`prefillOf`), if any, and
 * what was sampled after it. `numTokens` counts sampled tokens, the end-of-sequence token included.
 */
export function toAnswer({ text, numTokens, finishReason }: Finished): Finished & Pick<Response, "thought" | "answer"> {
  const { thought, answer } = splitResponse(text);
  return { text, thought, answer, numTokens, finishReason };
}

/** The opened thought a rendered prompt ends with, its white space included (`"<think>\n"`), or "" when the model opens it. */
export function prefillOf(renderedPrompt: string): string {
  const end = renderedPrompt.trimEnd();
  return end.endsWith(THINK_OPEN) ? renderedPrompt.slice(end.length - THINK_OPEN.length) : "";
}

/** `prefillOf` for a prompt given as ids. */
export function prefillOfIds(promptIds: readonly number[], decode: (ids: number[]) => string): string {
  // `<think>` is at most seven tokens (bytes), and white space after it is short.
  return prefillOf(decode(promptIds.slice(-16)));
}

/**
 * What a model has to write after a prompt so that prompt and continuation together hold `response`: the response
 * itself, or, after a prefill, the response without the `<think>` that the prompt already wrote. A response without a
 * thought closes the prefilled one at once.
 */
export function continuationOf(response: string, prefill: string): string {
  if (!prefill) return response;
  const start = response.trimStart();
  if (!start.startsWith(THINK_OPEN)) return `${prefill.endsWith("\n") ? "" : "\n"}${THINK_CLOSE}\n\n${start}`;
  const rest = start.slice(THINK_OPEN.length);
  const space = prefill.slice(THINK_OPEN.length);
  return rest.startsWith(space) ? rest.slice(space.length) : rest.trimStart();
}

/**
 * One SFT example: ids of the prompt and of the response, and which of them are trained: every token of the response,
 * its first `<think>` and the end-of-sequence token included, except a `<think>` that the prompt prefilled. Prompt and
 * response are encoded apart, since that is how the model will meet them.
 */
export function sftExample(options: {
  /** The prompt as rendered with its generation prompt. */
  prompt: string;
  response: string;
  eosId: number;
  encode: (text: string) => number[];
}): { ids: number[]; trained: boolean[] } {
  const promptIds = options.encode(options.prompt);
  const responseIds = options.encode(continuationOf(options.response, prefillOf(options.prompt)));
  const ids = [...promptIds, ...responseIds, options.eosId];
  return { ids, trained: ids.map((_, i) => i >= promptIds.length) };
}

/**
 * The conversation as later turns see it: assistant turns before the last user turn keep their summary and lose their
 * reasoning (the paper's chat history). Assistant turns after it (a tool loop still running) stay whole.
 */
export function stripHistory<M extends { role: string; content: string }>(messages: readonly M[]): M[] {
  const lastUser = messages.findLastIndex((m) => m.role === "user");
  return messages.map((m, i) => {
    if (m.role !== "assistant" || i > lastUser) return m;
    const { hasThought, summary } = splitResponse(m.content);
    return hasThought ? { ...m, content: summary } : m;
  });
}

export type ThinkEvent = { kind: "thinking" | "answer"; text: string };

/**
 * Takes a response apart while it is written: feed text deltas cut anywhere, get the parts. Tags are never emitted, nor
 * half of one; the white space around a part is dropped. All "thinking" text together is `splitResponse`'s `thought`,
 * all "answer" text its `shown`.
 */
export class ThinkStream {
  #state: "start" | ThinkEvent["kind"];
  /** Text that may still become a tag. */
  #pending = "";
  /** White space seen after text of this part, owed if more text follows. */
  #space = "";
  #hasText = false;

  constructor({ prefilled = false }: Prefilled = {}) {
    this.#state = prefilled ? "thinking" : "start";
  }

  push(delta: string): ThinkEvent[] {
    this.#pending += delta;
    return this.#drain(false);
  }

  /** The response is over: what was held back is text after all. */
  end(): ThinkEvent[] {
    return this.#drain(true);
  }

  #drain(isEnd: boolean): ThinkEvent[] {
    const events: ThinkEvent[] = [];
    if (this.#state === "start") {
      const start = this.#pending.trimStart();
      if (start.startsWith(THINK_OPEN)) {
        this.#state = "thinking";
        this.#pending = start.slice(THINK_OPEN.length);
      } else if (isEnd || !THINK_OPEN.startsWith(start)) this.#state = "answer";
      else return events;
    }
    if (this.#state === "thinking") {
      if (!this.#upTo([THINK_CLOSE], isEnd, "thinking", events)) return events;
      this.#state = "answer";
      this.#space = "";
      this.#hasText = false;
    }
    while (this.#upTo(ANSWER_TAGS, isEnd, "answer", events));
    return events;
  }

  /** Emits the text before the first of `tags` and drops the tag: true. Else emits what cannot become one: false. */
  #upTo(tags: string[], isEnd: boolean, kind: ThinkEvent["kind"], events: ThinkEvent[]): boolean {
    let at = -1;
    let tag = "";
    for (const candidate of tags) {
      const found = this.#pending.indexOf(candidate);
      if (found >= 0 && (at < 0 || found < at)) [at, tag] = [found, candidate];
    }
    const end = at >= 0 ? at : this.#pending.length - (isEnd ? 0 : heldBack(this.#pending, tags));
    this.#emit(kind, this.#pending.slice(0, end), events);
    this.#pending = this.#pending.slice(end + tag.length);
    return at >= 0;
  }

  #emit(kind: ThinkEvent["kind"], piece: string, events: ThinkEvent[]): void {
    const owed = this.#hasText ? this.#space + piece : piece.trimStart();
    const text = owed.trimEnd();
    this.#space = owed.slice(text.length);
    if (!text) return;
    this.#hasText = true;
    events.push({ kind, text });
  }
}
