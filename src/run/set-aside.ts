import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Lengths } from "./checkpoints.ts";
import { explained, fsyncFolder, removeLeftovers, writeFileAtomic } from "./durable.ts";
import { type StageRecord, stageRecords } from "./stage-record.ts";
import { withoutStages } from "./table.ts";

/** What a redone run no longer has: `aside/<n>/moved.json`, `plan.json` until all of it is done. */
type Plan = { stages: string[]; moves: string[]; lengths: Lengths };

/** Written at the end of a run, from all of its stages. */
const endings = ["report.html", "summary.json"];

/** The run's own files, and folders that hold more than one stage: a result may name one, it never goes with a stage. */
const shared =
  /^((config|versions|table)\.json|(metrics|rollouts)\.jsonl|log\.txt|(stages|checkpoints|tensorboard)(\/.*)?)$/;

/**
 * Moves stages that are to be redone out of a run's way, with their checkpoints, files and exports, to `aside/<n>/`,
 * and cuts the append-only files back to where the first of them began (whole copies stay aside). Nothing is deleted.
 * The plan is written first: a process killed in between leaves it to the next one. Returns the folder.
 */
export function setAside(dir: string, stages: readonly StageRecord[]): string {
  const folder = join(dir, "aside", String(1 + Math.max(0, ...asides(dir).map(Number))));
  const names = stages.map(({ name }) => name);
  const kept = stageRecords(dir).flatMap(({ name, outputs = [] }) => (names.includes(name) ? [] : outputs));
  const moves = stages.flatMap(({ name, outputs = [] }) => [
    ...outputs.filter((path) => !shared.test(path) && !kept.includes(path)),
    ...["checkpoints", "tensorboard", "stages"].map((above) => join(above, name)),
    join("stages", `${name}.json`),
  ]);
  const plan: Plan = {
    stages: names,
    moves: [...new Set([...endings, ...moves])].filter((path) => existsSync(join(dir, path))),
    lengths: stages[0]!.startLengths,
  };
  explained(folder, () => mkdirSync(folder, { recursive: true }));
  writeFileAtomic(join(folder, "plan.json"), `${JSON.stringify(plan, null, 2)}\n`);
  carryOut(dir, folder);
  return folder;
}

/** Does what a killed process had planned to set aside and did not get to. */
export function finishSettingAside(dir: string): void {
  for (const name of asides(dir))
    if (existsSync(join(dir, "aside", name, "plan.json"))) carryOut(dir, join(dir, "aside", name));
}

const asides = (dir: string) =>
  existsSync(join(dir, "aside")) ? readdirSync(join(dir, "aside")).filter((name) => /^\d+$/.test(name)) : [];

/** Each step is one that can be done twice. */
function carryOut(dir: string, folder: string): void {
  const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as Plan;
  removeLeftovers(folder);
  explained(folder, () => {
    for (const [name, length] of Object.entries(plan.lengths)) {
      if (!existsSync(join(folder, name))) writeFileAtomic(join(folder, name), readFileSync(join(dir, name)));
      if (statSync(join(dir, name)).size > length) truncateSync(join(dir, name), length);
    }
    const table = join(dir, "table.json");
    if (existsSync(table)) {
      const text = readFileSync(table, "utf8");
      if (!existsSync(join(folder, "table.json"))) writeFileAtomic(join(folder, "table.json"), text);
      writeFileAtomic(table, withoutStages(text, plan.stages));
    }
    for (const path of plan.moves) {
      if (!existsSync(join(dir, path))) continue; // Moved before, or with a folder above it.
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      renameSync(join(dir, path), join(folder, path));
      fsyncFolder(dirname(join(dir, path)));
    }
    renameSync(join(folder, "plan.json"), join(folder, "moved.json"));
    fsyncFolder(folder);
  });
}
