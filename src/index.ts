/** The public door: what recipes, tasks and rewards are written with. */
export * from "#data";
export {
  type Calibration,
  calibration,
  type Estimate,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluatedRows,
  type Measured,
  meanWithError,
  type Problem,
  promptIds,
  type ReportParts,
  reportHtml,
  type Summary,
  summaryOf,
  withExamples,
  writeTrainingReport,
} from "#eval";
export {
  addScalarHead,
  type DecoderConfig,
  embeddedModel,
  embeddedStudent,
  loadModel,
  type Model,
  modelFolder,
  randomDecoder,
  saveModel,
} from "#models";
export type { AllOutputs, Batch, Loss, OutputName, Outputs } from "#nn";
export { type Example, type FrozenPolicy, LocalFrozen, LocalPolicy, type Policy } from "#policy";
export * from "#rewards";
export {
  count,
  currentRun,
  defineRecipe,
  type Figure,
  oneOf,
  optional,
  type Recipe,
  type RecipeParts,
  type Run,
  type Stage,
  settings,
  UserError,
  within,
} from "#run";
export * from "#tasks";
export * from "#teacher";
export { liveTensors, machine, noGrad, streamKey, type Tensor, tensor, tidy, uniformAt } from "#tensor";
export { joinResponse, splitResponse, Tokenizer, toAnswer } from "#tokenizer";
export * from "#train";
