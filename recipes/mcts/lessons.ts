import { type FrozenPolicy, type LabelledSteps, type SftRow, streamKey, type Task, type Tokenizer } from "aha-rl";
import { inChunks, isRight, type Path, pathOf, startOf, stepIdsOf } from "../steps/paths.ts";
import { problemsAtOnce, type SearchOptions, searchAll } from "./search.ts";
import { endsOf } from "./tree.ts";

/** What responses to one problem teach: the right ones the actor, each its outcome at every step the value model. */
export type Lessons = { rows: SftRow[]; texts: LabelledSteps[] };

/** Lessons from responses, the best first; of the right ones at most so many become rows. The task's rule says which are right. */
export async function lessonsOf<R>(
  task: Task<R>,
  row: R,
  paths: readonly Path[],
  { problem, most, tokenizer }: { problem: string; most: number; tokenizer: Tokenizer },
): Promise<Lessons> {
  const lessons: Lessons = { rows: [], texts: [] };
  for (const path of paths) {
    const { promptIds, ends } = path;
    const ids = [...promptIds, ...path.ids];
    const isGood = await isRight(task, row, path, tokenizer);
    if (isGood && lessons.rows.length < most)
      lessons.rows.push({ ids, trained: ids.map((_, i) => Number(i >= promptIds.length)) });
    if (ends.length === 0) continue;
    const places = ends.map((end) => promptIds.length + end);
    lessons.texts.push({ problem, ids, ends: places, chances: ends.map(() => Number(isGood)) });
  }
  return lessons;
}

export type FirstOptions = {
  /** Responses to each problem. */
  samples: number;
  temperature: number;
  maxNewTokens: number;
  seed: number;
  onProgress: (share: number) => void;
};

/** Lessons for the first value model, from plain responses; none for the actor. */
export async function firstLessons<R>(
  task: Task<R>,
  policy: FrozenPolicy,
  rows: readonly R[],
  { samples, temperature, maxNewTokens, seed, onProgress }: FirstOptions,
): Promise<{ lessons: Lessons[]; tokens: number }> {
  const { tokenizer } = policy;
  const { eosIds } = tokenizer;
  let tokens = 0;
  const lessons = await inChunks(rows, problemsAtOnce, onProgress, async (chunk, at) => {
    const starts = chunk.map((row) => startOf(task, row, tokenizer));
    const prompts = starts.map(({ promptIds }, id) => ({ id, ids: Int32Array.from(promptIds) }));
    const stream = (id: number, sample: number) => streamKey(seed, "first responses", at + id, sample);
    const groups = policy.sample(prompts, { groupSize: samples, temperature, maxNewTokens, eosIds, stream });
    const each = new Array<Lessons>(chunk.length);
    for await (const { prompt, completions } of groups) {
      const { promptIds } = starts[prompt.id]!;
      const paths = completions.map((one) => pathOf(promptIds, one, stepIdsOf(tokenizer)));
      tokens += completions.reduce((sum, { ids }) => sum + ids.length, 0);
      const problem = String(at + prompt.id);
      each[prompt.id] = await lessonsOf(task, chunk[prompt.id]!, paths, { problem, most: 0, tokenizer });
    }
    return each;
  });
  return { lessons, tokens };
}

/** Lessons from a search of each problem: from every response that it ended, those that the value model liked most first. */
export async function searchLessons<R>(
  task: Task<R>,
  policy: FrozenPolicy,
  model: Pick<FrozenPolicy, "values">,
  rows: readonly R[],
  options: SearchOptions & { purpose: string; most: number; onProgress: (share: number) => void },
): Promise<{ lessons: Lessons[]; tokens: number }> {
  const { tokenizer } = policy;
  const { purpose, most, onProgress } = options;
  let tokens = 0;
  const lessons = await inChunks(rows, problemsAtOnce, onProgress, async (chunk, at) => {
    const starts = chunk.map((row) => startOf(task, row, tokenizer));
    const searched = await searchAll(policy, model, starts, { ...options, purpose: `${purpose} from ${at}` });
    tokens += searched.reduce((sum, one) => sum + one.tokens, 0);
    const each = searched.map(({ root }, i) => {
      const ends = endsOf(root).sort((a, b) => b.chance - a.chance);
      const paths = ends.map(({ path }) => path);
      return lessonsOf(task, chunk[i]!, paths, { problem: String(at + i), most, tokenizer });
    });
    return Promise.all(each);
  });
  return { lessons, tokens };
}
