import type { DecoderConfig } from "#models";
import { availableMemory, UserError } from "#run";
import type { RolloutConfig } from "./grpo-config.ts";
import type { PolicySettings } from "./trainer-config.ts";

/** Bytes a run will hold at its largest, by what they are for. Estimates from shapes; the activations' factor was measured. */
export type MemoryPlan = {
  weights: number;
  optimizer: number;
  gradients: number;
  reference: number;
  keysAndValues: number;
  activations: number;
  total: number;
};

/** What a trainer asks of the memory, beside the model itself. */
export type MemoryNeeds = {
  dtype: "float32" | "bfloat16";
  /** Whether a frozen copy of the weights is kept. */
  hasReference: boolean;
  /** Tokens whose keys and values are held at once. */
  cachedTokens: number;
  /** Tokens of the largest forward and backward pass. */
  passTokens: number;
};

/** What training by rollouts with these settings needs. */
export function grpoNeeds(config: RolloutConfig, promptTokens = 128): MemoryNeeds {
  const longest = promptTokens + Math.max(config.maxNewTokens, config.longerTokens ?? 0);
  return {
    dtype: config.dtype,
    hasReference: config.kl > 0,
    cachedTokens: longest * Math.min(512, config.groupSize * config.promptsPerStep * config.miniBatches),
    passTokens: Math.max(config.microBatchTokens, longest),
  };
}

/** What training on texts of up to `longest` tokens needs. */
export const supervisedNeeds = ({ dtype, microBatchTokens }: PolicySettings, longest: number): MemoryNeeds => ({
  dtype,
  hasReference: false,
  cachedTokens: 0,
  passTokens: Math.max(microBatchTokens, longest),
});

/** What training this model takes, in bytes. */
export function planMemory(
  model: DecoderConfig,
  { dtype, hasReference, cachedTokens, passTokens }: MemoryNeeds,
): MemoryPlan {
  const { width: D, mlpSize: F, numLayers: L, numHeads: H, numKvHeads: K, headSize: C, vocabSize: V } = model;
  const perLayer = D * (H + 2 * K) * C + D * H * C + 3 * D * F + 2 * D;
  const parameters = L * perLayer + D * V * (model.isTied ? 1 : 2);
  const valueBytes = dtype === "bfloat16" ? 2 : 4;
  // Kept for the backward pass, per token and layer: two norms' inputs and outputs, q, k, v, mixed, gate, up and their product.
  const perToken = L * (6 * D + 2 * (H + 2 * K) * C + 2 * H * C + 4 * F) * 4;
  const plan = {
    weights: parameters * valueBytes * 2,
    optimizer: parameters * (dtype === "bfloat16" ? 12 : 8),
    gradients: parameters * valueBytes,
    reference: hasReference ? parameters * valueBytes : 0,
    keysAndValues: Math.min(2 ** 31, cachedTokens * 2 * L * K * C * valueBytes),
    activations: passTokens * perToken,
  };
  return { ...plan, total: Object.values(plan).reduce((a, b) => a + b, 0) };
}

/**
 * Throws when a run cannot fit, with what helps most where it is the activations or the keys and values that are too large.
 * A GPU's own memory is not counted here: what does not fit there, libtorch refuses.
 */
export function refuseWhatCannotFit(
  plan: MemoryPlan,
  device: string,
  advice: { activations: string; keysAndValues?: string },
  available = device === "cpu" ? availableMemory() : Number.POSITIVE_INFINITY,
): void {
  if (plan.total <= available) return;
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const parts = Object.entries(plan)
    .filter(([name, bytes]) => name !== "total" && bytes > 0)
    .map(([name, bytes]) => `${name} ${mib(bytes)}`);
  const isModel = plan.weights + plan.optimizer + plan.gradients + plan.reference > available;
  const isPass = plan.activations > plan.keysAndValues;
  const help = isModel
    ? "The model itself does not fit: take a smaller one, or a machine with more memory."
    : isPass
      ? advice.activations
      : advice.keysAndValues;
  throw new UserError(
    `memory: this run needs about ${mib(plan.total)} (${parts.join(", ")}), ${mib(available)} are available. ${help}`,
  );
}
