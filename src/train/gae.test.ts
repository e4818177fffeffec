import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gae, whiten } from "./gae.ts";

const near = (values: number[]) => values.map((value) => expect.closeTo(value, 6));

describe("generalised advantages, by hand", () => {
  // One answer of three tokens that earns 1 at its end; V is 0.2, 0.5, 0.7 before each.
  const [rewards, values] = [
    [0, 0, 1],
    [0.2, 0.5, 0.7],
  ];

  it("at λ 1 are what was earned less what was expected, and the returns what was earned", () => {
    const { advantages, returns } = gae(rewards, values, { gamma: 1, lambda: 1 });
    expect(Array.from(advantages)).toEqual(near([0.8, 0.5, 0.3]));
    expect(Array.from(returns)).toEqual(near([1, 1, 1]));
  });

  it("at λ 0 are one token's surprise", () => {
    const { advantages } = gae(rewards, values, { gamma: 1, lambda: 0 });
    expect(Array.from(advantages)).toEqual(near([0.3, 0.2, 0.3]));
  });

  it("at λ 0.95 fade with the distance to the reward", () => {
    // 0.3; 0.2 + 0.95 · 0.3 = 0.485; 0.3 + 0.95 · 0.485 = 0.76075
    const { advantages, returns } = gae(rewards, values, { gamma: 1, lambda: 0.95 });
    expect(Array.from(advantages)).toEqual(near([0.76075, 0.485, 0.3]));
    expect(Array.from(returns)).toEqual(near([0.96075, 0.985, 1]));
  });

  it("discount what comes later by γ", () => {
    // 0.3; 0.5 · 0.7 − 0.5 = −0.15, plus 0.5 · 0.3 = 0; 0.5 · 0.5 − 0.2 = 0.05
    const { advantages } = gae(rewards, values, { gamma: 0.5, lambda: 1 });
    expect(Array.from(advantages)).toEqual(near([0.05, 0, 0.3]));
  });

  it("need a value for each reward", () => {
    expect(() => gae([1, 2], [0], { gamma: 1, lambda: 1 })).toThrow("gae: 2 rewards and 1 values");
  });
});

type Golden = {
  answers: { rewards: number[]; values: number[] }[];
  gae: { gamma: number; lambda: number; advantages: number[][]; returns: number[][] }[];
};
const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, "../../test/golden/ppo/golden.json"), "utf8"));

it.each(golden.gae)("at γ $gamma and λ $lambda advantages and returns equal TorchRL's within 1e-6", (theirs) => {
  for (const [i, { rewards, values }] of golden.answers.entries()) {
    const { advantages, returns } = gae(rewards, values, theirs);
    expect(Array.from(advantages)).toEqual(near(theirs.advantages[i]!));
    expect(Array.from(returns)).toEqual(near(theirs.returns[i]!));
  }
});

it("whitened advantages have mean 0 and deviation 1 over all answers, and equal ones become 0", () => {
  const white = whiten([Float32Array.of(1, 2), Float32Array.of(3)]);
  expect(white.map((row) => Array.from(row))).toEqual([near([-Math.sqrt(1.5), 0]), near([Math.sqrt(1.5)])]);
  expect(whiten([Float32Array.of(2, 2)]).map((row) => Array.from(row))).toEqual([[0, 0]]);
});
