import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { diffConfigs } from "./config.ts";
import { readRunConfig } from "./run-config.ts";
import { isStageName, stageRecords } from "./stage-record.ts";
import { UserError } from "./user-error.ts";

/** Stages in order; as a record, with the share of the whole time that each is expected to take, in any unit. */
export type DeclaredStages = readonly string[] | Readonly<Record<string, number>>;

export type PlannedStage = { name: string; share: number };

/** Throws a UserError for a name that cannot be a stage's and for a share that is not above 0. */
export function plannedStages(declared: DeclaredStages, where: string): PlannedStage[] {
  const stages = Array.isArray(declared)
    ? declared.map((name: string) => ({ name, share: 1 }))
    : Object.entries(declared as Record<string, number>).map(([name, share]) => ({ name, share }));
  for (const [i, { name, share }] of stages.entries()) {
    if (!isStageName(name)) throw new UserError(`${where}: stage "${name}": use letters, digits and "-".`);
    if (stages.findIndex((stage) => stage.name === name) !== i)
      throw new UserError(`${where}: stage "${name}" is declared twice.`);
    if (!(share > 0 && Number.isFinite(share)))
      throw new UserError(`${where}: stage "${name}" has share ${share}. Expected a number above 0.`);
  }
  return stages;
}

/** Seconds that each stage took in the latest finished run beside this one with the same recipe and settings, whatever its seed. */
export function learnedShares(dir: string, recipe: string, config: Record<string, unknown>): Map<string, number> {
  const beside = dirname(dir);
  const finished = readdirSync(beside).flatMap((name) => {
    try {
      const other = readRunConfig(join(beside, name));
      if (other?.recipe !== recipe || diffConfigs(other.config, config).length > 0) return [];
      const records = stageRecords(join(beside, name));
      return records.length > 0 && records.every(({ state }) => state === "done") ? [records] : [];
    } catch {
      return []; // Another's damaged folder is no reason not to train.
    }
  });
  const latest = finished.sort((a, b) => a[0]!.startedAt.localeCompare(b[0]!.startedAt)).at(-1) ?? [];
  return new Map(latest.map(({ name, seconds }) => [name, Math.max(seconds, 0.1)]));
}

/** Where a pipeline stands. Shares are of the whole; `secondsLeft` is undefined until something tells the speed. */
export type PipelineStatus = {
  name: string;
  index: number;
  numStages: number;
  stageShare: number;
  share: number;
  secondsLeft: number | undefined;
};

/** How far the stages of a run are, and how long the rest will take at the speed seen so far. Clock in seconds. */
export class Pipeline {
  readonly #stages: PlannedStage[];
  readonly #clock: () => number;
  readonly #done = new Map<string, number>();
  /** False where the recipe declares no stages: how many will come is not known. */
  readonly isPlanned: boolean;
  /** Seconds per share before any were worked: 1 where the shares are seconds of another run. */
  readonly #firstGuess: number | undefined;
  #current: { stage: PlannedStage; since: number; share: number; from: number | undefined } | undefined;

  constructor(stages: readonly PlannedStage[], learned: ReadonlyMap<string, number>, clock: () => number) {
    this.isPlanned = stages.length > 0;
    const isLearned = stages.every(({ name }) => learned.has(name));
    this.#stages = stages.map(({ name, share }) => ({ name, share: isLearned ? learned.get(name)! : share }));
    this.#firstGuess = isLearned && this.isPlanned ? 1 : undefined;
    this.#clock = clock;
  }

  begin(name: string, isResumed: boolean): void {
    // A resumed stage is timed from the first share that it tells.
    const from = isResumed ? undefined : 0;
    this.#current = { stage: this.#stage(name), since: this.#clock(), share: 0, from };
  }

  /** The share of the current stage that is done, 0 to 1. */
  advance(share: number): void {
    const current = this.#current;
    if (current === undefined) return;
    current.share = Math.min(1, Math.max(0, share));
    if (current.from !== undefined) return;
    current.from = current.share;
    current.since = this.#clock();
  }

  finish(name: string, seconds: number): void {
    this.#stage(name);
    this.#done.set(name, seconds);
    if (this.#current?.stage.name === name) this.#current = undefined;
  }

  /** Undefined between stages. */
  get status(): PipelineStatus | undefined {
    if (this.#current === undefined) return undefined;
    const { stage, share } = this.#current;
    const total = this.#stages.reduce((sum, one) => sum + one.share, 0);
    const done = this.#sharesDone() + share * stage.share;
    return {
      name: stage.name,
      index: this.#stages.indexOf(stage) + 1,
      numStages: this.#stages.length,
      stageShare: share,
      share: done / total,
      secondsLeft: this.#secondsLeft(total),
    };
  }

  /** A stage that was not declared joins at the end. */
  #stage(name: string): PlannedStage {
    const found = this.#stages.find((one) => one.name === name);
    if (found === undefined) this.#stages.push({ name, share: 1 });
    return found ?? this.#stages.at(-1)!;
  }

  #sharesDone(): number {
    return this.#stages.reduce((sum, { name, share }) => sum + (this.#done.has(name) ? share : 0), 0);
  }

  #secondsLeft(total: number): number | undefined {
    const { stage, since, share, from } = this.#current!;
    const elapsed = this.#clock() - since;
    const gained = share - (from ?? share);
    const sharesDone = this.#sharesDone();
    const secondsDone = [...this.#done.values()].reduce((sum, seconds) => sum + seconds, 0);
    const perShare =
      sharesDone + gained > 0
        ? (secondsDone + (gained > 0 ? elapsed : 0)) / (sharesDone + gained * stage.share)
        : this.#firstGuess;
    if (perShare === undefined) return undefined;
    const ofThisStage = gained > 0 ? (elapsed / gained) * (1 - share) : (1 - share) * stage.share * perShare - elapsed;
    return Math.max(0, ofThisStage) + (total - sharesDone - stage.share) * perShare;
  }
}
