import { describe, expect, it } from "vitest";
import type { Batch } from "#nn";
import { type Tensor, tensor, tidy } from "#tensor";
import { crossEntropy, k3, type PolicyFields, type PolicyLossConfig, policyLoss } from "./losses.ts";

const plain: PolicyLossConfig = { clipLow: 0.2, clipHigh: 0.28, ratio: "token", objective: "clip", ratioCap: 0, kl: 0 };

type Given = { logprobs: number[]; old?: number[]; ref?: number[]; advantages: number[]; weights?: number[] };

/** One sequence in float64: loss and gradient per token, and the metrics. */
function lossOf(config: Partial<PolicyLossConfig>, given: Given) {
  return tidy(() => {
    const on = (values: number[]) => tensor(values, undefined, { dtype: "float64" });
    const { advantages, weights = advantages.map(() => 1) } = given;
    const logprobs = on(given.logprobs);
    logprobs.requiresGrad = true;
    const same = (values: Tensor, total: Tensor) => values.mul(0).add(total);
    const batch: Batch<PolicyFields> = {
      oldLogprobs: on(given.old ?? given.logprobs),
      refLogprobs: on(given.ref ?? given.logprobs),
      advantages: on(advantages),
      weights: on(weights),
      sequenceSum: (values) => same(values, values.sum()),
      sequenceMean: (values) => same(values, values.sum().div(advantages.length)),
      groupSum: (values) => same(values, values.sum()),
    };
    const out = policyLoss({ ...plain, ...config })({ logprobs, entropy: on(advantages.map(() => 0)) }, batch);
    out.loss.sum().backward();
    return {
      loss: out.loss.toArray(),
      gradient: logprobs.grad!.toArray(),
      clipShare: out.metrics["train/clipShare"]!.toArray(),
      kl: out.metrics["train/kl"]?.toArray(),
      gap: out.maxima!.logprobGap!.toArray(),
    };
  });
}

/** One token with the ratio ρ, an advantage and settings. */
const token = (ratio: number, advantage: number, config: Partial<PolicyLossConfig> = {}) => {
  const { loss, gradient, clipShare } = lossOf(config, {
    logprobs: [-1 + Math.log(ratio)],
    old: [-1],
    advantages: [advantage],
  });
  return { loss: loss[0]!, gradient: gradient[0]!, isClipped: clipShare[0]! === 1 };
};
const near = (value: number) => expect.closeTo(value, 12);

describe("the clipped objective, by hand", () => {
  it("at ratio 1 is −A, and its gradient is −A", () => {
    expect(token(1, 2)).toEqual({ loss: near(-2), gradient: near(-2), isClipped: false });
    expect(token(1, -0.5)).toEqual({ loss: near(0.5), gradient: near(0.5), isClipped: false });
  });

  it("inside the range is −ρ A, and its gradient the same", () => {
    expect(token(1.2, 2)).toEqual({ loss: near(-2.4), gradient: near(-2.4), isClipped: false });
    expect(token(0.9, -2)).toEqual({ loss: near(1.8), gradient: near(1.8), isClipped: false });
  });

  it("above 1 + clipHigh a good token earns no more and has no gradient", () => {
    expect(token(1.5, 2)).toEqual({ loss: near(-2.56), gradient: near(0), isClipped: true });
  });

  it("below 1 − clipLow a bad token earns no less and has no gradient", () => {
    expect(token(0.5, -2)).toEqual({ loss: near(1.6), gradient: near(0), isClipped: true });
  });

  it("is pessimistic: where the ratio made things worse, nothing is clipped", () => {
    expect(token(0.5, 2)).toEqual({ loss: near(-1), gradient: near(-1), isClipped: false });
    expect(token(1.5, -2)).toEqual({ loss: near(3), gradient: near(3), isClipped: false });
  });

  it("ε = 10, as in the paper's second stage, clips above 11 and never below", () => {
    const wide = { clipLow: 10, clipHigh: 10 };
    expect(token(12, 1, wide)).toMatchObject({ loss: near(-11), isClipped: true });
    expect(token(10.9, 1, wide)).toMatchObject({ loss: near(-10.9), isClipped: false });
    expect(token(0.001, -1, wide)).toMatchObject({ loss: near(0.001), gradient: near(0.001), isClipped: false });
  });

  it("the dual clip bounds the loss of a bad token whose ratio ran away", () => {
    expect(token(9, -1, { ratioCap: 3 })).toMatchObject({ loss: near(3), gradient: near(0) });
    expect(token(2, -1, { ratioCap: 3 })).toMatchObject({ loss: near(2), gradient: near(2) });
    expect(token(9, 1, { ratioCap: 3 })).toMatchObject({ loss: near(-1.28) });
  });

  it("the weights multiply each token's loss and gradient, and nothing else does", () => {
    const given = { logprobs: [-1, -2], advantages: [1, 3] };
    const { loss, gradient } = lossOf({}, { ...given, weights: [0.25, 0.5] });
    expect(loss).toEqual([near(-0.25), near(-1.5)]);
    expect(gradient).toEqual([near(-0.25), near(-1.5)]);
  });

  it("the gap is the largest distance between what sampler and trainer say", () => {
    expect(lossOf({}, { logprobs: [-1, -2], old: [-1.5, -2], advantages: [1, 1] }).gap).toEqual([near(0.5), 0]);
  });

  it("a log-ratio beyond 20 is held there: the loss is finite and the token has no gradient", () => {
    const { loss, gradient } = token(Math.exp(500), -1);
    expect(loss).toBeCloseTo(Math.exp(20), 0);
    expect(gradient).toBe(0);
  });
});

describe("the ratio of a whole answer", () => {
  const given = { logprobs: [-1, -1.3, -0.9], old: [-1.1, -1.2, -1.2], advantages: [1, 1, 1] };

  it('"sequence" is the geometric mean, and each of its tokens has an equal share of the gradient', () => {
    const ratio = Math.exp((0.1 - 0.1 + 0.3) / 3);
    const { loss, gradient } = lossOf({ ratio: "sequence" }, given);
    expect(loss).toEqual([near(-ratio), near(-ratio), near(-ratio)]);
    expect(gradient).toEqual([near(-ratio), near(-ratio), near(-ratio)]);
  });

  it('"output" is the product, as the paper prints it', () => {
    const ratio = Math.exp(0.1 - 0.1 + 0.3);
    const { loss, clipShare } = lossOf({ ratio: "output" }, given);
    expect(loss).toEqual([near(-1.28), near(-1.28), near(-1.28)]);
    expect(ratio).toBeGreaterThan(1.28);
    expect(clipShare).toEqual([1, 1, 1]);
    expect(lossOf({ ratio: "output", clipHigh: 0.5 }, given).gradient).toEqual(Array(3).fill(near(-3 * ratio)));
  });
});

describe("CISPO", () => {
  it("weighs ∇log p by the ratio, bounded above and held constant, so that no token loses its gradient", () => {
    expect(token(1.1, 2, { objective: "cispo" })).toMatchObject({ gradient: near(-2.2), isClipped: false });
    expect(token(5, 2, { objective: "cispo" })).toMatchObject({ gradient: near(-2.56), isClipped: true });
    expect(token(5, -2, { objective: "cispo" })).toMatchObject({ gradient: near(2.56), isClipped: true });
    expect(token(0.1, -2, { objective: "cispo" })).toMatchObject({ gradient: near(0.2), isClipped: false });
  });
});

describe("KL(π ‖ π_ref) by k3", () => {
  it("is r − log r − 1 for r = π_ref/π, and its gradient is 1 − r: not the value's sign but the distance's", () => {
    const { kl, loss, gradient } = lossOf(
      { kl: 0.1 },
      { logprobs: [-1, -2, -3], ref: [-1.5, -1, -3], advantages: [0, 0, 0] },
    );
    const value = (r: number) => r - Math.log(r) - 1;
    const ratios = [Math.exp(-0.5), Math.exp(1), 1];
    expect(kl).toEqual(ratios.map((r) => near(value(r))));
    expect(loss).toEqual(ratios.map((r) => near(0.1 * value(r))));
    expect(gradient).toEqual(ratios.map((r) => near(0.1 * (1 - r))));
  });

  it("is exactly 0, gradient too, where both agree", () => {
    const { kl, gradient } = lossOf({ kl: 1 }, { logprobs: [-1.2345], ref: [-1.2345], advantages: [0] });
    expect(kl).toEqual([0]);
    expect(Math.abs(gradient[0]!)).toBe(0);
  });

  it("a spike is held at a log-ratio of 20, finite and without a gradient", () => {
    tidy(() => {
      const logprobs = tensor([-800, -1]);
      logprobs.requiresGrad = true;
      const distance = k3(logprobs, tensor([-1, -800]));
      distance.sum().backward();
      const [up, down] = distance.toArray();
      expect(up! / Math.exp(20)).toBeCloseTo(1, 4);
      expect(down).toBeCloseTo(19, 3);
      expect(logprobs.grad!.toArray().map(Math.abs)).toEqual([0, 0]);
    });
  });

  it("is not computed where its coefficient is 0", () => {
    expect(lossOf({ kl: 0 }, { logprobs: [-1], ref: [-9], advantages: [1] })).toMatchObject({
      kl: undefined,
      loss: [near(-1)],
    });
  });
});

it("cross-entropy is −log p times the weight", () => {
  tidy(() => {
    const on = (values: number[]) => tensor(values);
    const unused = (values: Tensor) => values;
    const batch = { weights: on([0.25, 0.5]), sequenceMean: unused, sequenceSum: unused, groupSum: unused };
    const { loss } = crossEntropy({ logprobs: on([-1, -3]), entropy: on([0, 0]) }, batch);
    expect(loss.toArray()).toEqual([0.25, 1.5]);
  });
});
