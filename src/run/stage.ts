import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { diffConfigs, formatChange } from "./config.ts";
import { writeFileAtomic } from "./durable.ts";
import { findNotJson } from "./jsonl.ts";
import { type Run, Stopped } from "./run-folder.ts";
import { isRecord } from "./setting-rules.ts";
import { isStageName, readStageRecord, type StageRecord, stageRecords } from "./stage-record.ts";
import { UserError } from "./user-error.ts";

/**
 * A named part of a recipe, done once per run: `stages/<name>.json` keeps its result, and a resumed run gets that
 * instead of the work. `inputs` is what the result depends on, the run's whole config where not given:
 * `stage("sft", work, { sft: config.sft, rows: coldStart.rows })` stays valid when other settings change. A done stage
 * whose inputs have changed is an error. Results and inputs are what JSON can hold; files that a stage writes go to
 * `run.stageDir(name)`, or have their path in its result, so that redoing the stage finds none of them.
 */
export type Stage = <T>(name: string, work: () => T | Promise<T>, inputs?: Record<string, unknown>) => Promise<T>;

export type StageOptions = {
  /** The stages that the recipe declares; any where not given. */
  declared?: readonly string[];
  /** Stop once this one is done. */
  until?: string;
};

/** The `stage` function of one run. Throws a UserError for a name used twice, undeclared or unfit for a file. */
export function stagesOf(run: Run, { declared, until }: StageOptions = {}): Stage {
  const used = new Set<string>();
  return async <T>(name: string, work: () => T | Promise<T>, inputs: Record<string, unknown> = run.config) => {
    if (!isStageName(name))
      throw new UserError(`stage "${name}": its name becomes a file's. Use letters, digits and "-", a letter first.`);
    if (used.has(name))
      throw new UserError(`stage "${name}": begun twice in one recipe. Give each stage its own name.`);
    if (declared !== undefined && !declared.includes(name))
      throw new UserError(`stage "${name}": not among the recipe's stages. Declared: ${declared.join(", ")}.`);
    used.add(name);
    const result = await runStage(run, name, work, inputs);
    if (name === until) throw new Stopped(`${run.dir}: stage "${name}" is done.`, { afterStage: name });
    return result;
  };
}

async function runStage<T>(
  run: Run,
  name: string,
  work: () => T | Promise<T>,
  given: Record<string, unknown>,
): Promise<T> {
  const wanted = split(run, plain(given, `stage "${name}": inputs`));
  const before = readStageRecord(run.dir, name);
  if (before !== undefined) checkInputs(run, before, wanted);
  if (before?.state === "done") {
    run.log(`stage ${name}: done before`);
    run.mirrors.enterStage(name);
    run.terminal?.stageDone(name, before.seconds, true);
    return before.result as T;
  }
  run.stopIfAsked();
  run.begin();
  const record: StageRecord = before ?? {
    name,
    order: stageRecords(run.dir).length,
    state: "running",
    ...wanted,
    startedAt: new Date().toISOString(),
    startLengths: run.lengths(),
    seconds: 0,
  };
  if (before === undefined) save(run, record);
  run.enterStage(record);
  run.log(`stage ${name}: ${before === undefined ? "begins" : "goes on"}`);
  run.terminal?.stageBegins(name, before !== undefined);
  const from = performance.now();
  const seconds = () => Math.round(1000 * record.seconds + performance.now() - from) / 1000;
  try {
    const result = plain(await work(), `stage "${name}": its result`);
    const outputs = pathsIn(result, run.dir);
    save(run, { ...record, state: "done", seconds: seconds(), versions: run.versions, outputs, result });
    run.log(`stage ${name}: done in ${seconds()} s`);
    run.terminal?.stageDone(name, seconds());
    run.terminal?.table(run.table.view);
    return result;
  } catch (error) {
    if (error instanceof Stopped) save(run, { ...record, seconds: seconds() });
    throw error;
  } finally {
    run.leaveStage();
  }
}

type Wanted = Pick<StageRecord, "settings" | "inputs">;

/** Inputs under the name of a setting are settings. */
function split(run: Run, given: Record<string, unknown>): Wanted {
  const isSetting = ([name]: [string, unknown]) => Object.hasOwn(run.config, name);
  const entries = Object.entries(given);
  return {
    settings: Object.fromEntries(entries.filter(isSetting)),
    inputs: Object.fromEntries(entries.filter((entry) => !isSetting(entry))),
  };
}

function checkInputs(run: Run, before: StageRecord, wanted: Wanted): void {
  const changes = [...diffConfigs(before.settings, wanted.settings), ...diffConfigs(before.inputs, wanted.inputs)];
  if (changes.length === 0) return;
  const invalid = stageRecords(run.dir).flatMap(({ name, order }) => (order >= before.order ? [name] : []));
  throw new UserError(
    `${run.path("stages", `${before.name}.json`)}: stage "${before.name}" ${before.state === "done" ? "was done" : "began"} with other inputs (${changes.map(formatChange).join(", ")}). ` +
      `This would invalidate: ${invalid.join(", ")}. Go back to the old inputs, redo them with --from ${before.name}, or choose another --run.`,
  );
}

function save(run: Run, record: StageRecord): void {
  writeFileAtomic(run.path("stages", `${record.name}.json`), `${JSON.stringify(record, null, 2)}\n`);
}

/** Existing files and folders inside `dir` that a value names, relative to it. */
function pathsIn(value: unknown, dir: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, dir));
  if (isRecord(value)) return Object.values(value).flatMap((item) => pathsIn(item, dir));
  if (typeof value !== "string" || value === "") return [];
  const path = relative(dir, resolve(value));
  return path === "" || path.startsWith("..") || resolve(value) === path || !existsSync(value) ? [] : [path];
}

/** The value as a resumed run would read it, so that both go on from the same thing. */
function plain<T>(value: T, where: string): T {
  if (value === undefined) return value;
  const problem = findNotJson(value);
  if (problem !== undefined)
    throw new UserError(
      `${where}: ${problem}. Expected what JSON can hold; write larger things to a file and return its path.`,
    );
  return JSON.parse(JSON.stringify(value)) as T;
}
