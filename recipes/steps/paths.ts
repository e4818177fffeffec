import {
  type FrozenPolicy,
  promptOf,
  rewardNumber,
  scoreAnswer,
  type streamKey,
  type Task,
  type Tokenizer,
  toAnswer,
} from "aha-rl";
import { phrases } from "../tiny-world/words.ts";

/** A response or its beginning, cut into steps. */
export type Path = {
  promptIds: readonly number[];
  /** Of the response. */
  ids: readonly number[];
  /** Places in `ids` of the tokens that end a step. */
  ends: readonly number[];
  /** open: to be gone on with; done: it has ended itself; cut: it has not, and is as long as it may be. */
  state: "open" | "done" | "cut";
};

/** Words of the tiny world that end an attempt: its verdict, in either language. */
export function stepIdsOf(tokenizer: Pick<Tokenizer, "idOf" | "name">): number[] {
  return [phrases.no, phrases.yes].flatMap(Object.values<string>).map((word) => {
    const id = tokenizer.idOf(word);
    if (id !== undefined) return id;
    throw new Error(
      `${tokenizer.name}: no token "${word}", which ends a step. Expected a model of the tiny world (docs/world.md).`,
    );
  });
}

/** A sampled response as a path: a step ends at each verdict, and where the response ends itself. */
export function pathOf(
  promptIds: readonly number[],
  { ids, finishReason }: { ids: ArrayLike<number>; finishReason: "stop" | "length" },
  stepIds: readonly number[],
): Path {
  const all = Array.from(ids);
  const isDone = finishReason === "stop";
  const ends = all.flatMap((id, at) => (stepIds.includes(id) || (isDone && at === all.length - 1) ? [at] : []));
  return { promptIds, ids: all, ends, state: isDone ? "done" : "cut" };
}

/** The path up to one of its ends. */
export const prefixOf = (path: Path, index: number): Path => ({
  ...path,
  ids: path.ids.slice(0, path.ends[index]! + 1),
  ends: path.ends.slice(0, index + 1),
  state: "open",
});

/** The path with one more step. */
export function extended(
  path: Path,
  step: ArrayLike<number>,
  { eosIds, maxNewTokens }: { eosIds: readonly number[]; maxNewTokens: number },
): Path {
  const ids = [...path.ids, ...Array.from(step)];
  const isDone = eosIds.includes(ids.at(-1)!) && ids.length <= maxNewTokens;
  const state = isDone ? "done" : ids.length < maxNewTokens ? "open" : "cut";
  return { ...path, ids, ends: [...path.ends, ids.length - 1], state };
}

export const startOf = <R>(task: Task<R>, row: R, tokenizer: Tokenizer): Path => ({
  promptIds: tokenizer.encodePrompt(promptOf(task, row)),
  ids: [],
  ends: [],
  state: "open",
});

/** Whether a path has come to an answer that the task's first reward pays in full. */
export async function isRight<R>(task: Task<R>, row: R, { ids, state }: Path, tokenizer: Tokenizer): Promise<boolean> {
  if (state !== "done") return false;
  const text = tokenizer.decode(ids.slice(0, -1));
  const answer = toAnswer({ text, numTokens: ids.length, finishReason: "stop" });
  const { rewards } = await scoreAnswer(task, answer, row);
  return (rewardNumber(Object.values(rewards)[0] ?? null) ?? 0) >= 1;
}

export type StepOptions = {
  temperature: number;
  /** Tokens of a step at most: one that has not ended by then ends there. */
  maxStepTokens: number;
  /** Tokens of a response at most. */
  maxNewTokens: number;
};

export type Key = ReturnType<typeof streamKey>;

/** Next steps of a path: different ones, with log p of each, and the tokens sampled for them, repetitions included. */
export type Drawn = { steps: { path: Path; logprob: number }[]; tokens: number };

/** Samples `perPath` next steps of each path, and joins those that are the same. `key` gives the random stream of each. */
export async function drawSteps(
  policy: FrozenPolicy,
  requests: readonly { path: Path; key: (sample: number) => Key }[],
  perPath: number,
  { temperature, maxStepTokens, maxNewTokens }: StepOptions,
): Promise<Drawn[]> {
  const { eosIds } = policy.tokenizer;
  const drawn = new Array<Drawn>(requests.length);
  const prompts = requests.map(({ path }, id) => ({ id, ids: Int32Array.from([...path.promptIds, ...path.ids]) }));
  const groups = policy.sample(prompts, {
    groupSize: perPath,
    temperature,
    maxNewTokens: maxStepTokens,
    eosIds: [...eosIds, ...stepIdsOf(policy.tokenizer)],
    stream: (id, sample) => requests[id]!.key(sample),
  });
  for await (const { prompt, completions } of groups) {
    const { path } = requests[prompt.id]!;
    const different = new Map(completions.map((one) => [one.ids.join(" "), one]));
    drawn[prompt.id] = {
      steps: [...different.values()].map(({ ids, logprobs }) => ({
        path: extended(path, ids, { eosIds, maxNewTokens }),
        logprob: logprobs.reduce((sum, logprob) => sum + logprob, 0),
      })),
      tokens: completions.reduce((sum, { ids }) => sum + ids.length, 0),
    };
  }
  return drawn;
}

/** What a model of steps gives each step of each path: the chance of coming out right after it. */
export async function chancesOf(model: Pick<FrozenPolicy, "values">, paths: readonly Path[]): Promise<number[][]> {
  // A value stands before a target, so that what ends a text needs one more id behind it.
  const all = await model.values(paths.map(({ promptIds, ids }) => Int32Array.from([...promptIds, ...ids, 0])));
  return paths.map(({ promptIds, ends }, p) =>
    ends.map((end) => 1 / (1 + Math.exp(-all[p]![promptIds.length + end]!))),
  );
}

/** Work on many things, so many at a time, with word of how far it is. */
export async function inChunks<T, U>(
  items: readonly T[],
  size: number,
  onProgress: (share: number) => void,
  work: (chunk: readonly T[], first: number) => Promise<readonly U[]>,
): Promise<U[]> {
  const results: U[] = [];
  for (let at = 0; at < items.length; at += size) {
    results.push(...(await work(items.slice(at, at + size), at)));
    onProgress(Math.min(1, (at + size) / items.length));
  }
  return results;
}
