import { spread } from "./spread.mjs";

/** The tables of the same recipe's runs as one, in Markdown: each figure's mean over seeds ± its standard deviation. */
export function seedTable(runs) {
  const names = (key) => [...new Set(runs.flatMap(({ cells }) => cells.map((cell) => cell[key])))];
  const [rows, columns] = [names("row"), names("column")];
  const figure = (row, column) => {
    const found = runs.flatMap(({ cells }) => cells.filter((cell) => cell.row === row && cell.column === column));
    const values = found.map(({ figure }) => (typeof figure === "object" ? figure.value : figure));
    return values.length === 0 ? "" : spread(values);
  };
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    line(["", ...rows]),
    line(["---", ...rows.map(() => "---")]),
    ...columns.map((column) => line([column, ...rows.map((row) => figure(row, column))])),
    "",
    `Mean ± standard deviation over seed${runs.length > 1 ? "s" : ""} ${runs.map(({ seed }) => seed).join(", ")}.`,
  ].join("\n");
}
