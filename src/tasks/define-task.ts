import type { Task } from "./types.ts";

/** Metrics of the trainers in the family of the rewards. */
const reserved = ["mean", "kl"];

/**
 * A task, checked as it is defined: what can be known without rows is known here and not at step 1 of a run.
 * Returns the task itself. @throws Error when a name, a reward or a weight is not usable.
 */
export function defineTask<R>(task: Task<R>): Task<R> {
  if (!task.name?.trim()) throw new Error(`task: name is ${JSON.stringify(task.name)}. A task needs a name.`);
  for (const part of ["load", "prompt"] as const) {
    if (typeof task[part] !== "function") {
      throw new Error(`task ${task.name}: ${part} is ${typeof task[part]}. It must be a function.`);
    }
  }
  const names = Object.keys(task.rewards ?? {});
  if (names.length === 0) {
    throw new Error(
      `task ${task.name}: no rewards. Give at least one, for instance { correct: ({ answer }, row) => … }.`,
    );
  }
  for (const name of names) {
    if (reserved.includes(name))
      throw new Error(
        `task ${task.name}: a reward cannot be named ${name}: reward/${name} is a metric of the trainer's.`,
      );
    if (typeof task.rewards[name] !== "function") {
      throw new Error(`task ${task.name}: reward ${name} is ${typeof task.rewards[name]}. It must be a function.`);
    }
  }
  rewardWeights(task);
  return task;
}

/**
 * The weight of every reward of a task, in the order of its rewards; 1 where the task gives none.
 * @throws Error when a weight belongs to no reward (a typo would silently train at weight 1) or is not finite.
 */
export function rewardWeights<R>(task: Pick<Task<R>, "name" | "rewards" | "weights">): Record<string, number> {
  const names = Object.keys(task.rewards);
  const given = task.weights ?? {};
  for (const [name, weight] of Object.entries(given)) {
    if (!names.includes(name)) {
      throw new Error(
        `task ${task.name}: weight for "${name}", which is no reward. Rewards here: ${names.join(", ")}.`,
      );
    }
    if (!Number.isFinite(weight)) {
      throw new Error(
        `task ${task.name}: weight of ${name} is ${weight}. It must be a finite number; 0 logs without training.`,
      );
    }
  }
  return Object.fromEntries(names.map((name) => [name, given[name] ?? 1]));
}
