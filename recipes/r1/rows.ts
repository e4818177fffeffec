import { join } from "node:path";
import {
  type BestOfConfig,
  bestOf,
  type ColdStart,
  type CollectedRow,
  coldStart,
  collectPairs,
  collectPrompt,
  collectRows,
  comparePairs,
  type FrozenPolicy,
  generalFilters,
  generalSampler,
  hasNoRepetition,
  hasSummary,
  isCorrect,
  isFinished,
  LocalFrozen,
  labelSafety,
  listCounts,
  policySampler,
  type Row,
  readAllRows,
  readRows,
  type Sampler,
  solveSampler,
  type Task,
  taskPrompts,
  UserError,
  user,
  writeJsonl,
} from "aha-rl";
import type { GeneralWorld, World } from "./world.ts";

/** Where rows go, and who writes them. */
type Place = { folder: string; seed: number };
type Writer = { name: string; model: string };

export type DraftSettings = { prompts: number; samples: number; maxNewTokens: number };

/** What a draft has to be. Its language does not matter yet: it is rewritten in the question's, and that is filtered after. */
const draftFilters = [isFinished, isCorrect, hasNoRepetition()];

/** Cold-start rows: drafts of R1-Zero at temperature 1, and of the author where it can solve, rewritten and checked. */
export async function coldStartRows(
  tasks: readonly Task<unknown>[],
  { rewriter, solves }: Pick<World, "rewriter" | "solves">,
  { name, model }: Writer,
  { prompts: limit, ...drafts }: DraftSettings,
  { folder, seed, check }: Place & { check: "person" | "skip" },
): Promise<ColdStart> {
  return withPolicy(model, async (policy) => {
    const zero = policySampler(policy, { ...drafts, temperature: 1, seed, model: name, checkpoint: model });
    const sources: Record<string, Sampler> = {
      zero,
      ...(solves.length > 0 && { prompted: solveSampler(rewriter, { styles: solves }) }),
    };
    const prompts = (await Promise.all(tasks.map((task) => taskPrompts(task, { limit })))).flat();
    return coldStart({ folder, prompts, drafts: sources, draftFilters, author: rewriter, check });
  });
}

/** Rejection sampling over every task, a file for each: paths. */
export async function sampledRows(
  tasks: readonly Task<unknown>[],
  { name, model }: Writer,
  config: BestOfConfig,
  { folder, seed }: Place,
): Promise<string[]> {
  return withPolicy(model, async (policy) => {
    const paths: string[] = [];
    let numRows = 0;
    for (const task of tasks) {
      const out = join(folder, `${task.name}.jsonl`);
      numRows += (await bestOf({ policy, task, model: name, checkpoint: model, out, seed }, config)).numRows;
      paths.push(out);
    }
    if (numRows === 0)
      throw new UserError(
        `${folder}: no answer of ${name} to ${config.numPrompts || "all"} prompts of each task passed the filters. Train it for longer, sample more (sampling.samples), or loosen a filter; the counts are in the run's log.`,
      );
    return paths;
  });
}

/** The author's answers to every request of the training split: the file's path. */
export async function generalRows(general: GeneralWorld, folder: string): Promise<string> {
  const out = join(folder, "general.jsonl");
  const prompts = asked([...general.helpful, ...general.sensitive]);
  const sampler = generalSampler(general.author, { needsThought: general.needsThought });
  await collectRows({ prompts, sampler, filters: generalFilters, out });
  return out;
}

export type AnswerSettings = { samples: number; pairsPerPrompt: number; threshold: number; maxNewTokens: number };

/** What a judge prefers among a model's answers, and which answers it finds safe: two files, and why pairs were left out. */
export async function judgedRows(
  general: GeneralWorld,
  taught: Writer,
  base: Writer,
  { samples, maxNewTokens, pairsPerPrompt, threshold }: AnswerSettings,
  { folder, seed }: Place,
) {
  const answersOf = (writer: Writer, requests: string[], file: string) =>
    withPolicy(writer.model, async (policy) => {
      const out = join(folder, file);
      const { name: model, model: checkpoint } = writer;
      const sampler = policySampler(policy, { samples, maxNewTokens, temperature: 1, seed, model, checkpoint });
      await collectRows({ prompts: asked(requests), sampler, filters: [isFinished, hasSummary], out });
      return (await readAllRows(out)) as (Row & CollectedRow)[];
    });
  const helpful = await answersOf(taught, general.helpful, "helpful.jsonl");
  // Who was taught to decline declines: the base's answers show what is unsafe.
  const sensitive = [
    ...(await answersOf(taught, general.sensitive, "sensitive.jsonl")),
    ...(await answersOf(base, general.sensitive, "sensitive-base.jsonl")),
  ];
  const verdicts = { path: join(folder, "compared.jsonl"), pairsPerPrompt, seed };
  const { pairs, dropped } = collectPairs(await comparePairs(helpful, general.judge, verdicts), { threshold, seed });
  if (pairs.length === 0)
    throw new UserError(
      `${folder}/compared.jsonl: no pair to learn a preference from, of ${helpful.length} answers to ${general.helpful.length} prompts (left out: ${listCounts(dropped)}). Expected pairs whose answers the judge finds apart by more than answers.threshold (now ${threshold}): lower it, sample more (answers.samples), or look at what the judge says in that file.`,
    );
  const responses = await labelSafety(sensitive, general.judge, { path: join(folder, "labelled.jsonl") });
  if (responses.length === 0)
    throw new UserError(
      `${folder}/labelled.jsonl: none of ${sensitive.length} responses got a verdict that can be read. Expected some; look at what the judge says in that file, and at its prompt judge-safe.txt.`,
    );
  const paths = { pairs: join(folder, "pairs.jsonl"), responses: join(folder, "responses.jsonl") };
  await writeJsonl(paths.pairs, pairs);
  await writeJsonl(paths.responses, responses);
  return { ...paths, dropped };
}

/** The rows of several files, one after the other. */
export async function* rowsOf(paths: readonly string[]): AsyncGenerator<Row> {
  for (const path of paths) yield* readRows(path);
}

const asked = (questions: readonly string[]) => questions.map((question) => collectPrompt([user(question)]));

async function withPolicy<T>(folder: string, work: (policy: FrozenPolicy) => Promise<T>): Promise<T> {
  using policy = await LocalFrozen.load(folder);
  return await work(policy);
}
