import { mean, refuseFailingVerifier, type Scored, type ScoredGroup, scoreGroup, worth, worths } from "#eval";
import type { Policy } from "#policy";
import { softOverlong } from "#rewards";
import type { Task } from "#tasks";
import { streamKey } from "#tensor";
import { isUseless } from "./advantage.ts";
import type { Rewarded } from "./examples.ts";
import type { RolloutConfig } from "./grpo-config.ts";
import type { PromptSource } from "./prompt-source.ts";

/** A group whose answers all count. */
export type RewardedGroup = Omit<ScoredGroup, "scored"> & { scored: Rewarded[] };

/** A scored group and the task it belongs to. */
type TaskGroup = ScoredGroup & { task: Task<unknown> };

export type Collected = { groups: RewardedGroup[]; all: TaskGroup[]; metrics: Record<string, number> };

export type CollectParts = {
  policy: Policy;
  source: PromptSource;
  config: RolloutConfig;
  /** Whether several tasks are mixed, now or later: their figures then stand under their names. */
  isMixture: boolean;
  seed: number;
  /** The first step of the rollout: which tasks are in. */
  step: number;
  /** Which rollout this is: a key of its random streams. */
  rollout: number;
  maxNewTokens: number;
  onProgress?: (numGroups: number, wanted: number) => void;
};

/** Samples and scores the groups of one rollout, in prompt order whatever order they finish in. */
export async function collect(parts: CollectParts): Promise<Collected> {
  const { config, onProgress } = parts;
  const wanted = config.promptsPerStep * config.miniBatches;
  const tooLongBefore = parts.source.state.numTooLong;
  const groups: RewardedGroup[] = [];
  const all: TaskGroup[] = [];
  let times = { rolloutMs: 0, scoreMs: 0 };
  for (let round = 0; round < config.maxRounds && groups.length < wanted; round++) {
    const sampled = await sampleRound(parts, round, wanted - groups.length, (done) =>
      onProgress?.(groups.length + done, wanted),
    );
    times = { rolloutMs: times.rolloutMs + sampled.rolloutMs, scoreMs: times.scoreMs + sampled.scoreMs };
    all.push(...sampled.groups);
    const usable = sampled.groups
      .map((group) => withRewards(group, config, parts.maxNewTokens))
      .filter(({ scored }) => scored.length >= Math.min(2, config.groupSize));
    const isLast = round + 1 === config.maxRounds;
    groups.push(...(config.maxRounds > 1 && !isLast ? usable.filter((group) => !isUseless(rewardsOf(group))) : usable));
  }
  refuseFailingVerifier("train", all, config.maxVerifierErrors);
  if (groups.length === 0) {
    const why = JSON.stringify(all[0]?.scored[0]?.score.rewards);
    throw new Error(
      `train: no group of this rollout can be trained on: every answer was dropped, the first with ${why}.`,
    );
  }
  const numTooLong = parts.source.state.numTooLong - tooLongBefore;
  const metrics = {
    ...figures(all, groups, parts.isMixture),
    "sample/maxNewTokens": parts.maxNewTokens,
    ...(numTooLong > 0 ? { "sample/tooLong": numTooLong } : {}),
  };
  return { groups, all, metrics: { ...metrics, "time/rolloutMs": times.rolloutMs, "time/scoreMs": times.scoreMs } };
}

async function sampleRound(
  { policy, source, config, seed, step, rollout, maxNewTokens }: CollectParts,
  round: number,
  count: number,
  onGroup: (numDone: number) => void,
) {
  const start = performance.now();
  const prompts = source.take(count, step);
  const first = prompts[0]!.id;
  const scoring = new Map<number, Promise<TaskGroup>>();
  const sampling = policy.sample(prompts, {
    groupSize: config.groupSize,
    temperature: config.temperature,
    maxNewTokens,
    eosIds: policy.tokenizer.eosIds,
    stream: (promptId, sample) => streamKey(seed, "rollout", rollout, round, promptId - first, sample, 0),
  });
  for await (const group of sampling) {
    // Scoring overlaps sampling: nothing waits here for a verdict.
    const { task, row } = prompts[group.prompt.id - first]!;
    scoring.set(
      group.prompt.id,
      scoreGroup(task, row, group, policy.tokenizer).then((scored) => ({ ...scored, task })),
    );
    onGroup(scoring.size);
  }
  const sampledAt = performance.now();
  const groups = await Promise.all(prompts.map(({ id }) => scoring.get(id)!));
  for (const group of groups) {
    const rate = solvedShare(group);
    if (rate !== undefined) source.solved(group.promptId, rate);
  }
  return { groups, rolloutMs: sampledAt - start, scoreMs: performance.now() - sampledAt };
}

/** Answers with what they are worth in training; those without a value leave their group. */
function withRewards(group: ScoredGroup, { overlongBuffer }: RolloutConfig, maxNewTokens: number): RewardedGroup {
  const punish =
    overlongBuffer === 0 ? undefined : softOverlong({ maxTokens: maxNewTokens, cacheTokens: overlongBuffer });
  const scored = group.scored.flatMap((one): Rewarded[] => {
    const { total } = one.score;
    return total === null
      ? []
      : [{ ...one, reward: total + (punish === undefined ? 0 : (punish(one.answer, undefined) as number)) }];
  });
  return { ...group, scored };
}

const rewardsOf = ({ scored }: RewardedGroup): number[] => scored.map(({ reward }) => reward);

/** Share of the answers that the task's first reward finds right, of those it could judge; undefined where it could none. */
function solvedShare({ task, scored }: TaskGroup): number | undefined {
  const name = Object.keys(task.rewards)[0]!;
  const marks = scored.map((one) => worth(one, name)).filter((mark) => mark !== null);
  return marks.length === 0 ? undefined : mean(marks.map((mark) => Number(mark >= 1)));
}

function figures(
  all: readonly TaskGroup[],
  kept: readonly RewardedGroup[],
  isMixture: boolean,
): Record<string, number> {
  const answers = all.flatMap(({ scored }) => scored);
  const verdicts: Record<string, number> = {};
  for (const { score } of answers)
    for (const verdict of Object.values(score.verdicts))
      verdicts[`verdict/${verdict}`] = (verdicts[`verdict/${verdict}`] ?? 0) + 1;
  // A group that nobody could judge has not earned the same throughout: it is dropped.
  const judged = all
    .map(({ scored }) => scored.flatMap(({ score }) => score.total ?? []))
    .filter(({ length }) => length > 0);
  const tasks = [...new Set(all.map(({ task }) => task))];
  const ofTask = tasks.map((task) => {
    const own = all.filter((group) => group.task === task).flatMap(({ scored }) => scored);
    return taskFigures(task, own, isMixture ? `${task.name}/` : "");
  });
  return {
    "reward/mean": mean(kept.flatMap(rewardsOf)),
    ...Object.assign({}, ...ofTask),
    ...verdicts,
    "sample/length": mean(answers.map(({ answer }) => answer.numTokens)),
    "sample/truncated": mean(answers.map(({ finishReason }) => Number(finishReason === "length"))),
    "group/useless": mean(judged.map((totals) => Number(isUseless(totals)))),
    "group/dropped": all.length - kept.length,
  };
}

/** Each reward of a task and the length of its answers; in a mixture under the task's name. */
function taskFigures(task: Task<unknown>, answers: readonly Scored[], prefix: string): Record<string, number> {
  const rewards = Object.keys(task.rewards).flatMap((name) => {
    const values = worths(answers, name);
    return values.length === 0 ? [] : [[`reward/${prefix}${name}`, mean(values)] as const];
  });
  if (prefix === "") return Object.fromEntries(rewards);
  const length = mean(answers.map(({ answer }) => answer.numTokens));
  return { ...Object.fromEntries(rewards), [`sample/${prefix}length`]: length };
}
