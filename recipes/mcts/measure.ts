import { type Estimate, evaluate, type Figure, type FrozenPolicy, meanWithError, type Task } from "aha-rl";
import { inChunks, isRight, startOf } from "../steps/paths.ts";
import { percent } from "../steps/percent.ts";
import { rerank } from "../steps/rerank.ts";
import { problemsAtOnce, type SearchOptions, searchAll } from "./search.ts";
import { answerOf } from "./tree.ts";

/** What an actor and a value model come to on held-out problems. */
export type RoundFigures = {
  oneSample: Estimate;
  majority: Estimate;
  /** The one of the sampled responses that the value model likes most. */
  byValue: Estimate;
  search: Estimate;
  /** Sampled tokens of a problem: of all its responses, and of the search, whose budget they are. */
  tokens: { samples: number; search: number };
  length: Estimate;
};

export type MeasureOptions = Omit<SearchOptions, "tokens"> & {
  /** Held-out problems, and plain responses to each. */
  problems: number;
  samples: number;
  purpose: string;
  onProgress: (share: number) => void;
};

/** Plain sampling, voting and choosing by value, and a search that may sample as many tokens, on the same problems. */
export async function measureRound<R>(
  task: Task<R>,
  policy: FrozenPolicy,
  model: Pick<FrozenPolicy, "values">,
  { problems: limit, samples, purpose, onProgress, ...options }: MeasureOptions,
): Promise<RoundFigures> {
  const { tokenizer } = policy;
  const { evaluation, problems } = await evaluate(policy, task, { ...options, samples, limit });
  const { accuracy: oneSample, consensus: majority, length } = evaluation;
  const tokens = samples * length.value;
  const starts = problems.map(({ row }) => startOf(task, row, tokenizer));
  const searched = await inChunks(starts, problemsAtOnce, onProgress, (chunk, at) =>
    searchAll(policy, model, chunk, { ...options, tokens, purpose: `${purpose} from ${at}` }),
  );
  const marks = searched.map(async ({ root }, i) => {
    const answer = answerOf(root);
    return answer !== undefined && (await isRight(task, problems[i]!.row, answer.path, tokenizer));
  });
  return {
    oneSample,
    majority,
    byValue: (await rerank(task, problems, model, tokenizer)).last,
    search: meanWithError((await Promise.all(marks)).map(Number)),
    tokens: { samples: tokens, search: meanWithError(searched.map((one) => one.tokens)).value },
    length,
  };
}

/** The figures as a row of the report. */
export const rowOf = ({
  oneSample,
  majority,
  byValue,
  search,
  tokens,
  length,
}: RoundFigures): Record<string, Figure> => ({
  "one sample %": percent(oneSample),
  "majority %": percent(majority),
  "best of N by value %": percent(byValue),
  "search %": percent(search),
  "tokens, N samples": Math.round(tokens.samples),
  "tokens, search": Math.round(tokens.search),
  "length, tokens": length,
});
