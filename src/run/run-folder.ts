import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Lengths } from "./checkpoints.ts";
import { diffConfigs, formatChange } from "./config.ts";
import { appendWhole, explained, fsyncFolder, removeLeftovers, writeFileAtomic } from "./durable.ts";
import { toJsonLines } from "./jsonl.ts";
import { acquireLock, type Lock } from "./lock.ts";
import { type MirrorName, Mirrors } from "./mirrors.ts";
import { readJsonFile, readRunConfig } from "./run-config.ts";
import { finishSettingAside, setAside } from "./set-aside.ts";
import { invalidatedBy, type StageRecord, stageRecords } from "./stage-record.ts";
import { Table } from "./table.ts";
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
  /** Other tools' formats to write the metrics in as well. */
  mirrors?: readonly MirrorName[];
  /** Of the stages that have begun, those that are to be done again: they are set aside first. */
  redo?: (begun: readonly StageRecord[]) => readonly StageRecord[];
};

/** Thrown by `Run.stopIfAsked` once everything is saved, and after the stage that was asked for; a command ends without an error message on it. */
export class Stopped extends Error {
  override name = "Stopped";
  readonly afterStage: string | undefined;
  constructor(message: string, { afterStage }: { afterStage?: string } = {}) {
    super(message);
    this.afterStage = afterStage;
  }
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

function open(options: RunOptions, lock: Lock): Run {
  const { dir, recipe, config, seed, versions = {}, terminal, mirrors = [], redo: choose } = options;
  const checkpoints = join(dir, "checkpoints");
  for (const folder of [dir, join(dir, "stages"), checkpoints]) removeLeftovers(folder);
  if (existsSync(checkpoints)) for (const name of readdirSync(checkpoints)) removeLeftovers(join(checkpoints, name));
  finishSettingAside(dir);
  const redo = choose?.(stageRecords(dir)) ?? [];
  const asked = { recipe, seed, config };
  const { isResumed, changes } = checkSame(dir, asked, redo);
  const aside = redo.length === 0 ? undefined : setAside(dir, redo);
  explained(dir, () => {
    for (const folder of ["stages", "checkpoints"]) mkdirSync(join(dir, folder), { recursive: true });
  });
  const now = { node: process.version, platform: process.platform, arch: process.arch, ...versions };
  const save = (name: string, value: unknown) =>
    writeFileAtomic(join(dir, name), `${JSON.stringify(value, null, 2)}\n`);
  const begin = () => {
    save("versions.json", now);
    // Last, so that a folder with a config.json is a whole run folder.
    if (!isResumed || changes.length > 0) save("config.json", asked);
    fsyncFolder(dir);
    if (changes.length > 0) run.tell(`settings changed: ${changes.join(", ")}; no stage that stays has read them`);
  };
  const parts = { dir, recipe, config, seed, terminal, mirrors, isResumed, versions: now, lock, begin };
  const run = new Run({ ...parts, isChanged: changes.length > 0 });
  try {
    const updates = isResumed ? diffConfigs(readJsonFile(join(dir, "versions.json"), {}), now).map(formatChange) : [];
    run.log(isResumed ? `resumed by process ${process.pid}` : `started by process ${process.pid}`);
    if (updates.length > 0) run.log(`not number for number what an unchanged resume gives: ${updates.join(", ")}`);
    if (!isResumed || aside !== undefined) run.begin();
    if (aside !== undefined)
      run.tell(`set aside in ${aside}, to be done again: ${redo.map(({ name }) => name).join(", ")}`);
    return run;
  } catch (error) {
    run.close();
    throw error;
  }
}

/** Whether the folder holds this very run, and what of its settings has changed where no stage that stays depends on it. */
function checkSame(
  dir: string,
  asked: { recipe: string; seed: number; config: Record<string, unknown> },
  redo: readonly StageRecord[],
): { isResumed: boolean; changes: string[] } {
  const found = readRunConfig(dir);
  if (found === undefined) {
    const ours = ["stages", "checkpoints", "versions.json", "log.txt", ...appendOnly];
    const foreign = readdirSync(dir).filter((name) => !ours.includes(name) && !name.startsWith("lock."));
    if (foreign.length === 0) return { isResumed: false, changes: [] };
    throw new UserError(
      `${dir} is not a run folder: it has no config.json, but ${foreign.slice(0, 5).join(", ")}. Choose another --run.`,
    );
  }
  const { config, ...rest } = found;
  const { config: askedConfig, ...askedRest } = JSON.parse(JSON.stringify(asked)) as typeof asked;
  const [otherRun, settings] = [diffConfigs(rest, askedRest), diffConfigs(config ?? {}, askedConfig)];
  const begun = stageRecords(dir);
  const kept = begun.filter(({ name }) => !redo.some((record) => record.name === name));
  const invalid = otherRun.length > 0 ? begun.map(({ name }) => name) : invalidatedBy(settings, kept, config ?? {});
  const changes = [...otherRun, ...settings].map(formatChange);
  const isAllowed = otherRun.length === 0 && begun.length > 0 && invalid.length === 0;
  if (changes.length === 0 || isAllowed) return { isResumed: true, changes };
  const redoing = otherRun.length === 0 && invalid[0] !== undefined ? `, redo these with --from ${invalid[0]}` : "";
  const done = invalid.length === 0 ? "" : ` Begun with the old one, and invalid with this: ${invalid.join(", ")}.`;
  throw new UserError(
    `${dir} exists with a different config (${changes.join(", ")}). Resume with the old one${redoing}, or choose another --run.${done}`,
  );
}

/** An open run folder: this process alone writes in it until `close`. */
export class Run {
  readonly dir: string;
  readonly recipe: string;
  readonly config: Record<string, unknown>;
  readonly seed: number;
  /** Versions that the numbers depend on, as in versions.json. */
  readonly versions: Record<string, string>;
  /** The folder held this run before this process opened it. */
  readonly isResumed: boolean;
  readonly terminal: Terminal | undefined;
  /** Figures that the recipe reports as its stages finish. */
  readonly table: Table;
  /** What other tools follow the run by. */
  readonly mirrors: Mirrors;
  /** Set by the first Ctrl-C: finish the step, save, then call `stopIfAsked`. */
  shouldStop = false;
  /** The stage that is being worked on; undefined between stages. */
  stageName: string | undefined;
  /** Lengths of the append-only files when the current stage first began; where a stage without a checkpoint starts again. */
  stageStart: Lengths = {};
  readonly #claimed = new Set<string>();
  readonly #lock: Lock;
  readonly #files: Record<AppendOnly | "log.txt", number>;
  /** Lines for log.txt, and what else is written, once this process works on the run; undefined from then on. */
  #held: { lines: string[]; begin: () => void; isChanged: boolean } | undefined;
  #isClosed = false;

  constructor(
    parts: Required<Pick<RunOptions, "dir" | "recipe" | "config" | "seed" | "versions" | "mirrors">> & {
      terminal: Terminal | undefined;
      isResumed: boolean;
      lock: Lock;
      /** Writes down what the run is asked for. */
      begin: () => void;
      /** It is asked for with other settings than before. */
      isChanged: boolean;
    },
  ) {
    const { dir, recipe, config, seed, versions, isResumed, terminal, lock } = parts;
    this.dir = dir;
    this.recipe = recipe;
    this.config = config;
    this.seed = seed;
    this.versions = versions;
    this.isResumed = isResumed;
    this.terminal = terminal;
    this.table = new Table(join(dir, "table.json"), () => this.stageName);
    this.mirrors = new Mirrors(this, parts.mirrors);
    this.#lock = lock;
    this.#held = { lines: [], begin: parts.begin, isChanged: parts.isChanged };
    const openAppend = (name: string) => explained(join(dir, name), () => openSync(join(dir, name), "a+"));
    this.#files = {
      "metrics.jsonl": openAppend("metrics.jsonl"),
      "rollouts.jsonl": openAppend("rollouts.jsonl"),
      "log.txt": openAppend("log.txt"),
    };
  }

  /**
   * From here on this process works on the run: what it is asked for, and what was said so far, are written down. Until
   * then a stage that is done may still refuse the settings, which leaves the folder as it was.
   */
  begin(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    for (const line of held.lines) this.#write(line);
    held.begin();
  }

  /** Forgets what was to be written, where this process has not begun to work; true where it has not. */
  leaveAsFound(): boolean {
    if (this.#held === undefined) return false;
    this.#held = { lines: [], begin: () => {}, isChanged: true };
    return true;
  }

  /** A file of this run. */
  path(...names: string[]): string {
    return join(this.dir, ...names);
  }

  /** Where the current stage keeps its checkpoints: `checkpoints/<stage>`. */
  get checkpointsDir(): string {
    return join(this.dir, "checkpoints", this.stageName ?? "");
  }

  /**
   * The checkpoints' folder of the current stage, for the one training of that stage. Throws a UserError where the
   * stage has trained before: the second would go on from the checkpoints of the first.
   */
  claimCheckpoints(): string {
    const folder = this.checkpointsDir;
    if (this.#claimed.has(folder)) {
      throw new UserError(
        `${folder}: ${this.stageName === undefined ? "this recipe trains twice outside of a stage" : `stage "${this.stageName}" trains twice`}. Give each training a stage of its own.`,
      );
    }
    this.#claimed.add(folder);
    this.begin();
    explained(folder, () => mkdirSync(folder, { recursive: true }));
    fsyncFolder(this.path("checkpoints"));
    return folder;
  }

  /** The folder of a stage's own files, made when missing; redoing the stage sets it aside. */
  stageDir(name: string): string {
    const folder = this.path("stages", name);
    explained(folder, () => mkdirSync(folder, { recursive: true }));
    return folder;
  }

  /** Called by `stage` around its work. */
  enterStage({ name, startLengths }: StageRecord): void {
    this.stageName = name;
    this.stageStart = startLengths;
    this.mirrors.enterStage(name);
  }

  leaveStage(): void {
    this.stageName = undefined;
  }

  /** The share of the current stage that is done, for a stage that reports no steps. */
  progress(share: number): void {
    this.terminal?.stageAdvances(share);
  }

  /** Adds one line to metrics.jsonl, whole or not at all. Throws a UserError for NaN, and on a full disk. */
  appendMetrics(record: Record<string, unknown>): void {
    this.#appendLines("metrics.jsonl", [record]);
    this.mirrors.append(this.#named(record), this.stageName);
  }

  /** Adds a line per record to rollouts.jsonl, all or none. */
  appendRollouts(records: readonly Record<string, unknown>[]): void {
    this.#appendLines("rollouts.jsonl", records);
  }

  #appendLines(name: AppendOnly, records: readonly Record<string, unknown>[]): void {
    this.begin();
    this.#append(
      name,
      toJsonLines(
        records.map((record) => this.#named(record)),
        this.path(name),
      ),
    );
  }

  #named(record: Record<string, unknown>): Record<string, unknown> {
    return this.stageName === undefined ? record : { stage: this.stageName, ...record };
  }

  /** Adds a dated line to log.txt, which keeps the lines of killed processes too. */
  log(text: string): void {
    const line = `${new Date().toISOString()} ${text}\n`;
    if (this.#held === undefined) this.#write(line);
    else this.#held.lines.push(line);
  }

  #write(line: string): void {
    this.#append("log.txt", Buffer.from(line));
  }

  /** A line for log.txt and for whoever watches. */
  tell(text: string): void {
    this.log(text);
    this.terminal?.note(text);
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
    this.begin();
    for (const name of appendOnly)
      explained(this.path(name), () => ftruncateSync(this.#files[name], lengths[name] ?? 0));
    this.mirrors.sync();
  }

  /** Throws `Stopped` when a stop was asked for. Call it where everything done so far is saved. */
  stopIfAsked(): void {
    if (this.shouldStop) throw new Stopped(`${this.dir}: stopped. The same command goes on from here.`);
  }

  /** Closes the files and lets the next process in. */
  close(): void {
    if (this.#isClosed) return;
    try {
      // Settings that no stage has let pass are not the run's.
      if (this.#held?.isChanged === false) this.begin();
    } finally {
      this.#isClosed = true;
      this.mirrors.close();
      for (const file of Object.values(this.#files)) closeSync(file);
      this.#lock.release();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
