import {
  defineTask,
  evaluatedRows,
  LocalFrozen,
  placeOf,
  promptIds,
  promptOf,
  type Split,
  type Task,
  UserError,
  user,
} from "aha-rl";
import { anyTask, type World } from "./world.ts";

type Answers = { maxNewTokens: number };
type Rollouts = Answers & { evalPrompts: number };
type Settings = Record<"answers", Answers> &
  Record<"drafts", Answers & { prompts: number }> &
  Record<"sampling", Answers & { numPrompts: number }> &
  Record<"measure", Answers & { problems: number }> &
  Record<"zero" | "dev2" | "r1" | "studentRl" | "distilledRl", Rollouts> & { model: string; student: string };

/** Prompts that a stage samples answers to: which rows of which tasks, and the setting of how long an answer may be. */
type Sampled = {
  folder: string;
  tasks: readonly Task<unknown>[];
  split: Split;
  rows: (numRows: number) => Iterable<number>;
  setting: string;
  maxNewTokens: number;
};

/**
 * Reads rows as the prompts they will be, before the first stage: where an answer does not fit behind one in a model's
 * context, the stage that samples it would stop, hours later. What reinforcement trains on is not looked at: it leaves such rows out.
 * @throws UserError that names the row's file and line, its tokens, the room there is and the setting that takes the rest.
 */
export async function checkRoom(world: World, config: Settings, seed: number): Promise<void> {
  const { model, student, measure, sampling, answers, drafts } = config;
  const [tags, summaries] = (["answer", "summary"] as const).map((form) =>
    world.reasoning({ form, language: 1 }).map(({ task }) => task),
  ) as [Task<unknown>[], Task<unknown>[]];
  const drawn = (limit: number) => (numRows: number) => evaluatedRows(numRows, { seed, limit });
  const first = (limit: number) => (numRows: number) => Array(Math.min(limit, numRows)).keys();
  const evaluated = (
    folder: string,
    name: "zero" | "dev2" | "r1" | "studentRl" | "distilledRl",
    tasks: typeof tags,
  ) => {
    const { maxNewTokens, evalPrompts } = config[name];
    return { folder, tasks, split: "test", rows: drawn(evalPrompts), setting: `${name}.maxNewTokens`, maxNewTokens } as const; // biome-ignore format: one line
  };
  const requests = [asTask([...world.general.helpful, ...world.general.sensitive])];
  const all = [...tags, ...summaries, ...Object.values(world.columns)];
  const train = { folder: model, split: "train" } as const;
  const measured = { tasks: all, split: "test", rows: drawn(measure.problems), setting: "measure.maxNewTokens", maxNewTokens: measure.maxNewTokens } as const; // biome-ignore format: one line
  const stages: Sampled[] = [
    { ...measured, folder: model },
    { ...measured, folder: student },
    evaluated(model, "zero", tags),
    evaluated(model, "dev2", summaries),
    evaluated(model, "r1", summaries),
    evaluated(student, "studentRl", tags),
    evaluated(student, "distilledRl", summaries),
    { ...train, tasks: tags, rows: first(drafts.prompts), setting: "drafts.maxNewTokens", maxNewTokens: drafts.maxNewTokens }, // biome-ignore format: one line
    { ...train, tasks: summaries, rows: first(sampling.numPrompts || Infinity), setting: "sampling.maxNewTokens", maxNewTokens: sampling.maxNewTokens }, // biome-ignore format: one line
    { ...train, tasks: requests, rows: first(Infinity), setting: "answers.maxNewTokens", maxNewTokens: answers.maxNewTokens }, // biome-ignore format: one line
  ];
  for (const stage of stages) await fits(stage);
}

/** More than any chat template says around a question. */
const frameTokens = 512;

async function fits({ folder, tasks, split, rows: chosen, setting, maxNewTokens }: Sampled): Promise<void> {
  const { maxPositions, tokenizer } = LocalFrozen.check(folder);
  const room = maxPositions - maxNewTokens;
  for (const task of tasks) {
    const rows = await task.load(split);
    for (const index of chosen(rows.length)) {
      const row = rows[index];
      // A token has a byte at least; the frame of the template is small.
      const bytes = promptOf(task, row).reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
      if (bytes + frameTokens <= room) continue;
      const { length } = promptIds(task, row, tokenizer);
      if (length > room)
        throw new UserError(
          `recipe r1: ${whereIs(row)}: ${length} tokens as a prompt of task ${task.name}. Expected at most ${Math.max(0, room)}: ${folder} has a context of ${maxPositions}, of which ${setting} takes ${maxNewTokens}. Shorten the row, leave it out, or lower ${setting}.`,
        );
    }
  }
}

/** A request is known by its words. */
const whereIs = (row: unknown): string =>
  typeof row === "string" ? `data.requests, "${row.slice(0, 60)}…"` : placeOf(row as object);

const asTask = (requests: string[]): Task<unknown> =>
  anyTask(defineTask<string>({ name: "requests", load: () => requests, prompt: (text) => [user(text)], rewards: { none: () => 0 } })); // biome-ignore format: one line
