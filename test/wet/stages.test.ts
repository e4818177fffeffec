import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readJsonLines } from "#run";
import { tensorboardFormat } from "../../src/run/tensorboard.ts";
import { wandbFormat } from "../../src/run/wandb.ts";
import { aha, start } from "./cli.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let model: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-stages-"));
  model = writeTinyModel(join(dir, "model"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const command = (run: string, ...more: string[]) => ["train", "test/wet/stages-recipe.ts", "--out", dir, "--run", run, "--set", `model=${model}`, ...more]; // biome-ignore format: one line
const metrics = (run: string) =>
  readJsonLines<Record<string, unknown>>(join(dir, run, "metrics.jsonl")).map((line) => Object.entries(line).filter(([name]) => !name.startsWith("time/"))); // biome-ignore format: one line
const weights = (run: string) =>
  readFileSync(join(dir, run, "checkpoints", "second", "4", "model.safetensors")).toString("base64");

it("stopped after a stage, gone on with by the line it prints, redone from a stage: the numbers of a run that never stopped", async () => {
  expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
  const stopped = await aha(...command("parts", "--until", "first"));
  expect(stopped.code).toBe(0);
  const line = /Stage first is done.*To go on: npx aha (.*)\n/.exec(stopped.stdout)?.[1];
  expect(line?.split(" ").toSorted()).toEqual(command("parts").toSorted());
  expect(existsSync(join(dir, "parts", "checkpoints", "second"))).toBe(false);
  expect(await aha(...line!.split(" "))).toMatchObject({ code: 0 });
  expect([metrics("parts"), weights("parts")]).toEqual([metrics("whole"), weights("whole")]);

  const redone = await aha(...command("parts", "--from", "second"));
  expect(redone).toMatchObject({ code: 0, stdout: expect.stringMatching(/set aside in .*aside\/1, .*: second\n/) });
  expect(redone.stdout).toMatch(/first +4\.00 +3\.00\nsecond +4\.00 +3\.00\n/);
  expect([metrics("parts"), weights("parts")]).toEqual([metrics("whole"), weights("whole")]);
  expect(readdirSync(join(dir, "parts", "aside", "1", "checkpoints"))).toEqual(["second"]);
});

it("killed inside a stage, with its settings changed: says what that would invalidate, and mirrors have each step once", async () => {
  const args = command("killed", "--tensorboard", "--wandb-offline");
  expect(await start(args, { TEST_KILL_IN: "second" }).ended).toMatchObject({ signal: "SIGKILL" });
  const changed = await aha(...args, "--set", "first.lr=0.001");
  expect(changed).toMatchObject({ code: 1, stderr: expect.stringContaining("invalid with this: first, second.") });
  expect(await aha(...args)).toMatchObject({ code: 0 });
  expect(metrics("killed")).toEqual(metrics("whole"));
  const find = (folder: string) => join(folder, readdirSync(folder).find((name) => name !== "files")!);
  for (const stage of ["first", "second"]) {
    const events = readFileSync(find(join(dir, "killed", "tensorboard", stage)));
    expect(tensorboardFormat().ends(events)).toHaveLength(1 + 4);
  }
  const run = readFileSync(find(find(join(dir, "killed", "wandb"))));
  const format = wandbFormat({ id: "x", project: "x", name: "x", config: {}, startedAt: 0 });
  expect(format.ends(run)).toHaveLength(2 + 2 * 8 + 1);
});

it("aha runs lists them and compares two, in words, as JSON and as a page", async () => {
  expect(await aha(...command("other", "--set", "second.lr=0.001"))).toMatchObject({ code: 0 });
  const listed = JSON.parse((await aha("runs", dir, "--json")).stdout) as Record<string, unknown>[];
  expect(listed.map(({ name, state, stage, step }) => [name, state, stage, step])).toEqual(
    ["other", "killed", "parts", "whole"].map((name) => [name, "done", "second", 4]),
  );
  const page = join(dir, "page.html");
  const { code, stdout } = await aha("runs", "whole", "other", "--out", dir, "--html", page);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("second.lr 0.003 → 0.001") });
  expect(stdout).toMatch(/reward\/mean +-?[\d.e-]+ +-?[\d.e-]+\n/);
  const html = readFileSync(page, "utf8");
  expect(html).toContain("second.lr 0.003 → 0.001");
  expect(html.match(/<svg /g)?.length).toBeGreaterThanOrEqual(2);
  expect(html).not.toMatch(/NaN|undefined|<script/);
  expect(await aha("runs", "whole", "nix", "--out", dir)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^aha: nix: no run here/) }); // biome-ignore format: one line
});
