export {
  answersOf,
  messageIds,
  promptIds,
  refuseFailingVerifier,
  type Scored,
  type ScoredGroup,
  scoreGroup,
  worth,
  worths,
} from "./answers.ts";
export { type Calibration, calibration, type Forecast, type ReliabilityBin, reliabilityLines } from "./calibration.ts";
export { comparisonHtml } from "./comparison-report.ts";
export { type EvaluateOptions, type Evaluation, evaluate, evaluatedRows, type Problem, summarize } from "./evaluate.ts";
export { type ReportCompletion, type ReportParts, reportHtml, type Summary, summaryOf } from "./report.ts";
export {
  bootstrapInterval,
  consAtK,
  type Estimate,
  mean,
  meanWithError,
  passAt1,
  passAtK,
  wilsonInterval,
} from "./stats.ts";
export { type Measured, type TrainingReport, withExamples, writeTrainingReport } from "./training-report.ts";
