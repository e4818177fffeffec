export {
  type Author,
  type ChatAuthorOptions,
  chatAuthor,
  type Exemplar,
  type SolveStyle,
} from "./author.ts";
export { type Chat, ChatError, type ChatModel, type ChatOptions, type Reply } from "./chat.ts";
export { type ColdStart, type ColdStartOptions, coldStart, draftFilters } from "./cold-start.ts";
export {
  type CollectOptions,
  type CollectPrompt,
  type CollectSummary,
  collectRows,
  formatSummary,
  listCounts,
  type Sampled,
  type SampledAnswer,
  type Sampler,
} from "./collect.ts";
export { type EndpointOptions, endpoint } from "./endpoint.ts";
export {
  type Candidate,
  describeFilter,
  type Filter,
  type Filtered,
  filterRows,
  generalFilters,
  hasLength,
  hasNoCode,
  hasNoRepetition,
  hasShortParagraphs,
  hasSummary,
  hasThought,
  inOneLanguage,
  isClean,
  isCorrect,
  isFinished,
  readableFilters,
  reasoningFilters,
  restatesResult,
  selectRows,
} from "./filters.ts";
export { type HumanCheckOptions, humanCheck } from "./human-check.ts";
export {
  type ChatJudgeOptions,
  type Comparison,
  chatJudge,
  type Equality,
  type Judge,
  type Judged,
  judgeReward,
  type Preference,
  preference,
} from "./judge.ts";
export {
  type ComparePairsOptions,
  comparePairs,
  type JudgedOptions,
  type JudgedPair,
  type JudgedResponse,
  labelSafety,
} from "./judged.ts";
export { promptFile, promptsFolder } from "./prompt-file.ts";
export { collectPrompt, filePrompts, promptId, promptNumber, type TaskPromptOptions, taskPrompts } from "./prompts.ts";
export { type CollectedRow, type Origin, type Provenance, refuseGenerated } from "./provenance.ts";
export {
  type ChatSamplerOptions,
  chatSampler,
  type Draft,
  generalSampler,
  rewriteSampler,
  solveSampler,
} from "./samplers.ts";
export { type AuthorRules, type JudgeTruth, type NoiseOptions, noisyAuthor, noisyJudge } from "./stand-in.ts";
