import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { readAllRows } from "#data";
import { readJsonLines } from "#run";
import type { CollectedRow } from "#teacher";
import { type Asked, fakeServer, sendJson, sendMessage } from "../../src/teacher/fake-server.ts";
import { aha, start } from "./cli.ts";
import { writeTinyModel } from "./tiny.ts";

const dir = mkdtempSync(join(tmpdir(), "aha-distill-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const numPrompts = 40;
const prompts = join(dir, "prompts.jsonl");
writeFileSync(prompts, Array.from({ length: numPrompts }, (_, i) => `{"prompt": "What is ${i} plus one?"}\n`).join(""));

const questionOf = ({ body }: Asked) => (body.messages as { content: string }[])[0]!.content;
/** A teacher who counts on, right but for every fourth question. */
function count(response: ServerResponse, asked: Asked): void {
  const n = Number(/\d+/.exec(questionOf(asked))?.[0]);
  sendMessage(response, {
    reasoning_content: "I take the number and go one step further from it.",
    content: n % 4 === 3 ? `I say ${"so again and ".repeat(60)}` : `It is ${n + 1}.`,
  });
}

const distill = (url: string, out: string, ...more: string[]) =>
  ["distill", "--teacher", url, "--prompts", prompts, "--out", out, "--teacher-model", "r1", ...more]; // biome-ignore format: one line

describe("aha distill from a server", () => {
  it("writes the thoughts and answers that pass, and says what was dropped", async () => {
    await using server = await fakeServer(count);
    const out = join(dir, "rows.jsonl");
    const { code, stdout } = await aha(...distill(server.url, out, "--limit", "8", "--seed", "3"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^prompts +8$/m);
    expect(stdout).toMatch(/^dropped: repetition +2$/m);
    expect(stdout).toMatch(/^rows +6$/m);
    const rows = readJsonLines<CollectedRow>(out);
    expect(rows[1]!.messages).toEqual([
      { role: "user", content: "What is 1 plus one?" },
      {
        role: "assistant",
        content: "<think>\nI take the number and go one step further from it.\n</think>\n\nIt is 2.",
      },
    ]);
    expect(rows[1]!.provenance).toMatchObject({ origin: "chat", model: "r1", seed: 3, temperature: 0.6, sample: 0 });
    expect(server.asked[0]!.body).toMatchObject({ model: "r1", temperature: 0.6, top_p: 0.95, max_tokens: 32_768 });
  });

  it("killed again and again while the server misbehaves, asks only what is missing and ends with the same rows", async () => {
    const [whole, out] = [join(dir, "whole.jsonl"), join(dir, "killed.jsonl")];
    await using calm = await fakeServer(count);
    await aha(...distill(calm.url, whole));
    let numAnswered = 0;
    await using wild = await fakeServer(async (response, asked, number) => {
      if (number % 7 === 2) return sendJson(response, { error: "busy" }, number % 2 ? 429 : 503);
      if (number % 11 === 5) return response.socket?.destroy();
      await sleep(60);
      numAnswered++;
      count(response, asked);
    });
    const journal = join(`${out}.progress`, "journal.jsonl");
    const numDone = () => (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length - 2 : 0);
    const command = distill(wild.url, out, "--concurrency", "2");
    for (const enough of [3, 9, 16]) {
      const { child, ended } = start(command);
      while (numDone() < enough) await sleep(5);
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      expect(existsSync(out)).toBe(false);
    }
    const [before, answeredBefore] = [numDone(), numAnswered];
    expect((await aha(...command)).code).toBe(0);
    expect(numAnswered - answeredBefore).toBeLessThanOrEqual(numPrompts - before + 2);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(whole, "utf8"));
    expect((await aha(...command)).stdout).toMatch(/^asked now +0$/m);
  });

  it("grades a task's answers by its rule, and shows JSON to whoever asks for it", async () => {
    await using server = await fakeServer((response, asked) =>
      asked.path === "/v1/models"
        ? sendJson(response, { data: [{ id: "only" }] })
        : sendMessage(response, {
            reasoning_content: "I count them one by one.",
            content: `It is ${questionOf(asked)}`,
          }),
    );
    const out = join(dir, "graded.parquet");
    const task = ["--task", "test/wet/tiny.ts#parity", "--without", "oneLanguage"];
    const { code, stdout } = await aha("distill", "--teacher", server.url, "--out", out, "--json", ...task);
    expect(code).toBe(0);
    const { verdicts, dropped, numRows } = JSON.parse(stdout);
    expect(verdicts.wrong).toBeGreaterThan(0);
    expect(dropped).toEqual({ correct: verdicts.wrong });
    expect([numRows, verdicts.correct + verdicts.wrong]).toEqual([verdicts.correct, 24]);
    const rows = (await readAllRows(out)) as CollectedRow[];
    expect(rows.map(({ provenance }) => provenance.model)).toEqual(Array(numRows).fill("only"));
  });

  it("drops what an evaluation set has", async () => {
    await using server = await fakeServer(count);
    const against = join(dir, "eval.jsonl");
    writeFileSync(against, '{"question": "take the NUMBER and go one step further from it it"}\n');
    const out = join(dir, "clean.jsonl");
    const { stdout } = await aha(...distill(server.url, out, "--limit", "8", "--against", against));
    expect(stdout).toMatch(/^dropped: contaminated +6$/m);
  });

  it("stops at a wrong key at once, without a stack, and says what to do", async () => {
    await using server = await fakeServer((response) => sendJson(response, { error: { message: "bad key" } }, 401));
    const { code, stderr, stdout } = await aha(...distill(server.url, join(dir, "key.jsonl"), "--concurrency", "1"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/answered 401: .*bad key.*environment variable/);
    expect(stderr + stdout).not.toMatch(/\n\s+at /);
    expect(server.asked.length).toBeLessThan(4);
  });

  it.each<[string[], RegExp]>([
    [["--task", "countdown"], /either --task .* or --prompts/],
    [["--without", "repetitions"], /no such filter\. Did you mean "repetition"\?/],
    [["--difficulty", "3"], /--difficulty is for --task/],
    [["--api-key-env", "AHA_NO_SUCH_KEY"], /AHA_NO_SUCH_KEY: this environment variable is not set/],
  ])("refuses %j", async (more, message) => {
    const { code, stderr } = await aha(...distill("http://127.0.0.1:9", join(dir, "no.jsonl"), ...more));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe("aha distill from a model folder", () => {
  it("killed in the middle, samples the same as one that was never stopped", async () => {
    const model = writeTinyModel(join(dir, "model"));
    const command = (out: string) =>
      ["distill", "--teacher", model, "--task", "countdown", "--limit", "60", "--samples", "4", "--max-tokens", "60", "--temperature", "1", "--top-p", "1", "--out", out, ...["finished", "correct", "summary", "oneLanguage", "repetition", "thought"].flatMap((name) => ["--without", name])]; // biome-ignore format: one line
    const [whole, out] = [join(dir, "local-whole.jsonl"), join(dir, "local-killed.jsonl")];
    expect(await aha(...command(whole))).toMatchObject({ code: 0 });
    const rows = readJsonLines<CollectedRow>(whole);
    expect(rows.length).toBeGreaterThan(200);
    expect(rows[0]!.provenance).toMatchObject({ origin: "policy", checkpoint: model, numSampled: 4 });
    const { child, ended } = start(command(out));
    const journal = join(`${out}.progress`, "journal.jsonl");
    while (!existsSync(journal) || readFileSync(journal, "utf8").split("\n").length < 5) await sleep(2);
    child.kill("SIGKILL");
    await ended;
    expect(await aha(...command(out))).toMatchObject({ code: 0 });
    expect(readFileSync(out, "utf8")).toBe(readFileSync(whole, "utf8"));
  });

  it("names a folder that is not there", async () => {
    const { stderr } = await aha(...distill(join(dir, "none"), join(dir, "no.jsonl")));
    expect(stderr).toMatch(/no such folder\. Expected an address/);
  });
});
