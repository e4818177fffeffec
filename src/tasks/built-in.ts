import { choice } from "./choice.ts";
import { code } from "./code.ts";
import { countdown } from "./countdown.ts";
import type { DataTaskOptions } from "./from-data.ts";
import { arithmeticChain } from "./generated/arithmetic-chain.ts";
import { counting } from "./generated/counting.ts";
import { knightsAndKnaves } from "./generated/knights-and-knaves.ts";
import { modularArithmetic } from "./generated/modular-arithmetic.ts";
import { propositionalLogic } from "./generated/propositional-logic.ts";
import { sorting } from "./generated/sorting.ts";
import { sudoku } from "./generated/sudoku.ts";
import { gsm8k } from "./gsm8k.ts";
import { ifeval } from "./ifeval.ts";
import { math } from "./math.ts";
import type { PromptStyle } from "./prompts.ts";
import type { Task } from "./types.ts";

/** What a command line can say about a built-in task. */
export type TaskChoices = { data?: DataTaskOptions["data"]; difficulty?: number; prompt?: PromptStyle };

/** Tasks made on the spot, with a difficulty; tasks over a data set; and those that have nothing to choose. */
const generated = {
  "arithmetic-chain": arithmeticChain,
  counting,
  "knights-and-knaves": knightsAndKnaves,
  "modular-arithmetic": modularArithmetic,
  "propositional-logic": propositionalLogic,
  sorting,
  sudoku,
};
const overData = { gsm8k, math, code, choice, ifeval };
const fixed = { countdown };

export const builtInTaskNames: readonly string[] = [fixed, generated, overData].flatMap((group) => Object.keys(group));

/**
 * A built-in task by name; undefined when there is none of that name.
 * @throws Error for a choice the task does not read, and for data that is missing: nothing is ignored.
 */
export function builtInTask(name: string, choices: TaskChoices = {}): Task<unknown> | undefined {
  const { data, difficulty, prompt } = choices;
  const refuse = (...options: (keyof TaskChoices)[]) => {
    const given = options.find((option) => choices[option] !== undefined);
    if (given) throw new Error(`task ${name}: ${given} means nothing here.`);
  };
  if (Object.hasOwn(fixed, name)) {
    refuse("data", "difficulty", "prompt");
    return fixed[name as keyof typeof fixed] as Task<unknown>;
  }
  if (Object.hasOwn(generated, name)) {
    refuse("data");
    const options = { ...(difficulty !== undefined && { difficulty }), ...(prompt !== undefined && { prompt }) };
    return generated[name as keyof typeof generated](options) as Task<unknown>;
  }
  if (!Object.hasOwn(overData, name)) return undefined;
  refuse("difficulty");
  if (data === undefined)
    throw new Error(
      `task ${name}: no data. Give --data: a file or folder (.jsonl, .json, .gz or .parquet), or a hub id.`,
    );
  return overData[name as keyof typeof overData]({ data, prompt }) as Task<unknown>;
}
