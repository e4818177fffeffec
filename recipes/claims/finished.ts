import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Figure, UserError } from "aha-rl";
import type { StageFigures } from "../r1/measure.ts";
import type r1 from "../r1.ts";

/** A finished run of recipes/r1.ts, as its folder tells it. */
export type Finished = {
  path: (...parts: string[]) => string;
  /** The run's settings. */
  config: (typeof r1)["config"];
  /** What a stage gave. */
  result: <T>(stage: string) => T;
  /** The model that a stage trained. */
  model: (stage: string) => string;
  /** When stages were begun: other values tell that they were done anew, in the same folders. */
  begun: (...stages: string[]) => Record<string, string>;
  /** A row of the table, by column. */
  row: (stage: string) => (column: string) => number;
};

/** Opens it. @throws UserError where it is not there, or not at its end. */
export function finishedRun(folder: string): Finished {
  const read = (...parts: string[]) => {
    const path = join(folder, ...parts);
    if (!existsSync(path))
      throw new UserError(`${path}: not there. Expected a finished run of recipes/r1.ts: npm run r1 -- --run NAME.`);
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  };
  const done = (stage: string) => {
    const record = read("stages", `${stage}.json`);
    if (record.state !== "done")
      throw new UserError(`${folder}: its stage ${stage} is not done. Give the command that began it again first.`);
    return record;
  };
  const result = <T>(stage: string) => done(stage).result as T;
  const row = (stage: string) => {
    const { figures } = result<StageFigures>(stage);
    return (column: string) => numberOf(figures[column], `${folder}: stage ${stage}, column "${column}"`);
  };
  return {
    path: (...parts) => join(folder, ...parts),
    config: read("config.json").config as Finished["config"],
    result,
    model: (stage) => result<{ model: string }>(stage).model,
    begun: (...stages) => Object.fromEntries(stages.map((stage) => [stage, done(stage).startedAt as string])),
    row,
  };
}

function numberOf(figure: Figure | undefined, where: string): number {
  const value = typeof figure === "object" ? figure.value : figure;
  if (typeof value !== "number") throw new UserError(`${where}: no figure. Expected one of the table's.`);
  return value;
}
