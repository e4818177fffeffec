import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { readAllRows } from "#data";
import { readJsonLines } from "#run";
import type { CollectedRow } from "#teacher";
import { fakeServer, sendJson, sendMessage } from "../../src/teacher/fake-server.ts";
import { aha, start } from "./cli.ts";
import { count, distillFrom, questionOf, writePrompts } from "./counting-teacher.ts";
import { writeTinyModel } from "./tiny.ts";

const dir = writePrompts();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("aha distill from a server", () => {
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

  it("keeps what a judge finds equal to the truth, and nothing that he does not decide", async () => {
    const withTruth = join(dir, "truth.jsonl");
    writeFileSync(
      withTruth,
      [1, 2, 3].map((n) => `{"question": "What is ${n}0 plus one?", "answer": "${n}1"}\n`).join(""),
    );
    await using server = await fakeServer(count);
    await using judge = await fakeServer((response, asked) => {
      const isOfTwo = questionOf(asked).includes("What is 20");
      sendMessage(response, { content: isOfTwo ? "Both are fine." : "It says the same.\nVerdict: equal" });
    });
    const out = join(dir, "judged.jsonl");
    const asked = ["distill", "--teacher", server.url, "--teacher-model", "r1", "--prompts", withTruth, "--out", out];
    const { stdout } = await aha(...asked, "--judge", judge.url, "--judge-model", "v3");
    expect(stdout).toMatch(/^judged verifierError +1$/m);
    expect(judge.asked[0]!.body).toMatchObject({ model: "v3", temperature: 0 });
    const rows = readJsonLines<CollectedRow>(out);
    expect(rows.map(({ provenance }) => provenance.gradedBy)).toEqual(["v3, asked in words", "v3, asked in words"]);
    expect((await aha(...asked)).stderr).toMatch(/other settings .*gradedBy/);
  });

  it("drops what an evaluation set has", async () => {
    await using server = await fakeServer(count);
    const against = join(dir, "eval.jsonl");
    writeFileSync(against, '{"question": "take the NUMBER and go one step further from it it"}\n');
    const { stdout } = await aha(...distillFrom(server.url, dir, "clean.jsonl", "--limit", "8", "--against", against));
    expect(stdout).toMatch(/^dropped: contaminated +6$/m);
  });

  it.each<[string[], RegExp]>([
    [["--task", "countdown"], /either --task .* or --prompts/],
    [["--without", "repetitions"], /no such filter\. Did you mean "repetition"\?/],
    [["--difficulty", "3"], /--difficulty is for --task/],
    [["--temperature", "-1"], /--temperature.*Expected 0 \(greedy\) or more/],
    [["--top-p", "0"], /--top-p.*Expected above 0, at most 1/],
    [["--timeout", "1e99"], /--timeout.*Expected at most 2147483 seconds/],
    [["--api-key-env", "AHA_NO_SUCH_KEY"], /AHA_NO_SUCH_KEY: this environment variable is not set/],
  ])("refuses %j", async (more, message) => {
    const { code, stderr } = await aha(...distillFrom("http://127.0.0.1:9", dir, "no.jsonl", ...more));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

it("says that a file of prompts is empty", async () => {
  writeFileSync(join(dir, "empty.jsonl"), "");
  const out = join(dir, "nothing.jsonl");
  const asked = ["distill", "--teacher", "http://127.0.0.1:9", "--prompts", join(dir, "empty.jsonl"), "--out", out];
  expect(await aha(...asked)).toMatchObject({ code: 1, stderr: expect.stringMatching(/empty\.jsonl: no rows/) });
  expect(existsSync(`${out}.progress`)).toBe(false);
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

  it("goes on with a list that has grown, by longer prompts and by some that leave no room for an answer", async () => {
    const model = writeTinyModel(join(dir, "growing-model")); // Its context is 128.
    const prompts = join(dir, "growing.jsonl");
    const lines = (texts: string[]) => texts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join("");
    writeFileSync(prompts, lines(["one", "two"]));
    const out = join(dir, "growing-rows.jsonl");
    const every = ["finished", "summary", "oneLanguage", "repetition", "thought"];
    const command = ["distill", "--teacher", model, "--prompts", prompts, "--out", out, "--json", ...every.flatMap((name) => ["--without", name])]; // biome-ignore format: one line
    expect(await aha(...command)).toMatchObject({ code: 0 });
    const first = readFileSync(out, "utf8");
    const tooLong = Array.from({ length: 11 }, (_, i) => `${i} ${"no room ".repeat(200)}`);
    writeFileSync(prompts, lines(["one", "two", ...tooLong, `three ${"and on ".repeat(8)}`]));
    const { code, stdout, stderr } = await aha(...command);
    expect(code).toBe(1);
    expect(stderr).toMatch(/tokens leaves no room for an answer in its context of 128/);
    expect(JSON.parse(stdout)).toMatchObject({ numAsked: 12, numFailed: 11, numSampled: 3 });
    expect(readFileSync(out, "utf8").slice(0, first.length)).toBe(first);
  });

  it("takes an embedded model by its name", async () => {
    const out = join(dir, "embedded.jsonl");
    const asked = ["--task", "countdown", "--limit", "1", "--max-tokens", "4", "--out", out, "--json"];
    const { code, stdout } = await aha("distill", "--teacher", "tiny-base", ...asked);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ numSampled: 1, numFailed: 0 });
  });

  it("names a folder that is not there", async () => {
    const { stderr } = await aha(...distillFrom(join(dir, "none"), dir, "no.jsonl"));
    expect(stderr).toMatch(/no such folder\. Expected an address/);
  });
});
