import { once } from "node:events";
import { at, countRows, placeOf, type Row, readJsonl, readRows, writeJsonl } from "#data";
import type { Grade, Verdict } from "#rewards";
import { formatShare, nearest, Terminal, type TerminalOptions, UserError } from "#run";
import { SandboxUnavailable } from "#sandbox";
import { type GradeKind, gradeKinds, type KindOptions } from "./grade-kinds.ts";

export type GradeOptions = KindOptions & {
  kind: string;
  /** A file of rows (.jsonl, .json, each also .gz, or .parquet); "-" or nothing: standard input, as JSON Lines. */
  input?: string;
  /** A .jsonl file, gzipped when it ends with .gz; "-" or nothing: standard output. */
  output?: string;
  /** Where rows go without a file, and where progress and the table go. */
  stdout?: NodeJS.WritableStream;
  stderr?: NonNullable<TerminalOptions["output"]>;
};

export type GradeSummary = {
  numRows: number;
  verdicts: Partial<Record<Verdict, number>>;
  /** Mean over the rows that have a reward; NaN when none has. */
  meanReward: number;
  /** Rows that could not be graded: a field is missing or of the wrong type. Each is in the output, as a bad gold. */
  numInvalid: number;
  seconds: number;
};

const verdictOrder: Verdict[] = ["correct", "wrong", "noAnswer", "truncated", "timeout", "badGold", "verifierError"];
const maxShownErrors = 10;

/**
 * Grades every row of a file: the output is the input rows in order, each with `verdict`, `reward` and `detail`.
 * Streams: memory does not grow with the file. A row without its fields is reported as file:line, written as `badGold` and
 * counted in `numInvalid`; the command exits 0 only when there is none.
 * @throws UserError for an unknown kind or an option the kind does not read; Error, with file and line, for a line that is no JSON.
 */
export async function grade(options: GradeOptions): Promise<GradeSummary> {
  const kind = kindOf(options);
  const input = options.input ?? "-";
  const errors = options.stderr ?? process.stderr;
  using terminal = new Terminal({ output: errors });
  const summary: GradeSummary = { numRows: 0, verdicts: {}, meanReward: Number.NaN, numInvalid: 0, seconds: 0 };
  const start = performance.now();
  let [rewardSum, numRewards] = [0, 0];

  async function* graded() {
    for await (const { row, grade, error } of gradeInOrder(readInput(input), kind, options)) {
      summary.numRows++;
      summary.verdicts[grade.verdict] = (summary.verdicts[grade.verdict] ?? 0) + 1;
      if (grade.reward !== null) {
        rewardSum += grade.reward;
        numRewards++;
      }
      if (error !== undefined && summary.numInvalid++ < maxShownErrors) terminal.note(error);
      terminal.advance(summary.numRows);
      yield { ...row, verdict: grade.verdict, reward: grade.reward, detail: grade.detail ?? {} };
    }
  }

  terminal.begin(`grading ${options.kind}`, await totalOf(input));
  if (options.output === undefined || options.output === "-")
    await writeLines(options.stdout ?? process.stdout, graded());
  else await writeJsonl(options.output, graded());
  terminal.end();
  summary.meanReward = rewardSum / numRewards;
  summary.seconds = (performance.now() - start) / 1000;
  for (const line of table(options.kind, summary)) errors.write(`${line}\n`);
  return summary;
}

function kindOf({ kind, strict }: GradeOptions): GradeKind {
  const names = Object.keys(gradeKinds);
  const found = Object.hasOwn(gradeKinds, kind) ? (gradeKinds as Record<string, GradeKind>)[kind] : undefined;
  if (!found) {
    const near = nearest(kind, names);
    throw new UserError(
      `grade: no kind "${kind}".${near ? ` Did you mean "${near}"?` : ""} Kinds: ${names.join(", ")}.`,
    );
  }
  if (strict && !found.reads.includes("strict")) {
    throw new UserError(
      `grade ${kind}: --strict means nothing here. It is an option of: ${names.filter((name) => (gradeKinds as Record<string, GradeKind>)[name]!.reads.includes("strict")).join(", ")}.`,
    );
  }
  return found;
}

async function* readInput(input: string): AsyncGenerator<Row> {
  if (input === "-") yield* readJsonl(input);
  else if (!input.endsWith(".parquet")) yield* readRows(input);
  else for await (const row of readRows(input)) yield at(jsonOf(row) as Row, placeOf(row));
}

/** JSON has no 64-bit integers, which Parquet has: they become numbers, or text where a number would round them. */
function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, jsonOf(part)]));
}

async function totalOf(input: string): Promise<number | undefined> {
  return /\.(jsonl|ndjson)(\.gz)?$/.test(input) ? countRows(input) : undefined;
}

type Graded = { row: Row; grade: Grade; error?: string };

/** Grades up to `atOnce` rows at the same time and gives them back in the order of the input. */
async function* gradeInOrder(rows: AsyncIterable<Row>, kind: GradeKind, options: KindOptions): AsyncGenerator<Graded> {
  const waiting: Promise<Graded>[] = [];
  for await (const row of rows) {
    const job = gradeRow(row, kind, options);
    job.catch(() => {}); // It is awaited below, in its turn.
    waiting.push(job);
    if (waiting.length >= kind.atOnce) yield await waiting.shift()!;
  }
  for (const job of waiting) yield await job;
}

async function gradeRow(row: Row, kind: GradeKind, options: KindOptions): Promise<Graded> {
  try {
    return { row, grade: await kind.grade(row, options) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What stands in the way of every row ends the grading; what one row causes is that row's verdict.
    if (error instanceof SandboxUnavailable || error instanceof UserError) throw error;
    if (!message.startsWith(placeOf(row)))
      return { row, grade: { verdict: "verifierError", reward: null, detail: { error: message } } };
    // Errors about the row itself begin with its place.
    return { row, grade: { verdict: "badGold", reward: null, detail: { error: message } }, error: message };
  }
}

async function writeLines(stream: NodeJS.WritableStream, rows: AsyncIterable<object>): Promise<void> {
  for await (const row of rows) if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, "drain");
}

/** The verdicts that occurred, with their shares, the mean reward and the pace. */
function table(kind: string, { numRows, verdicts, meanReward, numInvalid, seconds }: GradeSummary): string[] {
  const count = (verdict: Verdict) => verdicts[verdict] ?? 0;
  const width = Math.max(4, String(numRows).length);
  const lines = verdictOrder
    .filter((verdict) => count(verdict) > 0)
    .map(
      (verdict) =>
        `  ${verdict.padEnd(14)}${String(count(verdict)).padStart(width)}  ${formatShare(count(verdict) / numRows).padStart(6)}`,
    );
  const mean = Number.isNaN(meanReward) ? "none" : meanReward.toFixed(4);
  const pace = numRows / Math.max(seconds, 1e-9);
  return [
    `${kind}: ${numRows} rows, mean reward ${mean}, ${pace.toFixed(pace < 10 ? 1 : 0)} rows/s`,
    ...lines,
    ...(numInvalid > 0
      ? [`  ${numInvalid} rows could not be graded (see the lines above); they are written as badGold.`]
      : []),
  ];
}
