import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"; // biome-ignore format: one line
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aha, type Ended, root, start } from "./cli.ts";
import { writeTinyModel } from "./tiny.ts";

let dir: string;
let model: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-cli-"));
  model = writeTinyModel(join(dir, "model"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A user's mistake: exit code 1, one error on stderr that begins with the command's name, no stack. */
function expectMistake({ code, stderr }: Ended, message: RegExp): void {
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  expect(stderr).toMatch(/^aha: /);
  expect(stderr).not.toMatch(/\n\s+at |\bnode:internal/);
}

describe("aha score", () => {
  const golden = join(root, "test/golden/models");
  const ids = (text: string) => {
    const path = join(dir, `ids-${readdirSync(dir).length}.jsonl`);
    writeFileSync(path, text);
    return path;
  };
  type Golden = { sequences: number[][]; logprobs: number[][] };
  const names = readdirSync(golden).filter((name) => statSync(join(golden, name)).isDirectory());

  it.each(names)(
    "%s: gives transformers' logprobs within 1e-4, one line each in order, with no tokenizer there",
    async (name) => {
      expect(existsSync(join(golden, name, "tokenizer.json"))).toBe(false);
      const { sequences, logprobs }: Golden = JSON.parse(readFileSync(join(golden, name, "golden.json"), "utf8"));
      const path = ids(sequences.map((sequence) => JSON.stringify({ ids: sequence })).join("\n"));
      const { code, stdout } = await aha("score", join(golden, name), "--in", path);
      expect(code).toBe(0);
      const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, number[]>); // biome-ignore format: one line
      expect(lines.map((line) => Object.keys(line))).toEqual(sequences.map(() => ["logprobs"]));
      expect(lines.map((line) => line.logprobs!.length)).toEqual(sequences.map((sequence) => sequence.length - 1));
      const worst = Math.max(...lines.flatMap((line, s) => line.logprobs!.map((value, i) => Math.abs(value - logprobs[s]![i]!)))); // biome-ignore format: one line
      expect(worst).toBeLessThan(1e-4);
    },
  );

  it("skips empty lines, answers a line of one id or none with none, and reads standard input", async () => {
    const args = ["score", join(golden, "qwen2-tied"), "--in", "-"];
    const { code, stdout } = await start(args, {}, '{"ids":[7]}\r\n\n  \n{"ids":[]}\n{"ids":[1,2]}').ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{"logprobs":\[\]\}\n\{"logprobs":\[\]\}\n\{"logprobs":\[-\d+\.\d+\]\}\n$/);
  });

  it.each([
    ['{"ids":[1,2]}\n{"ids":[1,100]}', /:2: id 100 is not one of the model's vocabulary, 0 to 99\./],
    ['\n{"ids":[1,-1]}', /:2: id -1 is not/],
    ['{"ids":[1,1.5]}', /:1: id 1\.5 is not/],
    ['{"ids":[1,"2"]}', /:1: id "2" is not/],
    ["ids", /:1: not JSON .*Expected \{"ids": \[1, 2, 3\]\}/],
    ["null", /:1: no array "ids"/],
    ['{"tokens":[1]}', /:1: no array "ids"/],
  ])("names file and line of what it cannot read: %j", async (text, message) => {
    expectMistake(await aha("score", join(golden, "qwen2-tied"), "--in", ids(text)), message);
  });

  it("says what is missing: the input, the model, a temperature above 0", async () => {
    expectMistake(await aha("score", model, "--in", join(dir, "none")), /none: cannot be read \(ENOENT\)/);
    expectMistake(await aha("score", model, "--in", dir), /is a folder/);
    expectMistake(await aha("score", join(dir, "none"), "--in", ids("")), /none: no such model folder/);
    expectMistake(
      await aha("score", model, "--in", ids(""), "--temperature", "0"),
      /--temperature 0: expected above 0/,
    );
  });
});

describe("aha eval, check, chat, doctor", () => {
  it("eval --json prints one object with each figure and what it was measured with", async () => {
    const { code, stdout } = await aha("eval", model, "--task", "countdown", "--samples", "3", "--limit", "4", "--max-new-tokens", "8", "--json"); // biome-ignore format: one line
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    const estimate = { value: expect.any(Number), standardError: expect.any(Number) };
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ model, task: "countdown", temperature: 0.6, topP: 0.95, maxNewTokens: 8, seed: 1, samples: 3 },
      ...{ numProblems: 4, accuracy: estimate, passAtK: estimate, consensus: estimate, length: estimate },
    });
  });

  it("check countdown passes", async () => {
    const { code, stdout } = await aha("check", "countdown");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("countdown") });
  });

  it("chat answers one question and leaves, and a conversation from standard input", async () => {
    const once = await aha("chat", model, "--once", "Make 3 from 1, 2.", "--max-new-tokens", "5");
    expect(once).toMatchObject({ code: 0, stderr: "" });
    expect(once.stdout.trim()).not.toBe("");
    const piped = await start(["chat", model, "--max-new-tokens", "5"], {}, "Make 3.\n\nMake 4.\n").ended;
    expect(piped).toMatchObject({ code: 0, stderr: "" });
    expect(piped.stdout.trim().split("\n").length).toBeGreaterThanOrEqual(2);
    expectMistake(await aha("chat", model, "--once", "1 ".repeat(300)), /a prompt of \d+ tokens .* context of 128/);
  });

  it("doctor --json is an object of checks", async () => {
    const report = JSON.parse((await aha("doctor", "--json")).stdout);
    expect(report).toMatchObject({ healthy: true, checks: expect.arrayContaining([expect.objectContaining({ name: "libtorch", state: expect.stringMatching(/ok|warning/) })]) }); // biome-ignore format: one line
  });

  it.each([
    ["noRows", /task no-rows: load\("test"\) threw TypeError: rows\.map is not a function\. Mend the task/],
    ["noPrompt", /task no-prompt: prompt\(\{"n":\d\}\) threw RangeError: nothing to ask/],
    ["noVerdict", /32 of 32 answers have no reward.*the verifier is down.*judge can be reached/],
    ["tooLong", /a prompt of \d+ tokens and an answer of up to 8 exceed the model's context of 128/],
  ])("a task of one's own that fails is named: %s", async (name, message) => {
    expectMistake(
      await aha("eval", model, "--task", `test/wet/bad-tasks.ts#${name}`, "--max-new-tokens", "8"),
      message,
    );
  });

  it("names that are not there get the nearest that is", async () => {
    expectMistake(await aha("eval", model, "--task", "contdown"), /no such task\. Did you mean "countdown"\?/);
    expectMistake(await aha("eval", join(dir, "none"), "--task", "countdown"), /none: no such model folder/);
  });
});

describe("aha train", () => {
  const out = () => ["--out", join(dir, "out")];
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };

  it("the main job's tiny run finishes, with one JSON object per step on stdout and the words apart; its report opens", async () => {
    const { code, stdout, stderr } = await aha("train", "recipes/r1-zero.ts", "--tiny", "--json", "--run", "zero", "--set", `model=${model}`, ...out()); // biome-ignore format: one line
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, number>); // biome-ignore format: one line
    const steps = lines.filter(({ step }) => step !== undefined);
    expect(lines.length).toBeGreaterThan(steps.length); // The stages have lines of their own.
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, i) => i + 1));
    expect(steps.at(-1)!.step).toBe(steps[0]!.steps);
    expect(stderr).toContain("held-out accuracy");
    const run = join(dir, "out", "zero");
    const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"));
    const figures = { accuracy: expect.anything(), consAt16: expect.anything(), meanTokens: expect.anything(), format: expect.anything() }; // biome-ignore format: one line
    expect(summary).toMatchObject({ base: figures, trained: figures, steps: steps.length, seed: 1 });
    expect(readFileSync(join(run, "report.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i);
  });

  it("writes plain lines where no terminal is, and the same command again does nothing twice", async () => {
    const args = ["train", "examples/my-recipe.ts", "--tiny", "--run", "sums", "--set", `model=${model}`, ...out()];
    const first = await aha(...args);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/step\s+reward[\s\S]*\n\s*3\/3 /);
    for (const control of ["\x1b", "\r"]) expect(first.stdout).not.toContain(control);
    const again = await aha(...args);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).not.toContain("3/3");
  });

  it("the embedded model's recipe and the algorithm by hand finish", async () => {
    const made = join(dir, "base");
    const base = await aha(
      "train",
      "recipes/tiny-base.ts",
      "--tiny",
      "--run",
      "base",
      "--set",
      `output=${made}`,
      ...out(),
    );
    expect(base).toMatchObject({ code: 0 });
    expect(existsSync(join(made, "model.safetensors"))).toBe(true);
    const byHand = spawnSync(process.execPath, ["--conditions=aha-src", "--import", "tsx", "examples/grpo-by-hand.ts", made, "1"], { cwd: root, encoding: "utf8" }); // biome-ignore format: one line
    expect(byHand).toMatchObject({ status: 0, stdout: expect.stringMatching(/^rollout 1: reward/) });
  });

  it("refuses what is no recipe, and says what one is", async () => {
    const recipe = (path: string, ...more: string[]) => aha("train", path, ...more, ...out());
    expectMistake(await recipe(join(dir, "none.ts")), /none\.ts: no such file/);
    expectMistake(await recipe(file("empty.ts", "export const a = 1;")), /empty\.ts: no recipe\. Expected: export default defineRecipe/); // biome-ignore format: one line
    expectMistake(await recipe(file("syntax.ts", "export default {")), /syntax\.ts: does not load: [\s\S]*ERROR/);
    expectMistake(await recipe(file("throws.ts", 'throw new TypeError("boom")')), /throws\.ts: does not load: boom/);
  });

  it("refuses settings that are none, before a folder is made", async () => {
    const named = (run: string) => aha("train", "recipes/r1-zero.ts", "--tiny", "--run", run, ...out());
    for (const run of ["../escaped", "..", join(dir, "escaped")])
      expectMistake(await named(run), /--run .*: leads out of .*out\. Expected the name of a folder in it/);
    expect(existsSync(join(dir, "escaped"))).toBe(false);
    const set = (text: string) => aha("train", "recipes/r1-zero.ts", "--run", "unset", "--set", text, ...out());
    expectMistake(await set("grpo.grupSize=4"), /--set grpo\.grupSize=4: no such setting\. Did you mean "groupSize"\?/);
    expectMistake(await set("grpo.ratio=tokens"), /"tokens" is not .*token.*sequence.*output/);
    expect(existsSync(join(dir, "out", "unset"))).toBe(false);
  });

  it("refuses a run that cannot fit into memory, and names the setting to change", async () => {
    const args = ["train", "test/wet/kill-recipe.ts", "--run", "large", "--set", `model=${model}`, ...out()];
    expectMistake(await aha(...args, "--set", "grpo.microBatchTokens=9000000000"), /this run needs about \d+ MiB \(.*activations \d+ MiB.*are available\. Lower microBatchTokens \(now 9000000000\)/); // biome-ignore format: one line
  });
});

describe("what a run has saved is not lost", () => {
  const command = (run: string, out = dir) => ["train", "test/wet/kill-recipe.ts", "--out", out, "--run", run, "--set", `model=${model}`, "--set", "grpo.steps=12"]; // biome-ignore format: one line
  const weights = (run: string) => readFileSync(join(dir, run, "checkpoints", "grpo", "12", "model.safetensors")).toString("base64"); // biome-ignore format: one line
  let whole: string;
  beforeAll(async () => {
    expect(await aha(...command("whole"))).toMatchObject({ code: 0 });
    whole = weights("whole");
    expect(await start(command("half"), { TEST_KILL_AT: "saving:2" }).ended).toMatchObject({ signal: "SIGKILL" });
  });

  const damages: [string, string, (path: string) => void, RegExp][] = [
    ["truncated weights", "model.safetensors", (path) => truncateSync(path, statSync(path).size - 100), /model\.safetensors: .*delete .*checkpoints\/grpo\/4 to resume from the one before it/], // biome-ignore format: one line
    ["an empty optimizer", "optimizer.safetensors", (path) => truncateSync(path, 0), /optimizer\.safetensors: .*delete .*checkpoints\/grpo\/4 /], // biome-ignore format: one line
    ["a reference that is gone", "reference/model.safetensors", (path) => rmSync(path), /reference: no weights\..*delete .*checkpoints\/grpo\/4 to/], // biome-ignore format: one line
    ["a state.json of garbage", "state.json", (path) => writeFileSync(path, "\0\0\0"), /state\.json: is not whole JSON .*Delete .*checkpoints\/grpo\/4 to resume from the one before it/], // biome-ignore format: one line
  ];
  it.each(damages)(
    "by a checkpoint with %s: it is named, and put right the run goes on as if never stopped",
    async (what, name, damage, message) => {
      const run = what.replaceAll(/\W/g, "-");
      cpSync(join(dir, "half"), join(dir, run), { recursive: true });
      const path = join(dir, run, "checkpoints", "grpo", "4", name);
      damage(path);
      const before = readFileSync(join(dir, run, "metrics.jsonl"), "utf8");
      expectMistake(await aha(...command(run)), message);
      expect(before.startsWith(readFileSync(join(dir, run, "metrics.jsonl"), "utf8"))).toBe(true);
      copyFileSync(join(dir, "half", "checkpoints", "grpo", "4", name), path);
      expect(await aha(...command(run))).toMatchObject({ code: 0 });
      expect(weights(run)).toBe(whole);
    },
  );

  it("by deleting a corrupt checkpoint: the run begins from the one before, or anew, to the same end", async () => {
    cpSync(join(dir, "half"), join(dir, "deleted"), { recursive: true });
    rmSync(join(dir, "deleted", "checkpoints", "grpo", "4"), { recursive: true });
    expect(await aha(...command("deleted"))).toMatchObject({ code: 0 });
    expect(weights("deleted")).toBe(whole);
  });

  it("by another config: it is refused, with what differs", async () => {
    expectMistake(await aha(...command("half"), "--set", "grpo.lr=0.5"), /half exists with a different config \(grpo\.lr 0\.003 → 0\.5\)/); // biome-ignore format: one line
  });

  /** As root, or by a user namespace: a mount namespace whose mounts end with it. */
  const unshare = process.getuid?.() === 0 ? ["-m"] : ["-rm"];
  const probe = spawnSync("unshare", [...unshare, "mount", "-t", "tmpfs", "tmpfs", "/tmp"], { encoding: "utf8" });
  const reason = probe.status === 0 ? "" : (probe.error?.message ?? probe.stderr.trim());
  if (reason !== "") console.log(`skipped: full disk and read-only folder by the command line, since this process cannot mount (${reason})`); // biome-ignore format: one line
  const quoted = (args: readonly string[]) => args.map((arg) => `'${arg}'`).join(" ");
  const mounted = (mount: string, args: readonly string[], after = ":"): Ended => {
    const cli = quoted([process.execPath, "--conditions=aha-src", "--import", "tsx", "src/cli/main.ts", ...args]);
    const script = `${mount} || exit 99; ${cli}; code=$?; ${after}; exit $code`;
    const { status, stdout, stderr } = spawnSync("unshare", [...unshare, "sh", "-c", script], { cwd: root, encoding: "utf8", env: { ...process.env, OMP_NUM_THREADS: "1", NO_COLOR: "1" } }); // biome-ignore format: one line
    return { code: status, signal: null, stdout, stderr };
  };

  it.skipIf(reason !== "")("by a full disk: it says so, and what was saved goes on elsewhere to the same end", () => {
    const [small, rescued] = [join(dir, "small"), join(dir, "rescued")];
    mkdirSync(small);
    const ended = mounted(
      `mount -t tmpfs -o size=1200k tmpfs ${small}`,
      command("r", small),
      `cp -r ${small}/r ${rescued}`,
    );
    expectMistake(ended, /small\/r\/.*: the disk is full\. Everything saved before is whole\..*\(ENOSPC\)/);
    const steps = readdirSync(join(rescued, "checkpoints", "grpo"));
    expect(steps.length).toBeGreaterThan(0);
    expect(steps).not.toContain("12");
    const again = mounted("true", command("rescued"));
    expect(again).toMatchObject({ code: 0 });
    expect(weights("rescued")).toBe(whole);
  });

  it.skipIf(reason !== "")("by a read-only run folder: it is refused by name", () => {
    const run = join(dir, "half");
    const ended = mounted(`mount --bind ${run} ${run} && mount -o remount,ro,bind ${run}`, command("half"));
    expectMistake(ended, /half: the file system is read-only\. Choose a folder that can be written \(EROFS\)/);
  });
});
