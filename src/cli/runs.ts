import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  compareRuns,
  formatBytes,
  formatChange,
  formatDuration,
  formatShare,
  formatShort,
  isUnicodeLocale,
  listRuns,
  plotLines,
  type RunComparison,
  type RunDetail,
  type RunSummary,
  readRun,
  sideBySide,
  type TableView,
  tableLines,
  UserError,
  writeFileAtomic,
} from "#run";

export type RunsOptions = { out: string; html?: string; json?: boolean };

/** `aha runs`: the runs of a folder; `aha runs a b`: two of them beside each other. */
export async function runs(names: readonly string[], options: RunsOptions): Promise<void> {
  if (names.length > 2) throw new UserError(`aha runs: ${names.length} names. Expected a folder, or two runs.`);
  const [first, second] = names;
  if (first !== undefined && second !== undefined) return compare(first, second, options);
  if (first !== undefined && existsSync(join(findRun(first, options.out), "config.json")))
    throw new UserError(`aha runs ${first}: one run. Expected a folder of runs, or the two to compare.`);
  const list = listRuns(first ?? options.out, (message) => console.error(`aha runs: ${message} Not in the list.`));
  console.log(options.json ? JSON.stringify(list, null, 2) : listLines(list, first ?? options.out).join("\n"));
}

/** A run by its path, or by its name in the folder of runs. */
function findRun(name: string, out: string): string {
  return existsSync(join(name, "config.json")) || !existsSync(join(out, name)) ? name : join(out, name);
}

function listLines(list: readonly RunSummary[], folder: string): string[] {
  if (list.length === 0) return [`${folder}: no runs yet. npx aha train <recipe> makes one.`];
  const missing = isUnicodeLocale() ? "·" : "-";
  const titles = ["recipe", "seed", "state", "stage", "step", "accuracy", "started", "worked", "size"];
  const rows = list.map((run) => ({
    name: run.name,
    figures: [
      run.recipe,
      String(run.seed),
      run.state,
      run.stage,
      run.step === undefined ? undefined : String(run.step),
      run.accuracy === undefined ? undefined : formatShare(run.accuracy),
      run.started.slice(0, 16).replace("T", " "),
      formatDuration(run.seconds),
      formatBytes(run.sizeBytes),
    ],
  }));
  return tableLines({ columns: titles, rows }, { width: Number.POSITIVE_INFINITY, missing });
}

async function compare(first: string, second: string, { out, html, json }: RunsOptions): Promise<void> {
  const [a, b] = [first, second].map((name) => readRun(findRun(name, out), basename(name))) as [RunDetail, RunDetail];
  const comparison = compareRuns(a, b);
  const path = html ?? join(out, `${a.name}-vs-${b.name}.html`);
  const { comparisonHtml } = await import("#eval");
  writeFileAtomic(path, comparisonHtml(comparison));
  console.log(
    json
      ? JSON.stringify({ ...comparison, html: path }, null, 2)
      : [...comparisonLines(comparison), "", path].join("\n"),
  );
}

function comparisonLines({ runs: [a, b], differences, figures }: RunComparison): string[] {
  const isUnicode = isUnicodeLocale();
  const missing = isUnicode ? "·" : "-";
  const view: TableView = {
    columns: [a.name, b.name],
    rows: figures.map(({ name, values }) => ({ name, figures: [...values] })),
  };
  const states = [a, b].map(
    ({ name, state, seconds, step }) => `${name}: ${state}, ${step ?? 0} steps, ${formatDuration(seconds)}`,
  );
  const tables = [a, b].flatMap(({ name, table }) =>
    table.rows.length === 0 ? [] : ["", `table of ${name}`, ...tableLines(table, { missing })],
  );
  return [
    ...states,
    "",
    ...(differences.length === 0 ? ["the same settings and versions"] : ["differing settings"]),
    ...differences.map((change) => `  ${formatChange(change)}`),
    "",
    ...tableLines(view, { missing }),
    ...tables,
    ...plots(a, b, isUnicode),
  ];
}

/** The same curve of both, beside each other on the same axes. */
function plots(a: RunDetail, b: RunDetail, isUnicode: boolean): string[] {
  const name =
    a.curves["eval/accuracy"].length > 0 || b.curves["eval/accuracy"].length > 0 ? "eval/accuracy" : "reward/mean";
  const width = Math.min(60, Math.floor(((process.stdout.columns ?? 100) - 4) / 2));
  const formatY = name === "eval/accuracy" ? formatShare : formatShort;
  const [left, right] = [a, b].map((run) =>
    plotLines({
      title: `${run.name}: ${name}`,
      points: run.curves[name],
      beside: [...a.curves[name], ...b.curves[name]],
      width,
      formatY,
      isUnicode,
    }),
  ) as [string[], string[]];
  return ["", ...sideBySide(left, right).map((line) => line.trimEnd())];
}
