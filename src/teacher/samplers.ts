import { parseAnswer } from "#rewards";
import { randomOf } from "#tasks";
import { joinResponse } from "#tokenizer";
import type { Author, SolveStyle } from "./author.ts";
import type { ChatModel, ChatOptions } from "./chat.ts";
import type { CollectPrompt, Sampled, SampledAnswer, Sampler } from "./collect.ts";
import type { Provenance } from "./provenance.ts";

export type ChatSamplerOptions = Pick<ChatOptions, "temperature" | "topP" | "maxTokens"> & {
  /** Answers per prompt. */
  samples: number;
  seed: number;
  /** Prompts under way at once. */
  concurrency?: number;
};

/** Answers of a teacher behind a chat: its thought and its answer. One that its server withheld is lost. */
export function chatSampler(teacher: ChatModel, options: ChatSamplerOptions): Sampler {
  const { samples, seed, temperature, topP, maxTokens, concurrency } = options;
  const settings = { samples, ...(topP !== undefined && { topP }), ...(maxTokens !== undefined && { maxTokens }) };
  return {
    provenance: { origin: "chat", model: teacher.name, seed, ...(temperature !== undefined && { temperature }) },
    settings,
    sample: concurrently(concurrency, async (prompt) => {
      const replies = await Promise.all(
        Array.from({ length: samples }, (_, sample) =>
          teacher.chat(prompt.messages, { temperature, topP, maxTokens, seed: seedOf(seed, prompt.id, sample) }),
        ),
      );
      const answers = replies.flatMap(({ reasoning, content, finishReason, usage }, sample): SampledAnswer[] => {
        if (finishReason === "filtered") return [];
        const numTokens = usage && { numTokens: usage.completionTokens };
        return [{ sample, answer: parseAnswer(joinResponse(reasoning, content), { finishReason, ...numTokens }) }];
      });
      return withLost(prompt, answers, samples, "withheld");
    }),
  };
}

type AuthorSamplerOptions = { concurrency?: number };

/** Long chains of thought that an author writes, `samples` in each style. */
export function solveSampler(
  author: Author,
  {
    styles = ["fewShot", "reflect"],
    samples = 1,
    concurrency,
  }: AuthorSamplerOptions & { styles?: SolveStyle[]; samples?: number } = {},
): Sampler {
  const asks = styles.flatMap((style) => Array.from({ length: samples }, (_, round) => ({ style, round })));
  return authorSampler(author, { styles, samples }, concurrency, ({ question }) =>
    asks.map(({ style, round }) => ({ write: () => author.solve({ question, style, round }), note: { style } })),
  );
}

export type Draft = {
  response: string;
  /** What the rewritten summary has to say again. */
  result?: string;
  provenance: Provenance;
};

/** Drafts in readable form: for each prompt its drafts, each rewritten once, with the result that its summary must restate. */
export function rewriteSampler(
  author: Author,
  drafts: ReadonlyMap<string, readonly Draft[]>,
  { concurrency }: AuthorSamplerOptions = {},
): Sampler {
  return authorSampler(author, {}, concurrency, ({ id, question }) =>
    (drafts.get(id) ?? []).map(({ response, result, provenance }) => ({
      write: () => author.rewrite({ question, response }),
      note: { draft: provenance },
      result,
    })),
  );
}

/** Answers to general requests, after a thought where the request is one that it helps. */
export function generalSampler(
  author: Author,
  { needsThought, concurrency }: AuthorSamplerOptions & { needsThought: (question: string) => boolean },
): Sampler {
  return authorSampler(author, {}, concurrency, ({ question }) => {
    const withThought = needsThought(question);
    return [
      {
        write: () => author.answer({ question, withThought }),
        note: { style: withThought ? "afterThought" : "atOnce" },
      },
    ];
  });
}

type Writing = {
  write: () => Promise<string | undefined>;
  note: SampledAnswer["provenance"];
  result?: string;
};

function authorSampler(
  author: Author,
  settings: Record<string, unknown>,
  concurrency: number | undefined,
  asksOf: (prompt: CollectPrompt) => Writing[],
): Sampler {
  return {
    provenance: { origin: "author", model: author.description },
    settings,
    sample: concurrently(concurrency, async (prompt) => {
      const asks = asksOf(prompt);
      const texts = await Promise.all(asks.map(({ write }) => write()));
      const answers = texts.flatMap((text, sample): SampledAnswer[] => {
        const { note, result } = asks[sample]!;
        if (text === undefined) return [];
        return [{ sample, answer: parseAnswer(text), provenance: note, ...(result !== undefined && { result }) }];
      });
      return withLost(prompt, answers, asks.length, "unusable");
    }),
  };
}

function withLost(prompt: CollectPrompt, answers: SampledAnswer[], asked: number, why: string): Sampled {
  const numLost = asked - answers.length;
  return { prompt, answers, ...(numLost > 0 && { lost: { [why]: numLost } }) };
}

/** Asks for several prompts at once and yields each as it is answered. */
function concurrently(concurrency = 8, ask: (prompt: CollectPrompt) => Promise<Sampled>): Sampler["sample"] {
  return async function* (prompts) {
    const running = new Map<string, Promise<Sampled>>();
    const next = async () => {
      const sampled = await Promise.race(running.values());
      running.delete(sampled.prompt.id);
      return sampled;
    };
    for (const prompt of prompts) {
      const failed = (error: Error): Sampled => ({ prompt, error });
      running.set(prompt.id, ask(prompt).catch(failed));
      if (running.size >= concurrency) yield await next();
    }
    while (running.size > 0) yield await next();
  };
}

/** A seed that a server takes, different for each answer and the same after a restart. */
const seedOf = (seed: number, promptId: string, sample: number): number =>
  randomOf(`${seed}/${promptId}/${sample}`).int(0, 2 ** 31 - 1);
