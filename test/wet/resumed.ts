import { LocalPolicy } from "aha-rl";
import { expect } from "vitest";

/** A training whose process fails in the update after the first `numSteps`. */
export async function failsAfter(numSteps: number, train: () => Promise<unknown>): Promise<void> {
  const { step } = LocalPolicy.prototype;
  let calls = 0;
  LocalPolicy.prototype.step = function (options) {
    if (++calls > numSteps) throw new Error("pulled the plug");
    return step.call(this, options);
  };
  try {
    await expect(train()).rejects.toThrow("pulled the plug");
  } finally {
    LocalPolicy.prototype.step = step;
  }
}

/** What a resumed run's metrics have to share with those of one never stopped, in the order of the names. */
export const withoutTimes = (lines: readonly Record<string, number>[]) =>
  lines.map((line) => Object.entries(line).filter(([name]) => !name.startsWith("time/")));
