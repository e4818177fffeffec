import { writeJsonl } from "./jsonl.ts";
import { writeParquet } from "./parquet-write.ts";

/** Writes rows as JSON Lines (.jsonl, .jsonl.gz) or Parquet by the name's ending. The file appears whole or not at all. Gives their number. */
export async function writeRows(path: string, rows: Iterable<object> | AsyncIterable<object>): Promise<number> {
  if (/\.jsonl(\.gz)?$/.test(path)) return writeJsonl(path, rows);
  if (path.endsWith(".parquet")) return writeParquet(path, rows);
  throw new Error(`${path}: no writer for this kind of file. Expected .jsonl, .jsonl.gz or .parquet.`);
}
