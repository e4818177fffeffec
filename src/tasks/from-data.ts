import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { at, placeOf, type Row, readAllRows, resolveData } from "#data";
import { type Answer, formatReward, type Grade, languageReward, type Reward, thinkFormat } from "#rewards";
import { defineTask } from "./define-task.ts";
import { ask, type PromptStyle } from "./prompts.ts";
import { hashOf } from "./random.ts";
import type { Split, Task } from "./types.ts";

export type DataTaskOptions = {
  /**
   * Where the rows are: a file (.jsonl, .json, each also .gz, or .parquet), a folder with files of each split, a hub id
   * ("openai/gsm8k:main"), or one of these for each split. A single file is its split when its name says so ("gsm8k-train.jsonl"); else one row in twenty, by its
   * question, is held out as "test".
   */
  data: string | Partial<Record<Split, string>>;
  /** "boxed" where not said otherwise: the line the R1 README asks for. */
  prompt?: PromptStyle;
  /** Replaces the task's weights by name; `correct` and `format` weigh 1, `language` 0 (logged only). */
  weights?: Record<string, number>;
};

/** A question with what decides whether an answer is right; `problem` is what its file asks, where the task asks it in more words. */
export type Question = { question: string; problem?: string };

type DataTask<R extends Question> = {
  name: string;
  /** A row of the file as a row of the task. @throws Error that names file, line and field. */
  read: (row: Row) => R;
  /** Whether a row can be graded, where some of a good file cannot. A file in which none can is refused. */
  hasGold?: (row: R) => boolean;
  /** Grades an answer part that is there and was not cut off. */
  grade: (answer: string, row: R) => Grade | Promise<Grade>;
  /** What a gold response thinks and answers. */
  gold?: (row: R) => { reasoning: string; answer: string } | undefined;
  defaultPrompt?: PromptStyle;
};

const heldOutOneIn = 20;

/** A task over the rows of a data set; rewards `correct`, `format` (the shape its prompt asks for) and `language`. */
export function dataTask<R extends Question>(parts: DataTask<R>, options: DataTaskOptions): Task<R> {
  const { name, read, hasGold, grade, gold } = parts;
  const style = options.prompt ?? parts.defaultPrompt ?? "boxed";
  const loaded = new Map<Split, Promise<R[]>>();
  const load = (split: Split): Promise<R[]> => {
    const rows =
      loaded.get(split) ??
      readSplit(name, options.data, split).then(({ rows: found, isWhole }) => {
        const all = found.map((row) => at(read(row), placeOf(row)));
        if (hasGold && found[0] !== undefined && !all.some(hasGold)) {
          throw new Error(
            `${placeOf(found[0])}: no gold here, nor in any row after it (${found.length} in all). Fields here: ${Object.keys(found[0]).join(", ")}.`,
          );
        }
        return ofSplit(all, isWhole, split);
      });
    loaded.set(split, rows);
    return rows;
  };
  // The end of a summary has no mark: one that was cut off is not whole, whatever it looks like.
  const shape = style === "r1-zero" ? formatReward : thinkFormat;
  const format: Reward<R> = (answer) => (answer.finishReason === "length" ? 0 : shape(answer));
  const correct: Reward<R> = (answer, row) => unlessMissing(answer, (text) => grade(text, row));
  return defineTask({
    name,
    load,
    prompt: ({ question }) => ask(question, style === "boxed" && question.includes("\\boxed") ? "plain" : style),
    rewards: {
      correct,
      format,
      language: languageReward({ prompt: ({ question }) => question }),
    },
    weights: { correct: 1, format: 1, language: 0, ...options.weights },
    gold: (row) => {
      const found = gold?.(row);
      if (!found) return undefined;
      const thought = `<think>\n${found.reasoning.trim() || "The answer is known."}\n</think>`;
      return style === "r1-zero" ? `${thought} <answer> ${found.answer} </answer>` : `${thought}\n\n${found.answer}`;
    },
    key: ({ question }) => question,
  });
}

/** A verdict for an answer that is not there, or was cut off; else what `grade` says of the answer part. */
export function unlessMissing(
  { answer, finishReason }: Answer,
  grade: (text: string) => Grade | Promise<Grade>,
): Grade | Promise<Grade> {
  if (finishReason === "length") return { verdict: "truncated", reward: 0 };
  // Tags alone say nothing, however they are nested.
  if (answer === undefined || answer.replace(/<\/?(?:think|answer)>/g, "").trim() === "")
    return { verdict: "noAnswer", reward: 0 };
  return grade(answer);
}

/** Rows for a split, and whether they still have to be divided. */
async function readSplit(
  name: string,
  source: DataTaskOptions["data"],
  split: Split,
): Promise<{ rows: Row[]; isWhole: boolean }> {
  const given = typeof source === "string" ? source : source[split];
  if (given === undefined) {
    throw new Error(`task ${name}: no data for split "${split}". Given: ${Object.keys(source).join(", ") || "none"}.`);
  }
  const path = await resolveData(given);
  // A hub's set comes with its splits; a path that was given for one split is that split.
  if (path === given && typeof source !== "string") return { rows: await readAllRows(path), isWhole: false };
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    return { rows: await readAllRows(path, { split }), isWhole: false };
  }
  const words = basename(path).split(/[-_.]/);
  const named = (["train", "test"] as const).find((word) => words.includes(word));
  if (named !== undefined && named !== split) {
    throw new Error(
      `task ${name}: ${path} holds split "${named}" by its name, not "${split}". Give a path for each split.`,
    );
  }
  return { rows: await readAllRows(path), isWhole: named === undefined };
}

function ofSplit<R extends Question>(rows: R[], isWhole: boolean, split: Split): R[] {
  if (!isWhole) return rows;
  return rows.filter(({ question }) => (hashOf(question) % heldOutOneIn === 0) === (split === "test"));
}
