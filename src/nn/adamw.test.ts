import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DType, fused, liveTensors, noGrad, type Tensor, tensor, tidy } from "#tensor";
import { AdamW, adamwPlain, globalNorm } from "./adamw.ts";
import { learningRate, type Schedule } from "./schedule.ts";

type Values = Record<string, number[]>;
type AdamWCase = {
  lr: number[];
  betas: [number, number];
  eps: number;
  weightDecay: number;
  maxGradNorm: number | null;
  parameters: Record<string, { shape: number[]; data: number[] }>;
  steps: { gradients: Values; gradNorm: number; parameters: Values }[];
  expAvg: Values;
  expAvgSq: Values;
};
type ScheduleCase = {
  kind: Schedule["shape"];
  peak: number;
  warmup: number;
  total: number;
  minRatio: number;
  lr: number[];
};
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "../../test/golden/optim/golden.json"), "utf8")) as {
  adamw: AdamWCase[];
  schedules: ScheduleCase[];
};

const worst = (actual: ArrayLike<number>, wanted: number[]) =>
  Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!) / Math.max(1e-3, Math.abs(value))));

/** A leaf whose gathered gradient is `gradient`. */
function setGradient(param: Tensor, gradient: number[]): void {
  tidy(() => {
    const upstream = tensor(gradient.map(Math.fround), param.shape, { dtype: param.dtype });
    param.mul(upstream).sum().backward();
  });
}

function leaves(parameters: AdamWCase["parameters"], dtype: DType): Map<string, Tensor> {
  return new Map(
    Object.entries(parameters).map(([name, { shape, data }]) => {
      const leaf = tensor(data.map(Math.fround), shape, { dtype });
      leaf.requiresGrad = true;
      return [name, leaf];
    }),
  );
}

it("a clip of 0 does not clip", () => {
  const after = (maxGradNorm: number | undefined) =>
    tidy(() => {
      const params = leaves({ w: { shape: [2], data: [1, 2] } }, "float32");
      setGradient(params.get("w")!, [30, -40]);
      expect(new AdamW(params).step({ lr: 0.1, maxGradNorm })).toBeCloseTo(50, 4);
      return params.get("w")!.toFloat64();
    });
  expect(after(0)).toEqual(after(undefined));
});

const cases = golden.adamw.map((at, i) => [i, at] as const);

describe("AdamW with clipping, step for step as PyTorch's", () => {
  it.each(cases)("fused, case %i: parameters, moments and the norm before clipping", (_, at) => {
    for (const [dtype, tolerance] of [
      ["float64", 2e-7],
      ["float32", 2e-5],
    ] as const) {
      tidy(() => {
        const params = leaves(at.parameters, dtype);
        const [beta1, beta2] = at.betas;
        const optimizer = new AdamW(params, { beta1, beta2, eps: at.eps, weightDecay: at.weightDecay });
        for (const [i, step] of at.steps.entries()) {
          for (const [name, param] of params) setGradient(param, step.gradients[name]!);
          const norm = optimizer.step({ lr: at.lr[i]!, maxGradNorm: at.maxGradNorm ?? undefined });
          expect(worst([norm], [step.gradNorm])).toBeLessThan(tolerance);
          for (const [name, param] of params) {
            expect(worst(param.toFloat64(), step.parameters[name]!)).toBeLessThan(tolerance);
            expect(param.grad).toBeUndefined();
          }
        }
        const state = optimizer.state();
        for (const name of params.keys()) {
          expect(worst(state[`m.${name}`]!.toFloat64(), at.expAvg[name]!)).toBeLessThan(tolerance);
          expect(worst(state[`v.${name}`]!.toFloat64(), at.expAvgSq[name]!)).toBeLessThan(tolerance);
        }
        expect(optimizer.numSteps).toBe(at.steps.length);
      });
    }
  });

  it.each(cases)("from generic ops, case %i", (_, at) => {
    tidy(() => {
      const params = leaves(at.parameters, "float64");
      const zeroed = () => new Map([...params].map(([name, param]) => [name, noGrad(() => param.mul(0))]));
      const [m, v] = [zeroed(), zeroed()];
      for (const [i, { gradients, parameters, gradNorm }] of at.steps.entries()) {
        const limit = at.maxGradNorm ?? Number.POSITIVE_INFINITY;
        const gradScale = gradNorm > limit ? limit / (gradNorm + 1e-6) : 1;
        const [beta1, beta2] = at.betas;
        const update = {
          lr: at.lr[i]!,
          beta1,
          beta2,
          eps: at.eps,
          weightDecay: at.weightDecay,
          step: i + 1,
          gradScale,
        };
        for (const [name, param] of params) {
          const grad = tensor(gradients[name]!.map(Math.fround), param.shape, { dtype: "float64" });
          adamwPlain(param.detach(), grad, m.get(name)!, v.get(name)!, update);
          expect(worst(param.toFloat64(), parameters[name]!)).toBeLessThan(1e-6);
        }
      }
    });
  });
});

describe("AdamW", () => {
  const one = (dtype: DType = "float32") => leaves({ w: { shape: [3], data: [1, -2, 0.5] } }, dtype);

  it("changes nothing for a gradient that is not finite, and clears it", () => {
    tidy(() => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const params = one();
        const optimizer = new AdamW(params, { weightDecay: 0.1 });
        const w = params.get("w")!;
        setGradient(w, [1, 1, 1]);
        optimizer.step({ lr: 0.1 });
        const before = [w, ...Object.values(optimizer.state())].map((t) => t.toArray());
        setGradient(w, [1, bad, 1]);
        expect(Number.isFinite(optimizer.step({ lr: 0.1, maxGradNorm: 1 }))).toBe(false);
        expect([w, ...Object.values(optimizer.state())].map((t) => t.toArray())).toEqual(before);
        expect([optimizer.numSteps, w.grad]).toEqual([1, undefined]);
      }
    });
  });

  it("keeps float32 masters of bfloat16 parameters: a hundred small steps move one that each alone would not", () => {
    tidy(() => {
      const params = leaves({ w: { shape: [1], data: [1] } }, "bfloat16");
      const optimizer = new AdamW(params);
      const w = params.get("w")!;
      const seen: number[] = [];
      for (let step = 0; step < 100; step++) {
        setGradient(w, [1]);
        optimizer.step({ lr: 1e-4 });
        seen.push(w.item());
      }
      expect(seen[0]).toBe(1);
      expect(optimizer.state()["master.w"]!.dtype).toBe("float32");
      expect(Math.abs(optimizer.state()["master.w"]!.item() - 0.99)).toBeLessThan(1e-5);
      expect(Math.abs(w.item() - 0.99)).toBeLessThan(2e-3);
    });
  });

  it("moves a parameter of a factor by so many learning rates, and the others by one", () => {
    tidy(() => {
      const params = new Map(["body", "head"].map((name) => [name, tensor(Float32Array.of(1))]));
      for (const param of params.values()) param.requiresGrad = true;
      using optimizer = new AdamW(params, { lrFactors: { head: 20 } });
      for (const param of params.values()) setGradient(param, [0.5]);
      optimizer.step({ lr: 0.01 });
      // Adam's first step is one learning rate, whatever the gradient.
      expect(params.get("body")!.item()).toBeCloseTo(0.99, 5);
      expect(params.get("head")!.item()).toBeCloseTo(0.8, 5);
      expect(optimizer.numSteps).toBe(1);
    });
  });

  it("leaves a parameter without a gradient alone", () => {
    tidy(() => {
      const params = new Map([...one(), ["other", leaves({ x: { shape: [1], data: [4] } }, "float32").get("x")!]]);
      const optimizer = new AdamW(params, { weightDecay: 0.5 });
      setGradient(params.get("w")!, [1, 1, 1]);
      optimizer.step({ lr: 0.1 });
      expect(params.get("other")!.item()).toBe(4);
    });
  });

  it("goes on from a loaded state exactly as it would have gone on", () => {
    tidy(() => {
      const turn = (params: Map<string, Tensor>, optimizer: AdamW, gradient: number[]) => {
        setGradient(params.get("w")!, gradient);
        optimizer.step({ lr: 0.01, maxGradNorm: 1 });
      };
      const [mine, theirs] = [one(), one()];
      const [a, b] = [new AdamW(mine), new AdamW(theirs)];
      turn(mine, a, [1, 2, -1]);
      b.load(a.state(), a.numSteps);
      theirs.get("w")!.detach().copy_(mine.get("w")!);
      turn(mine, a, [0.5, -3, 1]);
      turn(theirs, b, [0.5, -3, 1]);
      expect(theirs.get("w")!.toArray()).toEqual(mine.get("w")!.toArray());
    });
  });

  it("refuses the state of another model by the tensor's name, and changes nothing", () => {
    tidy(() => {
      const optimizer = new AdamW(one());
      const m = tensor([1, 1, 1]);
      expect(() => optimizer.load({ "m.w": m, "v.w": tensor([1, 2]) }, 4)).toThrow(
        'optimizer: "v.w" is [2], expected [3]. Is this checkpoint of another model?',
      );
      expect(() => optimizer.load({ "m.w": m }, 4)).toThrow('optimizer: "v.w" is missing, expected [3]');
      expect([optimizer.state()["m.w"]!.toArray(), optimizer.numSteps]).toEqual([[0, 0, 0], 0]);
    });
  });

  it("keeps the number of live tensors over twenty steps", () => {
    tidy(() => {
      const params = one();
      const optimizer = new AdamW(params);
      const before = liveTensors();
      for (let step = 0; step < 20; step++) {
        setGradient(params.get("w")!, [1, 1, 1]);
        optimizer.step({ lr: 0.01 });
      }
      expect(liveTensors()).toBe(before);
    });
  });

  it("measures the norm over all tensors at once, of any element type", () => {
    tidy(() => {
      expect(globalNorm([tensor([3]), tensor([0, 4], [2], { dtype: "float64" })])).toBe(5);
      expect(globalNorm([])).toBe(0);
      expect(fused.globalNorm([tensor([1, 2, 3, 4], [2, 2]).transpose(0, 1)])).toBeCloseTo(Math.sqrt(30), 12);
    });
  });
});

describe("the learning rate", () => {
  // transformers' warm-up spends update 0 at rate 0; ours begins one update later, so nothing is computed in vain.
  it.each(golden.schedules)("$kind with $warmup warm-up updates is transformers', less its update at rate 0", (at) => {
    const skipped = at.warmup > 0 ? 1 : 0;
    const schedule: Schedule = { lr: at.peak, warmupSteps: at.warmup - skipped, shape: at.kind, floor: at.minRatio };
    for (let update = skipped; update <= at.total; update++) {
      const ours = learningRate(schedule, update - skipped, at.total - skipped);
      expect(Math.abs(ours - at.lr[update]!)).toBeLessThan(at.peak * 1e-9);
    }
  });

  it("is never 0 before the last update, and stays at the floor after it", () => {
    const schedule: Schedule = { lr: 1, warmupSteps: 2, shape: "linear", floor: 0.1 };
    expect(Array.from({ length: 6 }, (_, step) => learningRate(schedule, step, 6))).toSatisfy((all: number[]) =>
      all.every((lr) => lr > 0.1),
    );
    expect(learningRate(schedule, 50, 6)).toBeCloseTo(0.1, 12);
  });
});
