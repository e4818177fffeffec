import { diffConfigs, formatChange } from "./config.ts";
import { writeFileAtomic } from "./durable.ts";
import { findNotJson } from "./jsonl.ts";
import type { Run } from "./run-folder.ts";
import { doneStages, readStageRecord, type StageRecord } from "./stage-record.ts";
import { UserError } from "./user-error.ts";

/**
 * A named part of a recipe, done once per run: `stages/<name>.json` keeps its result, and a resumed run gets that
 * instead of the work. `inputs` is what the result depends on, the run's config where not given; a done stage whose
 * inputs have changed is an error. Results and inputs are what JSON can hold.
 */
export type Stage = <T>(name: string, work: () => T | Promise<T>, inputs?: Record<string, unknown>) => Promise<T>;

/** The `stage` function of one run. Throws a UserError for a name used twice or unfit for a file. */
export function stagesOf(run: Run): Stage {
  const used = new Set<string>();
  return async <T>(name: string, work: () => T | Promise<T>, inputs: Record<string, unknown> = run.config) => {
    if (!/^[a-z0-9][a-z0-9-]*$/i.test(name))
      throw new UserError(`stage "${name}": its name becomes a file's. Use letters, digits and "-".`);
    if (used.has(name))
      throw new UserError(`stage "${name}": begun twice in one recipe. Give each stage its own name.`);
    used.add(name);
    return runStage(run, name, work, inputs);
  };
}

async function runStage<T>(
  run: Run,
  name: string,
  work: () => T | Promise<T>,
  given: Record<string, unknown>,
): Promise<T> {
  const inputs = plain(given, `stage "${name}": inputs`);
  const before = readStageRecord(run.dir, name);
  if (before !== undefined) checkInputs(run, before, inputs);
  if (before?.state === "done") {
    run.log(`stage ${name}: done before`);
    return before.result as T;
  }
  run.stopIfAsked();
  const record: StageRecord = before ?? {
    name,
    state: "running",
    inputs,
    startedAt: new Date().toISOString(),
    startLengths: run.lengths(),
  };
  if (before === undefined) save(run, record);
  run.stageStart = record.startLengths;
  run.stageName = name;
  run.log(`stage ${name}: ${before === undefined ? "begins" : "goes on"}`);
  const from = performance.now();
  const result = plain(await inStage(run, name, work), `stage "${name}": its result`);
  const seconds = Math.round(performance.now() - from) / 1000;
  save(run, { ...record, state: "done", seconds, result });
  run.stageName = undefined;
  run.log(`stage ${name}: done in ${seconds} s`);
  return result;
}

async function inStage<T>(run: Run, name: string, work: () => T | Promise<T>): Promise<T> {
  run.stage = name;
  try {
    return await work();
  } finally {
    run.stage = undefined;
  }
}

function checkInputs(run: Run, before: StageRecord, inputs: Record<string, unknown>): void {
  const changes = diffConfigs(before.inputs as Record<string, unknown>, inputs);
  if (changes.length === 0) return;
  const done = doneStages(run.dir);
  const invalid = before.state === "done" ? done.slice(done.indexOf(before.name)) : [before.name];
  throw new UserError(
    `${run.path("stages", `${before.name}.json`)}: stage "${before.name}" ${before.state === "done" ? "was done" : "began"} with other inputs (${changes.map(formatChange).join(", ")}). ` +
      `This would invalidate: ${invalid.join(", ")}. Go back to the old inputs, or choose another --run.`,
  );
}

function save(run: Run, record: StageRecord): void {
  writeFileAtomic(run.path("stages", `${record.name}.json`), `${JSON.stringify(record, null, 2)}\n`);
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
