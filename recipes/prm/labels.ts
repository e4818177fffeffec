import { type FrozenPolicy, type LabelledSteps, streamKey, type Task } from "aha-rl";
import { inChunks, isRight, type Path, pathOf, prefixOf, startOf, stepIdsOf } from "../steps/paths.ts";

export type LabelOptions = {
  /** Responses to each problem whose steps are labelled. */
  samples: number;
  /** Continuations of each step. */
  rollouts: number;
  temperature: number;
  maxNewTokens: number;
  seed: number;
  onProgress: (share: number) => void;
};

/** Problems in one call of the engine. */
const problemsAtOnce = 64;

/** Where a response may go on from; `which` tells it from others of its problem. */
type Beginning<R> = { row: R; problem: number; path: Path; which: number };

/**
 * Labels without a person (Math-Shepherd, arXiv 2312.08935): what a step is worth is the share of continuations from it
 * that come to the right answer within the length a response may have. After the last step nothing is left to be said:
 * the answer is right or not.
 */
export async function labelledSteps<R>(
  policy: FrozenPolicy,
  task: Task<R>,
  rows: readonly R[],
  options: LabelOptions,
): Promise<{ texts: LabelledSteps[]; tokens: number }> {
  const { samples, rollouts, temperature, maxNewTokens, seed, onProgress } = options;
  const { tokenizer } = policy;
  const stepIds = stepIdsOf(tokenizer);
  let tokens = 0;
  /** Responses that go on from each beginning, and whether each comes to the right answer. */
  async function finish(from: readonly Beginning<R>[], groupSize: number) {
    const found = new Array<{ path: Path; isGood: boolean }[]>(from.length);
    const prompts = from.map(({ path }, id) => ({ id, ids: Int32Array.from([...path.promptIds, ...path.ids]) }));
    const groups = policy.sample(prompts, {
      groupSize,
      temperature,
      maxNewTokens,
      eosIds: tokenizer.eosIds,
      stream: (id, sample) => streamKey(seed, "step-labels", from[id]!.problem, from[id]!.which, sample),
    });
    for await (const { prompt, completions } of groups) {
      const { row, path } = from[prompt.id]!;
      tokens += completions.reduce((sum, { ids }) => sum + ids.length, 0);
      found[prompt.id] = await Promise.all(
        completions.map(async ({ ids, finishReason }) => {
          const whole = [...path.ids, ...ids];
          const isWhole = finishReason === "stop" && whole.length <= maxNewTokens;
          const end = pathOf(path.promptIds, { ids: whole, finishReason: isWhole ? "stop" : "length" }, stepIds);
          return { path: end, isGood: await isRight(task, row, end, tokenizer) };
        }),
      );
    }
    return found;
  }

  const texts = await inChunks(rows, problemsAtOnce, onProgress, async (chunk, first): Promise<LabelledSteps[]> => {
    const starts = chunk.map((row, i) => ({ row, path: startOf(task, row, tokenizer), problem: first + i, which: 0 }));
    const responses = (await finish(starts, samples)).flatMap((found, i) =>
      found.map((one) => ({ ...one, row: chunk[i]!, problem: first + i })),
    );
    // The same beginning of two responses to a problem is one.
    const beginnings = new Map<string, Beginning<R>>();
    const nameOf = (problem: number, path: Path) => `${problem}: ${path.ids.join(" ")}`;
    for (const { row, problem, path } of responses)
      for (const [i, end] of path.ends.entries()) {
        if (path.state === "done" && end === path.ids.length - 1) continue;
        const begun = prefixOf(path, i);
        beginnings.set(nameOf(problem, begun), { row, path: begun, problem, which: beginnings.size + 1 });
      }
    const endings = await finish([...beginnings.values()], rollouts);
    const shares = endings.map((found) => found.filter((one) => one.isGood).length / found.length);
    const chances = new Map([...beginnings.keys()].map((name, i) => [name, shares[i]!]));
    return responses.flatMap(({ problem, path, isGood }) => {
      if (path.ends.length === 0) return [];
      const worth = path.ends.map((_, i) => chances.get(nameOf(problem, prefixOf(path, i))) ?? Number(isGood));
      const { promptIds } = path;
      const ends = path.ends.map((end) => promptIds.length + end);
      return [{ problem: String(problem), ids: [...promptIds, ...path.ids], ends, chances: worth }];
    });
  });
  return { texts, tokens };
}
