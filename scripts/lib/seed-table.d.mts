type Cell = { row: string; column: string; figure: number | string | { value: number; standardError: number } };

/** The tables of the same recipe's runs as one, in Markdown: each figure's mean over seeds ± its standard deviation. */
export function seedTable(runs: readonly { seed: number; cells: readonly Cell[] }[]): string;
