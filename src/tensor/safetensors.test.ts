import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type DType, liveTensors, readSafetensors, SafetensorsFile, type Tensor, tensor, tidy } from "./index.ts";
import { native } from "./native.ts";
import { withCode, writeSafetensors } from "./safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "aha-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const dtypes: DType[] = ["bool", "uint8", "float16", "bfloat16", "int32", "float32", "int64", "float64"];
/** One tensor of each type, odd sizes in between. */
const everyType = () =>
  Object.fromEntries(dtypes.map((dtype): [string, Tensor] => [dtype, tensor([0, 1, 1], [1, 3], { dtype })]));

/** A file with this header and so many bytes behind it. */
function fileOf(name: string, header: unknown, payload: number): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(at(name), Buffer.concat([first, text, Buffer.alloc(payload)]));
  return at(name);
}

describe("a safetensors file", () => {
  it("gives every element type, shape and value back, and its metadata", () => {
    tidy(() => {
      const scalar = tensor([-2.5], []);
      const none = tensor([], [0, 4]);
      writeSafetensors(at("all"), { ...everyType(), scalar, none }, { numSteps: "3" });
      const read = readSafetensors(at("all"));
      for (const dtype of dtypes) {
        expect([read[dtype]!.dtype, read[dtype]!.shape]).toEqual([dtype, [1, 3]]);
        expect(read[dtype]!.toArray()).toEqual([0, 1, 1]);
      }
      expect([read.scalar!.shape, read.scalar!.item(), read.none!.shape]).toEqual([[], -2.5, [0, 4]]);
      using file = new SafetensorsFile(at("all"));
      expect(file.metadata).toEqual({ numSteps: "3" });
    });
  });

  it("keeps the bits of numbers that are not numbers", () => {
    tidy(() => {
      writeSafetensors(at("odd"), { x: tensor([Number.NaN, -0, Number.NEGATIVE_INFINITY, 1e-42]) });
      const [a, b, c, d] = readSafetensors(at("odd")).x!.toArray();
      expect([a, b, c]).toEqual([Number.NaN, -0, Number.NEGATIVE_INFINITY]);
      expect(d).toBe(Math.fround(1e-42));
    });
  });

  it("has every payload at a multiple of its element size, the first at one of 64", () => {
    tidy(() => writeSafetensors(at("aligned"), everyType()));
    using file = new SafetensorsFile(at("aligned"));
    const sizes: Record<string, number> = { bool: 1, uint8: 1, float16: 2, bfloat16: 2, int32: 4, float32: 4 };
    for (const { dtype, start } of file.entries.values()) expect(start % (sizes[dtype] ?? 8)).toBe(0);
    expect(Math.min(...[...file.entries.values()].map(({ start }) => start)) % 64).toBe(0);
  });

  it("that cannot hold a tensor's bytes where they lie refuses them by name", () => {
    tidy(() => {
      const view = tensor([1, 2, 3, 4], [2, 2]).transpose(0, 1);
      expect(() => writeSafetensors(at("view"), { view })).toThrow("writeFrom: takes a contiguous CPU tensor");
    });
  });

  it("on a full disk fails with the code that node:fs gives", () => {
    using values = tensor([1, 2]);
    const full = openSync("/dev/full", "w");
    const write = () => withCode(() => native.writeFrom(values.handle, full, 0));
    expect(write).toThrow(
      expect.objectContaining({ code: "ENOSPC", message: expect.stringContaining("cannot write") }),
    );
    closeSync(full);
  });

  it("can be cut off at any byte and is then refused by name, with nothing left alive", () => {
    tidy(() => writeSafetensors(at("whole"), { a: tensor([1, 2, 3]), b: tensor([4, 5]) }));
    const bytes = readFileSync(at("whole"));
    const before = liveTensors();
    for (let size = 0; size < bytes.length; size++) {
      writeFileSync(at("cut"), bytes.subarray(0, size));
      expect(() => readSafetensors(at("cut"))).toThrow(`${at("cut")}: not a whole safetensors file: `);
    }
    expect(liveTensors()).toBe(before);
  });

  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  it.each([
    ["text instead of a header", "{{{{", "its header is not JSON"],
    ["a list as header", [1], "0 has no dtype, shape and data_offsets"],
    ["null as header", null, "its header is no JSON object"],
    ["a tensor without offsets", { w: { dtype: "F32", shape: [2] } }, "w has no dtype, shape and data_offsets"],
    ["a shape that is none", { w: { ...entry, shape: [2, -1] } }, "w has no dtype, shape and data_offsets"],
    ["a shape of other bytes", { w: { ...entry, shape: [3] } }, "w has 8 bytes, its shape [3] needs 12"],
    ["offsets beyond the end", { w: { ...entry, data_offsets: [8, 16] } }, "w ends at byte"],
    ["a negative offset", { w: { ...entry, data_offsets: [-8, 0] } }, "w has no dtype, shape and data_offsets"],
  ])("with %s is refused by name", (_, header, message) => {
    expect(() => readSafetensors(fileOf("bad", header, 8))).toThrow(`${at("bad")}: not a whole safetensors file: `);
    expect(() => readSafetensors(at("bad"))).toThrow(message);
  });

  it("with an element type that is not known here names it and those that are", () => {
    const path = fileOf("float8", { w: { dtype: "F8_E4M3", shape: [8], data_offsets: [0, 8] } }, 8);
    expect(() => readSafetensors(path)).toThrow(`${path}: w is F8_E4M3. Readable here: F32, F64, BF16`);
  });

  const python = [process.env.AHA_PEERS_PYTHON, join(import.meta.dirname, "../../bench/peers/.venv/bin/python")].find(
    (path) => path !== undefined && existsSync(path),
  );
  it("is read by Python's safetensors", (context) => {
    if (python === undefined) {
      context.skip("no Python with safetensors: set AHA_PEERS_PYTHON, or run npm run bench once");
      return;
    }
    tidy(() => writeSafetensors(at("python"), everyType(), { format: "pt" }));
    const program = `
import sys, json
from safetensors.torch import load_file
print(json.dumps({name: [str(t.dtype), t.float().tolist()] for name, t in load_file(sys.argv[1]).items()}))`;
    const { stdout, stderr } = spawnSync(python, ["-c", program, at("python")], { encoding: "utf8" });
    expect(stderr).toBe("");
    const wanted = Object.fromEntries(dtypes.map((dtype) => [dtype, [`torch.${dtype}`, [[0, 1, 1]]]]));
    expect(JSON.parse(stdout)).toEqual(wanted);
  });
});
