import { writeFileAtomic } from "./durable.ts";
import { formatShort } from "./format.ts";
import { readJsonFile } from "./run-config.ts";
import { UserError } from "./user-error.ts";

/** A figure, with its standard error where it has one, or words. */
export type Figure = number | string | { value: number; standardError: number };

/** A table as it stands; a figure that is not there yet is undefined. */
export type TableView = { columns: string[]; rows: { name: string; figures: (Figure | undefined)[] }[] };

type Cell = { row: string; column: string; figure: Figure; stage?: string };

/**
 * The table that a run fills as its stages finish, kept in `table.json`, printed after each stage that added to it and
 * put into report.html: `run.table.add("Dev1", { "reasoning %": 41.2 })`. The unit stands in the column's name. Adding
 * to a row that is there fills or replaces its figures, so a resumed recipe may say everything again.
 */
export class Table {
  readonly #path: string;
  readonly #stage: () => string | undefined;
  #cells: Cell[];

  constructor(path: string, stage: () => string | undefined) {
    this.#path = path;
    this.#stage = stage;
    this.#cells = readJsonFile<Cell[]>(path, []);
  }

  /** Figures of one row, by column. Throws a UserError for a number that is not finite. */
  add(row: string, figures: Record<string, Figure>): void {
    for (const [column, figure] of Object.entries(figures)) {
      const value = typeof figure === "object" ? figure.value : figure;
      if (typeof value === "number" && !Number.isFinite(value))
        throw new UserError(
          `${this.#path}: ${row}, ${column}: the figure is ${value}. Leave out what was not measured.`,
        );
      const cell: Cell = { row, column, figure, stage: this.#stage() };
      const at = this.#cells.findIndex((one) => one.row === row && one.column === column);
      if (at < 0) this.#cells.push(cell);
      else this.#cells[at] = cell;
    }
    writeFileAtomic(this.#path, json(this.#cells));
  }

  get view(): TableView {
    return viewOf(this.#cells);
  }
}

const json = (cells: readonly Cell[]) => `${JSON.stringify(cells, null, 2)}\n`;

/** table.json without what these stages added, and without what the recipe will say again when it is run. */
export const withoutStages = (text: string, stages: readonly string[]): string =>
  json((JSON.parse(text) as Cell[]).filter(({ stage }) => stage !== undefined && !stages.includes(stage)));

/** The table of a run folder; empty where it has none. */
export const readTable = (path: string): TableView => new Table(path, () => undefined).view;

/** Rows and columns in the order they were first named. */
function viewOf(cells: readonly Cell[]): TableView {
  const columns = [...new Set(cells.map(({ column }) => column))];
  const rows = [...new Set(cells.map(({ row }) => row))].map((name) => ({
    name,
    figures: columns.map((column) => cells.find((cell) => cell.row === name && cell.column === column)?.figure),
  }));
  return { columns, rows };
}

/** "61.7 ± 1.2" */
export function formatFigure(figure: Figure): string {
  if (typeof figure !== "object") return typeof figure === "string" ? figure : formatShort(figure);
  const { value, standardError } = figure;
  return Number.isFinite(standardError) ? `${formatShort(value)} ± ${formatShort(standardError)}` : formatShort(value);
}

/** Lines of text, columns under each other; those that do not fit go to further blocks below. */
export function tableLines({ columns, rows }: TableView, { width = 100, missing = "·" } = {}): string[] {
  const cells = rows.map(({ figures }) => figures.map((one) => (one === undefined ? missing : formatFigure(one))));
  const first = Math.max(0, ...rows.map(({ name }) => name.length));
  const widths = columns.map((title, c) => Math.max(title.length, ...cells.map((row) => row[c]!.length)));
  const blocks: number[][] = [];
  let used = 0;
  for (const [c, columnWidth] of widths.entries()) {
    if (blocks.length === 0 || used + 2 + columnWidth > width) {
      blocks.push([]);
      used = first;
    }
    blocks.at(-1)!.push(c);
    used += 2 + columnWidth;
  }
  const line = (name: string, block: number[], text: (c: number) => string) =>
    [name.padEnd(first), ...block.map((c) => text(c).padStart(widths[c]!))].join("  ");
  return blocks.flatMap((block, b) => [
    ...(b === 0 ? [] : [""]),
    line("", block, (c) => columns[c]!),
    ...rows.map(({ name }, r) => line(name, block, (c) => cells[r]![c]!)),
  ]);
}
