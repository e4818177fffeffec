import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Lengths } from "./checkpoints.ts";
import { diffConfigs, formatChange } from "./config.ts";
import { appendWhole, explained, fsyncFolder, removeLeftovers, writeFileAtomic } from "./durable.ts";
import { toJsonLines } from "./jsonl.ts";
import { acquireLock, type Lock } from "./lock.ts";
import { doneStages } from "./stage-record.ts";
import type { Terminal } from "./terminal.ts";
import { UserError } from "./user-error.ts";

export type RunOptions = {
  /** `out/<name>`; made when missing. */
  dir: string;
  recipe: string;
  config: Record<string, unknown>;
  seed: number;
  /** What the numbers depend on besides the config: libtorch, threads, our own version. Node, platform and architecture are added. */
  versions?: Record<string, string>;
  /** Where the run shows what it does; silent when absent. */
  terminal?: Terminal;
};

/** Thrown by `Run.stopIfAsked` once everything is saved; a command ends without an error message on it. */
export class Stopped extends Error {
  override name = "Stopped";
}

const appendOnly = ["metrics.jsonl", "rollouts.jsonl"] as const;
type AppendOnly = (typeof appendOnly)[number];

/**
 * Opens `out/<run>/`, new or to resume. Throws a UserError when another process has it, when it holds a run of another
 * config, recipe or seed, and when it cannot be written.
 */
export function openRun(options: RunOptions): Run {
  const { dir } = options;
  explained(dir, () => mkdirSync(dir, { recursive: true }));
  const lock = acquireLock(dir);
  try {
    return open(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function open({ dir, recipe, config, seed, versions = {}, terminal }: RunOptions, lock: Lock): Run {
  const checkpoints = join(dir, "checkpoints");
  for (const folder of [dir, join(dir, "stages"), checkpoints]) removeLeftovers(folder);
  if (existsSync(checkpoints)) for (const name of readdirSync(checkpoints)) removeLeftovers(join(checkpoints, name));
  const isResumed = checkSame(dir, { recipe, seed, config });
  explained(dir, () => {
    for (const folder of ["stages", "checkpoints"]) mkdirSync(join(dir, folder), { recursive: true });
  });
  const run = new Run(dir, recipe, config, seed, isResumed, lock, terminal);
  try {
    const now = { node: process.version, platform: process.platform, arch: process.arch, ...versions };
    const changes = isResumed ? diffConfigs(readJsonFile(join(dir, "versions.json"), {}), now).map(formatChange) : [];
    writeFileAtomic(join(dir, "versions.json"), `${JSON.stringify(now, null, 2)}\n`);
    // Last, so that a folder with a config.json is a whole run folder.
    if (!isResumed) writeFileAtomic(join(dir, "config.json"), `${JSON.stringify({ recipe, seed, config }, null, 2)}\n`);
    fsyncFolder(dir);
    run.log(isResumed ? `resumed by process ${process.pid}` : `started by process ${process.pid}`);
    if (changes.length > 0) run.log(`not number for number what an unchanged resume gives: ${changes.join(", ")}`);
    return run;
  } catch (error) {
    run.close();
    throw error;
  }
}

/** True when the folder holds this very run, false when it is new. */
function checkSame(dir: string, asked: { recipe: string; seed: number; config: Record<string, unknown> }): boolean {
  const path = join(dir, "config.json");
  if (!existsSync(path)) {
    const ours = ["stages", "checkpoints", "versions.json", "log.txt", ...appendOnly];
    const foreign = readdirSync(dir).filter((name) => !ours.includes(name) && !name.startsWith("lock."));
    if (foreign.length === 0) return false;
    throw new UserError(
      `${dir} is not a run folder: it has no config.json, but ${foreign.slice(0, 5).join(", ")}. Choose another --run.`,
    );
  }
  const { config, ...rest } = readJsonFile<{ config?: Record<string, unknown> }>(path, {});
  const { config: askedConfig, ...askedRest } = JSON.parse(JSON.stringify(asked)) as typeof asked;
  const changes = [...diffConfigs(rest, askedRest), ...diffConfigs(config ?? {}, askedConfig)];
  if (changes.length === 0) return true;
  const done = doneStages(dir);
  const invalid = done.length === 0 ? "" : ` Done with the old one, and invalid with this: ${done.join(", ")}.`;
  throw new UserError(
    `${dir} exists with a different config (${changes.map(formatChange).join(", ")}). Resume with the old one, or choose another --run.${invalid}`,
  );
}

function readJsonFile<T>(path: string, missing: T): T {
  if (!existsSync(path)) return missing;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${(error as Error).message}). Put it right, or choose another --run.`, {
      cause: error,
    });
  }
}

/** An open run folder: this process alone writes in it until `close`. */
export class Run {
  readonly dir: string;
  readonly recipe: string;
  readonly config: Record<string, unknown>;
  readonly seed: number;
  /** The folder held this run before this process opened it. */
  readonly isResumed: boolean;
  readonly terminal: Terminal | undefined;
  /** Set by the first Ctrl-C: finish the step, save, then call `stopIfAsked`. */
  shouldStop = false;
  /** The stage that is being worked on; undefined between stages. */
  stageName: string | undefined;
  /** The stage that is at work; its lines in the append-only files carry its name. */
  stage: string | undefined;
  /** Lengths of the append-only files when the current stage first began; where a stage without a checkpoint starts again. */
  stageStart: Lengths = {};
  readonly #claimed = new Set<string>();
  readonly #lock: Lock;
  readonly #files: Record<AppendOnly | "log.txt", number>;
  #isClosed = false;

  constructor(
    dir: string,
    recipe: string,
    config: Record<string, unknown>,
    seed: number,
    isResumed: boolean,
    lock: Lock,
    terminal?: Terminal,
  ) {
    this.terminal = terminal;
    this.dir = dir;
    this.recipe = recipe;
    this.config = config;
    this.seed = seed;
    this.isResumed = isResumed;
    this.#lock = lock;
    const openAppend = (name: string) => explained(join(dir, name), () => openSync(join(dir, name), "a+"));
    this.#files = {
      "metrics.jsonl": openAppend("metrics.jsonl"),
      "rollouts.jsonl": openAppend("rollouts.jsonl"),
      "log.txt": openAppend("log.txt"),
    };
  }

  /** A file of this run. */
  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  /** Where the current stage keeps its checkpoints: `checkpoints/<stage>`. */
  get checkpointsDir(): string {
    return join(this.dir, "checkpoints", this.stage ?? "");
  }

  /**
   * The checkpoints' folder of the current stage, for the one training of that stage. Throws a UserError where the
   * stage has trained before: the second would go on from the checkpoints of the first.
   */
  claimCheckpoints(): string {
    const folder = this.checkpointsDir;
    if (this.#claimed.has(folder)) {
      throw new UserError(
        `${folder}: ${this.stage === undefined ? "this recipe trains twice outside of a stage" : `stage "${this.stage}" trains twice`}. Give each training a stage of its own.`,
      );
    }
    this.#claimed.add(folder);
    explained(folder, () => mkdirSync(folder, { recursive: true }));
    fsyncFolder(this.path("checkpoints"));
    return folder;
  }

  /** Adds one line to metrics.jsonl, whole or not at all. Throws a UserError for NaN, and on a full disk. */
  appendMetrics(record: Record<string, unknown>): void {
    this.#appendLines("metrics.jsonl", [record]);
  }

  /** Adds a line per record to rollouts.jsonl, all or none. */
  appendRollouts(records: readonly Record<string, unknown>[]): void {
    this.#appendLines("rollouts.jsonl", records);
  }

  #appendLines(name: AppendOnly, records: readonly Record<string, unknown>[]): void {
    const named = this.stage === undefined ? records : records.map((record) => ({ stage: this.stage, ...record }));
    this.#append(name, toJsonLines(named, this.path(name)));
  }

  /** Adds a dated line to log.txt, which keeps the lines of killed processes too. */
  log(text: string): void {
    this.#append("log.txt", Buffer.from(`${new Date().toISOString()} ${text}\n`));
  }

  #append(name: AppendOnly | "log.txt", data: Buffer): void {
    if (this.#isClosed) throw new Error(`${this.path(name)}: the run is closed. Write before close().`);
    explained(this.path(name), () => appendWhole(this.#files[name], data));
  }

  /** Byte lengths of metrics.jsonl and rollouts.jsonl, synced to the disk first: what a checkpoint's state.json holds. */
  lengths(): Lengths {
    return Object.fromEntries(
      appendOnly.map((name) => {
        explained(this.path(name), () => fsyncSync(this.#files[name]));
        return [name, fstatSync(this.#files[name]).size];
      }),
    );
  }

  /** Cuts the append-only files back to a checkpoint's lengths. Throws a UserError, and cuts nothing, when one is shorter than that. */
  truncateTo(lengths: Lengths): void {
    for (const name of appendOnly) {
      const [wanted, { size }] = [lengths[name] ?? 0, fstatSync(this.#files[name])];
      if (size < wanted) {
        throw new UserError(
          `${this.path(name)} has ${size} bytes, its checkpoint recorded ${wanted}. Lines were removed since; put the file back, or choose another --run.`,
        );
      }
    }
    for (const name of appendOnly)
      explained(this.path(name), () => ftruncateSync(this.#files[name], lengths[name] ?? 0));
  }

  /** Throws `Stopped` when a stop was asked for. Call it where everything done so far is saved. */
  stopIfAsked(): void {
    if (this.shouldStop) throw new Stopped(`${this.dir}: stopped. The same command goes on from here.`);
  }

  /** Closes the files and lets the next process in. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const file of Object.values(this.#files)) closeSync(file);
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
