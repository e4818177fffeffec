import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { attention } from "#nn";
import { type DType, liveTensors, noGrad, readSafetensors, type Tensor, tensor, tidy, writeSafetensors } from "#tensor";
import type { Decoder } from "./decoder.ts";
import { checkModel, type DecoderConfig, loadModel, randomDecoder, saveModel } from "./index.ts";

const golden = join(import.meta.dirname, "../../test/golden/models");
const root = mkdtempSync(join(tmpdir(), "aha-models-"));
afterAll(() => rmSync(root, { recursive: true }));
const folder = join(root, "model");

/** A fresh copy of a golden model to damage. */
const copyOf = (name: string) => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(golden, name), folder, { recursive: true });
};
beforeEach(() => copyOf("qwen2-tied"));

const config = () => JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
const setConfig = (changes: object) =>
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config(), ...changes }));
/** Rewrites the weight file with what `change` makes of its tensors. */
const rewrite = (change: (all: Record<string, Tensor>) => Record<string, Tensor>) =>
  tidy(() => {
    const path = join(folder, "model.safetensors");
    writeSafetensors(path, change(readSafetensors(path)));
  });

/** What it throws about the folder. */
function complaint(about: (folder: string) => unknown): string {
  try {
    about(folder);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** Loading is refused with this text, as is a look at the folder, and nothing stays in memory. */
function refuses(...parts: string[]): void {
  const before = liveTensors();
  const message = complaint(loadModel);
  expect(complaint(checkModel)).toBe(message);
  for (const part of parts) expect(message).toContain(part);
  expect(message).toMatch(new RegExp(`^${folder}`));
  expect(liveTensors()).toBe(before);
}

describe("a model folder", () => {
  it("that is missing, or holds no config or no weights, says what was expected", () => {
    rmSync(join(folder, "model.safetensors"));
    refuses("no weights. Expected model.safetensors, or model.safetensors.index.json");
    rmSync(join(folder, "config.json"));
    refuses("no config.json. Expected a Hugging Face model folder");
    rmSync(folder, { recursive: true });
    refuses("no such model folder");
  });

  it("of which one of four files has not arrived counts and names it", () => {
    copyOf("qwen3-sharded");
    rmSync(join(folder, "model-00003-of-00004.safetensors"));
    refuses("1 of 4 weight files are missing, such as model-00003-of-00004.safetensors. Finish the download.");
  });

  it("with a file that is cut off names the file", () => {
    copyOf("qwen3-sharded");
    truncateSync(join(folder, "model-00004-of-00004.safetensors"), 5000);
    refuses("model-00004-of-00004.safetensors: not a whole safetensors file", "Copy or download it again.");
  });

  it.each([
    ["text", "{", "not JSON"],
    ["nothing", "{}", "no weight_map"],
    ["null", "null", "no weight_map"],
  ])("with %s as the index of its files says so", (_, text, message) => {
    copyOf("qwen3-sharded");
    writeFileSync(join(folder, "model.safetensors.index.json"), text);
    refuses(`model.safetensors.index.json: ${message}`);
  });
});

describe("config.json", () => {
  it.each([
    ['{"model_type": "qwen2",', "not JSON"],
    ["null", "holds no settings"],
    ["[1]", "holds no settings"],
    ["{}", 'model_type is "undefined". Models that run here: qwen2, qwen3, llama.'],
  ])("of %s is refused", (text, message) => {
    writeFileSync(join(folder, "config.json"), text);
    refuses(`config.json: ${message}`);
  });

  it.each([
    [{ model_type: "mamba" }, 'model_type is "mamba". Models that run here: qwen2, qwen3, llama.'],
    [{ model_type: "constructor" }, 'model_type is "constructor"'],
    [{ hidden_size: "64" }, 'hidden_size is "64". Expected a positive number.'],
    [{ num_hidden_layers: 1.5 }, "num_hidden_layers is 1.5. Expected a whole number."],
    [{ vocab_size: undefined }, "vocab_size is undefined. Expected a positive number."],
    [{ num_key_value_heads: 3 }, "with 3 key-value heads do not divide evenly"],
    [
      { use_sliding_window: true, layer_types: undefined, max_window_layers: 1, sliding_window: 8 },
      "sliding-window attention does not run here",
    ],
    [{ layer_types: ["full_attention", "sliding_attention"] }, "sliding-window attention does not run here"],
    [{ hidden_act: "gelu" }, 'hidden_act is "gelu". Expected "silu".'],
    [{ rope_parameters: { rope_type: "yarn" } }, 'rope type "yarn" does not run here. Known: default, linear, llama3.'],
    [{ rope_parameters: { rope_type: "llama3", factor: 8 } }, 'rope type "llama3" has no low_freq_factor'],
    [
      { partial_rotary_factor: 0.5 },
      "partial_rotary_factor is 0.5. Expected 1: the models that run here rotate whole heads.",
    ],
    [{ rope_parameters: { rope_theta: "many" } }, 'rope_theta is "many". Expected a positive number.'],
  ])("with %j is refused by the setting's name", (changes, message) => {
    setConfig(changes);
    refuses(`config.json: `, message);
  });
});

describe("settings that transformers reads in a way of its own", () => {
  const rope = (changes: object) => {
    setConfig(changes);
    using decoder = loadModel(folder).decoder;
    return decoder.config.rope;
  };

  it("a sliding window that begins after the last layer is full attention", () => {
    setConfig({ use_sliding_window: true, layer_types: undefined, max_window_layers: 28, sliding_window: 8 });
    loadModel(folder).decoder.dispose();
  });

  it("rope_scaling wins over rope_parameters, and an original context beside it over the one inside", () => {
    const inner = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    };
    expect(rope({ rope_scaling: { rope_type: "linear", factor: 2 }, rope_parameters: inner })).toMatchObject({
      type: "linear",
    });
    expect(rope({ rope_scaling: inner, original_max_position_embeddings: 32 })).toMatchObject({
      originalMaxPositions: 32,
    });
  });

  it("a head of its own is used though config.json ties, and the folder saved from it says so", () => {
    rewrite((all) => ({ ...all, "lm_head.weight": all["model.embed_tokens.weight"]!.mul(2) }));
    const model = loadModel(folder);
    expect(model.decoder.config.isTied).toBe(false);
    saveModel(model, folder);
    model.decoder.dispose();
    expect(config().tie_word_embeddings).toBe(false);
    rewrite((all) => ({ ...all, "lm_head.weight": all["model.embed_tokens.weight"]!.mul(1) }));
    setConfig({ tie_word_embeddings: true });
    using decoder = loadModel(folder).decoder;
    expect(decoder.config.isTied).toBe(true);
  });
});

describe("weights", () => {
  it("of another number of heads than config.json says name both shapes and the heads", () => {
    const { num_attention_heads: heads, hidden_size: width, head_dim } = config();
    const size = head_dim ?? width / heads;
    const fewer = heads / 2;
    setConfig({ num_attention_heads: fewer, head_dim: size, num_key_value_heads: fewer });
    refuses(
      `model.layers.0.self_attn.q_proj.weight is [${heads * size}, ${width}], config.json asks for [${fewer * size}, ${width}]`,
      `(${fewer} heads of ${size}, ${fewer} for keys). Wrong config for these weights?`,
    );
  });

  it("that are missing are named, with what is there", () => {
    rewrite(({ "model.norm.weight": _, ...rest }) => rest);
    refuses('no weight "model.norm.weight" (there are', "Is the download whole, and config.json of this model?");
  });

  it("of a layer that config.json does not have are counted and named", () => {
    const { num_hidden_layers: layers } = config();
    setConfig({ num_hidden_layers: layers - 1, layer_types: undefined });
    refuses(`weights have no place in this model, such as model.layers.${layers - 1}.`);
  });

  it("of an expert, an unknown part of a layer, are refused and not left out", () => {
    rewrite((all) => ({ ...all, "model.layers.0.mlp.experts.0.up_proj.weight": tensor([1]) }));
    refuses("1 weights have no place in this model, such as model.layers.0.mlp.experts.0.up_proj.weight");
  });
});

/** Log-probabilities of ids[1…] of each sequence, packed. */
function logprobsOf(decoder: Decoder, sequences: number[][]): number[] {
  return noGrad(() =>
    tidy(() => {
      const starts = [0];
      for (const ids of sequences) starts.push(starts.at(-1)! + ids.length - 1);
      const on = (values: number[]) => tensor(Int32Array.from(values));
      const offsets = { starts, tensor: on(starts) };
      const { hidden } = decoder.forward(
        on(sequences.flatMap((ids) => ids.slice(0, -1))),
        on(sequences.flatMap((ids) => ids.slice(1).map((_, i) => i))),
        Math.max(...sequences.map((ids) => ids.length)) - 2,
        (_, q, k, v) => attention(q, k, v, offsets, decoder.config.headSize ** -0.5),
      );
      return decoder.logprobs(hidden, on(sequences.flatMap((ids) => ids.slice(1)))).logprobs.toArray();
    }),
  );
}

describe("a decoder", () => {
  const tiny: DecoderConfig = {
    family: "qwen3",
    vocabSize: 50,
    width: 32,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headSize: 8,
    mlpSize: 48,
    maxPositions: 40,
    normEps: 1e-6,
    rope: { theta: 10_000, type: "default", size: 8 },
    isTied: true,
    hasQkvBias: false,
    hasOutputBias: false,
    hasMlpBias: false,
    hasQkNorm: true,
    savedDtype: "float32",
  };
  const sequence = (length: number) => Array.from({ length }, (_, i) => (i * 7) % 50);

  it("with random weights is a function of its seed", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => randomDecoder(tiny, seed));
    const values = (decoder: Decoder) => [...decoder.parameters().values()].flatMap((p) => p.toArray());
    expect(values(a!)).toEqual(values(b!));
    expect(values(a!)).not.toEqual(values(c!));
    for (const decoder of [a!, b!, c!]) decoder.dispose();
  });

  it("refuses a position beyond its context by number, and takes the last one within", () => {
    const before = liveTensors();
    const decoder = randomDecoder(tiny, 3);
    expect(logprobsOf(decoder, [sequence(41)])).toHaveLength(40);
    expect(() => logprobsOf(decoder, [sequence(42)])).toThrow(
      "model: position 40 is beyond its context of 40 tokens. Shorten the prompt or the answer.",
    );
    decoder.dispose();
    expect(liveTensors()).toBe(before);
  });

  it("computes the same for the same tokens after its rotary tables have grown", () => {
    const decoder = randomDecoder({ ...tiny, maxPositions: 4000 }, 3);
    const first = logprobsOf(decoder, [sequence(100)]);
    expect(logprobsOf(decoder, [sequence(1500)]).slice(0, 99)).toHaveLength(99);
    expect(logprobsOf(decoder, [sequence(100)])).toEqual(first);
    decoder.dispose();
  });

  it("loads as saved when it was made here, configuration included", () => {
    for (const changes of [{}, { family: "llama", hasQkNorm: false, hasMlpBias: true, isTied: false }] as const) {
      const decoder = randomDecoder({ ...tiny, ...changes }, 4);
      saveModel({ decoder, files: new Map() }, join(root, "made"));
      const again = loadModel(join(root, "made")).decoder;
      expect(again.config).toEqual(decoder.config);
      expect(logprobsOf(again, [sequence(30)])).toEqual(logprobsOf(decoder, [sequence(30)]));
      again.dispose();
      decoder.dispose();
    }
  });

  it.each([
    ["qwen2-untied", "bfloat16", 0.1],
    ["llama-llama3-rope", "bfloat16", 0.1],
    ["qwen3-wide-heads", "bfloat16", 0.1],
    ["qwen3-wide-heads", "float64", 1e-4],
  ] as [string, DType, number][])("%s computed in %s is near float32", (name, dtype, bound) => {
    const { sequences } = JSON.parse(readFileSync(join(golden, name, "golden.json"), "utf8"));
    const [exact, other] = [loadModel(join(golden, name)), loadModel(join(golden, name), { dtype })];
    const [a, b] = [logprobsOf(exact.decoder, sequences), logprobsOf(other.decoder, sequences)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(bound);
    expect(a).not.toEqual(b);
    exact.decoder.dispose();
    other.decoder.dispose();
  });

  const real = join(import.meta.dirname, "../../../shared/data/models/arithmetic-random");
  it("of a real bfloat16 checkpoint loads, judges and is saved as it was", (context) => {
    if (!existsSync(real)) {
      context.skip("no ../shared/data/models/arithmetic-random");
      return;
    }
    const model = loadModel(real);
    expect(model.decoder.config.savedDtype).toBe("bfloat16");
    for (const logprob of logprobsOf(model.decoder, [[1, 2, 3, 4, 5]])) expect(logprob).toBeLessThan(0);
    saveModel(model, join(root, "real"));
    tidy(() => {
      const [theirs, ours] = [real, join(root, "real")].map((at) => readSafetensors(join(at, "model.safetensors")));
      for (const [name, saved] of Object.entries(ours!)) {
        expect(saved.dtype).toBe(theirs![name]!.dtype);
        expect(saved.ne(theirs![name]!).any().item()).toBe(0);
      }
    });
    model.decoder.dispose();
  });
});
