import type { Verdict } from "#rewards";
import type { Message } from "#tasks";

/**
 * Where a text came from: sampled from a policy, from a model behind a chat, written by an author. "generator" is a world's
 * own solution, which nothing may learn from: it is named here so that it can be refused.
 */
export type Origin = "policy" | "chat" | "author" | "generator";
const origins: readonly string[] = ["policy", "chat", "author", "generator"] satisfies Origin[];

export type Provenance = {
  origin: Origin;
  /** Model, teacher or author, as it calls itself. */
  model: string;
  /** The folder of a policy's weights. */
  checkpoint?: string;
  promptId: string;
  /** Which of the prompt's answers, from 0. */
  sample: number;
  /** Seed of the collection; a row's own stream is a function of it, the prompt and the sample. */
  seed?: number;
  temperature?: number;
  /** What it had to pass. */
  filters: string[];
  /** Who said whether it is right. */
  gradedBy?: string;
  /** Answers to the same prompt, and how many of them each filter dropped. */
  numSampled: number;
  dropped: Record<string, number>;
  /** How the author was asked. */
  style?: string;
  /** What was rewritten. */
  draft?: Provenance;
  /** Whether a person has read it: kept as it was, edited, or the step was skipped. */
  checked?: "kept" | "edited" | "skipped";
};

/** A row to learn from: the conversation, its last message the response. */
export type CollectedRow = { promptId: string; messages: Message[]; verdict?: Verdict; provenance: Provenance };

/**
 * Refuses rows whose provenance is missing, or that a generator solved, themselves or in a draft they were made from.
 * @throws Error that names the first such row.
 */
export function refuseGenerated(rows: readonly { provenance?: Provenance }[], where = "rows"): void {
  for (const [index, row] of rows.entries()) {
    let source = row.provenance;
    do {
      if (!origins.includes(source?.origin ?? ""))
        throw new Error(
          `${where}: row ${index} has no provenance. Expected its origin, one of: ${origins.join(", ")}.`,
        );
      if (source!.origin === "generator")
        throw new Error(
          `${where}: row ${index} (prompt ${source!.promptId}) is a generator's solution. Rows come from models only; sample them.`,
        );
      source = source!.draft;
    } while (source !== undefined);
  }
}
