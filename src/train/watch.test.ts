import { describe, expect, it } from "vitest";
import { overoptimised, plateaued, type Watched } from "./watch.ts";

const at = (accuracies: number[], rewards = accuracies): Watched[] =>
  accuracies.map((accuracy, i) => ({ step: 10 * (i + 1), accuracy, standardError: 0.02, reward: rewards[i]! }));

describe("what ends a training early", () => {
  it("nothing, where neither rule is asked for", () => {
    expect(plateaued(at([0.5, 0.1, 0.1, 0.1]), 0)).toBeUndefined();
    expect(overoptimised(at([0.5, 0.1, 0.1, 0.1], [0, 1, 2, 3]), 0)).toBeUndefined();
  });

  it("a plateau needs as many evaluations without a gain as the setting says", () => {
    expect(plateaued(at([0.3, 0.5, 0.51, 0.5]), 3)).toBeUndefined();
    expect(plateaued(at([0.3, 0.5, 0.51, 0.5, 0.52]), 3)?.reason).toBe("plateau");
  });

  it("a gain within the standard error of the best is none, one beyond it is", () => {
    expect(plateaued(at([0.5, 0.519]), 1)?.reason).toBe("plateau");
    expect(plateaued(at([0.5, 0.521]), 1)).toBeUndefined();
  });

  it("the alarm wants the reward up and the accuracy down by more than two standard errors of the difference", () => {
    // 2 · √(0.02² + 0.02²) = 0.0566
    expect(overoptimised(at([0.8, 0.77, 0.74], [1, 1.1, 1.2]), 2)?.reason).toBe("overoptimised");
    expect(overoptimised(at([0.8, 0.77, 0.75], [1, 1.1, 1.2]), 2)).toBeUndefined();
    expect(overoptimised(at([0.8, 0.7, 0.6], [1, 1, 1]), 2)).toBeUndefined();
    expect(overoptimised(at([0.8, 0.6], [1, 2]), 2)).toBeUndefined();
  });

  it("says which step and which figures", () => {
    const { text } = overoptimised(at([0.8, 0.6], [1, 2]), 1)!;
    expect(text).toBe(
      "from step 10 to 20 the training reward rose from 1.000 to 2.000 and the held-out accuracy fell from 80.0 % to 60.0 %",
    );
  });
});
