import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readJsonLines } from "#run";
import { aha, type Ended, start } from "./cli.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let model: string;
let whole: ReturnType<typeof outcome>;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "aha-kill-"));
  model = writeTinyModel(join(dir, "model"));
  expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
  whole = outcome("whole");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const command = (run: string) => ["train", "test/wet/kill-recipe.ts", "--out", dir, "--run", run, "--set", `model=${model}`]; // biome-ignore format: one line

/** What must be the same: metrics but for times, answers, and the weights, byte for byte. */
function outcome(run: string) {
  const lines = readJsonLines<Record<string, number>>(join(dir, run, "metrics.jsonl"));
  const withoutTimes = lines.map((line) =>
    JSON.stringify(Object.entries(line).filter(([name]) => !name.startsWith("time/"))),
  );
  const last = join(dir, run, "checkpoints", "grpo", "24");
  return {
    metrics: withoutTimes,
    rollouts: readFileSync(join(dir, run, "rollouts.jsonl"), "utf8"),
    weights: ["model.safetensors", "optimizer.safetensors", "reference/model.safetensors"].map((name) =>
      readFileSync(join(last, name)).toString("base64"),
    ),
  };
}

const until = async (isTrue: () => boolean) => {
  for (let waited = 0; !isTrue(); waited += 5) {
    if (waited > 60_000) throw new Error("waited a minute in vain");
    await sleep(5);
  }
};
const metricsOf = (run: string) => join(dir, run, "metrics.jsonl");
const numSteps = (run: string) => (existsSync(metricsOf(run)) ? readFileSync(metricsOf(run), "utf8").split("\n").length - 1 : 0); // biome-ignore format: one line

it("a run that is never stopped trains: rewards, weights and reference change, and all of its steps are there", () => {
  expect(whole.metrics).toHaveLength(24);
  const lines = readJsonLines<Record<string, number>>(metricsOf("whole"));
  expect(lines.every((line) => line["train/gradNorm"]! > 0)).toBe(true);
  expect(lines.filter((line) => line["eval/accuracy"] !== undefined).map(({ step }) => step)).toEqual([4, 8, 12, 16, 20, 24]); // biome-ignore format: one line
  expect(whole.weights[0]).not.toBe(whole.weights[2]);
});

describe("killed and started again with the same command, number for number as one never stopped", () => {
  // One run, killed at each of these in turn; it goes on from its last checkpoint each time.
  const instants = [
    "inside sampling:3",
    "renewing:1",
    "updating:2",
    "inside evaluating:1",
    "saving:1",
    "fsyncSync:2",
    "renameSync:2",
    "sampling:3",
    "evaluating:2",
    "fsyncSync:12",
    "renameSync:5",
    "rmSync:1",
  ];
  it(`at ${instants.join(", ")}`, async () => {
    const signals: (string | null)[] = [];
    for (const instant of instants) signals.push((await start(command("killed"), { TEST_KILL_AT: instant }).ended).signal); // biome-ignore format: one line
    expect(signals.filter((signal) => signal === "SIGKILL").length).toBeGreaterThanOrEqual(10);
    expect(await aha(...command("killed"))).toMatchObject({ code: 0 });
    expect(outcome("killed")).toEqual(whole);
    expect(readdirSync(join(dir, "killed", "checkpoints", "grpo")).every((name) => /^\d+$/.test(name))).toBe(true);
  });

  it("at random instants, wherever they fall", async () => {
    for (let round = 0, isDone = false; !isDone; round++) {
      const { child, ended } = start(command("random"));
      const delay = 1200 + ((round * 617) % 1900); // After the start, which takes a second or two.
      const timer = round < 6 ? setTimeout(() => child.kill("SIGKILL"), delay) : undefined;
      const { signal, code, stderr } = await ended;
      clearTimeout(timer);
      if (signal === null) expect({ code, stderr }).toMatchObject({ code: 0 });
      isDone = signal === null;
    }
    expect(outcome("random")).toEqual(whole);
  });
});

it("a second process on the same run folder is refused and disturbs nothing; the same run may go on after", async () => {
  const first = start(command("twice"));
  await until(() => numSteps("twice") >= 2);
  first.child.kill("SIGSTOP"); // It would be done before the second has started.
  const second = await aha(...command("twice"));
  first.child.kill("SIGCONT");
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toMatch(/^aha: .*twice.*process \d+/);
  expect(second.stderr).not.toMatch(/\n\s+at /);
  expect(await first.ended).toMatchObject({ code: 0 });
  expect(outcome("twice")).toEqual(whole);
});

describe("Ctrl-C", () => {
  it("once finishes the step, saves, leaves with 130, and the same command goes on to the same numbers", async () => {
    const { child, ended } = start(command("stopped"));
    await until(() => numSteps("stopped") >= 2);
    child.kill("SIGINT");
    const { code, stdout, stderr }: Ended = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain("Finishing this step, then a checkpoint");
    expect(stdout).toMatch(/Stopped\. The same command goes on from the last checkpoint in .*stopped\.\n$/);
    const done = numSteps("stopped");
    expect(done).toBeLessThan(24);
    expect(existsSync(join(dir, "stopped", "checkpoints", "grpo", String(done), "state.json"))).toBe(true);
    expect(await aha(...command("stopped"))).toMatchObject({ code: 0 });
    expect(outcome("stopped").metrics).toEqual(whole.metrics);
    expect(outcome("stopped").weights).toEqual(whole.weights);
  });

  it("twice leaves at once, and nothing that was saved is lost", async () => {
    const { child, ended } = start(command("hurried"));
    await until(() => numSteps("hurried") >= 2);
    child.kill("SIGINT");
    await sleep(2);
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(await aha(...command("hurried"))).toMatchObject({ code: 0 });
    expect(outcome("hurried").weights).toEqual(whole.weights);
  });
});
