import type { Answer } from "#rewards";
import type { Completion, Group } from "#rollout";
import { UserError } from "#run";
import {
  type AnswerScore,
  isVerifierFailure,
  type Message,
  promptOf,
  rewardNumber,
  scoreAnswer,
  type Task,
} from "#tasks";
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

/**
 * A verifier that fails often is a bug to be mended or a judge to be reached, and no noise: what is left of the answers would
 * be those that need no verdict, the wrong ones. @throws UserError where more than a share of `most` of them had a failing one.
 */
export function refuseFailingVerifier(
  where: string,
  groups: readonly Pick<ScoredGroup, "scored">[],
  most: number,
): void {
  const all = groups.flatMap(({ scored }) => scored);
  const failed = all.flatMap(({ score }) => Object.values(score.rewards).find(isVerifierFailure) ?? []);
  if (failed.length <= most * all.length) return;
  throw new UserError(
    `${where}: ${failed.length} of ${all.length} answers have no reward, since their verifier failed: ${JSON.stringify(failed[0]!.detail)}. Expected at most ${most * 100} % (maxVerifierErrors). Mend the reward (aha check <task> runs it), or see that its judge can be reached.`,
  );
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
