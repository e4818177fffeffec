import { createParser } from "eventsource-parser";
import { splitResponse, THINK_CLOSE } from "#tokenizer";
import { ChatError, type Reply } from "./chat.ts";

/** The parts of an OpenAI-compatible body that are read here; foreign, so nothing of it is taken for granted. */
type Message = { content?: unknown; reasoning_content?: unknown; reasoning?: unknown };
type Choice = { message?: Message; delta?: Message; finish_reason?: unknown };
type Body = {
  choices?: Choice[];
  usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null;
  error?: unknown;
};

/** Reads an answer that came as one JSON body. @throws ChatError for anything that is none. */
export function replyOfJson(text: string, where: string): Reply {
  const body = parse(text, where);
  const choice = body.choices?.[0];
  if (typeof choice?.message !== "object" || choice.message === null)
    throw unreadable(where, `no choices[0].message in ${excerpt(text)}`);
  const { content, reasoning } = partsOf(choice.message);
  return finish(content, reasoning, choice.finish_reason, body.usage);
}

export type ReplyReader = {
  push: (text: string) => void;
  /** The server has said that it is done ("[DONE]"). */
  isDone: () => boolean;
  /** @throws ChatError for an answer that broke off. */
  end: () => Reply;
};

/** Reads an answer that comes piece by piece as server-sent events: `push` the text until there is no more or `isDone`, then `end`. */
export function replyReader(where: string): ReplyReader {
  let isDone = false;
  const whole = { content: "", reasoning: "" };
  let finishReason: unknown;
  let usage: Body["usage"];
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data.trim() === "[DONE]") isDone = true;
      if (isDone) return;
      const body = parse(data, where);
      if (body.usage) usage = body.usage;
      const choice = body.choices?.[0];
      if (choice?.finish_reason) finishReason = choice.finish_reason;
      const { content, reasoning } = partsOf(choice?.delta ?? {});
      whole.content += content;
      whole.reasoning += reasoning;
    },
  });
  return {
    push: (text) => parser.feed(text),
    isDone: () => isDone,
    end: () => {
      if (finishReason === undefined)
        throw new ChatError(
          `${where}: the answer broke off after ${whole.reasoning.length + whole.content.length} characters.`,
          { canRetry: true },
        );
      return finish(whole.content, whole.reasoning, finishReason, usage);
    },
  };
}

function parse(text: string, where: string): Body {
  let body: Body | null;
  try {
    body = JSON.parse(text) as Body | null;
  } catch (cause) {
    throw unreadable(where, `no JSON (${(cause as Error).message}): ${excerpt(text)}`, cause);
  }
  if (typeof body !== "object" || body === null) throw unreadable(where, `no JSON object: ${excerpt(text)}`);
  if (body.error) throw unreadable(where, `an error: ${excerpt(JSON.stringify(body.error))}`);
  return body;
}

/** Servers name the thought differently; a field that is no text counts as not there. */
function partsOf(message: Message): { content: string; reasoning: string } {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    content: text(message.content),
    reasoning: text(message.reasoning_content) || text(message.reasoning),
  };
}

function finish(content: string, reasoning: string, finishReason: unknown, usage: Body["usage"]): Reply {
  const parts = reasoning === "" ? apart(content) : { reasoning: reasoning.trim(), content: content.trim() };
  const [prompt, completion] = [usage?.prompt_tokens, usage?.completion_tokens];
  return {
    ...parts,
    finishReason: finishReason === "length" ? "length" : finishReason === "content_filter" ? "filtered" : "stop",
    ...(typeof prompt === "number" &&
      typeof completion === "number" && { usage: { promptTokens: prompt, completionTokens: completion } }),
  };
}

/** A thought that stands in the content. Its `<think>` is missing where the server's template wrote it into the prompt. */
function apart(content: string): Pick<Reply, "reasoning" | "content"> {
  const isInside = !splitResponse(content).hasThought && content.includes(THINK_CLOSE);
  const { thought, summary } = splitResponse(content, { prefilled: isInside });
  return { reasoning: thought, content: summary };
}

const unreadable = (where: string, what: string, cause?: unknown) =>
  new ChatError(`${where}: the server answered with ${what}.`, { canRetry: true, cause });

/** One line of at most 200 characters. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
