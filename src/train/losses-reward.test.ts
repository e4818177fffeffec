import { describe, expect, it } from "vitest";
import type { Batch } from "#nn";
import { type Tensor, tensor, tidy } from "#tensor";
import { type PairFields, type PairLossConfig, pairLoss, pointLoss, stepLoss } from "./losses-reward.ts";

const plain: PairLossConfig = { margin: 1, ties: "drop", tieThreshold: 0.5, centre: 0 };
const near = (value: number) => expect.closeTo(value, 6);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const on = (values: number[]) => tensor(Float32Array.from(values));

/** One pair: its loss, the gradient of both scores, and the metrics. */
function pair(better: number, other: number, config: Partial<PairLossConfig> = {}, { margin = 0, isTie = false } = {}) {
  return tidy(() => {
    const scores = on([better, other]);
    scores.requiresGrad = true;
    const both = (values: Tensor) => values.mul(0).add(values.sum());
    const batch: Batch<PairFields> = {
      sides: on([1, -1]),
      margins: on([margin, margin]),
      ties: on([Number(isTie), Number(isTie)]),
      weights: on([0.5, 0.5]),
      sequenceSum: (values) => values,
      sequenceMean: (values) => values,
      groupSum: both,
    };
    const { loss, metrics } = pairLoss({ ...plain, ...config })({ scores }, batch);
    loss.sum().backward();
    return {
      loss: loss.sum().item(),
      gradient: scores.grad!.toArray(),
      accuracy: metrics["train/accuracy"]!.toArray()[0],
      gap: metrics["train/scoreGap"]!.toArray()[0],
    };
  });
}

describe("the pairwise loss, by hand", () => {
  it("is −log σ of the gap, and pulls both scores apart by the chance of the other", () => {
    expect(pair(2, 0.5)).toEqual({
      loss: near(-Math.log(sigmoid(1.5))),
      gradient: [near(-sigmoid(-1.5)), near(sigmoid(-1.5))],
      accuracy: 1,
      gap: near(1.5),
    });
    expect(pair(1, 1)).toMatchObject({ loss: near(Math.LN2), accuracy: 0.5 });
    expect(pair(0, 3).accuracy).toBe(0);
  });

  it("asks for a gap that exceeds the margin, which its coefficient scales", () => {
    expect(pair(2, 0, {}, { margin: 1.5 }).loss).toBeCloseTo(-Math.log(sigmoid(0.5)), 6);
    expect(pair(2, 0, { margin: 2 }, { margin: 1.5 }).loss).toBeCloseTo(-Math.log(sigmoid(-1)), 6);
    expect(pair(2, 0, { margin: 0 }, { margin: 1.5 }).loss).toBeCloseTo(-Math.log(sigmoid(2)), 6);
  });

  it('a tie that counts "half" is half a win for each: least at equal scores, where it is log 2', () => {
    const tie = (gap: number) => pair(gap, 0, { ties: "half" }, { isTie: true });
    expect(tie(0)).toMatchObject({ loss: near(Math.LN2), gradient: [near(0), near(0)], accuracy: 0.5 });
    expect(tie(1).loss).toBeCloseTo(-0.5 * (Math.log(sigmoid(1)) + Math.log(sigmoid(-1))), 6);
  });

  it("Rao and Kupper's win, loss and tie have chances that add to 1; equal scores tie with chance tanh(threshold / 2)", () => {
    for (const gap of [-1.2, 0, 0.7]) {
      const chance = (better: number, isTie: boolean) =>
        Math.exp(-pair(better, 0, { ties: "raoKupper", tieThreshold: 0.8 }, { isTie }).loss);
      expect(chance(gap, false) + chance(-gap, false) + chance(gap, true)).toBeCloseTo(1, 5);
      if (gap === 0) expect(chance(0, true)).toBeCloseTo(Math.tanh(0.4), 5);
    }
  });

  it("centring adds its coefficient times the square of both scores' sum", () => {
    expect(pair(2, 0.5, { centre: 0.1 }).loss).toBeCloseTo(-Math.log(sigmoid(1.5)) + 0.1 * 6.25, 6);
  });

  it("a gap of 200 the wrong way is finite", () => {
    expect(pair(-100, 100)).toMatchObject({ loss: near(200), gradient: [near(-1), near(1)] });
  });
});

it("the pointwise loss is the log-odds' cross-entropy: −log σ(s) when safe, −log σ(−s) when not", () => {
  tidy(() => {
    const scores = on([1.5, -0.5]);
    scores.requiresGrad = true;
    const unused = (values: Tensor) => values;
    const { loss, metrics } = pointLoss(
      { scores },
      { labels: on([1, 1]), weights: on([0.5, 0.5]), sequenceSum: unused, sequenceMean: unused, groupSum: unused },
    );
    loss.sum().backward();
    expect(loss.toArray()).toEqual([near(-Math.log(sigmoid(1.5)) / 2), near(-Math.log(sigmoid(-0.5)) / 2)]);
    expect(scores.grad!.toArray()).toEqual([near((sigmoid(1.5) - 1) / 2), near((sigmoid(-0.5) - 1) / 2)]);
    expect(metrics["train/accuracy"]!.toArray()).toEqual([1, 0]);
  });
});

it("the loss of a step is the same towards a chance: it pulls by what was said less what was found, not at 0.3 said of 0.3", () => {
  tidy(() => {
    const values = on([1.5, Math.log(0.3 / 0.7)]);
    values.requiresGrad = true;
    const unused = (given: Tensor) => given;
    const { loss, metrics } = stepLoss(
      { values },
      { labels: on([0.25, 0.3]), weights: on([0.5, 0.5]), sequenceSum: unused, sequenceMean: unused, groupSum: unused },
    );
    loss.sum().backward();
    const entropy = (said: number, found: number) => -found * Math.log(said) - (1 - found) * Math.log(1 - said);
    expect(loss.toArray()).toEqual([near(entropy(sigmoid(1.5), 0.25) / 2), near(entropy(0.3, 0.3) / 2)]);
    expect(values.grad!.toArray()).toEqual([near((sigmoid(1.5) - 0.25) / 2), near(0)]);
    expect(metrics["train/squaredError"]!.toArray()).toEqual([near((sigmoid(1.5) - 0.25) ** 2), near(0)]);
  });
});
