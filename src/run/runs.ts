import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Change, diffConfigs } from "./config.ts";
import { readJsonLines } from "./jsonl.ts";
import { lockHolder } from "./lock.ts";
import { endings } from "./recipe.ts";
import { readJsonFile, readRunConfig } from "./run-config.ts";
import { stageRecords } from "./stage-record.ts";
import { readTable, type TableView } from "./table.ts";
import { UserError } from "./user-error.ts";

/** A run that nobody works on is "done" at its end, "stopped" where a person asked for it or is waited for, and otherwise "crashed": it failed or was killed. */
export type RunState = "running" | "stopped" | "done" | "crashed";

export type RunSummary = {
  name: string;
  dir: string;
  recipe: string;
  seed: number;
  state: RunState;
  /** The stage that was begun last, and its last step. */
  stage?: string;
  step?: number;
  /** The last held-out accuracy, a share. */
  accuracy?: number;
  /** ISO 8601. */
  started: string;
  /** Time that processes worked on it, without the pauses between them. */
  seconds: number;
  sizeBytes: number;
};

type Line = Record<string, unknown>;

/**
 * The runs in a folder such as `out/`, the latest first. Folders that are no runs are passed over; `onBroken` is told of one
 * whose files cannot be read, which is an error where absent.
 */
export function listRuns(folder: string, onBroken?: (message: string) => void): RunSummary[] {
  const summarize = (name: string) => {
    try {
      return summarizeRun(join(folder, name), name) ?? [];
    } catch (error) {
      if (onBroken === undefined || !(error instanceof UserError)) throw error;
      onBroken(error.message);
      return [];
    }
  };
  if (!existsSync(folder)) throw new UserError(`${folder}: no such folder. Runs are made by aha train, in out/.`);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "config.json")))
    .flatMap(({ name }) => summarize(name))
    .sort((a, b) => b.started.localeCompare(a.started));
}

/** Undefined for a folder that holds no run. */
function summarizeRun(dir: string, name: string): RunSummary | undefined {
  const config = readRunConfig(dir);
  if (config?.recipe === undefined || config.config === undefined) return undefined;
  const lines = readJsonLines<Line>(join(dir, "metrics.jsonl"));
  const last = lines.at(-1);
  const isRunning = lockHolder(dir) !== undefined;
  const { started, seconds, ending } = readLog(dir, isRunning);
  return {
    name,
    dir,
    recipe: config.recipe,
    seed: config.seed,
    state: isRunning ? "running" : ending,
    ...given("stage", lastStage(dir)),
    ...given("step", numberOf(last, "step")),
    ...given("accuracy", lastOf(lines, "eval/accuracy")),
    started,
    seconds,
    sizeBytes: sizeOf(dir),
  };
}

const given = <K extends string, V>(name: K, value: V | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [k in K]?: V };

function lastStage(dir: string): string | undefined {
  try {
    return stageRecords(dir).at(-1)?.name;
  } catch {
    return undefined; // A run of an earlier version is listed all the same.
  }
}

const numberOf = (line: Line | undefined, name: string): number | undefined =>
  typeof line?.[name] === "number" ? line[name] : undefined;

/** The last value that a metric had. */
function lastOf(lines: readonly Line[], name: string): number | undefined {
  const line = lines.findLast((one) => numberOf(one, name) !== undefined);
  return numberOf(line, name);
}

/** What log.txt tells: each process's first line says "by process", its last how it ended. */
function readLog(dir: string, isRunning: boolean): { started: string; seconds: number; ending: RunState } {
  const path = join(dir, "log.txt");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = [...text.matchAll(/^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/gm)].map(([, at, words]) => ({
    at: Date.parse(at!),
    words: words!,
  }));
  const begins = lines.flatMap(({ words }, i) => (/^(started|resumed) by process /.test(words) ? [i] : []));
  const lastSign = Math.max(...["log.txt", "metrics.jsonl"].map((name) => modifiedAt(join(dir, name))));
  const milliseconds = begins.map((begin, i) => {
    const next = begins[i + 1];
    const end = next !== undefined ? lines[next - 1]!.at : isRunning ? Date.now() : lastSign;
    return Math.max(0, end - lines[begin]!.at);
  });
  const words = lines.at(-1)?.words ?? "";
  return {
    started: new Date(lines[0]?.at ?? modifiedAt(join(dir, "config.json"))).toISOString(),
    seconds: milliseconds.reduce((sum, one) => sum + one, 0) / 1000,
    ending:
      words === endings.finished
        ? "done"
        : words.startsWith(endings.stopped) || words.startsWith(endings.waiting)
          ? "stopped"
          : "crashed",
  };
}

const modifiedAt = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : 0);

function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    const stats = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return sum + (stats?.size ?? 0); // A running one may have deleted it since.
  }, 0);
}

/** A curve of a run over its steps, counted on where a stage counts from 1 again. */
export type Curve = { x: number; y: number; error?: number }[];

/** One run, with all that a comparison shows. */
export type RunDetail = RunSummary & {
  config: Record<string, unknown>;
  versions: Record<string, unknown>;
  table: TableView;
  /** The last value of each metric, and the numbers of summary.json by their path. */
  figures: Record<string, number>;
  curves: Record<CurveName, Curve>;
};

export const curveNames = ["eval/accuracy", "reward/mean", "sample/length"] as const;
export type CurveName = (typeof curveNames)[number];

/** Throws a UserError for a folder that holds no run. */
export function readRun(dir: string, name = dir): RunDetail {
  const summary = existsSync(join(dir, "config.json")) ? summarizeRun(dir, name) : undefined;
  if (summary === undefined)
    throw new UserError(`${dir}: no run here (expected a config.json of aha train). aha runs lists those there are.`);
  const lines = readJsonLines<Line>(join(dir, "metrics.jsonl"));
  const curve = (metric: CurveName) =>
    lines.flatMap((line, i) => {
      const [y, error] = [numberOf(line, metric), numberOf(line, "eval/standardError")];
      return y === undefined ? [] : [{ x: i + 1, y, ...(metric === "eval/accuracy" && given("error", error)) }];
    });
  const metrics = [...new Set(lines.flatMap((line) => Object.keys(line)))].filter((metric) => metric.includes("/"));
  const last = metrics.map((metric): [string, number | undefined] => [metric, lastOf(lines, metric)]);
  const figures = Object.fromEntries([
    ...last.filter((entry): entry is [string, number] => entry[1] !== undefined),
    ...numbersIn(readJsonFile(join(dir, "summary.json"), {}), "summary"),
  ]);
  return {
    ...summary,
    config: readRunConfig(dir)!.config,
    versions: readJsonFile(join(dir, "versions.json"), {}),
    table: readTable(join(dir, "table.json")),
    figures,
    curves: { "eval/accuracy": curve("eval/accuracy"), "reward/mean": curve("reward/mean"), "sample/length": curve("sample/length") }, // biome-ignore format: one line
  };
}

function numbersIn(record: Record<string, unknown>, above: string): [string, number][] {
  return Object.entries(record).flatMap(([name, value]): [string, number][] => {
    const path = `${above}.${name}`;
    if (typeof value === "number") return [[path, value]];
    return typeof value === "object" && value !== null ? numbersIn(value as Record<string, unknown>, path) : [];
  });
}

export type RunComparison = {
  runs: [RunDetail, RunDetail];
  /** Settings, seed, recipe and versions that differ. */
  differences: Change[];
  /** Figures that both or one of them has, in the order of the first. */
  figures: { name: string; values: [number | undefined, number | undefined] }[];
};

/** Two runs beside each other. */
export function compareRuns(a: RunDetail, b: RunDetail): RunComparison {
  const asked = ({ recipe, seed, config, versions }: RunDetail) => ({ recipe, seed, ...config, versions });
  const names = [...new Set([...Object.keys(a.figures), ...Object.keys(b.figures)])];
  return {
    runs: [a, b],
    differences: diffConfigs(asked(a), asked(b)),
    figures: names.map((name) => ({ name, values: [a.figures[name], b.figures[name]] })),
  };
}
