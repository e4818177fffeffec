import { describe, expect, it } from "vitest";
import { UserError } from "#run";
import { user } from "#tasks";
import { endpoint } from "./endpoint.ts";
import { delta, type FakeServer, fakeServer, sendEvents, sendJson, sendMessage } from "./fake-server.ts";
import { delayAfter } from "./limit.ts";

const question = [user("What is 6 times 7?")];
const quick = { model: "r1", firstDelayMs: 1, retries: 2, timeoutMs: 2000 };
const open = ({ url }: FakeServer, options: Partial<Parameters<typeof endpoint>[0]> = {}) =>
  endpoint({ url, ...quick, ...options });

describe("what an answer may look like", () => {
  it("is the reasoning and the content of a stream, with its usage", async () => {
    await using server = await fakeServer((response) =>
      sendEvents(response, [
        delta({ role: "assistant", content: null }),
        delta({ reasoning_content: "six sev" }),
        delta({ reasoning_content: "ens" }),
        delta({ content: "42" }),
        delta({}, "stop"),
        { choices: [], usage: { prompt_tokens: 5, completion_tokens: 9 } },
      ]),
    );
    const { chat } = await open(server);
    expect(await chat(question, { temperature: 0.6, topP: 0.95, maxTokens: 100, seed: 3 })).toEqual({
      reasoning: "six sevens",
      content: "42",
      finishReason: "stop",
      usage: { promptTokens: 5, completionTokens: 9 },
    });
    expect(server.asked[0]).toMatchObject({
      path: "/v1/chat/completions",
      authorization: undefined,
      body: { model: "r1", messages: question, temperature: 0.6, top_p: 0.95, max_tokens: 100, seed: 3, stream: true },
    });
  });

  it.each([
    ["reasoning_content", { reasoning_content: " hm ", content: " 42 " }],
    ["reasoning", { reasoning: "hm", content: "42" }],
    ["a thought in the content", { content: "<think>\nhm\n</think>\n\n42" }],
    ["a thought whose opening the template wrote", { content: "hm\n</think>\n\n42" }],
  ])("is one JSON body with %s", async (_, message) => {
    await using server = await fakeServer((response) => sendMessage(response, message));
    const { chat } = await open(server);
    expect(await chat(question)).toMatchObject({ reasoning: "hm", content: "42", finishReason: "stop" });
  });

  it.each([
    ["length", "length"],
    ["content_filter", "filtered"],
  ])("ended by %s is %s", async (finish, expected) => {
    await using server = await fakeServer((response) => sendMessage(response, { content: "4" }, finish));
    expect((await (await open(server)).chat(question)).finishReason).toBe(expected);
  });
});

describe("a server in trouble", () => {
  const answerAt = (number: number, bad: Parameters<typeof fakeServer>[0]) =>
    fakeServer((response, asked, i) =>
      i < number ? bad(response, asked, i) : sendMessage(response, { content: "42" }),
    );

  it.each<[string, Parameters<typeof fakeServer>[0]]>([
    ["429", (response) => sendJson(response, { error: "slow down" }, 429)],
    ["500", (response) => sendJson(response, { error: "oh" }, 500)],
    ["503 without a body", (response) => response.writeHead(503).end()],
    ["a cut connection", (response) => response.socket?.destroy()],
    ["a body that is cut off", (response) => response.writeHead(200, { "content-length": "99" }).end('{"choi')],
    ["no JSON", (response) => response.writeHead(200).end("<html>502</html>")],
    ["JSON that is no answer", (response) => sendJson(response, { choices: [] })],
    ["null", (response) => sendJson(response, null)],
    ["a stream without an end", (response) => sendEvents(response, [delta({ content: "4" })])],
    ["a stream with an error in it", (response) => sendEvents(response, [{ error: { message: "out of memory" } }])],
    [
      "a stream that is no JSON",
      (response) => response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {\n\n"),
    ],
  ])("is asked again after %s", async (_, bad) => {
    await using server = await answerAt(1, bad);
    expect((await (await open(server)).chat(question)).content).toBe("42");
    expect(server.asked).toHaveLength(2);
  });

  it("is asked again when it says nothing, before its headers or in the middle", async () => {
    await using server = await answerAt(2, (response, _, i) => {
      if (i === 1) sendEvents(response, [delta({ content: "4" })], false);
    });
    expect((await (await open(server, { timeoutMs: 100 })).chat(question)).content).toBe("42");
    expect(server.asked).toHaveLength(3);
  });

  it("may take longer than the timeout as long as it keeps writing", async () => {
    await using server = await fakeServer(async (response) => {
      sendEvents(response, [], false);
      for (const content of ["4", "2", "!"]) {
        await new Promise((resolve) => setTimeout(resolve, 120));
        response.write(`data: ${JSON.stringify(delta({ content }))}\n\n`);
      }
      response.end(`data: ${JSON.stringify(delta({}, "stop"))}\n\n`);
    });
    expect((await (await open(server, { timeoutMs: 250, retries: 0 })).chat(question)).content).toBe("42!");
  });

  it("may leave the connection open once it has said that it is done", async () => {
    await using server = await fakeServer((response) => {
      sendEvents(response, [delta({ content: "42" }, "stop")], false);
      response.write("data: [DONE]\n\n");
    });
    expect((await (await open(server, { retries: 0 })).chat(question)).content).toBe("42");
  });

  it("is left alone for as long as it asks", async () => {
    await using server = await answerAt(1, (response) => response.writeHead(429, { "retry-after": "0.3" }).end());
    const delays: number[] = [];
    const { chat } = await open(server, { onRetry: (_, delayMs) => delays.push(delayMs) });
    await chat(question);
    expect(delays).toEqual([300]);
  });

  it("is left alone for an hour at most, whatever it asks", () => {
    expect([0, 1, 30].map((attempt) => delayAfter(attempt, 1000))).toEqual([1000, 2000, 60_000]);
    expect(delayAfter(0, 1000, 90_000)).toBe(90_000);
    expect(delayAfter(0, 1000, 9_999_999_000)).toBe(3_600_000);
  });

  it("is given up with its own words and the number of requests", async () => {
    await using server = await fakeServer((response) => sendJson(response, { error: "no GPU left" }, 500));
    await expect((await open(server)).chat(question)).rejects.toThrow(/answered 500: .*no GPU left.*Asked 3 times/);
    expect(server.asked).toHaveLength(3);
  });

  it("that nobody runs is named", async () => {
    const server = await fakeServer(() => {});
    await server[Symbol.asyncDispose]();
    await expect((await open(server, { retries: 0 })).chat(question)).rejects.toThrow(
      /connection failed.*ECONNREFUSED/,
    );
  });
});

describe("a request that cannot be answered", () => {
  it.each([
    [401, true],
    [404, true],
    [400, false],
  ])("%s is not made again; fatal: %s", async (status, isFatal) => {
    await using server = await fakeServer((response) => sendJson(response, { error: "no" }, status));
    await expect((await open(server)).chat(question)).rejects.toMatchObject({ isFatal, canRetry: false });
    expect(server.asked).toHaveLength(1);
  });

  it("needs the key whose variable was named, and sends it", async () => {
    await using server = await fakeServer((response) => sendMessage(response, { content: "42" }));
    await expect(open(server, { apiKeyEnv: "AHA_TEST_KEY" })).rejects.toThrow(/AHA_TEST_KEY.*not set/);
    process.env.AHA_TEST_KEY = "secret";
    await (await open(server, { apiKeyEnv: "AHA_TEST_KEY" })).chat(question);
    delete process.env.AHA_TEST_KEY;
    expect(server.asked[0]?.authorization).toBe("Bearer secret");
  });

  it("has an address that is one", async () => {
    await expect(endpoint({ url: "localhost:8000", model: "r1" })).rejects.toThrow(/not an address/);
  });

  it.each([0, -1, 2 ** 31, 1e102, Number.NaN])(
    "has a timeout that a timer holds, which %s is not",
    async (timeoutMs) => {
      const opened = endpoint({ url: "http://localhost:8000", model: "r1", timeoutMs });
      await expect(opened).rejects.toThrow(/timeoutMs is .*at most 2147483647/);
    },
  );
});

it("keeps the address's query in every request, and out of what it says", async () => {
  await using server = await fakeServer((response, { path }) =>
    path.includes("/models") ? sendJson(response, { data: [{ id: "only" }] }) : sendJson(response, {}, 400),
  );
  const { chat } = await endpoint({ url: `${server.url}/?api-version=1` });
  await expect(chat(question)).rejects.toThrow(/completions: the server answered 400/);
  expect(server.asked.map(({ path }) => path)).toEqual([
    "/v1/models?api-version=1",
    "/v1/chat/completions?api-version=1",
  ]);
});

it("asks the server for its only model where none is named, and which where it has several", async () => {
  let models: unknown = { data: [{ id: "only" }] };
  await using server = await fakeServer((response, { path }) =>
    path === "/v1/models"
      ? models === undefined
        ? sendJson(response, {}, 404)
        : sendJson(response, models)
      : sendMessage(response, { content: "42" }),
  );
  const bare = new URL(server.url).origin;
  expect((await endpoint({ url: bare })).name).toBe("only");
  models = { data: [{ id: "a" }, { id: "b" }] };
  await expect(endpoint({ url: bare })).rejects.toThrow(/several models.*a, b/);
  models = { data: [null] };
  expect((await endpoint({ url: bare })).name).toBe("default");
  models = undefined;
  expect((await endpoint({ url: bare })).name).toBe("default");
});

it.each<[string, Parameters<typeof fakeServer>[0], RegExp]>([
  ["refuses the key", (response) => sendJson(response, { error: "bad key" }, 401), /answered 401.*bad key.*API key/],
  ["cuts the connection", (response) => response.socket?.destroy(), /connection failed.*Asked 3 times/],
  ["finds no sense in the question", (response) => sendJson(response, {}, 400), /answered 400/],
])("a server that %s when its model is asked for is a user's mistake", async (_, answer, message) => {
  await using server = await fakeServer(answer);
  const opened = endpoint({ url: server.url, firstDelayMs: 1, retries: 2 });
  await expect(opened).rejects.toThrow(UserError);
  await expect(opened).rejects.toThrow(message);
  await expect(opened).rejects.toThrow(/v1\/models: .*Expected the list of its models.*or name the model/);
});

it("has at most so many requests under way, retries included", async () => {
  let [running, most] = [0, 0];
  await using server = await fakeServer(async (response, _, number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
    if (number % 3 === 0) sendJson(response, {}, 503);
    else sendMessage(response, { content: "42" });
  });
  const { chat } = await open(server, { concurrency: 3, retries: 9 });
  const replies = await Promise.all(Array.from({ length: 12 }, () => chat(question)));
  expect(replies.map(({ content }) => content)).toEqual(Array(12).fill("42"));
  expect(most).toBe(3);
});
