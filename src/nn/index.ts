export { AdamW, type AdamWOptions, adamWDefaults } from "./adamw.ts";
export type { AllOutputs, Batch, Loss, OutputName, Outputs } from "./loss.ts";
export {
  addRmsNorm,
  attention,
  kvWrite,
  linear,
  linearLogprobs,
  type Offsets,
  packWeights,
  pagedAttention,
  rmsNorm,
  rotary,
  swiglu,
} from "./ops.ts";
export { learningRate, type Schedule } from "./schedule.ts";
