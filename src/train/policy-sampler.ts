import { answersOf, messageIds } from "#eval";
import type { FrozenPolicy } from "#policy";
import type { SamplingOptions } from "#rollout";
import { ChatError, type CollectPrompt, promptNumber, type Sampler } from "#teacher";
import { streamKey } from "#tensor";

export type PolicySamplerOptions = Pick<SamplingOptions, "temperature" | "topP" | "maxNewTokens"> & {
  /** Answers per prompt. */
  samples: number;
  seed: number;
  /** What provenance calls the policy, and the folder of its weights. */
  model: string;
  checkpoint?: string;
  /** Positions of its context: an answer gets what its prompt leaves, and a prompt that leaves nothing has none. */
  context?: number;
};

/** Prompts in one call of the engine: their ids are in memory at once. */
const promptsAtOnce = 4096;

/** Answers of a policy to prompts, for rejection sampling, R1-Zero's drafts and a teacher in this process. */
export function policySampler(policy: FrozenPolicy, options: PolicySamplerOptions): Sampler {
  const { samples, seed, temperature, topP, maxNewTokens, model, checkpoint } = options;
  const { context = Number.POSITIVE_INFINITY } = options;
  async function* sample(prompts: readonly CollectPrompt[]) {
    const { tokenizer } = policy;
    const all = prompts.map(({ messages }, id) => {
      const ids = messageIds(messages, tokenizer);
      return { id, ids, maxNewTokens: Math.min(maxNewTokens, context - ids.length) };
    });
    for (const { id, ids } of all.filter((one) => one.maxNewTokens < 1)) {
      const error = new ChatError(
        `${model}: a prompt of ${ids.length} tokens leaves no room for an answer in its context of ${context}. Shorten it, or ask a model with a longer one.`,
        { isOfQuestion: true },
      );
      yield { prompt: prompts[id]!, error };
    }
    const groups = policy.sample(
      all.filter((one) => one.maxNewTokens >= 1),
      {
        groupSize: samples,
        temperature,
        topP,
        maxNewTokens,
        eosIds: tokenizer.eosIds,
        // A function of the prompt itself, so that a collection that is resumed, or has more prompts, draws the same.
        stream: (id, sample) => streamKey(seed, "collect", promptNumber(prompts[id]!.id), sample),
      },
    );
    for await (const group of groups) {
      const answers = answersOf(group, tokenizer).map((answer, sample) => ({ answer, sample }));
      yield { prompt: prompts[group.prompt.id]!, answers };
    }
  }
  return {
    provenance: { origin: "policy", model, ...(checkpoint !== undefined && { checkpoint }), seed, temperature },
    settings: { samples, maxNewTokens, ...(topP !== undefined && { topP }) },
    async *sample(prompts) {
      for (let i = 0; i < prompts.length; i += promptsAtOnce) yield* sample(prompts.slice(i, i + promptsAtOnce));
    },
  };
}
