export { availableMemory, memoryLimit } from "./available-memory.ts";
export {
  type CheckpointState,
  type Lengths,
  listCheckpoints,
  loadLatestCheckpoint,
  rotateCheckpoints,
  saveCheckpoint,
} from "./checkpoints.ts";
export {
  applyOverrides,
  applyPartial,
  type DeepPartial,
  diffConfigs,
  formatChange,
  nearest,
  settings,
} from "./config.ts";
export {
  appendWhole,
  explained,
  publishFolder,
  removeLeftovers,
  writeFileAtomic,
  writeFolderAtomic,
} from "./durable.ts";
export { formatBytes, formatDuration, formatShare, formatShort, isUnicodeLocale } from "./format.ts";
export { onInterrupt } from "./interrupt.ts";
export { readJsonLines } from "./jsonl.ts";
export { acquireLock, type Lock } from "./lock.ts";
export { type MetricDefinition, metricDefinition, metricDefinitions } from "./metrics.ts";
export { type Point, plotLines, plotTraining, sideBySide, smooth } from "./plot.ts";
export {
  currentRun,
  defineRecipe,
  type Recipe,
  type RecipeEnd,
  type RecipeParts,
  resolveConfig,
  runRecipe,
} from "./recipe.ts";
export { readRunConfig } from "./run-config.ts";
export { openRun, Run, type RunOptions, Stopped } from "./run-folder.ts";
export {
  type CurveName,
  compareRuns,
  curveNames,
  listRuns,
  type RunComparison,
  type RunDetail,
  type RunState,
  type RunSummary,
  readRun,
} from "./runs.ts";
export { count, oneOf, optional, within } from "./setting-rules.ts";
export type { Stage } from "./stage.ts";
export { doneStages, readStageRecord, type StageRecord } from "./stage-record.ts";
export { type Figure, formatFigure, readTable, type TableView, tableLines } from "./table.ts";
export { type StepRecord, Terminal, type TerminalOptions } from "./terminal.ts";
export { formatNumber, UserError, WaitsForPerson } from "./user-error.ts";
