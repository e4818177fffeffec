import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { readJsonLines } from "#run";
import type { CollectedRow } from "#teacher";
import { fakeServer, sendJson } from "../../src/teacher/fake-server.ts";
import { aha, start } from "./cli.ts";
import { count, distillFrom, writePrompts } from "./counting-teacher.ts";
import { writeModel } from "./own-data.ts";

const dir = writePrompts();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("aha distill from a server", () => {
  it("writes the thoughts and answers that pass, and says what was dropped", async () => {
    await using server = await fakeServer(count);
    const out = join(dir, "rows.jsonl");
    const { code, stdout } = await aha(...distillFrom(server.url, dir, "rows.jsonl", "--limit", "8", "--seed", "3"));
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
    await aha(...distillFrom(calm.url, dir, "whole.jsonl"));
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
    const command = distillFrom(wild.url, dir, "killed.jsonl", "--concurrency", "2");
    for (const enough of [3, 16]) {
      const { child, ended } = start(command);
      while (numDone() < enough) await sleep(5);
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      expect(existsSync(out)).toBe(false);
    }
    const [before, answeredBefore] = [numDone(), numAnswered];
    expect((await aha(...command)).code).toBe(0);
    expect(numAnswered - answeredBefore).toBeLessThanOrEqual(40 - before + 2);
    expect(readFileSync(out, "utf8")).toBe(readFileSync(whole, "utf8"));
    expect((await aha(...command)).stdout).toMatch(/^asked now +0$/m);
  });

  it("stops at a wrong key at once, without a stack, and says what to do", async () => {
    await using server = await fakeServer((response) => sendJson(response, { error: { message: "bad key" } }, 401));
    const { code, stderr, stdout } = await aha(...distillFrom(server.url, dir, "key.jsonl", "--concurrency", "1"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/answered 401: .*bad key.*environment variable/);
    expect(stderr + stdout).not.toMatch(/\n\s+at /);
    expect(server.asked.length).toBeLessThan(4);
  });
});

describe("aha distill with a student", () => {
  const runs = join(dir, "runs");
  const withStudent = (url: string, student: string, ...more: string[]) =>
    distillFrom(url, dir, "lessons.jsonl", "--limit", "8", "--student", student, "--out-dir", runs, ...more);

  it("trains it on the rows as recipes/sft.ts does, and the same command goes on with both", async () => {
    const student = writeModel(join(dir, "student"));
    await using server = await fakeServer(count);
    const command = withStudent(server.url, student, "--run", "lessons", "--set", "sft.steps=2");
    const { code, stdout, stderr } = await aha(...command);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^rows +6$.*^sequences: 6 of lessons\.jsonl; 2 steps$/ms);
    const config = JSON.parse(readFileSync(join(runs, "lessons/config.json"), "utf8"));
    expect(config).toMatchObject({ recipe: "sft", config: { model: student, data: [join(dir, "lessons.jsonl")] } });
    expect(existsSync(join(runs, "lessons/checkpoints/sft/2/model.safetensors"))).toBe(true);
    const again = await aha(...command);
    expect([again.code, server.asked.length]).toEqual([0, 8]);
    expect(again.stdout).toMatch(/^asked now +0$.*^stage sft: done before/ms);
  });

  it("trains nobody on rows that are not all there yet", async () => {
    await using server = await fakeServer((response, asked, number) =>
      number === 3 ? sendJson(response, {}, 400) : count(response, asked),
    );
    const command = withStudent(server.url, "tiny-student", "--run", "part", "--out", join(dir, "part.jsonl"));
    const { code, stdout } = await aha(...command);
    expect(code).toBe(1);
    expect(stdout).toMatch(/1 prompts got no answer.*tiny-student is trained once all are answered/);
    expect(existsSync(join(runs, "part"))).toBe(false);
  });

  it("asks nothing for a student that cannot be trained, or settings that nobody has", async () => {
    await using server = await fakeServer(count);
    const none = await aha(...withStudent(server.url, join(dir, "nobody")));
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/nobody: no such model folder/)]);
    const typo = await aha(...withStudent(server.url, "tiny-student", "--set", "sft.step=2"));
    expect([typo.code, typo.stderr]).toEqual([1, expect.stringMatching(/Did you mean "steps"/)]);
    const alone = await aha(...distillFrom(server.url, dir, "no.jsonl", "--set", "sft.steps=2"));
    expect([alone.code, alone.stderr]).toEqual([
      1,
      expect.stringMatching(/--set .* is for the training of a --student/),
    ]);
    expect(server.asked).toHaveLength(0);
  });
});
