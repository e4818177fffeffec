import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type BasicType, fileWriter, parquetWriteRows } from "hyparquet-writer";

/** Rows that are in memory at once, and that the columns are known from. */
const rowGroupSize = 10_000;

type AnyRow = Record<string, unknown>;

/**
 * Writes rows as Parquet: text, numbers and booleans as such, lists and records as JSON columns. The file appears whole or
 * not at all. Gives the number of rows. @throws Error for a column that none of the first 10,000 rows has.
 */
export async function writeParquet(path: string, rows: Iterable<object> | AsyncIterable<object>): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const source = iterate(rows);
  const first: AnyRow[] = [];
  while (first.length < rowGroupSize) {
    const next = await source.next();
    if (next.done) break;
    first.push(next.value);
  }
  if (first.length === 0)
    throw new Error(`${path}: no rows to write, and Parquet has no table without columns. Write .jsonl instead.`);
  const columns = columnsOf(first);
  const names = new Set(columns.map(({ name }) => name));
  let numRows = 0;
  async function* counted() {
    for await (const row of chain(first, source)) {
      const unknown = Object.keys(row).find((name) => !names.has(name) && row[name] !== undefined);
      if (unknown !== undefined) {
        throw new Error(
          `${path}: row ${numRows} has a column "${unknown}" that the first ${first.length} rows have not. Here: ${[...names].join(", ")}.`,
        );
      }
      numRows++;
      yield row;
    }
  }
  try {
    await parquetWriteRows({ writer: fileWriter(temporary), rows: counted(), columns, rowGroupSize });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return numRows;
}

async function* iterate(rows: Iterable<object> | AsyncIterable<object>): AsyncGenerator<AnyRow> {
  for await (const row of rows) yield row as AnyRow;
}

async function* chain(first: readonly AnyRow[], rest: AsyncIterable<AnyRow>): AsyncGenerator<AnyRow> {
  yield* first;
  yield* rest;
}

/** Each column by the values it has; one whose values differ in kind is JSON. */
function columnsOf(rows: readonly AnyRow[]): { name: string; type: BasicType }[] {
  const types = new Map<string, BasicType>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (value === undefined || value === null) continue;
      const type = typeOf(value);
      types.set(name, (types.get(name) ?? type) === type ? type : "JSON");
    }
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

const typeOf = (value: unknown): BasicType =>
  typeof value === "string"
    ? "STRING"
    : typeof value === "number"
      ? "DOUBLE"
      : typeof value === "boolean"
        ? "BOOLEAN"
        : "JSON";
