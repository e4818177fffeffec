import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type MetricsLine, MetricsMirror, type MirrorFormat } from "./metrics-mirror.ts";
import { defineRecipe, runRecipe } from "./recipe.ts";
import { crc32c, tensorboardFormat } from "./tensorboard.ts";
import { wandbExit, wandbFormat } from "./wandb.ts";

const golden = join(import.meta.dirname, "../../test/golden/mirrors");
const given = JSON.parse(readFileSync(join(golden, "lines.json"), "utf8"));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "aha-mirrors-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

const lines: MetricsLine[] = [...given.lines, { step: 4, text: "x".repeat(given.longValue) }];
const formats: [string, () => MirrorFormat][] = [
  ["tensorboard", tensorboardFormat],
  ["wandb", () => wandbFormat(given.run)],
];
const atGivenTime = () => vi.useFakeTimers({ now: given.at * 1000 });

describe("byte for byte what Python's libraries write:", () => {
  it("TensorBoard's event file", () => {
    atGivenTime();
    const mirror = new MetricsMirror(join(dir, "events"), tensorboardFormat());
    mirror.sync(given.lines);
    expect(readFileSync(mirror.path).equals(readFileSync(join(golden, "events.tfevents")))).toBe(true);
  });

  it("the offline run of W&B, with records over several blocks", () => {
    atGivenTime();
    const mirror = new MetricsMirror(join(dir, "run"), wandbFormat(given.run));
    mirror.sync(lines);
    mirror.add(wandbExit());
    expect(readFileSync(mirror.path).equals(readFileSync(join(golden, "run.wandb")))).toBe(true);
  });

  it("the checksum of RFC 3720's example", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  });
});

describe.each(formats)("%s: whatever a killed process left, a line is there once", (_, format) => {
  const mirrored = (count: number, path = join(dir, `whole-${count}`)) => {
    const mirror = new MetricsMirror(path, format());
    mirror.sync(lines.slice(0, count));
    mirror.close();
    return readFileSync(path);
  };

  it("cut anywhere, the file is whole again after the next start", () => {
    atGivenTime();
    const whole = mirrored(4);
    const cuts = Array.from({ length: 400 }, (_, i) => Math.floor((i * whole.length) / 400));
    for (const size of [...cuts, whole.length - 1]) {
      const path = join(dir, "cut");
      appendFileSync(path, whole);
      truncateSync(path, size);
      expect(mirrored(4, path).equals(whole)).toBe(true);
      rmSync(path);
    }
  });

  it("goes back to the lines that metrics.jsonl still has, and takes those it lacks", () => {
    atGivenTime();
    const path = join(dir, "file");
    for (const count of [2, 4, 1, 0, 3]) expect(mirrored(count, path).equals(mirrored(count))).toBe(true);
  });

  it("bytes that are no record are cut off", () => {
    atGivenTime();
    const path = join(dir, "file");
    mirrored(2, path);
    appendFileSync(path, Buffer.alloc(50, 1));
    expect(mirrored(3, path).equals(mirrored(3))).toBe(true);
  });
});

describe("a run with mirrors", () => {
  const recipe = (killAt?: number) =>
    defineRecipe({
      name: "r",
      config: {},
      async run({ stage, run }) {
        for (const name of ["sft", "rl"])
          await stage(name, () => {
            run.truncateTo(run.stageStart);
            for (let step = 1; step <= 3; step++) {
              run.appendMetrics({ step, "reward/mean": step / 2 });
              if (name === "rl" && step === killAt) throw new Error("killed");
            }
          });
      },
    });
  const options = { dir: "", seed: 1, mirrors: ["tensorboard", "wandb"] as const };
  const files = () => {
    const [folder] = readdirSync(join(dir, "r", "wandb"));
    const events = (stage: string) => readdirSync(join(dir, "r", "tensorboard", stage));
    return {
      tensorboard: ["sft", "rl"].map((stage) => events(stage).map((name) => tensorboardFormat().ends(readFileSync(join(dir, "r", "tensorboard", stage, name))).length)), // biome-ignore format: one line
      wandb: wandbFormat(given.run).ends(readFileSync(join(dir, "r", "wandb", folder!, `run-${folder!.slice(-8)}.wandb`))).length, // biome-ignore format: one line
    };
  };
  /** A file version and a line per step; header, run, two a line, exit. */
  const whole = { tensorboard: [[4], [4]], wandb: 2 + 2 * 6 + 1 };

  it("resumed after a kill, has each step once, a TensorBoard run per stage, and one W&B run", async () => {
    options.dir = join(dir, "r");
    await expect(runRecipe(recipe(2), options)).rejects.toThrow("killed");
    expect(files()).toEqual({ tensorboard: [[4], [3]], wandb: 2 + 2 * 5 });
    await runRecipe(recipe(), options);
    expect(files()).toEqual(whole);
    await runRecipe(recipe(), options);
    expect(files()).toEqual(whole);
  });

  it("without stages has its lines too", async () => {
    const plain = defineRecipe({
      name: "r",
      config: {},
      run: ({ run }) => [1, 2, 3].map((step) => run.appendMetrics({ step, "reward/mean": 1 })),
    });
    await runRecipe(plain, { ...options, dir: join(dir, "r") });
    const [folder] = readdirSync(join(dir, "r", "wandb"));
    const [events] = readdirSync(join(dir, "r", "tensorboard"));
    const wandb = readFileSync(join(dir, "r", "wandb", folder!, `run-${folder!.slice(-8)}.wandb`));
    expect(wandbFormat(given.run).ends(wandb)).toHaveLength(2 + 2 * 3 + 1);
    expect(tensorboardFormat().ends(readFileSync(join(dir, "r", "tensorboard", events!)))).toHaveLength(1 + 3);
  });

  it("that had none gets them whole when they are asked for later", async () => {
    options.dir = join(dir, "r");
    await runRecipe(recipe(), { ...options, mirrors: [] });
    expect(readdirSync(join(dir, "r"))).not.toContain("wandb");
    await runRecipe(recipe(), options);
    expect(files()).toEqual(whole);
  });
});
