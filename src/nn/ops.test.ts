import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DType, fused, normals, streamKey, type Tensor, tensor, tidy } from "#tensor";
import * as plain from "./plain.ts";

type Case = {
  settings: Record<string, number[] | number>;
  inputs: Record<string, { shape: number[]; data: number[] }>;
  outputs: Record<string, { data: number[] }>;
  upstream: Record<string, { shape: number[]; data: number[] }>;
  gradients: Record<string, { data: number[] }>;
};
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../test/golden/ops/golden.json"), "utf8"),
) as Record<string, Case[]>;

// The file prints float32 inputs with the digits that tell them apart; rounding gives the exact value back.
type Form = typeof plain;
const forms: [string, Form][] = [
  ["fused", { ...fused, attention: (q, k, v, o, s) => fused.attention(q, k, v, tensor(Int32Array.from(o)), s) }],
  ["plain", plain],
];

/** Each op from named inputs to named outputs, in the given form. */
const ops: Record<string, (f: Form, x: Record<string, Tensor>, s: Case["settings"]) => Record<string, Tensor>> = {
  rmsNorm: (f, { x, weight }, { eps }) => ({ y: f.rmsNorm(x!, weight!, eps as number) }),
  rotary: (f, { x }, { positions, invFreq }) => {
    const frequencies = (invFreq as number[]).map(Math.fround);
    const length = Math.max(...(positions as number[])) + 1;
    const angles = Array.from({ length }, (_, p) => frequencies.map((w) => p * w)).flat();
    const table = (values: number[]) => tensor(values, [length, frequencies.length], { dtype: x!.dtype });
    const at = tensor(Int32Array.from(positions as number[]));
    return { y: f.rotary(x!, table(angles.map(Math.cos)), table(angles.map(Math.sin)), at) };
  },
  swiglu: (f, { gate, up }) => ({ y: f.swiglu(sideBySide(gate!, up!)) }),
  attention: (f, { q, k, v }, { offsets }) => ({ y: f.attention(q!, k!, v!, offsets as number[], q!.dim(2) ** -0.5) }),
  linearLogprobs: (f, { hidden, weight }, { targets, temperature }) =>
    f.linearLogprobs(hidden!, weight!, tensor(Int32Array.from(targets as number[])), temperature as number),
};
const sideBySide = (a: Tensor, b: Tensor) =>
  a
    .unsqueeze(1)
    .add(0)
    .reshape([a.dim(0), a.dim(1)])
    .matmul(eye(a, 0))
    .add(b.matmul(eye(a, 1)));
/** [F, 2F]: puts a [N, F] into the left or the right half, so that gradients reach both inputs apart. */
function eye(like: Tensor, side: 0 | 1): Tensor {
  const width = like.dim(1);
  const values = new Float64Array(2 * width * width);
  for (let i = 0; i < width; i++) values[i * 2 * width + side * width + i] = 1;
  return tensor(values, [width, 2 * width], { dtype: like.dtype });
}

/** Sums outputs against their upstream gradients and returns every input's gradient. */
function run(name: string, form: Form, at: Case, dtype: DType) {
  const inputs = Object.fromEntries(
    Object.entries(at.inputs).map(([key, { shape, data }]) => {
      const leaf = tensor(data.map(Math.fround), shape, { dtype });
      leaf.requiresGrad = true;
      return [key, leaf];
    }),
  );
  const outputs = ops[name]!(form, inputs, at.settings);
  let total: Tensor | undefined;
  for (const [key, { shape, data }] of Object.entries(at.upstream)) {
    const part = outputs[key]!.mul(tensor(data.map(Math.fround), shape, { dtype })).sum();
    total = total === undefined ? part : total.add(part);
  }
  total!.backward();
  return { inputs, outputs };
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!) / Math.max(1, Math.abs(b[i]!))));

const cases = Object.keys(ops).flatMap((name) => golden[name]!.map((at, i) => [name, i, at] as const));

describe.each(forms)("the %s form equals PyTorch's formula, outputs and gradients", (_, form) => {
  it.each(cases)("%s, case %i, within 1e-10 in float64 and 1e-5 in float32", (name, _i, at) => {
    for (const [dtype, tolerance] of [
      ["float64", 1e-10],
      ["float32", 1e-5],
    ] as const) {
      tidy(() => {
        const { inputs, outputs } = run(name, form, at, dtype);
        for (const [key, { data }] of Object.entries(at.outputs))
          expect(worst(outputs[key]!.toFloat64(), data)).toBeLessThan(tolerance);
        for (const [key, { data }] of Object.entries(at.gradients))
          expect(worst(inputs[key]!.grad!.toFloat64(), data)).toBeLessThan(tolerance);
      });
    }
  });
});

describe("the fused form equals the plain one where tiles and chunks are full", () => {
  const leaf = (shape: number[], seed: number, dtype: DType) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const made = tensor(normals(streamKey(seed, "test"), count), shape, { dtype });
    made.requiresGrad = true;
    return made;
  };
  const names = ["addRmsNorm", "attention", "linearLogprobs"] as const;
  const gradients = (form: Form, dtype: DType, name: (typeof names)[number]) => {
    if (name === "addRmsNorm") {
      const [N, D] = [37, 50];
      const [x, y, weight] = [leaf([N, D], 9, dtype), leaf([N, D], 10, dtype), leaf([D], 11, dtype)];
      const { normed, sum } = form.addRmsNorm(x, y, weight, 1e-6);
      normed
        .mul(leaf([N, D], 12, dtype).detach())
        .add(sum.mul(leaf([N, D], 13, dtype).detach()))
        .sum()
        .backward();
      return [normed, sum, x.grad!, y.grad!, weight.grad!];
    }
    if (name === "attention") {
      const lengths = [1, 64, 65, 200, 130];
      const starts = [0];
      for (const length of lengths) starts.push(starts.at(-1)! + length);
      const N = starts.at(-1)!;
      const [q, k, v] = [leaf([N, 6, 16], 1, dtype), leaf([N, 2, 16], 2, dtype), leaf([N, 2, 16], 3, dtype)];
      const y = form.attention(q, k, v, starts, 0.25);
      y.mul(leaf([N, 6, 16], 4, dtype).detach())
        .sum()
        .backward();
      return [y, q.grad!, k.grad!, v.grad!];
    }
    const [N, D, V] = [700, 24, 5000];
    const [hidden, weight] = [leaf([N, D], 5, dtype), leaf([V, D], 6, dtype)];
    const targets = tensor(Int32Array.from({ length: N }, (_, i) => (i * 37) % V));
    const { logprobs, entropy } = form.linearLogprobs(hidden, weight, targets, 0.8);
    logprobs
      .mul(leaf([N], 7, dtype).detach())
      .add(entropy.mul(leaf([N], 8, dtype).detach()))
      .sum()
      .backward();
    return [logprobs, entropy, hidden.grad!, weight.grad!];
  };
  it.each(names)("%s", (name) => {
    for (const [dtype, tolerance] of [
      ["float64", 1e-9],
      ["float32", 1e-3],
    ] as const) {
      tidy(() => {
        const [ours, theirs] = [forms[0]![1], forms[1]![1]].map((form) => gradients(form, dtype, name));
        for (const [i, mine] of ours!.entries())
          expect(worst(mine.toFloat64(), theirs![i]!.toFloat64())).toBeLessThan(tolerance);
      });
    }
  });
});
