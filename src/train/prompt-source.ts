import { promptIds } from "#eval";
import { UserError } from "#run";
import type { Task } from "#tasks";
import { permutation, streamKey } from "#tensor";
import type { Tokenizer } from "#tokenizer";
import { activeAt, type LoadedTask } from "./task-mix.ts";

/** A prompt and the row of the task it was made from; `id` counts all prompts taken, so a repeated row has another. */
export type TaskPrompt = { id: number; ids: Int32Array; task: Task<unknown>; row: unknown };

/** How far a task's rows have been taken, and how they went: what a resumed run goes on from. */
export type Cursor = {
  /** Rows passed, taken or skipped, over all epochs. */
  taken: number;
  /** Share of right answers by row, of the last time it was asked; an entry is used up when it has skipped its row once. */
  solved: Record<string, number>;
};

/** Everything a source needs to go on: prompts taken and left out for their length, and each task's cursor by its name. */
export type SourceState = { numPrompts: number; numTooLong: number; cursors: Record<string, Cursor> };

export const freshSource = (): SourceState => ({ numPrompts: 0, numTooLong: 0, cursors: {} });

export type SourceOptions = {
  /** Rows whose answers were right in a smaller or larger share when last asked are skipped in the epoch after. */
  minSolved: number;
  maxSolved: number;
  /** "easyFirst" takes the rows of the first epoch by `task.difficulty`, equal ones in random order. */
  curriculum: "none" | "easyFirst";
  /** Rows with a longer prompt are left out, and counted: no answer would fit behind it. */
  maxPromptTokens: number;
};

/** Fractional parts of its multiples fall evenly into [0, 1): each stretch of prompts holds the mixture's ratio. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/** Prompts of one task or a mixture: each task's rows in a new random order each epoch. */
export class PromptSource {
  readonly #tasks: readonly LoadedTask[];
  readonly #tokenizer: Tokenizer;
  readonly #seed: number;
  readonly #options: SourceOptions;
  readonly #orders = new Map<string, { epoch: number; order: Int32Array }>();
  readonly #rowOf = new Map<number, { cursor: Cursor; index: number }>();
  readonly state: SourceState;

  constructor(
    tasks: readonly LoadedTask[],
    tokenizer: Tokenizer,
    { seed, state, ...options }: SourceOptions & { seed: number; state: SourceState },
  ) {
    const unsorted = tasks.find(({ task }) => options.curriculum === "easyFirst" && task.difficulty === undefined);
    if (unsorted !== undefined)
      throw new UserError(
        `train: curriculum is "easyFirst", but task ${unsorted.task.name} has no difficulty(row). Give it one, or set curriculum to "none".`,
      );
    this.#tasks = tasks;
    this.#tokenizer = tokenizer;
    this.#seed = seed;
    this.#options = options;
    this.state = state;
  }

  /** The next prompts, of the tasks that are in at a step. */
  take(count: number, step: number): TaskPrompt[] {
    this.#rowOf.clear();
    const active = activeAt(this.#tasks, step);
    return Array.from({ length: count }, () => {
      const id = this.state.numPrompts++;
      const next = drawn(active, ((id + 0.5) * goldenRatio) % 1);
      return { id, task: next.task, ...this.#row(next, id) };
    });
  }

  /** Which share of the answers to a prompt just taken was right; rows too hard or too easy are skipped next time. */
  solved(id: number, rate: number): void {
    const { cursor, index } = this.#rowOf.get(id)!;
    const { minSolved, maxSolved } = this.#options;
    if (rate < minSolved || rate > maxSolved) cursor.solved[index] = rate;
  }

  #row(task: LoadedTask, id: number): { row: unknown; ids: Int32Array } {
    const { cursors } = this.state;
    cursors[task.task.name] ??= { taken: 0, solved: {} };
    const cursor = cursors[task.task.name]!;
    // A row skipped once is asked again the next time, so that at most one epoch passes here.
    for (let numTooLong = 0; numTooLong < task.rows.length; ) {
      const index = this.#order(task, Math.floor(cursor.taken / task.rows.length))[cursor.taken % task.rows.length]!;
      cursor.taken++;
      if (cursor.solved[index] !== undefined) {
        delete cursor.solved[index];
        continue;
      }
      const row = task.rows[index]!;
      const ids = promptIds(task.task, row, this.#tokenizer);
      if (ids.length <= this.#options.maxPromptTokens) {
        this.#rowOf.set(id, { cursor, index });
        return { row, ids };
      }
      numTooLong++;
      this.state.numTooLong++;
    }
    throw new UserError(
      `train: every prompt of task ${task.task.name} is longer than ${this.#options.maxPromptTokens} tokens, which is what the model's context leaves. Lower maxNewTokens, or shorten the prompts.`,
    );
  }

  #order({ task, rows }: LoadedTask, epoch: number): Int32Array {
    const known = this.#orders.get(task.name);
    if (known?.epoch === epoch) return known.order;
    const order = permutation(streamKey(this.#seed, `epoch of ${task.name}`, epoch), rows.length);
    if (this.#options.curriculum === "easyFirst" && epoch === 0) {
      const difficulty = rows.map((row) => task.difficulty!(row));
      order.sort((a, b) => difficulty[a]! - difficulty[b]!);
    }
    this.#orders.set(task.name, { epoch, order });
    return order;
  }
}

/** The task in whose part of the weights a number from 0 to 1 falls. */
function drawn(tasks: readonly LoadedTask[], at: number): LoadedTask {
  let left = at * tasks.reduce((sum, { weight }) => sum + weight, 0);
  for (const task of tasks) {
    if (left < task.weight) return task;
    left -= task.weight;
  }
  return tasks.at(-1)!;
}
