import { answersOf, messageIds } from "#eval";
import type { FrozenPolicy } from "#policy";
import type { Message } from "#tasks";
import { ChatError, type ChatModel, type ChatOptions, promptId, promptNumber, type Reply } from "#teacher";
import { streamKey } from "#tensor";
import { splitResponse } from "#tokenizer";

export type LocalChatOptions = {
  /** What provenance and reports call it. */
  name: string;
  seed: number;
  /** For questions that do not say themselves. */
  temperature?: number;
  maxNewTokens: number;
};

type Waiting = {
  messages: readonly Message[];
  options: ChatOptions;
  resolve: (reply: Reply) => void;
  reject: (error: unknown) => void;
};

/**
 * A model in this process as somebody to be asked: judge, author, teacher. What is asked while it writes is answered
 * together next, since the device is no faster with one row than with many. What it answers is a function of the question and
 * the seeds, not of who asks beside.
 */
export function localChat(
  policy: FrozenPolicy,
  { name, seed, temperature = 1, maxNewTokens }: LocalChatOptions,
): ChatModel {
  let waiting: Waiting[] = [];
  let isWriting = false;
  const write = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const alike = waiting.filter(({ options }) => settingsOf(options) === settingsOf(waiting[0]!.options));
      waiting = waiting.filter((one) => !alike.includes(one));
      await answerEach(alike);
    }
    isWriting = false;
  };
  const answerEach = async (asked: readonly Waiting[]): Promise<void> => {
    try {
      await answer(asked);
    } catch (cause) {
      // A question that exceeds the context must not take the others with it.
      if (asked.length > 1) for (const one of asked) await answerEach([one]);
      else asked[0]!.reject(new ChatError(`${name}: ${(cause as Error).message}`, { cause }));
    }
  };
  const answer = async (asked: readonly Waiting[]): Promise<void> => {
    const { tokenizer } = policy;
    const { options } = asked[0]!;
    const groups = policy.sample(
      asked.map(({ messages }, id) => ({ id, ids: messageIds(messages, tokenizer) })),
      {
        groupSize: 1,
        temperature: options.temperature ?? temperature,
        topP: options.topP,
        maxNewTokens: Math.min(options.maxTokens ?? maxNewTokens, maxNewTokens),
        eosIds: tokenizer.eosIds,
        stream: (id) =>
          streamKey(seed, "chat", promptNumber(promptId(asked[id]!.messages)), asked[id]!.options.seed ?? 0),
      },
    );
    for await (const group of groups) {
      const [written] = answersOf(group, tokenizer);
      const { thought, summary } = splitResponse(written!.text);
      asked[group.prompt.id]!.resolve({
        reasoning: thought,
        content: summary,
        finishReason: written!.finishReason,
        usage: { promptTokens: group.prompt.ids.length, completionTokens: written!.numTokens },
      });
    }
  };
  return {
    name,
    chat: (messages, options = {}) =>
      new Promise((resolve, reject) => {
        waiting.push({ messages, options, resolve, reject });
        // A turn later, so that all that is asked now is asked together.
        if (!isWriting) setImmediate(() => isWriting || write());
      }),
  };
}

const settingsOf = ({ temperature, topP, maxTokens }: ChatOptions): string =>
  JSON.stringify([temperature, topP, maxTokens]);
