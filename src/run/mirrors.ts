import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
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
    this.#tensorboard?.close();
    this.#tensorboard = undefined;
    this.#stage = stage;
    this.sync();
  }

  /** Cuts the files back to the lines of metrics.jsonl, and adds what they lack. A stage without lines gets no file. */
  sync(): void {
    if (this.#names.length === 0) return;
    const lines = readJsonLines(join(this.#run.dir, "metrics.jsonl"));
    const ofStage = lines.filter(({ stage }) => stage === this.#stage);
    if (this.#names.includes("wandb")) this.#wandb ??= this.#openWandb();
    if (this.#names.includes("tensorboard") && (ofStage.length > 0 || this.#tensorboardFile() !== undefined))
      this.#tensorboard ??= this.#openTensorboard();
    this.#wandb?.sync(lines);
    this.#tensorboard?.sync(ofStage);
  }

  /** A line that metrics.jsonl has got. */
  append(line: MetricsLine, stage: string | undefined): void {
    if (stage !== this.#stage) this.enterStage(stage);
    else if (!this.#isOpen()) this.sync();
    else {
      this.#tensorboard?.append(line);
      this.#wandb?.append(line);
    }
  }

  /** The run has come to its end. */
  finish(): void {
    this.#wandb?.add(wandbExit());
  }

  close(): void {
    this.#tensorboard?.close();
    this.#wandb?.close();
  }

  #isOpen(): boolean {
    const open = { tensorboard: this.#tensorboard, wandb: this.#wandb };
    return this.#names.every((name) => open[name] !== undefined);
  }

  #openTensorboard(): MetricsMirror {
    const name = this.#tensorboardFile() ?? `events.out.tfevents.${now()}.${hostname()}`;
    return new MetricsMirror(join(this.#tensorboardDir(), name), tensorboardFormat());
  }

  #tensorboardDir(): string {
    return join(this.#run.dir, "tensorboard", this.#stage ?? "");
  }

  #tensorboardFile(): string | undefined {
    return findFile(this.#tensorboardDir(), /^events\.out\.tfevents\./);
  }

  #openWandb(): MetricsMirror {
    const { dir, recipe, seed, config } = this.#run;
    const pattern = /^offline-run-(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)-(\w+)$/;
    const folder = findFile(join(dir, "wandb"), pattern) ?? `offline-run-${stamp()}-${newId()}`;
    const [, year, month, day, hour, minute, second, id] = pattern.exec(folder)!;
    const startedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000;
    const run = { id: id!, project: recipe, name: basename(dir), config: { ...config, seed }, startedAt };
    // wandb sync writes its summary and config there, and does not make it.
    mkdirSync(join(dir, "wandb", folder, "files"), { recursive: true });
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
