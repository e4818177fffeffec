import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to the chat API as the fake server saw it. */
export type Asked = { path: string; authorization: string | undefined; body: Record<string, unknown> };

export type FakeServer = { url: string; asked: Asked[]; [Symbol.asyncDispose]: () => Promise<void> };

/** For tests: a local HTTP server whose every answer, good or bad, is written by `answer`. */
export async function fakeServer(
  answer: (response: ServerResponse, asked: Asked, number: number) => unknown,
): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server: Server = createServer(async (request, response) => {
    const one = await read(request);
    asked.push(one);
    try {
      await answer(response, one, asked.length - 1);
    } catch (error) {
      sendJson(response, { error: `the test's own server: ${(error as Error).stack}` }, 418);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = "";
  for await (const piece of request) text += piece;
  return {
    path: request.url ?? "",
    authorization: request.headers.authorization,
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** One JSON body, as a server that does not stream sends it. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** A whole answer in one body. */
export function sendMessage(response: ServerResponse, message: object, finish_reason = "stop"): void {
  sendJson(response, {
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
    usage: { prompt_tokens: 7, completion_tokens: 11 },
  });
}

/** Server-sent events, cut anywhere; each delta is one event. `end` false leaves the stream open. */
export function sendEvents(response: ServerResponse, events: readonly unknown[], end = true): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
  if (end) response.end("data: [DONE]\n\n");
}

export const delta = (part: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: part, finish_reason }],
});
