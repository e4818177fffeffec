import { describe, expect, it } from "vitest";
import {
  arange,
  cat,
  type DType,
  full,
  liveTensors,
  noGrad,
  ones,
  outside,
  type Tensor,
  tensor,
  tidy,
} from "./index.ts";

const shape = (t: Tensor) => [...t.shape];

describe("errors of ops", () => {
  it("name the op and the type and shape of every operand", () => {
    tidy(() => {
      const [a, b] = [ones([8, 896]), ones([4, 86], { dtype: "float64" })];
      expect(() => a.matmul(b)).toThrow(/^matmul: .*\(operands: float32 \[8, 896\], float64 \[4, 86\]\)$/s);
      expect(() => a.linear(ones([3, 896]), ones([4]))).toThrow(
        /^linear: .*float32 \[8, 896\], float32 \[3, 896\], float32 \[4\]/s,
      );
      expect(() => cat([ones([2, 3]), ones([2, 4])], 0)).toThrow(/^cat: .*float32 \[2, 3\], float32 \[2, 4\]/s);
    });
  });

  it("carry no C++ stack", () => {
    tidy(() => {
      expect(() => ones([2]).add(ones([3]))).not.toThrow(/frame #|Exception raised from/);
    });
  });

  it("say how many values a shape would have needed", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow("fromData: 3 values do not fill a shape of 4");
  });

  it("leave no tensor behind", () => {
    const before = liveTensors();
    tidy(() => expect(() => ones([2, 3]).matmul(ones([2, 3]))).toThrow("matmul"));
    expect(liveTensors()).toBe(before);
  });
});

describe("a tensor that was freed", () => {
  it("throws when it is used, also when another tensor has its place by then", () => {
    const gone = ones([2]);
    gone.dispose();
    const others = Array.from({ length: 50 }, () => ones([2]));
    expect(gone.isFreed).toBe(true);
    expect(() => gone.add(1)).toThrow("addNumber: a tensor was used after it was freed");
    expect(() => others[0]!.add(gone)).toThrow("add: a tensor was used after it was freed");
    expect(() => gone.toArray()).toThrow("after it was freed");
    expect(() => cat([others[0]!, gone])).toThrow("cat: a tensor was used after it was freed");
    for (const other of others) other.dispose();
  });

  it("can be freed again without harm to the tensor that has its place", () => {
    const gone = ones([2]);
    gone.dispose();
    const next = full([2], 7);
    gone.dispose();
    expect(next.toArray()).toEqual([7, 7]);
    next.dispose();
  });
});

describe("tidy", () => {
  it("frees everything but the tensors in what it returns, at any depth", () => {
    const before = liveTensors();
    const kept = tidy(() => {
      const a = ones([2]).add(1);
      return { a, rest: [{ b: a.mul(3) }], name: "x" };
    });
    expect(liveTensors()).toBe(before + 2);
    expect(kept.a.toArray()).toEqual([2, 2]);
    expect(kept.rest[0]!.b.toArray()).toEqual([6, 6]);
    kept.a.dispose();
    kept.rest[0]!.b.dispose();
    expect(liveTensors()).toBe(before);
  });

  it("hands a survivor of an inner scope to the outer one", () => {
    const before = liveTensors();
    const sum = tidy(() =>
      tidy(() => ones([3]).mul(2))
        .sum()
        .item(),
    );
    expect(sum).toBe(6);
    expect(liveTensors()).toBe(before);
  });

  it("frees all after a throw and leaves the scopes around it whole", () => {
    const before = liveTensors();
    tidy(() => {
      const mine = ones([2]);
      expect(() =>
        tidy(() => {
          ones([4]).exp();
          throw new Error("on purpose");
        }),
      ).toThrow("on purpose");
      expect(liveTensors()).toBe(before + 1);
      expect(mine.toArray()).toEqual([1, 1]);
    });
    expect(liveTensors()).toBe(before);
  });

  it("refuses a promise and frees what was made", () => {
    const before = liveTensors();
    expect(() => tidy(async () => ones([2]))).toThrow("tidy: the body returned a promise");
    expect(liveTensors()).toBe(before);
  });

  it("leaves alone what is made outside of it", () => {
    const kept = tidy(() => outside(() => ones([2])));
    expect(kept.isFreed).toBe(false);
    kept.dispose();
  });
});

describe("in-place ops", () => {
  it("return the tensor itself, make no handle and change its values", () => {
    tidy(() => {
      const x = full([2, 2], 4);
      const live = liveTensors();
      expect(x.add_(1)).toBe(x);
      expect(x.sub_(2).mul_(4).div_(6)).toBe(x);
      expect(x.toArray()).toEqual([2, 2, 2, 2]);
      expect(x.fill_(3).zero_()).toBe(x);
      expect(liveTensors()).toBe(live);
      expect(x.copy_(arange(0, 4, { dtype: "float32" }).reshape([2, 2])).toArray()).toEqual([0, 1, 2, 3]);
    });
  });
});

describe("values", () => {
  it.each(["float32", "float64", "bfloat16", "float16", "int64", "int32", "uint8"] as DType[])(
    "go in and come out in row-major order as %s",
    (dtype) => {
      tidy(() => {
        const x = tensor([0, 1, 2, 3, 4, 5], [2, 3], { dtype });
        expect([x.dtype, shape(x)]).toEqual([dtype, [2, 3]]);
        expect(x.transpose(0, 1).toArray()).toEqual([0, 3, 1, 4, 2, 5]);
      });
    },
  );

  it("of an integer tensor and a whole number are integers, of another number float32", () => {
    tidy(() => {
      const whole = tensor(Int32Array.of(3, -1));
      expect([whole.add(1), whole.mul(2), whole.add(0.5)].map(({ dtype }) => dtype)).toEqual([
        "int64",
        "int64",
        "float32",
      ]);
    });
  });

  it("of Int32Array are int64, of a tensor without any are none", () => {
    tidy(() => {
      expect(tensor(Int32Array.of(3, -1)).dtype).toBe("int64");
      expect(tensor(new Float32Array(0)).toArray()).toEqual([]);
    });
  });
});

describe("gradients", () => {
  it("add up over passes, are undefined before and after clearing, and are not recorded under noGrad", () => {
    tidy(() => {
      const x = full([2], 3);
      x.requiresGrad = true;
      expect(x.grad).toBeUndefined();
      for (let pass = 0; pass < 2; pass++) x.square().sum().backward();
      expect(x.grad!.toArray()).toEqual([12, 12]);
      x.clearGrad();
      expect(x.grad).toBeUndefined();
      expect(noGrad(() => x.mul(2).requiresGrad)).toBe(false);
      expect(() => noGrad(() => x.add(ones([5])))).toThrow("add");
      expect(x.mul(2).requiresGrad).toBe(true);
    });
  });
});
