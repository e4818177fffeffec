export { parseAnswer } from "./answer.ts";
export { type ChoiceOptions, gradeChoice } from "./choice.ts";
export { gradeCode } from "./code/grade.ts";
export { codeRowProblem } from "./code/row-problem.ts";
export type { Checker, CodeLanguage, CodeRow, CodeTests } from "./code/types.ts";
export { type CountdownProblem, gradeCountdown } from "./countdown.ts";
export { detectLanguage } from "./detect-language.ts";
export { formatReward, generalFormat, gradeFormat, thinkFormat } from "./format.ts";
export { type HostOutcome, VerifierHost } from "./host/client.ts";
export { gradeIfeval, type IfevalOptions, type Instructions } from "./ifeval/grade.ts";
export {
  consistencyLanguages,
  gradeLanguage,
  type Language,
  type LanguageOptions,
  languageOf,
  languageReward,
  minThoughtWords,
} from "./language.ts";
export {
  type AlgebraOptions,
  type AnswerSource,
  type Extraction,
  extractAnswer,
  gradeMath,
  gradeMathAnswer,
  gradeMathWithAlgebra,
  type MathOptions,
} from "./math/index.ts";
export { type Exchange, type JudgedPart, judgedText, preferenceReward, type Scorer, safetyReward } from "./scorer.ts";
export {
  type CosineOptions,
  cosineLength,
  groupLengthRewards,
  type IsCorrect,
  onlyIfCorrect,
  repeatedShare,
  repetitionPenalty,
  type ShapedReward,
  softOverlong,
} from "./shaped.ts";
export type { Answer, Grade, Reward, RewardValue, Verdict } from "./types.ts";
