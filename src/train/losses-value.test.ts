import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Batch } from "#nn";
import { type Tensor, tensor, tidy } from "#tensor";
import { ppoLoss, type ValueFields, valueLoss } from "./losses-value.ts";

type Given = { values: number[]; oldValues: number[]; returns: number[]; clip: number };

function lossOf({ values: v, oldValues, returns, clip }: Given) {
  return tidy(() => {
    const on = (numbers: number[]) => tensor(Float32Array.from(numbers));
    const values = on(v);
    values.requiresGrad = true;
    const unused = (given: Tensor) => given;
    const batch: Batch<ValueFields> = {
      returns: on(returns),
      oldValues: on(oldValues),
      weights: on(v.map(() => 1 / v.length)),
      sequenceSum: unused,
      sequenceMean: unused,
      groupSum: unused,
    };
    const { loss, metrics } = valueLoss({ valueClip: clip })({ values }, batch);
    loss.sum().backward();
    const total = loss.detach().sum().item();
    return { loss: total, gradient: values.grad!.toArray(), clipped: metrics["train/valueClipShare"]!.toArray() };
  });
}

it("the value loss is half the squared error, of the held value where the free one moved too far towards the return", () => {
  // Inside the range: ½ (0.6 − 1)² = 0.08. Moved by 0.5, held at 0.7: ½ (0.7 − 1)² = 0.045, no gradient. Away: ½ (0 − 1)² = 0.5.
  const { loss, gradient, clipped } = lossOf({
    values: [0.6, 1, 0],
    oldValues: [0.5, 0.5, 0.5],
    returns: [1, 1, 1],
    clip: 0.2,
  });
  expect(loss).toBeCloseTo((0.08 + 0.045 + 0.5) / 3, 6);
  expect(gradient).toEqual([-0.4, 0, -1].map((value) => expect.closeTo(value / 3, 6)));
  expect(clipped).toEqual([0, 1, 0]);
});

it("the value loss and its gradient equal TorchRL's within 1e-6", () => {
  const path = join(import.meta.dirname, "../../test/golden/ppo/golden.json");
  const theirs: Given & { loss: number; gradient: number[] } = JSON.parse(readFileSync(path, "utf8")).values;
  const ours = lossOf(theirs);
  expect(ours.loss).toBeCloseTo(theirs.loss, 6);
  expect(ours.gradient).toEqual(theirs.gradient.map((value) => expect.closeTo(value, 6)));
  expect(ours.clipped.some((one) => one === 1)).toBe(true);
});

it("PPO's loss is the clipped objective's plus the value's by its coefficient", () => {
  tidy(() => {
    const on = (...numbers: number[]) => tensor(Float32Array.from(numbers));
    const unused = (given: Tensor) => given;
    const config = { clipLow: 0.2, clipHigh: 0.2, ratio: "token", objective: "clip", ratioCap: 0, kl: 0 } as const;
    const { loss, metrics } = ppoLoss({ ...config, valueClip: 0.2, valueCoefficient: 0.1 })(
      { logprobs: on(-1), entropy: on(2), values: on(0.6) },
      {
        oldLogprobs: on(-1),
        refLogprobs: on(-1),
        advantages: on(3),
        returns: on(1),
        oldValues: on(0.5),
        weights: on(0.5),
        sequenceSum: unused,
        sequenceMean: unused,
        groupSum: unused,
      },
    );
    expect(loss.toArray()).toEqual([expect.closeTo((-3 + 0.1 * 0.08) / 2, 6)]);
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(["train/clipShare", "train/valueLoss"]));
  });
});
