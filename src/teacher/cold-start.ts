import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Row, readAllRows, writeJsonl } from "#data";
import { type AnswerSource, extractAnswer } from "#rewards";
import { explained, type Terminal, UserError } from "#run";
import { user } from "#tasks";
import type { Author } from "./author.ts";
import { type CollectPrompt, type CollectSummary, collectRows, listCounts, type Sampler } from "./collect.ts";
import { type Filter, hasNoRepetition, inOneLanguage, isCorrect, isFinished, readableFilters } from "./filters.ts";
import { humanCheck } from "./human-check.ts";
import { type CollectedRow, refuseGenerated } from "./provenance.ts";
import { type Draft, rewriteSampler } from "./samplers.ts";

export type ColdStartOptions = {
  /** Where drafts, rewritten rows, the file for the person and the result are. */
  folder: string;
  prompts: readonly CollectPrompt[];
  /** Where drafts come from, by name: R1-Zero at temperature 1, an author's long chains of thought. */
  drafts: Record<string, Sampler>;
  /** Rewrites them in readable form. */
  author: Author;
  /** Drafts of one prompt and source that are rewritten. */
  draftsPerPrompt?: number;
  draftFilters?: readonly Filter[];
  /** What a finished row has to pass. */
  filters?: readonly Filter[];
  /** Whether a person reads the rows; "skip" stands in their provenance. */
  check: "person" | "skip";
  concurrency?: number;
  terminal?: Terminal;
};

export type ColdStart = { path: string; numRows: number; summaries: Record<string, CollectSummary> };

/** What a draft has to be before it is worth rewriting (the paper: right, no repetition, languages not mixed). */
export const draftFilters: readonly Filter[] = [
  isFinished,
  isCorrect,
  inOneLanguage({ share: 0.8 }),
  hasNoRepetition(),
];

/** Where the result of a draft may stand; never the last number of a text. */
const resultSources: AnswerSource[] = ["boxed", "answerTag", "phrase", "whole"];

/**
 * Cold-start rows (arXiv 2501.12948, sections 2.3.1 and v2's B.3.2): drafts from models are filtered, rewritten as a thought and
 * a summary, judged and filtered again, and read by a person. Resumable at every instant.
 * @throws UserError while the person's file is not marked as checked, for rows that no model wrote, and where none is left.
 */
export async function coldStart(options: ColdStartOptions): Promise<ColdStart> {
  const { folder, prompts, author, draftsPerPrompt = 1, concurrency, terminal } = options;
  explained(folder, () => mkdirSync(folder, { recursive: true }));
  const summaries: Record<string, CollectSummary> = {};
  const drafts = new Map<string, Draft[]>();
  for (const [name, sampler] of Object.entries(options.drafts)) {
    const out = join(folder, `drafts-${name}.jsonl`);
    summaries[name] = await collectRows({
      prompts,
      sampler,
      filters: options.draftFilters ?? draftFilters,
      mostPerPrompt: draftsPerPrompt,
      out,
      terminal,
    });
    for (const { promptId, messages, provenance } of await readRowsOf(out)) {
      const response = messages.at(-1)!.content;
      const extraction = extractAnswer(response, resultSources);
      const result = extraction.found === "answer" ? { result: extraction.answer } : {};
      drafts.set(promptId, [...(drafts.get(promptId) ?? []), { response, ...result, provenance }]);
    }
  }
  const rewritten = join(folder, "rewritten.jsonl");
  summaries.rewritten = await collectRows({
    // Learned without the template that asked for the draft.
    prompts: prompts.filter(({ id }) => drafts.has(id)).map((one) => ({ ...one, messages: [user(one.question)] })),
    sampler: rewriteSampler(author, drafts, { concurrency }),
    filters: options.filters ?? readableFilters,
    out: rewritten,
    terminal,
  });
  const readable = await readRowsOf(rewritten);
  const toCheck = join(folder, "to-check.jsonl");
  const rows = humanCheck(readable, { path: toCheck, skip: options.check === "skip" });
  const path = join(folder, "cold-start.jsonl");
  refuseGenerated(rows, path);
  if (rows.length === 0 && readable.length > 0)
    throw new UserError(
      `${toCheck}: none of its ${readable.length} rows is kept. Expected one at least: set keep to true where a row is good, or mend its text.`,
    );
  if (rows.length === 0) {
    const counts = Object.entries(summaries).map(
      ([name, { numSampled, dropped }]) => `${name} ${numSampled} (dropped: ${listCounts(dropped)})`,
    );
    throw new UserError(
      `${path}: no row is left to learn from, of ${prompts.length} prompts. Answers: ${counts.join(", ")}. Expected one at least. Give more prompts, samples or tokens, or an author who can solve them.`,
    );
  }
  return { path, numRows: await writeJsonl(path, rows), summaries };
}

/** Rows that `collectRows` wrote. */
async function readRowsOf(path: string): Promise<CollectedRow[]> {
  return (await readAllRows(path)) as (Row & CollectedRow)[];
}
