import { UserError } from "#run";
import { ChatError, type ChatModel, type ChatOptions } from "./chat.ts";
import { limiter, type RetryOptions, withRetries } from "./limit.ts";
import { excerpt, replyOfJson, replyReader } from "./reply.ts";
import { retryAfterMs } from "./retry-after.ts";

export type EndpointOptions = Partial<RetryOptions> & {
  /** Where the API is, its version included ("https://api.deepseek.com/v1"); "/v1" is added to a bare host. */
  url: string;
  /** The only one the server lists, where not given. */
  model?: string;
  /** Name of the environment variable that holds the key; no key is sent where absent. */
  apiKeyEnv?: string;
  /** Requests under way at once. */
  concurrency?: number;
  /** Longest silence: a server that sends nothing for so long is asked again. At most 24 days. */
  timeoutMs?: number;
};

/** What a timer holds (24 days); one that is asked for more goes off at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** `query` goes with every request, but into no message: it may hold a key. */
type Server = { base: string; query: string; headers: Record<string, string>; timeoutMs: number };

/**
 * A model behind an OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ollama, DeepSeek, …). Answers are streamed, so
 * that hours of thinking are no timeout; a server that cannot stream may send one JSON body. The thought is read from
 * `reasoning_content` (or `reasoning`), or from `<think>` inside the content.
 * Busy servers (429), their errors (5xx), silence, cut connections and bodies that are no answer are asked again.
 * @throws UserError for an address, key or model name that cannot be right; its `chat` throws ChatError.
 */
export async function endpoint(options: EndpointOptions): Promise<ChatModel> {
  const { concurrency = 8, retries = 5, firstDelayMs = 1000, timeoutMs = 120_000, onRetry } = options;
  if (!(timeoutMs > 0 && timeoutMs <= longestTimeoutMs))
    throw new UserError(`timeoutMs is ${timeoutMs}. Expected above 0, at most ${longestTimeoutMs} (24 days).`);
  const server: Server = { ...addressOf(options.url), headers: headersOf(options.apiKeyEnv), timeoutMs };
  const retry = { retries, firstDelayMs, onRetry };
  const model = options.model ?? (await withRetries(() => onlyModel(server), retry).catch(explainUnnamed));
  const limit = limiter(concurrency);
  return {
    name: model,
    chat: (messages, chatOptions = {}) =>
      limit(() =>
        withRetries(() => complete(server, { model, messages, stream: true, ...foreign(chatOptions) }), retry),
      ),
  };
}

function addressOf(url: string): Pick<Server, "base" | "query"> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UserError(`${url}: not an address. Expected one like http://localhost:8000/v1.`);
  const parsed = new URL(url);
  const path = parsed.pathname.replace(/\/(chat\/completions)?\/?$/, "");
  return { base: `${parsed.origin}${path || "/v1"}`, query: parsed.search };
}

function headersOf(apiKeyEnv: string | undefined): Record<string, string> {
  const json = { "content-type": "application/json" };
  if (apiKeyEnv === undefined) return json;
  const key = process.env[apiKeyEnv];
  if (!key) throw new UserError(`${apiKeyEnv}: this environment variable is not set. Expected the server's API key.`);
  return { ...json, authorization: `Bearer ${key}` };
}

/** Settings by the names of the OpenAI API; those not given are left to the server. */
const foreign = ({ temperature, topP, maxTokens, seed }: ChatOptions) => ({
  stream_options: { include_usage: true },
  temperature,
  top_p: topP,
  max_tokens: maxTokens,
  seed,
});

async function complete(server: Server, body: object) {
  const where = `${server.base}/chat/completions`;
  return request(server, where, { method: "POST", body: JSON.stringify(body) }, async (response, pieces) => {
    if (!response.headers.get("content-type")?.includes("text/event-stream"))
      return replyOfJson(await joined(pieces), where);
    const reader = replyReader(where);
    for await (const piece of pieces) {
      reader.push(piece);
      // Some leave the connection open: what comes after the end is nobody's answer.
      if (reader.isDone()) break;
    }
    return reader.end();
  });
}

/** The model to ask for: the one that is served, or "default" where a server names none (then it has only one). */
async function onlyModel(server: Server): Promise<string> {
  const where = `${server.base}/models`;
  try {
    const text = await request(server, where, {}, (_, pieces) => joined(pieces));
    const list = (JSON.parse(text) as { data?: { id?: string }[] } | null)?.data;
    const names = Array.isArray(list) ? list.flatMap((one) => one?.id ?? []) : [];
    if (names.length > 1)
      throw new UserError(`${where}: the server has several models. Choose one of: ${names.join(", ")}.`);
    return names[0] ?? "default";
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof ChatError && error.status === 404)) return "default";
    throw error;
  }
}

/** Nothing has been asked yet, so there is nobody but the user to mend it. */
function explainUnnamed(error: unknown): never {
  if (!(error instanceof ChatError)) throw error;
  throw new UserError(
    `${error.message} Expected the list of its models, since no model was named. See that the server runs and takes the key, or name the model.`,
    { cause: error },
  );
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

/** One request; whatever goes wrong is a ChatError that knows whether asking again may help. */
async function request<T>(
  { query, headers, timeoutMs }: Server,
  where: string,
  init: RequestInit,
  read: (response: Response, pieces: AsyncIterable<string>) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const silence = setTimeout(() => controller.abort(), timeoutMs);
  async function* pieces(response: Response) {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      silence.refresh();
      yield decoder.decode(bytes as Uint8Array, { stream: true });
    }
  }
  try {
    const response = await fetch(`${where}${query}`, { ...init, headers, signal: controller.signal });
    silence.refresh();
    if (!response.ok) throw refusal(where, response, await joined(pieces(response)));
    return await read(response, pieces(response));
  } catch (error) {
    if (error instanceof ChatError) throw error;
    if (controller.signal.aborted)
      throw new ChatError(`${where}: silent for ${timeoutMs / 1000} s.`, { canRetry: true, cause: error });
    const { message } = ((error as Error).cause as Error | undefined) ?? (error as Error);
    throw new ChatError(`${where}: the connection failed (${message || (error as Error).message}).`, {
      canRetry: true,
      cause: error,
    });
  } finally {
    clearTimeout(silence);
  }
}

function refusal(where: string, { status, headers }: Response, body: string): ChatError {
  const hints: Record<number, string> = {
    401: " Set the API key's environment variable and name it.",
    403: " Set the API key's environment variable and name it.",
    404: " Check the address (it usually ends in /v1) and the model's name.",
  };
  return new ChatError(
    `${where}: the server answered ${status}: ${excerpt(body) || "nothing"}.${hints[status] ?? ""}`,
    {
      status,
      canRetry: [408, 409, 425, 429].includes(status) || status >= 500,
      isFatal: status in hints,
      retryAfterMs: retryAfterMs(headers.get("retry-after")),
    },
  );
}
