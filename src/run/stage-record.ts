import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lengths } from "./checkpoints.ts";
import type { Change } from "./config.ts";
import { isRecord } from "./setting-rules.ts";
import { UserError } from "./user-error.ts";

/** `stages/<name>.json`: written when a stage begins and again when it is done. */
export type StageRecord = {
  name: string;
  /** Stages that had begun before it. */
  order: number;
  state: "running" | "done";
  /** What its result depends on of the run's settings: all of them where the recipe gave it no inputs. */
  settings: Record<string, unknown>;
  /** What else it depends on: results of earlier stages, as a rule. */
  inputs: Record<string, unknown>;
  /** ISO 8601, of the first start. */
  startedAt: string;
  /** Lengths of the append-only files when it first began. */
  startLengths: Lengths;
  /** How long it was worked on, without the work that a killed process lost or left unsaid. */
  seconds: number;
  /** Versions it was finished with. */
  versions?: Record<string, string>;
  /** Paths in the run folder that its result names. */
  outputs?: string[];
  result?: unknown;
};

/** What a stage's name may be: it becomes a file's, and must not look like a step's folder. */
export const isStageName = (name: string): boolean => /^[a-z][a-z0-9-]*$/i.test(name);

/** The record of a stage, or undefined when it never began. */
export function readStageRecord(runDir: string, name: string): StageRecord | undefined {
  const path = join(runDir, "stages", `${name}.json`);
  if (!existsSync(path)) return undefined;
  let record: unknown;
  try {
    record = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError(`${path}: not JSON (${(error as Error).message}). Delete it to do the stage again.`, {
      cause: error,
    });
  }
  if (isRecord(record) && isRecord(record.settings) && isRecord(record.inputs)) return record as StageRecord;
  throw new UserError(
    `${path}: no record of a stage (expected settings and inputs). Choose another --run, or delete it to do the stage again.`,
  );
}

/** Records of the stages that have begun, in that order. */
export function stageRecords(runDir: string): StageRecord[] {
  const folder = join(runDir, "stages");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json") && !file.startsWith("."))
    .map((file) => readStageRecord(runDir, file.slice(0, -".json".length))!)
    .sort((a, b) => a.order - b.order);
}

/** Names of the stages of a run that are done, in the order they began. */
export const doneStages = (runDir: string): string[] =>
  stageRecords(runDir)
    .filter(({ state }) => state === "done")
    .map(({ name }) => name);

/** Stages whose own settings a change touches, and every one that began after the first of them: it may rest on its result. */
export function invalidatedBy(
  changes: readonly Change[],
  records: readonly StageRecord[],
  config: Record<string, unknown>,
): string[] {
  const first = records.findIndex(({ settings }) =>
    changes.some(({ path }) => reads(settings, path.split("."), config)),
  );
  return first < 0 ? [] : records.slice(first).map(({ name }) => name);
}

/** `config`: what the settings were taken from. Who read the whole of a group has read, too, what was not given in it. */
function reads(settings: unknown, [name, ...rest]: readonly string[], config: unknown): boolean {
  if (name === undefined || !isRecord(settings)) return true;
  const whole = isRecord(config) ? config : {};
  if (Object.hasOwn(settings, name)) return reads(settings[name], rest, whole[name]);
  return !Object.hasOwn(whole, name) && Object.keys(whole).every((other) => Object.hasOwn(settings, other));
}
