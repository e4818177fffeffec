import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type GradeOptions, grade } from "./grade.ts";
import { gradeKinds } from "./grade-kinds.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aha-grade-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Grades rows through files; gives the rows written, the summary and what was said. */
async function run(kind: string, rows: object[] | string, rest: Partial<GradeOptions> = {}) {
  const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
  writeFileSync(input, typeof rows === "string" ? rows : rows.map((row) => JSON.stringify(row)).join("\n"));
  let said = "";
  const stderr = { write: (text: string) => (said += text) };
  const summary = await grade({ kind, input, output, stderr, ...rest });
  const written = readFileSync(output, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { written, summary, said };
}

const cases: [string, object, string][] = [
  ["math", { gold: "1/2", completion: "so \\boxed{0.5}" }, "correct"],
  ["math", { gold: 7, answer: 8 }, "wrong"],
  ["math", { gold: "7", answer: "$7$" }, "correct"],
  ["math", { gold: "7", completion: "\\boxed{7}", finishReason: "length" }, "truncated"],
  ["choice", { gold: "B", completion: "The answer is (B)." }, "correct"],
  ["choice", { gold: "B", completion: "\\boxed{apple}", choices: ["car", "apple"] }, "correct"],
  ["ifeval", { instruction_id_list: ["punctuation:no_comma"], kwargs: [null], response: "a, b" }, "wrong"],
  ["language", { text: "this is a thought of more than eight english words", target: "en" }, "correct"],
  ["format", { completion: "<think>a</think><answer>b</answer>" }, "correct"],
  ["format", { completion: "a</think> b", prefilled: true }, "correct"],
  ["format", { completion: "a" }, "wrong"],
  ["countdown", { numbers: [3, 5], target: 8, completion: "<think>x</think><answer>3 + 5</answer>" }, "correct"],
  ["countdown", { numbers: [3, 5], target: 8, completion: "5 - 3" }, "wrong"],
];

describe("grade", () => {
  test.each(cases)("%s of %j is %s, and the row keeps its fields", async (kind, row, verdict) => {
    const { written, summary } = await run(kind, [row]);
    expect(written[0]).toMatchObject({ ...row, verdict, reward: Number(verdict === "correct") });
    expect(written[0].detail).toBeTypeOf("object");
    expect(summary).toMatchObject({ numRows: 1, numInvalid: 0, verdicts: { [verdict]: 1 } });
  });

  test("rows come out in their order, however long each takes", async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ id: i, gold: String(i), answer: String(i) }));
    expect((await run("math", rows)).written.map((row) => row.id)).toEqual(rows.map((row) => row.id));
  });

  test("the table counts each verdict and the mean leaves out what has no reward", async () => {
    const { summary, said } = await run("math", [
      { gold: "1", answer: "1" },
      { gold: "1", answer: "2" },
      { gold: "", answer: "2" },
    ]);
    expect(summary.verdicts).toEqual({ correct: 1, wrong: 1, badGold: 1 });
    expect(summary.meanReward).toBe(0.5);
    expect(said).toMatch(/math: 3 rows, mean reward 0\.5000/);
    expect(said).toMatch(/badGold +1 +33\.3%/);
  });

  test("a row without its field is named by file and line, written as badGold, and the rest is graded", async () => {
    const { written, summary, said } = await run("math", [{ gold: "1" }, { gold: "1", answer: "1" }]);
    expect(summary.numInvalid).toBe(1);
    expect(said).toMatch(/in\.jsonl:1: no field "completion"\. Fields here: gold\./);
    expect(written.map((row) => row.verdict)).toEqual(["badGold", "correct"]);
  });

  test("a grader that fails on one row is that row's verifierError, and the rest is graded", async () => {
    const spy = vi.spyOn(gradeKinds.format, "grade").mockImplementationOnce(() => {
      throw new TypeError("no such property");
    });
    const { written, summary } = await run("format", [{ completion: "a" }, { completion: "a" }]);
    expect(written[0]).toMatchObject({ verdict: "verifierError", reward: null });
    expect(written[0].detail.error).toBe("no such property");
    expect(summary.verdicts).toEqual({ verifierError: 1, wrong: 1 });
    spy.mockRestore();
  });

  test("a line that is no JSON ends the grading with its place, and leaves no half-written output", async () => {
    rmSync(join(folder, "out.jsonl"), { force: true });
    await expect(run("math", '{"gold":"1","answer":"1"}\n{"gold"')).rejects.toThrow(/in\.jsonl:2: not JSON/);
    expect(() => readFileSync(join(folder, "out.jsonl"))).toThrow(/ENOENT/);
  });

  test("gzipped rows are read and written by their names", async () => {
    const [input, output] = [join(folder, "in.jsonl.gz"), join(folder, "out.jsonl.gz")];
    writeFileSync(input, gzipSync('{"gold":"1","answer":"1"}\n'));
    await grade({ kind: "math", input, output, stderr: { write: () => true } });
    expect(JSON.parse(gunzipSync(readFileSync(output)).toString()).verdict).toBe("correct");
  });

  test("without an output the rows go to standard output and nothing else does", async () => {
    const pieces: string[] = [];
    const stdout = new Writable({
      write(piece, _, done) {
        pieces.push(String(piece));
        done();
      },
    });
    await run("format", [{ completion: "<think>a</think>b" }]);
    await grade({ kind: "format", input: join(folder, "in.jsonl"), stdout, stderr: { write: () => true } });
    expect(JSON.parse(pieces.join("")).verdict).toBe("correct");
  });

  test("an unknown kind names the nearest, and an option the kind does not read is refused", async () => {
    await expect(run("maths", [])).rejects.toThrow(/no kind "maths"\. Did you mean "math"\?/);
    await expect(run("choice", [], { strict: true })).rejects.toThrow(/--strict means nothing here.*math/);
  });
});
