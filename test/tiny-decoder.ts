import type { DecoderConfig } from "aha-rl";

type Sizes = "vocabSize" | "width" | "numHeads" | "numKvHeads" | "headSize" | "mlpSize" | "maxPositions";

/** A Qwen2 of two layers and the sizes given, or what else of it is given. */
export const tinyDecoder = (given: Pick<DecoderConfig, Sizes> & Partial<DecoderConfig>): DecoderConfig => ({
  family: "qwen2",
  numLayers: 2,
  normEps: 1e-6,
  rope: { type: "default", theta: 10_000, size: given.headSize },
  isTied: true,
  hasQkvBias: true,
  hasOutputBias: false,
  hasMlpBias: false,
  hasQkNorm: false,
  savedDtype: "float32",
  ...given,
});
