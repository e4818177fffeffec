export { promptOf, rowsOf } from "./ask-task.ts";
export { builtInTask, builtInTaskNames, type TaskChoices } from "./built-in.ts";
export { type CheckFailure, type CheckOptions, type CheckReport, checkTask, type ProbeSummary } from "./check.ts";
export { type ChoiceRow, choice } from "./choice.ts";
export { type CodeTaskOptions, type CodeTaskRow, code } from "./code.ts";
export {
  type CountdownOptions,
  countdown,
  countdownDefaults,
  countdownProblems,
  countdownQuestion,
  countdownTask,
  isHeldOut,
  type Operator,
  reachable,
  results,
} from "./countdown.ts";
export { defineTask, rewardWeights } from "./define-task.ts";
export { type DataTaskOptions, dataTask, type Question, unlessMissing } from "./from-data.ts";
export { arithmeticChain } from "./generated/arithmetic-chain.ts";
export { counting } from "./generated/counting.ts";
export {
  type GeneratedOptions,
  type Generator,
  generatedTask,
  gradeExact,
  integerIs,
  type Puzzle,
} from "./generated/generate.ts";
export { knightsAndKnaves } from "./generated/knights-and-knaves.ts";
export { modularArithmetic } from "./generated/modular-arithmetic.ts";
export { propositionalLogic } from "./generated/propositional-logic.ts";
export { sorting } from "./generated/sorting.ts";
export { sudoku } from "./generated/sudoku.ts";
export { type Gsm8kRow, gsm8k } from "./gsm8k.ts";
export { type IfevalRow, ifeval } from "./ifeval.ts";
export { type MathRow, math } from "./math.ts";
export { ask, type PromptStyle, promptStyles, r1ZeroPrompt } from "./prompts.ts";
export { type Random, randomOf } from "./random.ts";
export { type AnswerScore, askTwice, isVerifierFailure, rewardNumber, scoreAnswer } from "./score.ts";
export { type Message, type Split, type Task, user } from "./types.ts";
