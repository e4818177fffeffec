import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listCheckpoints, loadLatestCheckpoint, rotateCheckpoints, saveCheckpoint } from "./checkpoints.ts";
import { removeLeftovers, writeFileAtomic, writeFolderAtomic } from "./durable.ts";
import { readJsonLines } from "./jsonl.ts";
import { defineRecipe, runRecipe } from "./recipe.ts";
import { openRun } from "./run-folder.ts";
import { finishSettingAside, setAside } from "./set-aside.ts";
import { stageRecords } from "./stage-record.ts";
import { readTable } from "./table.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "aha-crash-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const changing = [
  "writeSync",
  "renameSync",
  "rmSync",
  "mkdirSync",
  "fsyncSync",
  "closeSync",
  "linkSync",
  "openSync",
  "writeFileSync",
  "ftruncateSync",
  "truncateSync",
] as const;

/** Runs `work` as a process that dies at its `fatal`-th changing call: that call and all after it do nothing. True when it lived. */
async function livesPast(fatal: number, work: () => unknown): Promise<boolean> {
  const real = Object.fromEntries(changing.map((name) => [name, fs[name]]));
  let calls = 0;
  for (const name of changing) {
    const call = real[name] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        if (++calls >= fatal) throw new Error("killed");
        return call(...args);
      },
    });
  }
  syncBuiltinESMExports();
  try {
    await work();
  } catch (error) {
    if ((error as Error).message !== "killed") throw error;
  } finally {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  }
  return calls < fatal;
}

/** Kills `work` at each of its changing calls in turn; `check` sees what each leaves, with the call's number. Returns how many there are. */
async function killedEverywhere(
  prepare: (dir: string) => unknown,
  work: (dir: string) => unknown,
  check: (dir: string) => void,
): Promise<number> {
  for (let fatal = 1; ; fatal++) {
    const dir = mkdtempSync(join(root, `${fatal}-`));
    await prepare(dir);
    const lived = await livesPast(fatal, () => work(dir));
    removeLeftovers(dir);
    check(dir);
    expect(fs.readdirSync(dir).filter((name) => name.startsWith("."))).toEqual([]);
    if (lived) return fatal - 1;
  }
}

describe("killed at any one of its file-system calls", () => {
  const save = (dir: string, step: number) =>
    saveCheckpoint(dir, { step, lengths: {} }, (temporary) =>
      writeFileSync(join(temporary, "weights"), `weights ${step}`),
    );
  const whole = (dir: string, step: number) =>
    readFileSync(join(dir, String(step), "weights"), "utf8") === `weights ${step}`;

  it("a file written atomically is the old or the new one", async () => {
    const seen = new Set<string>();
    const numCalls = await killedEverywhere(
      (dir) => writeFileSync(join(dir, "f"), "old"),
      (dir) => writeFileAtomic(join(dir, "f"), "new"),
      (dir) => seen.add(readFileSync(join(dir, "f"), "utf8")),
    );
    expect(seen).toEqual(new Set(["old", "new"]));
    expect(numCalls).toBeGreaterThan(4);
  });

  it("a checkpoint is there whole or not at all", async () => {
    const last = new Set<number | undefined>();
    const numCalls = await killedEverywhere(
      (dir) => save(dir, 1),
      (dir) => save(dir, 2),
      (dir) => {
        expect(listCheckpoints(dir).every((step) => whole(dir, step))).toBe(true);
        last.add(loadLatestCheckpoint(dir)?.state.step);
      },
    );
    expect(last).toEqual(new Set([1, 2]));
    expect(numCalls).toBeGreaterThan(8);
  });

  it("a replaced folder is the old or the new one", async () => {
    const fill = (text: string) => (temporary: string) => writeFileSync(join(temporary, "f"), text);
    const seen = new Set<string>();
    await killedEverywhere(
      (dir) => writeFolderAtomic(join(dir, "model"), fill("old")),
      (dir) => writeFolderAtomic(join(dir, "model"), fill("new")),
      (dir) => seen.add(readFileSync(join(dir, "model", "f"), "utf8")),
    );
    expect(seen).toEqual(new Set(["old", "new"]));
  });

  it("rotation leaves the last and the best, whole", async () => {
    const prepare = async (dir: string) => {
      for (const step of [1, 2, 3, 4]) await save(dir, step);
    };
    await killedEverywhere(
      prepare,
      (dir) => rotateCheckpoints(dir, { keep: 1, best: 2 }),
      (dir) => {
        const steps = listCheckpoints(dir);
        expect(steps).toEqual(expect.arrayContaining([2, 4]));
        expect(steps.every((step) => whole(dir, step))).toBe(true);
      },
    );
  });
});

it("killed at any of its calls while it sets stages aside, a run has them all or none, and loses nothing", async () => {
  const recipe = defineRecipe({
    name: "r",
    config: {},
    async run({ stage, run }) {
      for (const name of ["one", "two", "three"])
        await stage(name, async () => {
          run.appendMetrics({ step: 1 });
          run.table.add(name, { figure: 1 });
          await saveCheckpoint(run.claimCheckpoints(), { step: 1, lengths: run.lengths() }, () => {});
        });
    },
  });
  const count = (dir: string) => [
    stageRecords(dir).length,
    readdirSync(join(dir, "checkpoints")).length,
    readTable(join(dir, "table.json")).rows.length,
    readJsonLines(join(dir, "metrics.jsonl")).length,
  ];
  const seen = new Set<string>();
  const numCalls = await killedEverywhere(
    (dir) => runRecipe(recipe, { dir, seed: 1 }),
    (dir) => setAside(dir, stageRecords(dir).slice(1)),
    (dir) => {
      finishSettingAside(dir);
      const aside = join(dir, "aside", "1");
      const isAside = existsSync(join(aside, "moved.json"));
      seen.add(`${isAside}: ${count(dir).join(" ")}`);
      if (isAside) expect(count(aside).join(" ")).toBe("2 2 3 3");
    },
  );
  expect(seen).toEqual(new Set(["false: 3 3 3 3", "true: 1 1 1 1"]));
  expect(numCalls).toBeGreaterThan(30);
});

const url = (file: string) => JSON.stringify(import.meta.resolve(file));

function startChild(script: string): ChildProcess {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout!.setEncoding("utf8");
  return child;
}

/** Everything a child writes on stdout until it ends. */
async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout!.on("data", (part: string) => {
    text += part;
  });
  await once(child, "close");
  return text;
}

it("killed by -9 at random instants, a run goes on from a whole checkpoint with exactly its lines", {
  timeout: 120_000,
}, async () => {
  const dir = join(root, "r1");
  const options = { dir, recipe: "r", config: { lr: 1 }, seed: 1 };
  const script = `
    import { writeFileSync } from "node:fs";
    import { loadLatestCheckpoint, rotateCheckpoints, saveCheckpoint } from ${url("./checkpoints.ts")};
    import { openRun } from ${url("./run-folder.ts")};
    const run = openRun(${JSON.stringify(options)});
    const latest = loadLatestCheckpoint(run.checkpointsDir);
    run.truncateTo(latest?.state.lengths ?? {});
    process.stdout.write("open");
    for (let step = (latest?.state.step ?? 0) + 1; ; step++) {
      run.appendMetrics({ step });
      run.appendRollouts([{ step, text: "x".repeat(5000) }, { step }]);
      const state = { step, lengths: run.lengths() };
      await saveCheckpoint(run.checkpointsDir, state, (folder) => writeFileSync(folder + "/weights", String(step).repeat(50_000)));
      rotateCheckpoints(run.checkpointsDir, { keep: 2 });
    }`;
  let before = 0;
  for (let kill = 0; kill < 12; kill++) {
    const child = startChild(script);
    await once(child.stdout!, "data");
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 120));
    child.kill("SIGKILL");
    await once(child, "close");
    using run = openRun(options);
    const steps = listCheckpoints(run.checkpointsDir);
    for (const step of steps)
      expect(readFileSync(join(run.checkpointsDir, `${step}`, "weights"), "utf8")).toBe(String(step).repeat(50_000));
    const latest = loadLatestCheckpoint(run.checkpointsDir);
    run.truncateTo(latest?.state.lengths ?? {});
    const last = latest?.state.step ?? 0;
    expect(last).toBeGreaterThanOrEqual(before);
    expect(steps.length).toBeLessThanOrEqual(3);
    expect(readJsonLines(run.path("metrics.jsonl"))).toEqual(Array.from({ length: last }, (_, i) => ({ step: i + 1 })));
    expect(readJsonLines(run.path("rollouts.jsonl"))).toHaveLength(2 * last);
    before = last;
  }
  expect(before).toBeGreaterThan(0);
});

it("of processes that take and lose one lock for a while, some killed, never two hold it", {
  timeout: 120_000,
}, async () => {
  const script = (isKilled: boolean) => `
    import { readFileSync, rmSync, writeFileSync } from "node:fs";
    import { acquireLock, processStartTime } from ${url("./lock.ts")};
    const marker = ${JSON.stringify(join(root, "marker"))};
    const end = Date.now() + 1500;
    let held = 0;
    while (Date.now() < end) {
      let lock;
      try { lock = acquireLock(${JSON.stringify(root)}); } catch (error) {
        if (!/is in use by process/.test(error.message)) throw error;
        continue;
      }
      let other;
      try { other = Number(readFileSync(marker, "utf8")); } catch {}
      if (other && processStartTime(other) !== undefined) process.stdout.write("BOTH " + other + " and " + process.pid);
      writeFileSync(marker, String(process.pid));
      held++;
      const until = performance.now() + Math.random() * 2;
      while (performance.now() < until);
      if (${isKilled} && held > 20) process.kill(process.pid, "SIGKILL");
      rmSync(marker);
      lock.release();
    }
    process.stdout.write("held " + (held > 0));`;
  const outputs = await Promise.all(
    [false, false, false, true, true].map((isKilled) => outputOf(startChild(script(isKilled)))),
  );
  expect(outputs.join(" ")).not.toContain("BOTH");
  expect(outputs.filter((text) => text === "held true").length).toBeGreaterThanOrEqual(2);
});

it("of eight processes that start at once on a dead process's lock, one gets it", { timeout: 60_000 }, async () => {
  writeFileSync(
    join(root, "lock.7"),
    JSON.stringify({ pid: 1, startTime: "1", bootId: "an earlier boot", host: hostname(), since: "" }),
  );
  const script = `
    import { existsSync } from "node:fs";
    import { acquireLock } from ${url("./lock.ts")};
    process.stdout.write("ready ");
    while (!existsSync(${JSON.stringify(join(root, "go"))}));
    try { acquireLock(${JSON.stringify(root)}); process.stdout.write("mine"); } catch (error) { process.stdout.write(error.message); }
    setInterval(() => existsSync(${JSON.stringify(join(root, "end"))}) && process.exit(), 20);`;
  const texts = Array.from({ length: 8 }, () => "");
  const children = texts.map((_, i) => {
    const child = startChild(script);
    child.stdout!.on("data", (part: string) => {
      texts[i] += part;
    });
    return child;
  });
  const all = (pattern: RegExp) =>
    expect.poll(() => texts.every((text) => pattern.test(text)), { timeout: 20_000 }).toBe(true);
  await all(/ready /);
  writeFileSync(join(root, "go"), "");
  await all(/mine|is in use/);
  writeFileSync(join(root, "end"), "");
  await Promise.all(children.map((child) => child.exitCode ?? once(child, "close")));
  expect(texts.filter((text) => text.includes("mine"))).toHaveLength(1);
  expect(existsSync(join(root, "lock.7"))).toBe(false);
});
