import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readJsonl, writeJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";
import { field, type Row } from "./row.ts";
import { readAllRows, readRows } from "./rows.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aha-data-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const all = async (rows: AsyncIterable<Row>) => {
  const list: Row[] = [];
  for await (const row of rows) list.push(row);
  return list;
};

describe("readJsonl", () => {
  it("reads rows past a byte order mark, carriage returns and blank lines, plain and gzipped", async () => {
    const text = '\ufeff{"a":1}\r\n\r\n{"a":"x\u2028y"}\n  \n{"a":3}';
    const rows = [{ a: 1 }, { a: "x\u2028y" }, { a: 3 }];
    expect(await all(readJsonl(write("x.jsonl", text)))).toEqual(rows);
    expect(await all(readJsonl(write("x.jsonl.gz", gzipSync(text))))).toEqual(rows);
    expect(await all(readJsonl(write("empty.jsonl", "")))).toEqual([]);
  });
  it("reads back any rows that writeJsonl wrote", async () => {
    const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom("r.jsonl", "r.jsonl.gz"), async (rows, name) => {
        const path = join(folder, "new", name);
        const plain = JSON.parse(JSON.stringify(rows)); // -0 has no JSON
        expect(await writeJsonl(path, rows)).toBe(rows.length);
        expect(await all(readJsonl(path))).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });
  it("puts together lines that are longer than one read", async () => {
    const long = "é".repeat(200_000);
    expect(await all(readJsonl(write("x.jsonl", `{"a":"${long}"}\n{"a":"${long}"}\n`)))).toEqual([
      { a: long },
      { a: long },
    ]);
  });
  it("names file and line of what is not JSON, not an object, or not UTF-8", async () => {
    const path = write("x.jsonl", '{"a":1}\n{"a":\n');
    await expect(all(readJsonl(path))).rejects.toThrow(`${path}:2: not JSON: `);
    await expect(all(readJsonl(write("y.jsonl", "{}\n\n[1]\n")))).rejects.toThrow(
      "y.jsonl:3: a row is an array. Expected a JSON object.",
    );
    await expect(all(readJsonl(write("z.jsonl", Buffer.from([123, 125, 10, 0xff]))))).rejects.toThrow(
      "z.jsonl:2: not UTF-8",
    );
  });
  it("gives the whole rows of a gzip file that was cut off, then says so", async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `{"i":${i},"r":"${Math.sin(i)}"}\n`).join("");
    const bytes = gzipSync(lines);
    const path = write("x.jsonl.gz", bytes.subarray(0, bytes.length / 2));
    const rows: Row[] = [];
    const read = async () => {
      for await (const row of readJsonl(path)) rows.push(row);
    };
    await expect(read()).rejects.toThrow(/x\.jsonl\.gz: cannot read beyond \d+ bytes of text.*cut off/);
    expect(rows.length).toBeGreaterThan(1000);
  });
  it("names the files that are there when the one asked for is not", async () => {
    write("train.jsonl", "");
    await expect(all(readJsonl(join(folder, "tran.jsonl")))).rejects.toThrow(`Files in ${folder}: train.jsonl.`);
    await expect(all(readJsonl(join(folder, "no", "x.jsonl")))).rejects.toThrow("There is no folder");
  });
});

describe("writeJsonl", () => {
  it("leaves the old file, and no other, when a row cannot be written", async () => {
    const path = write("x.jsonl", '{"old":1}\n');
    async function* rows() {
      yield { a: 1 };
      throw new Error("stop");
    }
    await expect(writeJsonl(path, rows())).rejects.toThrow("stop");
    expect(readFileSync(path, "utf8")).toBe('{"old":1}\n');
    expect(readdirSync(folder)).toEqual(["x.jsonl"]);
  });
});

describe("field", () => {
  it("names file, line and the fields that are there", async () => {
    const path = write("x.jsonl", '{"question":"q","solution":"s","final":null}\n{"question":5}\n');
    const [first, second] = await readAllRows(path);
    expect(field(first!, "question", "string")).toBe("q");
    expect(() => field(first!, "answer", "string")).toThrow(
      `${path}:1: no field "answer". Fields here: question, solution.`,
    );
    expect(() => field(first!, "final", "string")).toThrow(`${path}:1: field "final" is null.`);
    expect(() => field(second!, "question", "string")).toThrow(
      `${path}:2: field "question" is a number (5). Expected a string.`,
    );
    expect(() => field({}, "a", "array")).toThrow('row: no field "a". Fields here: none.');
  });
});

describe("readRows", () => {
  it("reads .json as an array, or as lines where it holds lines", async () => {
    const rows = [{ a: 1 }, { a: 2 }];
    expect(await readAllRows(write("a.json", JSON.stringify(rows, null, 2)))).toEqual(rows);
    expect(await readAllRows(write("a.json.gz", gzipSync(JSON.stringify(rows))))).toEqual(rows);
    expect(await readAllRows(write("b.json", '{"a":1}\n{"a":2}\n'))).toEqual(rows);
  });
  it("says what is wrong with a .json that holds no rows", async () => {
    await expect(readAllRows(write("a.json", "[1]"))).rejects.toThrow("a.json[0]: a row is a number.");
    await expect(readAllRows(write("b.json", "5"))).rejects.toThrow("b.json: holds 5. Expected an array of objects.");
    await expect(readAllRows(write("c.json", '[{"a":'))).rejects.toThrow("c.json: not JSON:");
  });
  it("refuses an extension it does not know", async () => {
    await expect(readAllRows(write("a.csv", "a"))).rejects.toThrow("a.csv: no reader for this kind of file.");
  });
  it("reads the files of one split of a folder in order", async () => {
    await mkdir(join(folder, "test"));
    write("train-00001-of-00002.jsonl", '{"i":2}\n');
    write("train-00000-of-00002.jsonl", '{"i":1}\n');
    write("training-notes.json", '[{"i":9}]');
    write("README.md", "");
    writeFileSync(join(folder, "test", "part.json"), '[{"i":3}]');
    expect(await readAllRows(folder, { split: "train" })).toEqual([{ i: 1 }, { i: 2 }]);
    expect(await readAllRows(folder, { split: "test" })).toEqual([{ i: 3 }]);
    await expect(readAllRows(folder, { split: "dev" })).rejects.toThrow(
      `${folder}: no file of the split "dev". Data files here: test/part.json, train-00000-of-00002.jsonl`,
    );
  });
});

describe("readParquet", () => {
  const goldenFolder = fileURLToPath(new URL("../../test/golden/parquet/", import.meta.url));
  const golden = JSON.parse(readFileSync(join(goldenFolder, "golden.json"), "utf8")) as Row[];
  const names = readdirSync(goldenFolder).filter((name) => name.endsWith(".parquet"));
  it.each(names)("reads %s as pyarrow wrote it", async (name) => {
    const rows = await all(readParquet(join(goldenFolder, name)));
    const expected = golden.map((row) => ({
      ...row,
      large: BigInt(row.large as string),
      day: new Date(row.day as string),
    }));
    expect(rows).toEqual(expected);
  });
  it("names file and row of a missing field, across row groups", async () => {
    const path = join(goldenFolder, "rows-snappy.parquet");
    const rows = await readAllRows(path);
    expect(() => field(rows[3]!, "answer", "string")).toThrow(`${path} row 3: field "answer" is null.`);
    expect(field(rows[5]!, "messages", "array")).toEqual(golden[5]!.messages);
  });
  it("reads the columns asked for, and refuses one that is not there", async () => {
    const path = join(goldenFolder, "rows-zstd.parquet");
    expect((await all(readParquet(path, { columns: ["level"] })))[6]).toEqual({ level: 6 });
    await expect(all(readParquet(path, { columns: ["levle"] }))).rejects.toThrow(
      `${path}: no column "levle". Columns here: problem, answer, level, large, score, isEasy, messages, extra, day.`,
    );
  });
  it("says which file is cut off or no Parquet at all", async () => {
    const path = write("x.parquet", readFileSync(join(goldenFolder, "rows-none.parquet")));
    truncateSync(path, 300);
    await expect(readAllRows(path)).rejects.toThrow(`${path}: not readable as Parquet`);
    await expect(readAllRows(write("y.parquet", ""))).rejects.toThrow("y.parquet: not readable as Parquet");
  });
});

const shared = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
describe("real data sets", () => {
  beforeEach((context) => context.skip(!existsSync(shared), "no ../shared/data"));
  it.each([
    ["math/gsm8k-train.jsonl.gz", 7473],
    ["math/math-train.json.gz", 7474],
    ["code/leetcode-with-tests.json.gz", 200],
    ["models/arithmetic-random/train.parquet", undefined],
  ])("%s has as many rows as its description says", async (name, numRows) => {
    let count = 0;
    for await (const row of readRows(join(shared, name))) count += Object.keys(row).length > 0 ? 1 : 0;
    if (numRows === undefined) expect(count).toBeGreaterThan(0);
    else expect(count).toBe(numRows);
  });
});
