import type { Message } from "#tasks";

export type ChatOptions = {
  temperature?: number;
  topP?: number;
  /** Limit of what is written, the reasoning included. */
  maxTokens?: number;
  /** Another seed draws another answer to the same messages, where whoever answers can. */
  seed?: number;
};

export type Reply = {
  /** What was thought, "" where nothing was or where it is kept back. */
  reasoning: string;
  /** What follows the thought. */
  content: string;
  /** "stop": ended by itself; "length": cut at its limit; "filtered": its server withheld it. */
  finishReason: "stop" | "length" | "filtered";
  usage?: { promptTokens: number; completionTokens: number };
};

/** Answers a conversation. @throws ChatError when no answer can be had, after whatever retries are worth it. */
export type Chat = (messages: readonly Message[], options?: ChatOptions) => Promise<Reply>;

/** Somebody who can be asked: a server elsewhere, or a model in this process. */
export type ChatModel = {
  /** What provenance and reports call it. */
  name: string;
  chat: Chat;
};

/** Why no answer could be had. */
export class ChatError extends Error {
  override name = "ChatError";
  /** The same question may be answered later: it was the server's or the network's trouble. */
  readonly canRetry: boolean;
  /** No question will be answered until a person has mended something (key, address, model name). */
  readonly isFatal: boolean;
  /** It is this question's own trouble, and says nothing of others: too long, for one. */
  readonly isOfQuestion: boolean;
  /** What the server answered, where it did. */
  readonly status: number | undefined;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: {
      canRetry?: boolean;
      isFatal?: boolean;
      isOfQuestion?: boolean;
      status?: number;
      retryAfterMs?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = options.status;
    this.canRetry = options.canRetry ?? false;
    this.isFatal = options.isFatal ?? false;
    this.isOfQuestion = options.isOfQuestion ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
