import type { Shape } from "#tensor";
import type { DecoderConfig } from "./config.ts";

/** A tensor of a checkpoint: its name and shape there. */
export type Part = { name: string; shape: Shape };

/** How our parameters lie in a Hugging Face checkpoint: each is the rows of its parts, one after the other. */
export function layout(config: DecoderConfig): Map<string, Part[]> {
  const { width: D, vocabSize: V } = config;
  const parts = new Map<string, Part[]>([["embedding", [{ name: "model.embed_tokens.weight", shape: [V, D] }]]]);
  for (let i = 0; i < config.numLayers; i++)
    for (const [name, list] of Object.entries(layerLayout(config, `model.layers.${i}.`)))
      parts.set(`layers.${i}.${name}`, list);
  parts.set("norm", [{ name: "model.norm.weight", shape: [D] }]);
  if (!config.isTied && config.scalarHead !== "score") parts.set("head", [{ name: "lm_head.weight", shape: [V, D] }]);
  if (config.scalarHead !== undefined) parts.set("scalar", [{ name: "score.weight", shape: [1, D] }]);
  return parts;
}

function layerLayout(config: DecoderConfig, prefix: string): Record<string, Part[]> {
  const { width: D, mlpSize: F, numHeads: H, numKvHeads: K, headSize: C } = config;
  const part = (name: string, ...shape: number[]): Part => ({ name: prefix + name, shape });
  const projections = { q: H * C, k: K * C, v: K * C };
  const qkv = (kind: string, ...rest: number[]) =>
    Object.entries(projections).map(([name, rows]) => part(`self_attn.${name}_proj.${kind}`, rows, ...rest));
  return {
    attentionNorm: [part("input_layernorm.weight", D)],
    qkv: qkv("weight", D),
    ...(config.hasQkvBias ? { qkvBias: qkv("bias") } : {}),
    ...(config.hasQkNorm
      ? { queryNorm: [part("self_attn.q_norm.weight", C)], keyNorm: [part("self_attn.k_norm.weight", C)] }
      : {}),
    output: [part("self_attn.o_proj.weight", D, H * C)],
    ...(config.hasOutputBias ? { outputBias: [part("self_attn.o_proj.bias", D)] } : {}),
    mlpNorm: [part("post_attention_layernorm.weight", D)],
    gateUp: [part("mlp.gate_proj.weight", F, D), part("mlp.up_proj.weight", F, D)],
    ...(config.hasMlpBias ? { gateUpBias: [part("mlp.gate_proj.bias", F), part("mlp.up_proj.bias", F)] } : {}),
    down: [part("mlp.down_proj.weight", D, F)],
    ...(config.hasMlpBias ? { downBias: [part("mlp.down_proj.bias", D)] } : {}),
  };
}

/** The shape of a parameter made of these parts. */
export function shapeOf(parts: readonly Part[]): number[] {
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return [rows, ...parts[0]!.shape.slice(1)];
}
