export { type AdvantageKind, advantages, isUseless } from "./advantage.ts";
export { type BestOfConfig, type BestOfParts, bestOf, bestOfConfig } from "./best-of.ts";
export type { SftMessage, SftRow } from "./conversation.ts";
export { type GaeOptions, gae } from "./gae.ts";
export { grpoRollout } from "./grpo.ts";
export {
  type GrpoConfig,
  grpoConfig,
  paperConfig,
  paperGeneralSteps,
  paperReasoning,
  paperScenarios,
} from "./grpo-config.ts";
export { type GrpoResult, grpo } from "./grpo-run.ts";
export { type LocalChatOptions, localChat } from "./local-chat.ts";
export { crossEntropy, k3, policyLoss } from "./losses.ts";
export { type PairFields, type PairLossConfig, pairLoss, pointLoss, stepLoss } from "./losses-reward.ts";
export { ppoLoss, type ValueFields, type ValueLossConfig, valueLoss } from "./losses-value.ts";
export { grpoNeeds, type MemoryNeeds, planMemory } from "./memory.ts";
export {
  type CollectedPairs,
  type ComparedPair,
  collectPairs,
  type PairOptions,
  type PreferencePair,
} from "./pairs.ts";
export { type PolicySamplerOptions, policySampler } from "./policy-sampler.ts";
export { ppoRollout } from "./ppo.ts";
export { type PpoConfig, ppoConfig } from "./ppo-config.ts";
export { ppo } from "./ppo-run.ts";
export { paperHelpfulness, paperSafety, type RewardConfig, rewardConfig } from "./reward-config.ts";
export { exchangeIds, type LabelledResponse, type RewardData, readLabelled, readPair } from "./reward-data.ts";
export { type RewardResult, rewardModel } from "./reward-model.ts";
export { rewardScorer } from "./reward-scorer.ts";
export { type SftResult, sft } from "./sft.ts";
export { type PaperStudent, paperColdStart, paperDistill, paperSft, type SftConfig, sftConfig } from "./sft-config.ts";
export type { SftData, SftRows, SftSource } from "./sft-data.ts";
export {
  type LabelledSteps,
  type StepFigures,
  type StepModelConfig,
  type StepModelResult,
  stepModel,
  stepModelConfig,
} from "./step-model.ts";
export { share, type TaskShare, type Tasks } from "./task-mix.ts";
