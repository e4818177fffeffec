/** R1 on a user's own rows, killed while it asks a server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FakeServer, fakeServer } from "../../src/teacher/fake-server.ts";
import { aha, type Started, start } from "./cli.ts";
import { answerAs, readPrompt } from "./knowing-teacher.ts";
import { outcome } from "./outcome.ts";
import { learnSolutions, ownSettings, writeSources } from "./own-data.ts";

let dir: string;
let server: FakeServer;
let settings: string[];
/** How often each prompt was asked by the run under way. */
const counts = new Map<string, number>();
/** At which question of a prompt the run dies, once each. */
const deaths = new Map<string, number>();
let running: Started | undefined;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-r1-data-killed-"));
  const solutions = new Map<string, string>();
  server = await fakeServer((response, asked) => {
    const { name } = readPrompt(asked);
    const number = (counts.get(name) ?? 0) + 1;
    counts.set(name, number);
    if (deaths.get(name) !== number) return answerAs(solutions, response, asked);
    deaths.delete(name);
    running!.child.kill("SIGKILL");
  });
  const sources = writeSources(dir);
  for (const name of ["math", "choice"]) await learnSolutions(solutions, name, sources[name]!);
  settings = ownSettings(dir, sources, server.url).flatMap((one) => ["--set", one]);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const command = (run: string) => ["train", "recipes/r1.ts", "--tiny", "--out", dir, "--run", run, ...settings];
const rows = ["cold-start/cold-start", "sampling/math", "sampling/choice", "sampling/own", "general/general", "judging/pairs", "judging/responses"].map((path) => `stages/${path}.jsonl`); // biome-ignore format: one line

it("gives the same rows and table when it is killed in the middle of what it asks of each", async () => {
  expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
  const whole = new Map(counts);
  counts.clear();
  for (const name of ["author-rewrite", "judge-equal", "author-answer-reasoned", "judge-scores"])
    deaths.set(name, Math.ceil(whole.get(name)! / 2));
  while (deaths.size > 0) {
    running = start(command("killed"));
    expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
  }
  expect(await aha(...command("killed"))).toMatchObject({ code: 0 });
  expect(outcome(join(dir, "killed"), rows)).toEqual(outcome(join(dir, "whole"), rows));
  // Asked again: no more than was under way, eight prompts at once, and of pairs each in four rounds.
  const again = (name: string) => counts.get(name)! - whole.get(name)!;
  expect(["author-few-shot", "judge-safe"].map(again)).toEqual([0, 0]);
  expect(again("author-answer-reasoned")).toBeLessThanOrEqual(8);
  expect(again("judge-scores")).toBeLessThanOrEqual(32);
});
