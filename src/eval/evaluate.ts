import type { FrozenPolicy } from "#policy";
import { rowsOf, type Task } from "#tasks";
import { permutation, streamKey } from "#tensor";
import { promptIds, refuseFailingVerifier, type Scored, scoreGroup, worth, worths } from "./answers.ts";
import { consAtK, type Estimate, meanWithError, passAt1, passAtK } from "./stats.ts";

export type EvaluateOptions = {
  /** Answers per problem. */
  samples: number;
  /** Problems; all of the split where absent. */
  limit?: number;
  temperature: number;
  topP?: number;
  maxNewTokens: number;
  seed: number;
  /** The reward that says whether an answer is right: the first of the task where absent. */
  correct?: string;
  /** Largest share of the answers whose verifier may fail; 0.1 where absent. */
  maxVerifierErrors?: number;
  onProgress?: (numDone: number, numProblems: number) => void;
};

export type Problem<R> = { row: R; scored: Scored[] };

export type Evaluation = {
  numProblems: number;
  samples: number;
  /** Mean over the samples of each problem, then over problems; the error is clustered by problem. */
  accuracy: Estimate;
  /** pass@k for k = samples: the share of problems with a right answer among them. */
  passAtK: Estimate;
  /** Majority vote over the samples; ties count in part. */
  consensus: Estimate;
  length: Estimate;
  truncated: number;
  /** Share of each verdict, by reward. */
  verdicts: Record<string, Record<string, number>>;
  /** Mean of each reward, unweighted, over the answers where it has a value; one that never had is not here. */
  rewards: Record<string, Estimate>;
};

/** Which of so many rows are evaluated, in their order. */
export const evaluatedRows = (numRows: number, { seed, limit }: Pick<EvaluateOptions, "seed" | "limit">): Int32Array =>
  permutation(streamKey(seed, "eval-rows"), numRows).slice(0, limit);

/**
 * Samples answers to held-out problems and scores them, as the paper does: pass@1 is the mean over k samples.
 * @throws UserError where a verifier fails on more answers than `maxVerifierErrors` allows.
 */
export async function evaluate<R>(
  policy: FrozenPolicy,
  task: Task<R>,
  options: EvaluateOptions,
): Promise<{ evaluation: Evaluation; problems: Problem<R>[] }> {
  const { samples, seed, temperature, topP, maxNewTokens, onProgress } = options;
  const rows = await rowsOf(task, "test");
  if (rows.length === 0) throw new Error(`eval: task ${task.name} has no rows in its "test" split.`);
  const order = evaluatedRows(rows.length, options);
  const prompts = Array.from(order, (index, id) => ({ id, ids: promptIds(task, rows[index]!, policy.tokenizer) }));
  const problems = new Array<Problem<R>>(prompts.length);
  let numDone = 0;
  const groups = policy.sample(prompts, {
    groupSize: samples,
    temperature,
    topP,
    maxNewTokens,
    eosIds: policy.tokenizer.eosIds,
    stream: (promptId, sample) => streamKey(seed, "eval", promptId, sample),
  });
  const scoring: Promise<void>[] = [];
  for await (const group of groups) {
    const row = rows[order[group.prompt.id]!]!;
    scoring.push(
      scoreGroup(task, row, group, policy.tokenizer).then(({ scored }) => {
        problems[group.prompt.id] = { row, scored };
      }),
    );
    onProgress?.(++numDone, prompts.length);
  }
  await Promise.all(scoring);
  refuseFailingVerifier(`eval: task ${task.name}`, problems, options.maxVerifierErrors ?? 0.1);
  return { evaluation: summarize(problems, task, options), problems };
}

/** The figures of scored problems. */
export function summarize<R>(
  problems: readonly Problem<R>[],
  task: Task<R>,
  { samples, correct }: EvaluateOptions,
): Evaluation {
  const names = Object.keys(task.rewards);
  const judged = correct ?? names[0]!;
  if (!names.includes(judged)) {
    throw new Error(`eval: task ${task.name} has no reward "${judged}". Rewards here: ${names.join(", ")}.`);
  }
  const all = problems.flatMap(({ scored }) => scored);
  // An answer that its verifier could not judge is neither right nor wrong: shares are of those that it could.
  const judgedOf = problems.map(({ scored }) => scored.filter((one) => worth(one, judged) !== null));
  const isRight = (one: Scored) => (worth(one, judged) ?? 0) >= 1;
  const marks = judgedOf.map((scored) => scored.map((one) => Number(isRight(one)))).filter(({ length }) => length > 0);
  if (marks.length === 0) {
    const seen = JSON.stringify(all[0]?.score.rewards[judged]) ?? "no answer";
    throw new Error(
      `eval: none of the ${all.length} answers could be judged by reward "${judged}" of task ${task.name}: ${seen}. Mend the reward; aha check runs it.`,
    );
  }
  return {
    numProblems: problems.length,
    samples,
    accuracy: passAt1(marks),
    passAtK: meanWithError(marks.map((samples) => passAtK([samples], samples.length).value)),
    consensus: consAtK(
      judgedOf.map((scored) => scored.map((one) => vote(one.answer.answer, isRight(one)))),
      // Answers that the verifier accepts are the same answer, however they are written; others by their text.
      (a, b) => a.isCorrect === b.isCorrect && (a.isCorrect || a.text === b.text),
    ),
    length: meanWithError(
      problems.map(({ scored }) => scored.reduce((sum, one) => sum + one.answer.numTokens, 0) / scored.length),
    ),
    truncated: all.filter(({ finishReason }) => finishReason === "length").length / all.length,
    verdicts: Object.fromEntries(names.map((name) => [name, verdictShares(all, name)])),
    rewards: Object.fromEntries(
      names
        .filter((name) => worths(all, name).length > 0)
        .map((name) => [name, passAt1(problems.map(({ scored }) => worths(scored, name)))]),
    ),
  };
}

function vote(answer: string | undefined, isCorrect: boolean) {
  return { answer: answer === undefined ? undefined : { text: answer.replace(/\s+/g, ""), isCorrect }, isCorrect };
}

function verdictShares(all: readonly Scored[], name: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { score } of all) {
    const verdict = score.verdicts[name];
    if (verdict !== undefined) counts[verdict] = (counts[verdict] ?? 0) + 1 / all.length;
  }
  return counts;
}
