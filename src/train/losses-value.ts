import type { Loss } from "#nn";
import { type PolicyFields, type PolicyLossConfig, policyLoss } from "./losses.ts";

/** What the value loss reads per token. */
export type ValueFields = "returns" | "oldValues";

export type ValueLossConfig = {
  /** How far a value may move from where it was when the answers were sampled before it earns no more. */
  valueClip: number;
};

/** ½ max((v − R)², (clip(v, v_old ± ε) − R)²) per token: squared error, pessimistic about a value that ran away (2006.05990, C3). */
export function valueLoss({ valueClip }: ValueLossConfig): Loss<ValueFields, "values"> {
  return ({ values }, { returns, oldValues, weights }) => {
    const moved = oldValues.add(values.sub(oldValues).clamp(-valueClip, valueClip)); // [N]
    const [free, held] = [values.sub(returns).square(), moved.sub(returns).square()];
    const loss = free.maximum(held).mul(0.5); // [N]
    return {
      loss: loss.mul(weights),
      metrics: { "train/valueLoss": loss, "train/valueClipShare": held.gt(free).to("float32"), "train/value": values },
    };
  };
}

/** PPO's loss (1707.06347, eq. 9): the clipped objective and, by its coefficient, the value's error. */
export function ppoLoss(
  config: PolicyLossConfig & ValueLossConfig & { valueCoefficient: number },
): Loss<PolicyFields | ValueFields, "logprobs" | "entropy" | "values"> {
  const [ofPolicy, ofValue] = [policyLoss(config), valueLoss(config)];
  return (out, batch) => {
    const [policy, value] = [ofPolicy(out, batch), ofValue(out, batch)];
    return {
      loss: policy.loss.add(value.loss.mul(config.valueCoefficient)),
      metrics: { ...policy.metrics, ...value.metrics },
      maxima: policy.maxima,
    };
  };
}
