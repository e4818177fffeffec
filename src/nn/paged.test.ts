import { describe, expect, it } from "vitest";
import { type DType, fused, normals, permutation, streamKey, type Tensor, tensor, tidy, zeros } from "#tensor";
import { attention, linear, packWeights } from "./ops.ts";
import * as plain from "./plain.ts";

const random = (seed: number, shape: number[], dtype: DType = "float32") => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(normals(streamKey(seed, "test"), count), shape, { dtype });
};
const worst = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();
const bits = (x: Tensor) => [...new Uint32Array(x.toFloat32().buffer)];

describe("products with packed weights", () => {
  it.each([
    [1, 7, 5],
    [3, 64, 33],
    [25, 192, 576],
    [64, 96, 31],
  ])("of %i rows, %i inputs and %i outputs equal ordinary ones", (rows, inputs, outputs) => {
    tidy(() => {
      const [x, weight, bias] = [random(1, [rows, inputs]), random(2, [outputs, inputs]), random(3, [outputs])];
      const packed = fused.packWeight(weight);
      expect(worst(fused.linearPacked(x, packed, outputs, bias), x.linear(weight, bias))).toBeLessThan(1e-4);
      expect(worst(fused.linearPacked(x, packed, outputs), x.linear(weight))).toBeLessThan(1e-4);
    });
  });

  it("give a row the same bits alone, first, last and among any number of others", () => {
    tidy(() => {
      const [all, weight] = [random(4, [70, 50]), random(5, [45, 50])];
      const packed = fused.packWeight(weight);
      const whole = fused.linearPacked(all, packed, 45);
      for (const [start, length] of [
        [0, 1],
        [69, 1],
        [10, 13],
        [30, 40],
        [5, 64],
      ] as const)
        expect(bits(fused.linearPacked(all.narrow(0, start, length), packed, 45))).toEqual(
          bits(whole.narrow(0, start, length)),
        );
    });
  });

  it("are used by linear while the weights are packed, where no gradient is wanted", () => {
    tidy(() => {
      const [x, weight] = [random(6, [4, 8]), random(7, [3, 8])];
      const before = linear(x, weight);
      const packed = packWeights([weight]);
      weight.mul_(2);
      expect(worst(linear(x, weight), before)).toBeLessThan(1e-5);
      x.requiresGrad = true;
      expect(worst(linear(x, weight).detach(), before.mul(2))).toBeLessThan(1e-5);
      x.requiresGrad = false;
      packed[Symbol.dispose]();
      expect(worst(linear(x, weight), before.mul(2))).toBeLessThan(1e-5);
    });
  });
});

describe("attention over pages", () => {
  const lengths = [1, 15, 16, 17, 33, 80];
  const width = 5;
  const numBlocks = 40;

  /** Keys and values of six sequences in scattered blocks, written by the given form but for each one's newest token. */
  function scene(heads: number, kvHeads: number, size: number, dtype: DType, write: typeof plain.kvWrite) {
    const starts = [0];
    for (const length of lengths) starts.push(starts.at(-1)! + length);
    const N = starts.at(-1)!;
    const [q, k, v] = [heads, kvHeads, kvHeads].map((h, i) => random(10 + i, [N, h, size], dtype));
    const order = permutation(streamKey(1, "blocks"), numBlocks);
    const table = lengths.map((_, s) => [...order.subarray(s * width, (s + 1) * width)]);
    const slots = lengths.flatMap((length, s) =>
      Array.from({ length }, (_, i) => table[s]![Math.floor(i / 16)]! * 16 + (i % 16)),
    );
    const keyPool = zeros([numBlocks, kvHeads, size, 16], { dtype }).add_(3);
    const valuePool = zeros([numBlocks, kvHeads, 16, size], { dtype }).add_(5);
    const old = Int32Array.from(slots.keys()).filter((i) => !starts.includes(i + 1));
    const oldSlots = tensor(old.map((i) => slots[i]!));
    write(keyPool, valuePool, k!.indexSelect(0, tensor(old)), v!.indexSelect(0, tensor(old)), oldSlots);
    const last = tensor(Int32Array.from(starts.slice(1), (end) => end - 1));
    const [query, key, value] = [q!, k!, v!].map((x) => x.indexSelect(0, last)) as [Tensor, Tensor, Tensor];
    const blocks = tensor(Int32Array.from(table.flat()), [lengths.length, width], { dtype: "int32" });
    const lengthsOf = tensor(Int32Array.from(lengths), undefined, { dtype: "int32" });
    const offsets = { starts, tensor: tensor(Int32Array.from(starts)) };
    const ordinary = attention(q!, k!, v!, offsets, size ** -0.5).indexSelect(0, last);
    return { query, key, value, keyPool, valuePool, blocks, lengthsOf, ordinary, scale: size ** -0.5 };
  }

  it.each([
    [4, 4, 16],
    [6, 2, 32],
    [3, 1, 10],
    [14, 2, 64],
    [4, 2, 20],
    [2, 2, 7],
    [2, 1, 128],
  ])("with %i heads, %i key-value heads of %i: fused, plain and ordinary attention agree", (heads, kvHeads, size) => {
    for (const [dtype, tolerance] of [
      ["float32", 2e-5],
      ["float64", 1e-12],
    ] as const) {
      tidy(() => {
        const a = scene(heads, kvHeads, size, dtype, fused.kvWrite);
        const b = scene(heads, kvHeads, size, dtype, plain.kvWrite);
        const attend = (form: typeof plain.pagedAttention, { query, key, value, ...x }: typeof a) =>
          form(query, key, value, x.keyPool, x.valuePool, x.blocks, x.lengthsOf, x.scale);
        expect(worst(attend(fused.pagedAttention, a), a.ordinary)).toBeLessThan(tolerance);
        expect(worst(attend(plain.pagedAttention, b), a.ordinary)).toBeLessThan(tolerance);
        expect(worst(a.keyPool, b.keyPool)).toBe(0);
        expect(worst(a.valuePool, b.valuePool)).toBe(0);
      });
    }
  });

  it("gives a sequence the same bits whatever other sequences are beside it", () => {
    tidy(() => {
      const { query, key, value, keyPool, valuePool, blocks, lengthsOf, scale } = scene(
        6,
        2,
        24,
        "float32",
        fused.kvWrite,
      );
      const whole = fused.pagedAttention(query, key, value, keyPool, valuePool, blocks, lengthsOf, scale);
      for (let s = 0; s < lengths.length; s++) {
        const [q, k, v, table, length] = [query, key, value, blocks, lengthsOf].map((t) => t.narrow(0, s, 1));
        const alone = fused.pagedAttention(q!, k!, v!, keyPool, valuePool, table!, length!, scale);
        expect(bits(alone)).toEqual(bits(whole.narrow(0, s, 1)));
      }
    });
  });

  it("refuses slots, blocks and lengths outside of the pools", () => {
    tidy(() => {
      const { query, key, value, keyPool, valuePool, blocks, lengthsOf, scale } = scene(
        2,
        2,
        8,
        "float32",
        fused.kvWrite,
      );
      const [k, slot] = [zeros([1, 2, 8]), tensor(Int32Array.of(numBlocks * 16))];
      expect(() => fused.kvWrite(keyPool, valuePool, k, k, slot)).toThrow("kvWrite: a slot is outside the pool");
      const attend = (table: Tensor, length: Tensor) =>
        fused.pagedAttention(query, key, value, keyPool, valuePool, table, length, scale);
      expect(() => attend(blocks.add(numBlocks).to("int32"), lengthsOf)).toThrow("a block is outside the pool");
      expect(() => attend(blocks, lengthsOf.add(16).to("int32"))).toThrow("a length does not fit its blocks");
    });
  });
});
