import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { judgedText } from "#rewards";
import { currentRun, type Terminal } from "#run";
import { type Message, randomOf } from "#tasks";
import { Journal } from "./journal.ts";
import { type Judge, preference } from "./judge.ts";
import { limiter } from "./limit.ts";
import { collectPrompt } from "./prompts.ts";
import { type CollectedRow, refuseGenerated } from "./provenance.ts";
import { Silence } from "./silence.ts";

export type JudgedOptions = {
  /** The file of the verdicts, JSONL: who judged and how, then a line each, on the disk before the next is counted. */
  path: string;
  /** Verdicts under way at once; all rounds of a pair are one. */
  concurrency?: number;
  /** Shows how far it is; the current run's where absent. */
  terminal?: Terminal;
};

export type ComparePairsOptions = JudgedOptions & {
  /** Pairs of one prompt at most. */
  pairsPerPrompt?: number;
  /** How often the judge sees a pair, its places exchanged every other time; the paper: 4. */
  rounds?: number;
  seed: number;
};

/** Two whole responses to a prompt, and by how much the judge prefers the first; undefined: it gave no verdict. */
export type JudgedPair = {
  prompt: Message[];
  responses: readonly [string, string];
  difference: number | undefined;
};

export type JudgedResponse = { prompt: Message[]; response: string; isSafe: boolean };

/**
 * Has a judge compare answers to the same prompt by what their reader sees, the summary alone, as the paper judges
 * helpfulness (arXiv 2501.12948 v2, 2.3.4 and B.3.3). Pairs are drawn by the seed and the prompt, whatever the other
 * prompts are, among answers that show something, and each another thing: of those that show the same the first stands
 * for all. They come in the order of the rows. Killed at any instant, the same call asks only for what is missing.
 * @throws UserError when `path` was begun with another judge or other settings, and when nobody answers any more; Error for
 * rows that a generator solved, and for fewer than two rounds.
 */
export async function comparePairs(
  rows: readonly CollectedRow[],
  judge: Judge,
  options: ComparePairsOptions,
): Promise<JudgedPair[]> {
  const { pairsPerPrompt = 1, rounds = 4, seed } = options;
  if (!(rounds >= 2))
    throw new Error(`comparePairs: rounds is ${rounds}. Expected 2 or more: a pair is judged in both orders.`);
  refuseGenerated(rows, "comparePairs");
  const pairs = drawPairs(rows, pairsPerPrompt, seed);
  const asks = pairs.map(({ row: { promptId, messages }, shown }): Ask<number> => {
    const { question } = collectPrompt(messages.slice(0, -1));
    const verdict = async () => (await preference(judge, { question, answers: shown }, rounds))?.difference;
    return { promptId, question, texts: shown, verdict };
  });
  const settings = { asked: "preference", judge: judge.description, rounds, pairsPerPrompt, seed };
  const verdicts = await verdictsOn(asks, settings, "pairs compared", options);
  return pairs.map(({ row, responses }, i) => ({
    prompt: row.messages.slice(0, -1),
    responses,
    difference: verdicts[i],
  }));
}

/**
 * Has a judge say of each whole response, thought and summary, whether it does no harm (arXiv 2501.12948, 2.3.4). The
 * labels come in the order of the rows; a row without a verdict that can be read has none. Goes on as `comparePairs` does.
 * @throws as `comparePairs`.
 */
export async function labelSafety(
  rows: readonly CollectedRow[],
  judge: Judge,
  options: JudgedOptions,
): Promise<JudgedResponse[]> {
  refuseGenerated(rows, "labelSafety");
  const asks = rows.map(({ promptId, messages }): Ask<boolean> => {
    const [{ question }, response] = [collectPrompt(messages.slice(0, -1)), messages.at(-1)!.content];
    return { promptId, question, texts: [response], verdict: () => judge.isSafe({ question, response }) };
  });
  const settings = { asked: "isSafe", judge: judge.description };
  const verdicts = await verdictsOn(asks, settings, "responses labelled", options);
  return rows.flatMap(({ messages }, i): JudgedResponse[] => {
    const isSafe = verdicts[i];
    if (isSafe === undefined) return [];
    return [{ prompt: messages.slice(0, -1), response: messages.at(-1)!.content, isSafe }];
  });
}

type DrawnPair = { row: CollectedRow; responses: [string, string]; shown: [string, string] };

function drawPairs(rows: readonly CollectedRow[], most: number, seed: number): DrawnPair[] {
  const prompts = new Map<string, Map<string, CollectedRow>>(); // Of each prompt, by what is shown.
  for (const row of rows) {
    const answers = prompts.get(row.promptId) ?? new Map<string, CollectedRow>();
    prompts.set(row.promptId, answers);
    const shown = judgedText(row.messages.at(-1)!.content, "summary");
    if (shown !== "" && !answers.has(shown)) answers.set(shown, row);
  }
  return [...prompts].flatMap(([promptId, byShown]) => {
    const answers = [...byShown].map(([shown, row]) => ({ row, shown, response: row.messages.at(-1)!.content }));
    const all = answers.flatMap((a, i) =>
      answers.slice(i + 1).map((b): DrawnPair => {
        return { row: a.row, responses: [a.response, b.response], shown: [a.shown, b.shown] };
      }),
    );
    const drawn = new Set(randomOf(`pairs/${seed}/${promptId}`).shuffled(all).slice(0, most));
    return all.filter((pair) => drawn.has(pair));
  });
}

/** What is asked: the same for the same prompt and texts, in whatever rows they stand. */
type Ask<V> = {
  promptId: string;
  question: string;
  texts: readonly string[];
  verdict: () => Promise<V | undefined>;
};

/** A line of the file; null was asked, and could not be read. */
type Line<V> = { id: string; promptId: string; verdict: V | null };

/**
 * The verdicts on all that is asked, in its order; those in the file are not asked again. Undefined where one cannot be
 * read, which is counted in a note, and where nobody answered, who is asked again the next time.
 */
async function verdictsOn<V>(
  asks: readonly Ask<V>[],
  settings: Record<string, unknown>,
  title: string,
  { path, concurrency = 8, terminal = currentRun()?.terminal }: JudgedOptions,
): Promise<(V | undefined)[]> {
  using journal = new Journal<Line<V>>(path, settings, ({ id }) => id);
  const silence = new Silence({ kept: path, terminal });
  const byId = new Map(asks.map((ask) => [idOf(ask), ask]));
  const missing = [...byId].filter(([id]) => !journal.has(id));
  let numDone = byId.size - missing.length;
  terminal?.begin(title, byId.size);
  terminal?.advance(numDone);
  const place = limiter(concurrency);
  let failure: { error: unknown } | undefined;
  const judge = async (id: string, { promptId, verdict }: Ask<V>) => {
    await nextTurn(); // A judge in this process may never wait; Ctrl-C and the heartbeat have to come through.
    if (failure) return;
    currentRun()?.stopIfAsked();
    journal.add({ id, promptId, verdict: (await verdict()) ?? null });
    silence.end();
    terminal?.advance(++numDone);
  };
  const judging = missing.map(([id, ask]) =>
    place(() => judge(id, ask))
      .catch((error) => silence.add(ask.question, error))
      .catch((error) => {
        failure ??= { error };
      }),
  );
  await Promise.all(judging);
  terminal?.end();
  if (failure) throw failure.error;
  const verdicts = new Map(
    [...byId.keys()].flatMap((id): [string, V | null][] => (journal.has(id) ? [[id, journal.read(id).verdict]] : [])),
  );
  const numUnread = [...verdicts.values()].filter((verdict) => verdict === null).length;
  if (numUnread > 0) terminal?.note(`${numUnread} of ${byId.size} verdicts cannot be read and are left out.`);
  return asks.map((ask) => verdicts.get(idOf(ask)) ?? undefined);
}

function idOf({ promptId, question, texts }: Ask<unknown>): string {
  const asked = JSON.stringify([promptId, question, ...texts]);
  return createHash("sha256").update(asked).digest("hex").slice(0, 16);
}
