import type { FrozenPolicy } from "#policy";
import { applyPartial, count, type DeepPartial, settings, type Terminal, within } from "#run";
import type { Task } from "#tasks";
import {
  type CollectSummary,
  collectRows,
  type Filter,
  hasLength,
  hasNoCode,
  hasNoRepetition,
  hasShortParagraphs,
  hasSummary,
  inOneLanguage,
  isCorrect,
  isFinished,
  type TaskPromptOptions,
  taskPrompts,
} from "#teacher";
import { policySampler } from "./policy-sampler.ts";

/** The paper gives what is dropped (arXiv 2501.12948, section 2.3.3), not how many are sampled nor where the limits lie: those are ours. */
const bestOfDefaults = settings({
  /** Answers per prompt. */
  samples: count(16),
  temperature: within(1, 0.01, 100),
  topP: within(1, 0.01, 1),
  maxNewTokens: count(32_768),
  /** Rows of one prompt at most. */
  mostPerPrompt: count(4),
  /** Prompts of the task, the first ones; 0 takes all. */
  numPrompts: count(0, { min: 0 }),
  /** Least share of words in the question's language. */
  minLanguageShare: within(0.95, 0, 1),
  maxParagraphChars: count(2000),
  /** Length of the n-grams of words that count as said again, and the largest share of them. */
  repetitionWords: count(10),
  maxRepeatedShare: within(0.2, 0, 1),
});

export type BestOfConfig = typeof bestOfDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const bestOfConfig = (changes: DeepPartial<BestOfConfig> = {}): BestOfConfig =>
  applyPartial<BestOfConfig>(bestOfDefaults, changes, "bestOfConfig");

export type BestOfParts<R> = {
  policy: FrozenPolicy;
  task: Task<R>;
  /** What provenance calls the policy, and the folder of its weights. */
  model: string;
  checkpoint?: string;
  /** Judges in place of the task's rule, where the answers are such that no rule can. */
  judge?: TaskPromptOptions<R>["judge"];
  /** Where the rows go: .jsonl, .jsonl.gz or .parquet. */
  out: string;
  seed: number;
  /** Reasons to drop an answer besides those of the settings, as decontamination (`isClean`). */
  filters?: readonly Filter[];
  terminal?: Terminal;
};

/**
 * Rejection sampling: several answers to each training prompt of a task, of which the right and readable ones become rows
 * to learn from, with the provenance of each and a count of what each filter dropped. Resumable at any instant.
 */
export async function bestOf<R>(parts: BestOfParts<R>, config: BestOfConfig): Promise<CollectSummary> {
  const { policy, task, model, checkpoint, judge, out, seed, filters = [] } = parts;
  const { samples, temperature, topP, maxNewTokens, mostPerPrompt, numPrompts } = config;
  return collectRows({
    prompts: await taskPrompts(task, { judge, ...(numPrompts > 0 && { limit: numPrompts }) }),
    sampler: policySampler(policy, { samples, temperature, topP, maxNewTokens, seed, model, checkpoint }),
    filters: [...filtersOf(config), ...filters],
    mostPerPrompt,
    out,
    terminal: parts.terminal,
  });
}

function filtersOf(config: BestOfConfig): Filter[] {
  const { maxNewTokens, minLanguageShare, maxParagraphChars, repetitionWords, maxRepeatedShare } = config;
  return [
    isFinished,
    isCorrect,
    hasSummary,
    inOneLanguage({ share: minLanguageShare }),
    hasShortParagraphs({ maxChars: maxParagraphChars }),
    hasNoCode,
    hasNoRepetition({ n: repetitionWords, share: maxRepeatedShare }),
    hasLength({ max: maxNewTokens }),
  ];
}
