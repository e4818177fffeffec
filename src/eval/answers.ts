import type { Answer } from "#rewards";
import type { Completion, Group } from "#rollout";
import { type AnswerScore, type Message, promptOf, rewardNumber, scoreAnswer, type Task } from "#tasks";
import { prefillOfIds, type Tokenizer, toAnswer } from "#tokenizer";

/** A completion as text, with what it earned. */
export type Scored = Completion & { answer: Answer; score: AnswerScore };

/** The answers to one prompt, scored. */
export type ScoredGroup = { promptId: number; promptIds: Int32Array; scored: Scored[] };

/** Reads and scores the answers of one group: ids to text to verdicts and numbers. */
export async function scoreGroup<R>(task: Task<R>, row: R, group: Group, tokenizer: Tokenizer): Promise<ScoredGroup> {
  const { prompt, completions } = group;
  const answers = answersOf(group, tokenizer);
  const scored = await Promise.all(
    completions.map(async (completion, i): Promise<Scored> => {
      const answer = answers[i]!;
      return { ...completion, answer, score: await scoreAnswer(task, answer, row) };
    }),
  );
  return { promptId: prompt.id, promptIds: prompt.ids, scored };
}

/** The answers of a group as text, what the prompt prefilled included, in the order of its completions. */
export function answersOf({ prompt, completions }: Group, tokenizer: Tokenizer): Answer[] {
  const prefill = prefillOfIds(Array.from(prompt.ids), (ids) => tokenizer.decode(ids));
  return completions.map(({ ids, finishReason }) =>
    toAnswer({
      text: prefill + tokenizer.decode(withoutEos(ids, tokenizer.eosIds)),
      numTokens: ids.length,
      finishReason,
    }),
  );
}

function withoutEos(ids: Int32Array, eosIds: readonly number[]): number[] {
  const last = ids.at(-1);
  return Array.from(last !== undefined && eosIds.includes(last) ? ids.subarray(0, -1) : ids);
}

/** What one reward was worth; null where it has no value, which is never a zero. */
export const worth = ({ score }: Scored, name: string): number | null => rewardNumber(score.rewards[name] ?? null);

/** What a reward was worth in those answers where it has a value. */
export const worths = (scored: readonly Scored[], name: string): number[] =>
  scored.map((one) => worth(one, name)).filter((value) => value !== null);

/** Ids of the prompt for a row. */
export const promptIds = <R>(task: Task<R>, row: R, tokenizer: Tokenizer): Int32Array =>
  messageIds(promptOf(task, row), tokenizer);

/** Ids of a conversation that the model goes on with: through its chat template, or plain text where it has none. */
export function messageIds(messages: readonly Message[], tokenizer: Tokenizer): Int32Array {
  if (tokenizer.hasChatTemplate) return Int32Array.from(tokenizer.encodePrompt(messages));
  const text = messages.map(({ content }) => content).join("\n");
  return Int32Array.from(tokenizer.encode(text, { addSpecialTokens: true }));
}
