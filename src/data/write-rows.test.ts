import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAllRows } from "./rows.ts";
import { writeRows } from "./write-rows.ts";

const folder = mkdtempSync(join(tmpdir(), "aha-write-"));
const rows = [
  { id: "a", score: 0.5, good: true, messages: [{ role: "user", content: "Wie heißt 你?" }], from: { seed: 1 } },
  { id: "b", score: -2, good: false, messages: [], from: { seed: 2, note: null } },
];

describe("writeRows", () => {
  it.each(["rows.jsonl", "rows.jsonl.gz", "rows.parquet"])("gives back every value from %s", async (name) => {
    const path = join(folder, name);
    expect(await writeRows(path, rows)).toBe(2);
    expect(await readAllRows(path)).toEqual(rows);
  });

  it("leaves a value out in Parquet where a row has none", async () => {
    const path = join(folder, "gaps.parquet");
    await writeRows(path, [{ id: "a" }, { id: "b", verdict: "correct" }]);
    expect((await readAllRows(path)).map(({ verdict }) => verdict ?? "none")).toEqual(["none", "correct"]);
  });

  it("writes no rows as a whole file", async () => {
    const path = join(folder, "none.jsonl");
    expect(await writeRows(path, [])).toBe(0);
    expect(await readAllRows(path)).toEqual([]);
    await expect(writeRows(join(folder, "none.parquet"), [])).rejects.toThrow(/no rows to write/);
  });

  it("names the row with a column that comes too late for Parquet, and leaves no file", async () => {
    const path = join(folder, "late.parquet");
    function* late() {
      for (let i = 0; i < 10_000; i++) yield { id: i };
      yield { id: 10_000, extra: 1 };
    }
    await expect(writeRows(path, late())).rejects.toThrow(/row 10000 has a column "extra"/);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("refuses a name whose kind it cannot write", async () => {
    await expect(writeRows(join(folder, "rows.csv"), rows)).rejects.toThrow(/rows\.csv: no writer.*\.parquet/);
  });
});
