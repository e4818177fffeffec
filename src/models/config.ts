import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "#tensor";

/** A decoder's shape, whatever family its checkpoint is from. */
export type DecoderConfig = {
  family: Family;
  vocabSize: number;
  /** Width of the residual stream. */
  width: number;
  numLayers: number;
  numHeads: number;
  numKvHeads: number;
  headSize: number;
  mlpSize: number;
  maxPositions: number;
  normEps: number;
  rope: Rope;
  /** The output projection is the embedding. */
  isTied: boolean;
  hasQkvBias: boolean;
  hasOutputBias: boolean;
  hasMlpBias: boolean;
  /** Queries and keys are normed per head before the rotation (Qwen3). */
  hasQkNorm: boolean;
  /** Element type of the checkpoint: what a save writes. */
  savedDtype: DType;
  /**
   * A projection to one number, beside or instead of the vocabulary's: "value" is read at every token beside it (PPO),
   * "score" at a text's last token instead of it (a reward model, Hugging Face's …ForSequenceClassification).
   */
  scalarHead?: "value" | "score";
  /** Id that fills up batches elsewhere: a score is read at the last token before it. */
  padId?: number;
};

export type Rope = {
  theta: number;
  type: "default" | "linear" | "llama3";
  /** Values of each head that are rotated. */
  size: number;
  factor?: number;
  lowFreqFactor?: number;
  highFreqFactor?: number;
  originalMaxPositions?: number;
};

export type Family = "qwen2" | "qwen3" | "llama";

const families: Record<Family, { name: string; read: (json: Foreign) => Partial<DecoderConfig> }> = {
  qwen2: {
    name: "Qwen2",
    read: () => ({ hasQkvBias: true, hasOutputBias: false, hasMlpBias: false, hasQkNorm: false }),
  },
  qwen3: {
    name: "Qwen3",
    read: (json) => ({
      hasQkvBias: json.attention_bias === true,
      hasOutputBias: json.attention_bias === true,
      hasMlpBias: false,
      hasQkNorm: true,
    }),
  },
  llama: {
    name: "Llama",
    read: (json) => ({
      hasQkvBias: json.attention_bias === true,
      hasOutputBias: json.attention_bias === true,
      hasMlpBias: json.mlp_bias === true,
      hasQkNorm: false,
    }),
  },
};

/** The fields of a Hugging Face config.json that are read here; snake_case ends in this file. */
type Foreign = Record<string, unknown>;

/** Reads `<folder>/config.json`. Throws where a family or a setting is not one that runs here, naming it. */
export function readConfig(folder: string): { config: DecoderConfig; json: Foreign } {
  const path = join(folder, "config.json");
  if (!existsSync(path)) {
    throw new Error(
      `${folder}: no config.json. Expected a Hugging Face model folder (config.json, *.safetensors, tokenizer.json).`,
    );
  }
  let json: Foreign;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: not JSON (${(error as Error).message}). Copy or download it again.`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Error(`${path}: holds no settings. Expected a JSON object with model_type, hidden_size and others.`);
  }
  return { config: fromJson(json, path), json };
}

function fromJson(json: Foreign, path: string): DecoderConfig {
  const family = json.model_type as Family;
  if (!Object.hasOwn(families, family)) {
    const known = Object.keys(families).join(", ");
    throw new Error(`${path}: model_type is "${json.model_type}". Models that run here: ${known}.`);
  }
  const number = (name: string, fallback?: number): number => {
    const value = json[name] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw new Error(`${path}: ${name} is ${JSON.stringify(json[name])}. Expected a positive number.`);
  };
  const count = (name: string, fallback?: number): number => {
    const value = number(name, fallback);
    if (Number.isInteger(value)) return value;
    throw new Error(`${path}: ${name} is ${value}. Expected a whole number.`);
  };
  const numHeads = count("num_attention_heads");
  const headSize = number("head_dim", count("hidden_size") / numHeads);
  const numKvHeads = count("num_key_value_heads", numHeads);
  if (numHeads % numKvHeads !== 0 || !Number.isInteger(headSize)) {
    throw new Error(
      `${path}: ${numHeads} heads of ${headSize} with ${numKvHeads} key-value heads do not divide evenly.`,
    );
  }
  if (hasSlidingLayers(json)) {
    throw new Error(`${path}: sliding-window attention does not run here. Models with full attention do.`);
  }
  const activation = json.hidden_act ?? "silu";
  if (activation !== "silu") throw new Error(`${path}: hidden_act is "${activation}". Expected "silu".`);
  return {
    family,
    vocabSize: count("vocab_size"),
    width: count("hidden_size"),
    numLayers: count("num_hidden_layers"),
    numHeads,
    numKvHeads,
    headSize,
    mlpSize: count("intermediate_size"),
    maxPositions: count("max_position_embeddings", 2048),
    normEps: number("rms_norm_eps", 1e-6),
    rope: readRope(json, headSize, path),
    isTied: json.tie_word_embeddings === true,
    hasQkvBias: false,
    hasOutputBias: false,
    hasMlpBias: false,
    hasQkNorm: false,
    savedDtype: readDtype(json),
    ...readScalarHead(json, path),
    ...families[family].read(json),
  };
}

/** Whether some layer sees a window only: by its type, or, in folders without types, from layer max_window_layers on. */
function hasSlidingLayers(json: Foreign): boolean {
  if (Array.isArray(json.layer_types)) return json.layer_types.some((type) => type !== "full_attention");
  const { max_window_layers: first = 28, num_hidden_layers: numLayers } = json;
  return json.use_sliding_window === true && json.sliding_window !== null && Number(first) < Number(numLayers);
}

/** Rotary settings, from transformers 5's `rope_parameters` or the older `rope_theta` and `rope_scaling`. */
function readRope(json: Foreign, headSize: number, path: string): Rope {
  const nested = (json.rope_scaling ?? json.rope_parameters ?? {}) as Foreign;
  const type = (nested.rope_type ?? nested.type ?? "default") as Rope["type"];
  if (!["default", "linear", "llama3"].includes(type)) {
    throw new Error(`${path}: rope type "${type}" does not run here. Known: default, linear, llama3.`);
  }
  const theta =
    nested.rope_theta ?? (json.rope_parameters as Foreign | undefined)?.rope_theta ?? json.rope_theta ?? 10000;
  if (typeof theta !== "number" || !(theta > 0)) {
    throw new Error(`${path}: rope_theta is ${JSON.stringify(theta)}. Expected a positive number.`);
  }
  const share = nested.partial_rotary_factor ?? json.partial_rotary_factor ?? 1;
  if (share !== 1)
    throw new Error(
      `${path}: partial_rotary_factor is ${JSON.stringify(share)}. Expected 1: the models that run here rotate whole heads.`,
    );
  const rope: Rope = { theta, type, size: headSize };
  if (type === "default") return rope;
  const need = (name: string): number => {
    const value = nested[name];
    if (typeof value === "number") return value;
    throw new Error(`${path}: rope type "${type}" has no ${name}. Expected a number beside rope_type.`);
  };
  if (type === "linear") return { ...rope, factor: need("factor") };
  return {
    ...rope,
    factor: need("factor"),
    lowFreqFactor: need("low_freq_factor"),
    highFreqFactor: need("high_freq_factor"),
    originalMaxPositions: (json.original_max_position_embeddings ??
      nested.original_max_position_embeddings ??
      json.max_position_embeddings) as number,
  };
}

function readScalarHead(json: Foreign, path: string): Pick<DecoderConfig, "scalarHead" | "padId"> {
  const padId = typeof json.pad_token_id === "number" ? { padId: json.pad_token_id } : {};
  if (json.scalar_head === "value") return { scalarHead: "value", ...padId };
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  if (!`${architecture}`.endsWith("ForSequenceClassification")) return padId;
  // Two labels are what transformers does not write.
  const numLabels = Object.keys(json.id2label ?? { 0: "", 1: "" }).length;
  if (numLabels !== 1)
    throw new Error(`${path}: ${architecture} has ${numLabels} labels. Expected 1: a reward model gives one number.`);
  return { scalarHead: "score", ...padId };
}

function readDtype(json: Foreign): DType {
  const name = json.dtype ?? json.torch_dtype ?? "float32";
  return name === "bfloat16" || name === "float16" ? name : "float32";
}

/** What a config.json says about the heads, whatever else it holds. */
export function headJson({ family, scalarHead, padId }: DecoderConfig): Record<string, unknown> {
  const { name } = families[family];
  if (scalarHead === undefined) return {};
  if (scalarHead === "value") return { scalar_head: "value" };
  return {
    architectures: [`${name}ForSequenceClassification`],
    id2label: { 0: "LABEL_0" },
    label2id: { LABEL_0: 0 },
    pad_token_id: padId ?? null,
  };
}

/** The config.json of a decoder that was made here, in the form transformers 5 writes. */
export function toJson(config: DecoderConfig): Record<string, unknown> {
  const { rope } = config;
  return {
    architectures: [`${families[config.family].name}ForCausalLM`],
    model_type: config.family,
    vocab_size: config.vocabSize,
    hidden_size: config.width,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    head_dim: config.headSize,
    intermediate_size: config.mlpSize,
    max_position_embeddings: config.maxPositions,
    rms_norm_eps: config.normEps,
    rope_parameters: {
      rope_type: rope.type,
      rope_theta: rope.theta,
      ...(rope.factor === undefined ? {} : { factor: rope.factor }),
      ...(rope.lowFreqFactor === undefined ? {} : { low_freq_factor: rope.lowFreqFactor }),
      ...(rope.highFreqFactor === undefined ? {} : { high_freq_factor: rope.highFreqFactor }),
      ...(rope.originalMaxPositions === undefined
        ? {}
        : { original_max_position_embeddings: rope.originalMaxPositions }),
    },
    rope_theta: rope.theta,
    hidden_act: "silu",
    tie_word_embeddings: config.isTied,
    attention_bias: config.hasOutputBias,
    ...(config.family === "llama" ? { mlp_bias: config.hasMlpBias } : {}),
    use_cache: true,
    dtype: config.savedDtype,
    ...headJson(config),
  };
}
