import { applyPartial, type DeepPartial, oneOf, settings, within } from "#run";
import { rolloutDefaults } from "./grpo-config.ts";

/** Settings of proximal policy optimisation with a value head. Those of rollouts are GRPO's; those of values are ours. */
const ppoDefaults = settings({
  ...rolloutDefaults,
  /** Discount of what is earned a token later. */
  gamma: within(1, 0, 1),
  /** λ of the advantages; the paper compares 0.95 and 1. */
  lambda: within(1, 0, 1),
  /** "batch": advantages are brought to mean 0 and deviation 1 over the rollout; "none": taken as they are. */
  whiten: oneOf("batch", ["batch", "none"]),
  /** What the learning rate of the value head is multiplied by: it begins at 0 and has to be ahead of the policy. */
  valueLrFactor: within(20, 0, 10_000),
  valueCoefficient: within(0.1, 0, Number.POSITIVE_INFINITY),
  /** How far a value may move from where it was at sampling before it earns no more. */
  valueClip: within(0.2, 0, Number.POSITIVE_INFINITY),
  /** Where the distance to the reference counts: "reward" takes it from each token's reward (2203.02155), "loss" adds it as GRPO does. */
  klIn: oneOf("reward", ["reward", "loss"]),
});

export type PpoConfig = typeof ppoDefaults;

/** The settings with some of them changed; an unknown name or a value that does not fit is an error. */
export const ppoConfig = (changes: DeepPartial<PpoConfig> = {}): PpoConfig =>
  applyPartial<PpoConfig>(ppoDefaults, changes, "ppoConfig");
