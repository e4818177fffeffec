import { mean } from "#eval";
import { needOutputs } from "#policy";
import { type Rewarded, type Sample, toExamples } from "./examples.ts";
import { gae, whiten } from "./gae.ts";
import type { RolloutParts } from "./grpo.ts";
import { ppoLoss, type ValueFields } from "./losses-value.ts";
import { miniBatches } from "./mini-batches.ts";
import type { PpoConfig } from "./ppo-config.ts";

/**
 * One rollout and the updates made on it: proximal policy optimisation (1707.06347) with a value head on the policy
 * itself, its advantages by generalised advantage estimation.
 */
export async function ppoRollout(parts: RolloutParts, config: PpoConfig, firstStep: number): Promise<void> {
  const { policy, reference, seed, lrAt, onStep } = parts;
  needOutputs(policy, ["logprobs", "values"], "ppo");
  // 1. Sample answers from the weights we are about to improve, and score them.
  const groups = await parts.collect();
  const answers = groups.flatMap(({ promptIds, scored }) => scored.map((one) => ({ ...one, promptIds })));
  // 2. Freeze what the reference believed, and what the value head expects before each token.
  const sequences = answers.map(({ promptIds, ids }) => Int32Array.from([...promptIds, ...ids]));
  const believed = await reference?.logprobs(sequences, config.temperature);
  const expected = await policy.values(sequences);
  // 3. What each token earned and what came after it, against what was expected.
  const credits = answers.map((answer, i) => {
    const onAnswer = (values: Float32Array) => values.subarray(answer.promptIds.length - 1);
    return creditOf(answer, onAnswer(expected[i]!), believed && onAnswer(believed[i]!), config);
  });
  const compared = config.whiten === "batch" ? whiten(credits.map(({ advantages }) => advantages)) : undefined;
  const samples = answers.map((answer, i): Sample<ValueFields> => {
    const { chosen, advantages, returns, values } = credits[i]!;
    const onAll = (given: Float32Array) => scatter(given, chosen, answer.ids.length);
    const perToken = { returns: onAll(returns), oldValues: onAll(values) };
    return { ...answer, advantage: onAll(compared?.[i] ?? advantages), perToken };
  });
  parts.onRollout?.(figures(credits, believed !== undefined));
  // 4. Improve policy and value, one step per mini-batch.
  const examples = toExamples(samples, sequences, believed, config);
  const loss = ppoLoss({ ...config, kl: config.klIn === "loss" ? config.kl : 0 });
  for (const { step, staleness, batch } of miniBatches(examples, config, seed, firstStep)) {
    const lr = lrAt(step);
    const trained = await policy.forwardBackward(batch, loss, config);
    const { gradNorm } = await policy.step({ lr, maxGradNorm: config.maxGradNorm });
    onStep({ step, staleness, lr, gradNorm, trained });
  }
}

/** The credit of one answer, at the tokens that the policy chose. */
type Credit = {
  chosen: number[];
  values: Float32Array;
  advantages: Float32Array;
  returns: Float32Array;
  /** log π / π_ref, summed over the answer. */
  distance: number;
};

/** The whole reward falls on the last token that was chosen; the distance to the reference, where it counts, on each. */
function creditOf(
  { reward, logprobs, sampled }: Rewarded,
  expected: Float32Array,
  believed: Float32Array | undefined,
  { kl, klIn, gamma, lambda }: PpoConfig,
): Credit {
  const chosen = Array.from(sampled.keys()).filter((t) => sampled[t] === 1);
  const distances = chosen.map((t) => (believed === undefined ? 0 : logprobs[t]! - believed[t]!));
  const coefficient = klIn === "reward" ? kl : 0;
  const rewards = distances.map((distance, i) => (i === chosen.length - 1 ? reward : 0) - coefficient * distance);
  const values = Float32Array.from(chosen, (t) => expected[t]!);
  const { advantages, returns } = gae(rewards, values, { gamma, lambda });
  return { chosen, values, advantages, returns, distance: distances.reduce((a, b) => a + b, 0) };
}

/** Values at their places among `length` tokens, 0 at the others. */
function scatter(values: Float32Array, places: readonly number[], length: number): Float32Array {
  const all = new Float32Array(length);
  for (const [i, place] of places.entries()) all[place] = values[i]!;
  return all;
}

function figures(credits: readonly Credit[], hasReference: boolean): Record<string, number> {
  const returns = credits.flatMap((credit) => Array.from(credit.returns));
  const values = credits.flatMap((credit) => Array.from(credit.values));
  const meanSquare = (given: readonly number[]) => mean(given.map((x) => x * x));
  const variance = (given: readonly number[]) => {
    const middle = mean(given);
    return meanSquare(given.map((x) => x - middle));
  };
  const [spread, left] = [variance(returns), variance(returns.map((x, i) => x - values[i]!))];
  // Returns of one size still differ in float32's last digits: there is nothing to be explained.
  const rounding = 1e-12 * (meanSquare(returns) + meanSquare(values));
  return {
    ...(spread > rounding ? { "train/explained": 1 - left / spread } : {}),
    ...(hasReference ? { "reward/kl": -mean(credits.map(({ distance }) => distance)) } : {}),
  };
}
