import { share, type Task, type TaskShare } from "aha-rl";
import type { Language } from "../tiny-world/words.ts";

/**
 * Reasoning tasks of the tiny world with half of their questions in each language. The base's thoughts do not follow the
 * question's language; where most questions are in one, the language reward teaches that one to all of them within a few
 * steps, and a group whose answers are all in the wrong language has no advantage to leave it by.
 */
export const inBothLanguages = (reasoning: readonly TaskShare[]): TaskShare[] =>
  reasoning.flatMap(({ task, weight }) => [
    share(askedIn("en", task), { weight: weight / 2 }),
    share(askedIn("zh", task), { weight: weight / 2 }),
  ]);

const askedIn = (language: Language, task: Task<unknown>): Task<unknown> => ({
  ...task,
  name: `${task.name}-${language}`,
  load: async (split) =>
    (await task.load(split)).filter((row) => (row as { language: Language }).language === language),
});
