import { join } from "node:path";
import { writeRows } from "#data";
import type { Answer, Verdict } from "#rewards";
import { currentRun, type Terminal } from "#run";
import type { Message } from "#tasks";
import { type Candidate, describeFilter, type Filter, selectRows } from "./filters.ts";
import { Journal } from "./journal.ts";
import { type CollectedRow, type Provenance, refuseGenerated } from "./provenance.ts";
import { Silence } from "./silence.ts";

/** What is asked, and how an answer to it is judged. */
export type CollectPrompt = {
  /** The same for the same question, whatever list it stands in: what is done is known by it. */
  id: string;
  messages: Message[];
  question: string;
  /** By a rule or a judge; undefined for nobody's judgement. Absent: nobody is asked. */
  grade?: (answer: Answer) => Promise<Verdict | undefined>;
  /** Who grades: "task countdown: correct", or a judge as it describes itself. */
  gradedBy?: string;
};

export type SampledAnswer = {
  answer: Answer;
  sample: number;
  result?: string;
  /** What this answer's provenance says besides its sampler's. */
  provenance?: Partial<Provenance>;
};

/** The answers to one prompt, and how many came to nothing, by why. */
export type Answered = { prompt: CollectPrompt; answers: SampledAnswer[]; lost?: Record<string, number> };

/** The answers to one prompt, or why there are none. */
export type Sampled = Answered | { prompt: CollectPrompt; error: Error };

/** Where answers come from: a policy, a teacher, an author. */
export type Sampler = {
  provenance: Pick<Provenance, "origin" | "model" | "checkpoint" | "seed" | "temperature">;
  /** What else its answers depend on; a collection that is resumed must have the same. */
  settings: Record<string, unknown>;
  /** Yields prompts as they are answered, in any order. */
  sample: (prompts: readonly CollectPrompt[]) => AsyncIterable<Sampled>;
};

export type CollectOptions = {
  prompts: readonly CollectPrompt[];
  sampler: Sampler;
  filters: readonly Filter[];
  /** Rows of one prompt at most; all that pass where absent. */
  mostPerPrompt?: number;
  /** Where the rows go: .jsonl, .jsonl.gz or .parquet. `<out>.progress` keeps what is done. */
  out: string;
  /** Shows how far it is; the current run's where absent. */
  terminal?: Terminal;
  /** Prompts without an answer, one after the other, after which the collection stops. */
  maxFailures?: number;
};

export type CollectSummary = {
  numPrompts: number;
  /** Prompts that were asked in this call; the others were done before. */
  numAsked: number;
  /** Prompts that got no answer, or no verdict of a judge who could be reached; the next call asks them again. */
  numFailed: number;
  numSampled: number;
  numTokens: number;
  verdicts: Record<string, number>;
  /** Answers that each filter dropped, and those that were lost, doubled or above the cap. */
  dropped: Record<string, number>;
  numRows: number;
};

/** What came of one prompt: a line of `<out>.progress/journal.jsonl`. */
type Outcome = {
  promptId: string;
  rows: CollectedRow[];
  numSampled: number;
  dropped: Record<string, number>;
  verdicts: Record<string, number>;
  numTokens: number;
};

/**
 * Asks every prompt that is not done yet, judges the answers, filters them and writes the rows in the order of the prompts.
 * Killed at any instant, the same call goes on: a prompt is done once its outcome is on the disk.
 * @throws UserError when nobody answers any more; what is done stays done.
 */
export async function collectRows(options: CollectOptions): Promise<CollectSummary> {
  const { sampler, filters, mostPerPrompt, out, maxFailures } = options;
  const { terminal = currentRun()?.terminal } = options;
  const names = filters.map(describeFilter);
  const prompts = [...new Map(options.prompts.map((prompt) => [prompt.id, prompt])).values()];
  const settings = {
    ...sampler.provenance,
    ...sampler.settings,
    filters: names,
    gradedBy: [...new Set(prompts.flatMap(({ gradedBy }) => gradedBy ?? []))],
    ...(mostPerPrompt !== undefined && { mostPerPrompt }),
  };
  const progress = join(`${out}.progress`, "journal.jsonl");
  using journal = new Journal<Outcome>(progress, settings, ({ promptId }) => promptId);
  const silence = new Silence({ kept: progress, most: maxFailures, terminal });
  const missing = prompts.filter(({ id }) => !journal.has(id));
  let numDone = prompts.length - missing.length;
  terminal?.begin(`${sampler.provenance.model}: prompts answered`, prompts.length);
  terminal?.advance(numDone);
  const judging = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  const judge = (sampled: Answered) => {
    const one: Promise<void> = outcomeOf(sampled, { sampler, filters, names, mostPerPrompt })
      .then((outcome) => {
        silence.end();
        journal.add(outcome);
        terminal?.advance(++numDone);
      })
      // Whom a judge did not answer is asked again by the next call, like one whom the teacher did not.
      .catch((error) => silence.add(sampled.prompt.question, error))
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => judging.delete(one));
    judging.add(one);
  };
  try {
    for await (const sampled of sampler.sample(missing)) {
      // Overlaps sampling: nothing waits here for a verdict.
      if ("answers" in sampled) judge(sampled);
      else silence.add(sampled.prompt.question, sampled.error);
      if (failure) break;
      currentRun()?.stopIfAsked();
    }
  } finally {
    await Promise.all(judging);
    terminal?.end();
  }
  if (failure) throw failure.error;
  const done = prompts.filter(({ id }) => journal.has(id));
  const numRows = await writeRows(out, rowsOf(done, journal, out));
  const summary: CollectSummary = {
    ...totals(done, journal),
    numPrompts: prompts.length,
    numAsked: missing.length,
    numFailed: silence.numUnanswered,
    numRows,
  };
  currentRun()?.log(`${out}: ${formatCounts(summary)}`);
  return summary;
}

async function outcomeOf(
  { prompt, answers, lost = {} }: Answered,
  parts: { sampler: Sampler; filters: readonly Filter[]; names: string[]; mostPerPrompt?: number },
): Promise<Outcome> {
  const { sampler, filters, names, mostPerPrompt } = parts;
  const judged = await Promise.all(
    answers.map(async (one): Promise<Candidate & SampledAnswer> => {
      return { ...one, question: prompt.question, verdict: await prompt.grade?.(one.answer) };
    }),
  );
  const { kept, dropped: filtered } = selectRows(judged, { filters, most: mostPerPrompt });
  const dropped = { ...lost, ...filtered };
  const numSampled = answers.length + sum(Object.values(lost));
  const rows = kept.map(
    ({ answer, sample, verdict, provenance }): CollectedRow => ({
      promptId: prompt.id,
      messages: [...prompt.messages, { role: "assistant", content: answer.text }],
      ...(verdict && { verdict }),
      provenance: {
        ...sampler.provenance,
        promptId: prompt.id,
        sample,
        filters: names,
        ...(prompt.gradedBy !== undefined && { gradedBy: prompt.gradedBy }),
        numSampled,
        dropped,
        ...provenance,
      },
    }),
  );
  const verdicts: Record<string, number> = {};
  for (const { verdict } of judged) if (verdict) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  const numTokens = sum(answers.map(({ answer }) => answer.numTokens));
  return { promptId: prompt.id, rows, numSampled, dropped, verdicts, numTokens };
}

function* rowsOf(prompts: readonly CollectPrompt[], journal: Journal<Outcome>, where: string): Generator<CollectedRow> {
  for (const { id } of prompts) {
    const { rows } = journal.read(id);
    refuseGenerated(rows, where);
    yield* rows;
  }
}

function totals(prompts: readonly CollectPrompt[], journal: Journal<Outcome>) {
  const whole = { numSampled: 0, numTokens: 0, verdicts: {}, dropped: {} };
  const add = (to: Record<string, number>, from: Record<string, number>) => {
    for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count;
  };
  for (const { id } of prompts) {
    const { numSampled, numTokens, verdicts, dropped } = journal.read(id);
    whole.numSampled += numSampled;
    whole.numTokens += numTokens;
    add(whole.verdicts, verdicts);
    add(whole.dropped, dropped);
  }
  return whole;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** "12 correct, 3 summary": what was dropped, by why. */
export const listCounts = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ") || "none";

/** The counts of a collection on one line, for a run's log. */
const formatCounts = (summary: CollectSummary): string =>
  countsOf(summary)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

/** The counts of a collection, one per line, for a person. */
export function formatSummary(summary: CollectSummary): string {
  const lines = countsOf(summary);
  const width = Math.max(...lines.map(([name]) => name.length));
  const digits = Math.max(...lines.map(([, count]) => String(count).length));
  return lines.map(([name, count]) => `${name.padEnd(width)}  ${String(count).padStart(digits)}`).join("\n");
}

function countsOf(summary: CollectSummary): [name: string, count: number][] {
  const { numPrompts, numAsked, numFailed, numSampled, numTokens, verdicts, dropped, numRows } = summary;
  const counted = (title: string, counts: Record<string, number>) =>
    Object.entries(counts).map(([name, count]): [string, number] => [`${title} ${name}`, count]);
  return [
    ["prompts", numPrompts],
    ["asked now", numAsked],
    ["without an answer", numFailed],
    ["answers", numSampled],
    ["tokens", numTokens],
    ...counted("judged", verdicts),
    ...counted("dropped:", dropped),
    ["rows", numRows],
  ];
}
