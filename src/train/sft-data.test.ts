import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Row } from "#data";
import { Tokenizer } from "#tokenizer";
import { prepare, type SftData } from "./sft-data.ts";

const execFileAsync = promisify(execFile);
const tokenizer = Tokenizer.load(join(import.meta.dirname, "../../models/tiny-base"));
const rows = Array.from({ length: 20 }, (_, i) => ({ prompt: `${i % 10} + 1`, completion: `${1 + (i % 10)}` }));
const options = { turns: "all", maxLength: 100, tooLong: "drop", heldOut: 0, seed: 1 } as const;
const long = { text: Array.from({ length: 60 }, () => "1").join(" ") };

describe("rows over the length limit", () => {
  const data = [...rows, long];
  it("are left out and counted, never cut without a word", async () => {
    const { sources, numTooLong, longest } = await prepare(data, tokenizer, { ...options, maxLength: 50 });
    expect({ numTooLong, longest }).toEqual({ numTooLong: 1, longest: 7 });
    expect(sources[0]!.sequences).toHaveLength(20);
  });

  it("are cut at the end where that is asked for, and counted too", async () => {
    const { sources, numTooLong } = await prepare(data, tokenizer, { ...options, maxLength: 50, tooLong: "truncate" });
    expect(numTooLong).toBe(1);
    expect(sources[0]!.sequences.at(-1)).toMatchObject({ ids: { length: 50 }, numTrained: 49 });
  });

  it("are an error where nothing else is left", async () => {
    const all = prepare({ long: { rows: [long] } }, tokenizer, { ...options, maxLength: 50 });
    await expect(all).rejects.toThrow('no row of "long" can be trained on; it has 1. 1 are longer than 50 tokens');
  });
});

describe("held-out rows", () => {
  it("are a random share of each source, by the seed, and none of them is trained", async () => {
    const ids = (sequences: readonly { ids: Int32Array }[]) => sequences.map((s) => s.ids.join());
    const unique = Array.from({ length: 10 }, (_, i) => ({ text: `${i} 1` }));
    const data: SftData = { a: { rows: unique }, b: { rows: unique } };
    const { sources, heldOut } = await prepare(data, tokenizer, { ...options, heldOut: 0.3 });
    expect(heldOut).toHaveLength(6);
    for (const [s, { sequences }] of sources.entries()) {
      const own = ids(heldOut.slice(3 * s, 3 * s + 3));
      expect(new Set([...own, ...ids(sequences)]).size).toBe(10);
    }
    const again = await prepare(data, tokenizer, { ...options, heldOut: 0.3 });
    expect(ids(again.heldOut)).toEqual(ids(heldOut));
    const other = await prepare(data, tokenizer, { ...options, heldOut: 0.3, seed: 2 });
    expect(ids(other.heldOut)).not.toEqual(ids(heldOut));
  });

  it("may be more than a call has room for arguments", async () => {
    const many = Array.from({ length: 200_000 }, () => ({ ids: [1, 2, 3], trained: [0, 1, 1] }));
    const { heldOut } = await prepare({ a: { rows, heldOut: many } }, tokenizer, options);
    expect(heldOut).toHaveLength(200_000);
  });
});

describe("rows that come one after the other", () => {
  async function* one(list: readonly Row[]) {
    yield* list;
  }

  it("are the same data as a list of them, what is held out, too", async () => {
    const settings = { ...options, heldOut: 0.3 };
    const given = { a: { rows }, b: { rows: [long], heldOut: rows } };
    const streamed = { a: { rows: one(rows) }, b: { rows: one([long]), heldOut: one(rows) } };
    expect(await prepare(streamed, tokenizer, settings)).toEqual(await prepare(given, tokenizer, settings));
    expect(await prepare(one(rows), tokenizer, settings)).toEqual(await prepare(rows, tokenizer, settings));
  });

  it("leave nothing but their token ids in memory", async () => {
    // 200 MB of rows through a heap of 96.
    const script = `
      import { prepare } from "${join(import.meta.dirname, "sft-data.ts")}";
      import { Tokenizer } from "${join(import.meta.dirname, "../tokenizer/index.ts")}";
      async function* rows() {
        for (let i = 0; i < 4_000; i++) yield { ids: Array(50).fill(1), note: Buffer.alloc(50_000).toString("latin1") };
      }
      const tokenizer = Tokenizer.load("${join(import.meta.dirname, "../../models/tiny-base")}");
      const { sources } = await prepare(rows(), tokenizer, ${JSON.stringify({ ...options, maxLength: 1000 })});
      console.log(sources[0].sequences.length);`;
    const flags = ["--max-old-space-size=96", "--conditions=aha-src", "--import", "tsx", "--input-type=module"];
    const { stdout } = await execFileAsync(process.execPath, [...flags, "--eval", script]);
    expect(stdout.trim()).toBe("4000");
  }, 60_000);
});

describe("weights", () => {
  it("are the numbers of sequences where none is given", async () => {
    const { sources } = await prepare({ a: { rows }, b: { rows: [long] } }, tokenizer, options);
    expect(sources.map(({ name, weight }) => [name, weight])).toEqual([["a", 20], ["b", 1]]); // biome-ignore format: one line
  });

  it("that are given for some sources only, or not above 0, are an error", async () => {
    const some = prepare({ a: { rows, weight: 3 }, b: { rows } }, tokenizer, options);
    await expect(some).rejects.toThrow('"b" has no weight, others have.');
    const none = prepare({ a: { rows, weight: 0 } }, tokenizer, options);
    await expect(none).rejects.toThrow('the weight of "a" is 0. Expected a number above 0');
  });
});

it("the fingerprint tells other rows, another order and other weights", async () => {
  const fingerprint = async (data: SftData) => (await prepare(data, tokenizer, options)).fingerprint;
  const [a, b] = [rows, [long]];
  const all: SftData[] = [
    a,
    a.toReversed(),
    { a: { rows: a } },
    { a: { rows: a, weight: 1 }, b: { rows: b, weight: 1 } },
  ];
  all.push({ a: { rows: a, weight: 1 }, b: { rows: b, weight: 2 } });
  const found = await Promise.all(all.map(fingerprint));
  expect(new Set(found).size).toBe(all.length);
  expect(await fingerprint([...a])).toBe(found[0]);
});
