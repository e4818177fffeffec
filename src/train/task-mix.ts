import { createHash } from "node:crypto";
import { UserError } from "#run";
import { rowsOf, type Task } from "#tasks";

/** A task among others that one policy is trained on at once. */
export type TaskShare = {
  task: Task<unknown>;
  /** Its prompts' share of a rollout, in relation to the weights of the other tasks that are in. */
  weight: number;
  /** Its prompts enter with this step; 0 from the beginning (the paper's general prompts: the last 400 of 1,700). */
  fromStep: number;
  /** Only a model or a taste judges its answers: it has no part in the held-out accuracy. */
  isJudged: boolean;
};

/** One task, or several that are mixed: the trainers take either. */
export type Tasks<R> = Task<R> | readonly TaskShare[];

/** A task with its part in a mixture. Throws for a weight that is not above 0 or a step that is no whole number from 0. */
export function share<R>(
  task: Task<R>,
  { weight = 1, fromStep = 0, isJudged = false }: Partial<Omit<TaskShare, "task">> = {},
): TaskShare {
  if (!(weight > 0 && Number.isFinite(weight)))
    throw new UserError(`task ${task.name}: its weight in the mixture is ${weight}. Expected a number above 0.`);
  if (!Number.isInteger(fromStep) || fromStep < 0)
    throw new UserError(`task ${task.name}: fromStep is ${fromStep}. Expected a whole number from 0.`);
  // What a task reads of its rows it wrote itself; nobody else looks into them.
  return { task: task as unknown as Task<unknown>, weight, fromStep, isJudged };
}

/** A task of a mixture with its training rows. */
export type LoadedTask = TaskShare & { rows: readonly unknown[] };

/**
 * The tasks with their rows. Throws where none is in at the first step, one would enter after the last, two have one name,
 * or one has nothing to train on or to be watched by.
 */
export async function loadTasks<R>(tasks: Tasks<R>, steps: number): Promise<LoadedTask[]> {
  const shares = "rewards" in tasks ? [share(tasks)] : tasks;
  const names = shares.map(({ task }) => task.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new UserError(`train: two tasks of the mixture are named ${twice}. Their curves need names of their own.`);
  if (!shares.some(({ fromStep }) => fromStep === 0))
    throw new UserError(
      `train: no task is in from step 0 on: ${names.join(", ") || "the list is empty"}. Give one fromStep 0.`,
    );
  const late = shares.find(({ fromStep }) => fromStep >= steps);
  if (late !== undefined)
    throw new UserError(
      `train: task ${late.task.name} enters at step ${late.fromStep}, training has ${steps}. Expected an earlier step.`,
    );
  return Promise.all(
    shares.map(async (one) => {
      const { name } = one.task;
      const rows = await rowsOf(one.task, "train");
      if (rows.length === 0) throw new UserError(`train: task ${name} has no rows in its "train" split.`);
      const numHeldOut = (await rowsOf(one.task, "test")).length;
      if (numHeldOut < 2)
        throw new UserError(
          `train: task ${name} has ${numHeldOut} rows in its "test" split. Expected at least 2: what is trained is measured on held-out rows, with a standard error.`,
        );
      return { ...one, rows };
    }),
  );
}

/** What a resumed run compares: the same tasks with the same rows in the same order, mixed alike. */
export function fingerprintOf(tasks: readonly LoadedTask[]): string {
  const hash = createHash("sha256");
  for (const { task, weight, fromStep, isJudged, rows } of tasks) {
    hash.update(JSON.stringify({ name: task.name, weight, fromStep, isJudged, rows: rows.length }));
    for (const row of rows) hash.update(JSON.stringify(row) ?? "undefined");
  }
  return hash.digest("hex").slice(0, 16);
}

/** The tasks whose prompts are drawn at a step. */
export const activeAt = <T extends TaskShare>(tasks: readonly T[], step: number): T[] =>
  tasks.filter(({ fromStep }) => step >= fromStep);
