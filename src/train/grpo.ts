import type { FrozenPolicy, Policy } from "#policy";
import { advantages } from "./advantage.ts";
import type { RewardedGroup } from "./collect.ts";
import { type Sample, toExamples } from "./examples.ts";
import type { GrpoConfig } from "./grpo-config.ts";
import { policyLoss } from "./losses.ts";
import { miniBatches, type StepFigures } from "./mini-batches.ts";

/** What one rollout needs: the policy, what it is kept near to, and where its answers and figures go. */
export type RolloutParts = {
  policy: Policy;
  /** The frozen policy of the KL term; undefined when its coefficient is 0. */
  reference: FrozenPolicy | undefined;
  seed: number;
  /** Samples and scores groups: text in, verdicts and numbers out. */
  collect: () => Promise<RewardedGroup[]>;
  lrAt: (step: number) => number;
  /** Gets what was measured of the rollout as a whole. */
  onRollout?: (figures: Record<string, number>) => void;
  onStep: (step: StepFigures) => void;
};

/** One rollout and the updates made on it: the body of group-relative policy optimisation (2402.03300, algorithm 1). */
export async function grpoRollout(parts: RolloutParts, config: GrpoConfig, firstStep: number): Promise<void> {
  const { policy, reference, seed, lrAt, onStep } = parts;
  // 1. Sample G answers per prompt from the weights we are about to improve, and score them.
  const groups = await parts.collect();
  // 2. Compare answers within their group. A group that all scored alike teaches nothing.
  const rewards = groups.map(({ scored }) => scored.map(({ reward }) => reward));
  const compared = advantages(rewards, { kind: config.advantage, deviation: config.deviation });
  const samples = groups.flatMap((group, g) =>
    group.scored.map((one, i): Sample => ({ ...one, promptIds: group.promptIds, advantage: compared[g]![i]! })),
  );
  // 3. Freeze what the reference believed; the sampler already said what the old policy did.
  const sequences = samples.map(({ promptIds, ids }) => Int32Array.from([...promptIds, ...ids]));
  const believed = await reference?.logprobs(sequences, config.temperature);
  const examples = toExamples(samples, sequences, believed, config);
  // 4. Improve, one step per mini-batch; the later ones are stale, and the clip is there for them.
  for (const { step, staleness, batch } of miniBatches(examples, config, seed, firstStep)) {
    const lr = lrAt(step);
    const trained = await policy.forwardBackward(batch, policyLoss(config), config);
    const { gradNorm } = await policy.step({ lr, maxGradNorm: config.maxGradNorm });
    onStep({ step, staleness, lr, gradNorm, trained });
  }
}
