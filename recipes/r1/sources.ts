import { createHash } from "node:crypto";
import {
  builtInTask,
  ngramIndex,
  optional,
  type Question,
  type Split,
  type Task,
  type TaskChoices,
  UserError,
  within,
} from "aha-rl";

/** Rows of a task: a file, a folder with a file of each split, or a hub id; with `heldOut`, rows to train on and rows to measure by. */
export const source = () => ({
  rows: optional("string"),
  heldOut: optional("string"),
  /** Its prompts' part of a mixture. */
  weight: within(1, 0.001, 1000),
});

type Source = Pick<ReturnType<typeof source>, "rows" | "heldOut">;

export type Sources = {
  /** By task; those to train on without what is too like a held-out one. */
  rows: Record<string, Record<Split, Question[]>>;
  /** What is measured besides. */
  columns: Record<string, Task<unknown>>;
  /** Whether a training text is too like what is measured. */
  isHeldOut: (text: string) => boolean;
  notes: string[];
  /** Of those rows, by task, and by column for what is measured. */
  hashes: Record<Split, Record<string, string>>;
};

/**
 * All rows that the settings name, read before the first stage: a file that is not there, or a line that is no row of its task,
 * would else be met by the stage that needs it, hours later. Training questions that share `n` words in a row with anything
 * that is measured are left out, and counted in the notes; 0 leaves all in.
 * @throws UserError that names the setting, the file and the line; for too few rows, and where none is left.
 */
export async function readSources(
  sources: Record<string, Source>,
  ifeval: string | undefined,
  n: number,
): Promise<Sources> {
  const all: Sources["rows"] = {};
  const hashes: Sources["hashes"] = { train: {}, test: {} };
  for (const [name, from] of Object.entries(sources)) {
    const task = taskOver(name, from);
    const train = await readSplit(task, "train", `data.${name}.rows`);
    const test = await readSplit(task, "test", `data.${name}.${from.heldOut === undefined ? "rows" : "heldOut"}`);
    all[name] = { train, test };
    hashes.test[name] = hashOf(test);
  }
  let measured = Object.values(all).flatMap(({ test }) => test);
  const columns: Sources["columns"] = {};
  if (ifeval !== undefined) {
    columns.ifeval = taskOver("ifeval", { rows: undefined, heldOut: ifeval });
    const test = await readSplit(columns.ifeval, "test", "data.ifeval");
    measured = [...measured, ...test];
    hashes.test.ifeval = hashOf(test);
  }
  const index = n === 0 ? undefined : ngramIndex(measured.map(problemOf), n);
  const isHeldOut = (text: string) => index?.match(text) !== undefined;
  const notes: string[] = [];
  const rows = Object.entries(all).map(([name, { train, test }]) => {
    const kept = train.filter((row) => !isHeldOut(problemOf(row)));
    if (kept.length === 0)
      throw new UserError(
        `recipe r1: data.${name}.rows: each of its ${train.length} questions shares ${n} words in a row with a held-out one. Expected other questions to train on; or set data.decontaminate to more words, or to 0.`,
      );
    hashes.train[name] = hashOf(kept);
    notes.push(`${name}: ${countsOf(train.length, kept.length)} questions, and ${test.length} held out`);
    return [name, { train: kept, test }] as const;
  });
  return { rows: Object.fromEntries(rows), columns, isHeldOut, notes, hashes };
}

/** "27 (3 more are too like a held-out one)". */
export const countsOf = (all: number, kept: number): string =>
  kept === all ? `${kept}` : `${kept} (${all - kept} more are too like a held-out one)`;

/** A task over rows of a user's own, asked in the paper's template or in its own manner. */
export function taskOver(name: string, { rows, heldOut }: Source, prompt?: TaskChoices["prompt"]): Task<unknown> {
  const data = heldOut === undefined ? rows : { train: rows, test: heldOut };
  return { ...builtInTask(name === "own" ? "math" : name, { data, prompt })!, name };
}

/** What is trained on, and what is measured, with a standard error. */
const fewest: Record<Split, number> = { train: 1, test: 2 };

async function readSplit(task: Task<unknown>, split: Split, setting: string): Promise<Question[]> {
  const rows = await named(setting, async () => (await task.load(split)) as Question[]);
  if (rows.length >= fewest[split]) return rows;
  const what = split === "train" ? "to train on" : "held out to measure by";
  throw new UserError(`recipe r1: ${setting}: ${rows.length} rows ${what}. Expected at least ${fewest[split]}.`);
}

/** What `read` gives, or why it does not, with the setting that led there. */
export async function named<T>(setting: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new UserError(`recipe r1: ${setting}: ${(cause as Error).message}`, { cause });
  }
}

/** Tells values from others, in this order. */
export function hashOf(values: Iterable<unknown>): string {
  const hash = createHash("sha256");
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
  for (const value of values) hash.update(`${JSON.stringify(value, plain)}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** What the file of a row asks, without what its task says to every row. */
const problemOf = ({ question, problem = question }: Question): string => problem;
