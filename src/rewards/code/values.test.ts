import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOutput, isClose } from "./checkers.ts";
import { equalsJson, wireOfJson } from "./values.ts";

describe("checkOutput", () => {
  it.each([
    ["exact", "1 2 \r\n3\n\n", "1 2\n3", true],
    ["exact", "1  2", "1 2", false],
    ["exact", "", "1", false],
    ["tokens", "1  2\n3", "1 2 3", true],
    ["tokens", "12 3", "1 23", false],
    ["lines", "b\na\n", "a\nb", true],
    ["lines", "a\na\nb", "a\nb\nb", false],
    [{ type: "floats", tolerance: 1e-6 } as const, "0.3333333 yes", "0.33333333 yes", true],
    [{ type: "floats", tolerance: 1e-6 } as const, "0.334", "0.3333333", false],
    [{ type: "floats", tolerance: 1e-6 } as const, "nan", "0.5", false],
    [{ type: "floats", tolerance: 1e-6 } as const, "1000000.5", "1000000", true],
    [{ type: "floats", tolerance: 1e-6 } as const, "inf", "1", false],
  ] as const)("with %j, %j against %j is %j", (checker, actual, expected, same) => {
    expect(checkOutput(checker, actual, expected)).toBe(same);
  });

  it("finds every text equal to itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const checker of ["exact", "tokens", "lines", { type: "floats", tolerance: 0 }] as const)
          expect(checkOutput(checker, text, text)).toBe(true);
      }),
    );
  });

  it("is close to no infinity and no NaN but itself", () => {
    expect([isClose(Infinity, Infinity, 1), isClose(Infinity, 1, 1), isClose(Number.NaN, Number.NaN, 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("equalsJson", () => {
  it.each([
    [{ t: [1, 2] }, [1, 2], true],
    [{ s: [1, 2] }, [1, 2], false],
    [{ z: [2, 1] }, [1, 2], false],
    [{ f: "1000000500.0" }, 1000000006, false],
    [{ f: "1000000006.0" }, 1000000006, true],
    [{ f: "99.99999999999999" }, 100, true],
    [{ f: "123456789012.00002" }, 123456789012, true],
    [{ f: "1000000.5" }, 1000000.6, true],
    [
      {
        d: [
          [1, 7],
          ["1", 7],
        ],
      },
      { 1: 7, 2: 7 },
      false,
    ],
    [
      {
        d: [
          [1, 7],
          ["1", 7],
        ],
      },
      { 1: 7 },
      false,
    ],
    [{ f: "0.30000000000000004" }, 0.3, true],
    [{ f: "nan" }, 0, false],
    [{ f: "2.0" }, 2, true],
    [{ i: "0x3635c9adc5dea00000" }, 1e21, true],
    [
      {
        d: [
          ["a", 1],
          [2, null],
        ],
      },
      { a: 1, 2: null },
      true,
    ],
    [{ d: [["__proto__", 1]] }, {}, false],
    [{ r: [0, 3, 1] }, [0, 1, 2], true],
    [{ r: [0, 1e15, 1] }, [0], false],
    [{ h: 1 }, null, false],
    [{ i: "zz" }, 1, false],
    [{ d: [5] }, { a: 1 }, false],
    [{ r: null }, [], false],
    [true, 1, false],
    [1, true, false],
    ["1", 1, false],
    [[], null, false],
    [{}, {}, false],
    [3, 3.0000001, true],
  ])("%j against %j is %j", (wire, expected, same) => {
    expect(equalsJson(wire, expected, 1e-6)).toBe(same);
  });

  it("finds every JSON value equal to itself over the wire, and never throws on what a program may send", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        expect(equalsJson(wireOfJson(value), value, 0)).toBe(true);
        expect(typeof equalsJson(other, value, 0)).toBe("boolean");
      }),
    );
  });
});
