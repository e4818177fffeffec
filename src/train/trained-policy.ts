import type { Model } from "#models";
import type { AdamWOptions } from "#nn";
import { type LocalOptions, LocalPolicy } from "#policy";
import type { Run } from "#run";
import type { Tokenizer } from "#tokenizer";
import type { PolicySettings } from "./trainer-config.ts";

/** How a policy is opened by a trainer's settings; `optimizer` is what the trainer adds to them. */
export const policyOptions = (
  { dtype, device, microBatchTokens, beta1, beta2, weightDecay }: PolicySettings,
  optimizer: Partial<AdamWOptions> = {},
): LocalOptions => ({ dtype, device, microBatchTokens, optimizer: { beta1, beta2, weightDecay, ...optimizer } });

/** Opens a model folder for a run to train, and disposes of the policy however the work ends. `change` as in `LocalPolicy.open`. */
export async function withPolicy<T>(
  run: Run,
  model: string,
  { options, change }: { options: LocalOptions; change?: (loaded: Model, tokenizer: Tokenizer) => Model },
  work: (policy: LocalPolicy) => Promise<T>,
): Promise<T> {
  let policy: LocalPolicy | undefined;
  try {
    run.terminal?.begin(`loading ${model}`);
    policy = await LocalPolicy.open(model, options, change);
    return await work(policy);
  } finally {
    run.terminal?.end();
    policy?.dispose();
  }
}
