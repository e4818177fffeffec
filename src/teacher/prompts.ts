import { createHash } from "node:crypto";
import { placeOf, type Row, readRows } from "#data";
import type { Answer, RewardValue, Verdict } from "#rewards";
import { askTwice, type Message, promptOf, rowsOf, type Split, type Task, user } from "#tasks";
import { ChatError } from "./chat.ts";
import type { CollectPrompt } from "./collect.ts";
import { type Judge, judgeReward } from "./judge.ts";

/** A prompt's identity is its messages. */
export function promptId(messages: readonly Message[]): string {
  const text = JSON.stringify(messages.map(({ role, content }) => [role, content]));
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** An identity as a number, for the key of a random stream. */
export const promptNumber = (id: string): number => Number.parseInt(id.slice(0, 12), 16);

/** A prompt for messages that somebody else wrote; its question is what the user said last. */
export function collectPrompt(messages: readonly Message[]): CollectPrompt {
  const question = messages.findLast(({ role }) => role === "user")?.content ?? "";
  return { id: promptId(messages), messages: [...messages], question };
}

export type TaskPromptOptions<R> = {
  split?: Split;
  /** The first rows; all where absent. */
  limit?: number;
  /** The reward that says whether an answer is right: the first of the task where absent. */
  correct?: string;
  /** Judges in place of that reward, for answers that no rule can compare; sees the truth and the answer. */
  judge?: { judge: Judge; truth: (row: R) => string };
};

/** The prompts of a task, each graded by the task's rule or by a judge. @throws Error for a reward the task does not have. */
export async function taskPrompts<R>(task: Task<R>, options: TaskPromptOptions<R> = {}): Promise<CollectPrompt[]> {
  const { split = "train", limit, judge } = options;
  const names = Object.keys(task.rewards);
  const correct = options.correct ?? names[0]!;
  if (!names.includes(correct))
    throw new Error(`task ${task.name}: no reward "${correct}". Rewards here: ${names.join(", ")}.`);
  const rows = await rowsOf(task, split);
  return rows.slice(0, limit).map((row) => {
    const prompt = collectPrompt(promptOf(task, row));
    if (judge) return withJudge(prompt, judge.judge, judge.truth(row));
    // A judge who cannot be reached has not judged: that is for who collects to know.
    const grade = async (answer: Answer) =>
      verdictOfReward(await askTwice(task.rewards[correct]!, answer, row, (error) => error instanceof ChatError));
    return { ...prompt, grade, gradedBy: `task ${task.name}: ${correct}` };
  });
}

/** The verdict of a reward: its own, or what its number says. Full marks are correct; no value is no verdict. */
function verdictOfReward(value: RewardValue): Verdict {
  if (value === null) return "verifierError";
  if (typeof value === "object") return value.verdict;
  return value >= 1 ? "correct" : "wrong";
}

/** Graded by a judge who sees the truth and the answer. What cannot be read is no verdict, so never correct. */
function withJudge(prompt: CollectPrompt, judge: Judge, truth: string): CollectPrompt {
  const reward = judgeReward(judge, () => ({ question: prompt.question, truth }));
  const grade = async (answer: Answer) => verdictOfReward(await reward(answer, undefined));
  return { ...prompt, grade, gradedBy: judge.description };
}

/**
 * Prompts of a user's file: `messages`, or a text in `prompt` or `question`; where a row has an `answer` and there is a judge,
 * the judge compares. @throws Error that names file and line.
 */
export async function filePrompts(path: string, judge?: Judge): Promise<CollectPrompt[]> {
  const prompts: CollectPrompt[] = [];
  for await (const row of readRows(path)) {
    const prompt = collectPrompt(messagesOf(row));
    const { answer: truth } = row;
    if (judge && typeof truth !== "string")
      throw new Error(`${placeOf(row)}: no text in "answer" for the judge to compare with.`);
    prompts.push(judge ? withJudge(prompt, judge, truth as string) : prompt);
  }
  return prompts;
}

function messagesOf(row: Row): Message[] {
  const text = row.prompt ?? row.question;
  if (typeof text === "string" && text.trim() !== "") return [user(text)];
  const { messages } = row;
  const isMessage = (one: unknown): one is Message =>
    typeof (one as Message | null)?.role === "string" && typeof (one as Message).content === "string";
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage)) {
    throw new Error(
      `${placeOf(row)}: no prompt. Expected a text in "prompt" or "question", or "messages" of {role, content}. Fields here: ${Object.keys(row).join(", ") || "none"}.`,
    );
  }
  // A conversation to imitate ends with its answer, which is not to be seen by whoever shall answer.
  return messages.at(-1)!.role === "assistant" ? messages.slice(0, -1) : messages;
}
