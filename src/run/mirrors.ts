import { randomInt } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { readJsonLines } from "./jsonl.ts";
import { type MetricsLine, MetricsMirror } from "./metrics-mirror.ts";
import { tensorboardFormat } from "./tensorboard.ts";
import { wandbExit, wandbFormat } from "./wandb.ts";

/** Other tools' formats that a run can be followed in. */
export type MirrorName = "tensorboard" | "wandb";

type Mirrored = { dir: string; recipe: string; seed: number; config: Record<string, unknown> };

/**
 * The mirrors of one run: `tensorboard/<stage>/events.out.tfevents.*`, a TensorBoard run per stage, since each counts
 * its steps from 1; and `wandb/offline-run-<time>-<id>/run-<id>.wandb` for the whole run.
 */
export class Mirrors {
  readonly #run: Mirrored;
  readonly #names: readonly MirrorName[];
  /** The open TensorBoard file's stage; one is open at a time. */
  #stage: string | undefined;
  #tensorboard: MetricsMirror | undefined;
  #wandb: MetricsMirror | undefined;

  constructor(run: Mirrored, names: readonly MirrorName[]) {
    this.#run = run;
    this.#names = names;
  }

  /** From now on lines are this stage's. */
  enterStage(stage: string | undefined): void {
    if (this.#names.length === 0) return;
    this.#stage = stage;
    this.#tensorboard?.close();
    if (this.#names.includes("tensorboard")) this.#tensorboard = this.#openTensorboard();
    if (this.#names.includes("wandb")) this.#wandb ??= this.#openWandb();
    this.sync();
  }

  /** Cuts what is open back to the lines of metrics.jsonl, and adds what it lacks. */
  sync(): void {
    if (this.#names.length === 0) return;
    const lines = readJsonLines(join(this.#run.dir, "metrics.jsonl"));
    this.#tensorboard?.sync(lines.filter(({ stage }) => stage === this.#stage));
    this.#wandb?.sync(lines);
  }

  /** A line that metrics.jsonl has got. */
  append(line: MetricsLine, stage: string | undefined): void {
    const isOpen = this.#tensorboard !== undefined || this.#wandb !== undefined;
    if (!isOpen || stage !== this.#stage) {
      this.enterStage(stage);
      return;
    }
    this.#tensorboard?.append(line);
    this.#wandb?.append(line);
  }

  /** The run has come to its end. */
  finish(): void {
    this.#wandb?.add(wandbExit());
  }

  close(): void {
    this.#tensorboard?.close();
    this.#wandb?.close();
  }

  #openTensorboard(): MetricsMirror {
    const folder = join(this.#run.dir, "tensorboard", this.#stage ?? "");
    const name = findFile(folder, /^events\.out\.tfevents\./) ?? `events.out.tfevents.${now()}.${hostname()}`;
    return new MetricsMirror(join(folder, name), tensorboardFormat());
  }

  #openWandb(): MetricsMirror {
    const { dir, recipe, seed, config } = this.#run;
    const pattern = /^offline-run-(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)-(\w+)$/;
    const folder = findFile(join(dir, "wandb"), pattern) ?? `offline-run-${stamp()}-${newId()}`;
    const [, year, month, day, hour, minute, second, id] = pattern.exec(folder)!;
    const startedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000;
    const run = { id: id!, project: recipe, name: basename(dir), config: { ...config, seed }, startedAt };
    return new MetricsMirror(join(dir, "wandb", folder, `run-${id}.wandb`), wandbFormat(run));
  }
}

const findFile = (folder: string, pattern: RegExp): string | undefined =>
  existsSync(folder) ? readdirSync(folder).find((name) => pattern.test(name)) : undefined;

const now = () => Math.floor(Date.now() / 1000);

/** "20260131_235959", in UTC. */
const stamp = () => new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "_");

/** Eight letters and digits, as W&B names its runs. */
const newId = () => Array.from({ length: 8 }, () => randomInt(36).toString(36)).join("");
