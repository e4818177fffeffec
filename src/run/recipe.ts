import { AsyncLocalStorage } from "node:async_hooks";
import { applyOverrides, applyPartial, type DeepPartial, nearest, settings } from "./config.ts";
import { onInterrupt } from "./interrupt.ts";
import { type DeclaredStages, learnedShares, plannedStages } from "./pipeline.ts";
import { openRun, type Run, type RunOptions, Stopped } from "./run-folder.ts";
import { type Stage, stagesOf } from "./stage.ts";
import { type StageRecord, stageRecords } from "./stage-record.ts";
import { UserError, WaitsForPerson } from "./user-error.ts";

type Config = Record<string, unknown>;

/** What a recipe's `run` is given. */
export type RecipeParts<C> = {
  /** The settings in force: the defaults, `tiny` when asked for, then each `--set`. */
  config: C;
  stage: Stage;
  run: Run;
  seed: number;
};

/** Stages in order, with their settings: what `aha train` runs. */
export type Recipe<C extends Config = Config> = {
  name: string;
  /** Defaults; they are the schema. */
  config: C;
  /** Settings for a run of seconds that still passes through every stage (`--tiny`). */
  tiny?: DeepPartial<C>;
  /**
   * The stages in order, for the view of the whole and for `--from` and `--until`: names, or the share of the time that
   * each is expected to take, `{ sft: 2, grpo: 10 }`. Another run with the same settings tells the time better.
   */
  stages?: DeclaredStages;
  run: (parts: RecipeParts<C>) => unknown;
};

/** Checks a recipe's name, defaults and tiny settings, so that a typo fails when the file is loaded and not an hour later. */
export function defineRecipe<C extends Config>(
  recipe: Omit<Recipe<C>, "tiny"> & { tiny?: DeepPartial<NoInfer<C>> },
): Recipe<C> {
  const { name, tiny } = recipe;
  if (!/^[a-z0-9][a-z0-9.-]*$/i.test(name)) {
    throw new UserError(`recipe "${name}": its name becomes a folder's. Use letters, digits, "-" and ".".`);
  }
  const config = settings(recipe.config);
  if (tiny !== undefined) applyPartial(config, tiny, `recipe ${name}, tiny`);
  if (recipe.stages !== undefined) plannedStages(recipe.stages, `recipe ${name}`);
  return { ...recipe, config };
}

/** The settings of one run of a recipe. Throws a UserError for an unknown name or a value that does not fit. */
export function resolveConfig<C extends Config>(
  recipe: Recipe<C>,
  { set = [], isTiny = false }: { set?: readonly string[]; isTiny?: boolean } = {},
): C {
  if (isTiny && recipe.tiny === undefined)
    throw new UserError(`--tiny: recipe ${recipe.name} has no tiny settings. Give it some, or leave --tiny away.`);
  const base = isTiny && recipe.tiny !== undefined ? applyPartial(recipe.config, recipe.tiny) : recipe.config;
  return applyOverrides(base, set);
}

const current = new AsyncLocalStorage<Run>();

/** The run whose recipe is calling, or undefined outside of one: how a trainer finds its folder without being handed it. */
export const currentRun = (): Run | undefined => current.getStore();

export type RunRecipeOptions = Pick<RunOptions, "dir" | "seed" | "versions" | "terminal" | "mirrors"> & {
  set?: readonly string[];
  isTiny?: boolean;
  /** Do this stage and those after it again, though they are done; what they made is set aside. */
  from?: string;
  /** Stop once this stage is done. */
  until?: string;
};

/** How a recipe ended: by itself, or when a stop was asked for (Ctrl-C, SIGTERM, or `until`: then `afterStage`). */
export type RecipeEnd = { isFinished: boolean; afterStage?: string; result?: unknown };

/**
 * Runs a recipe in its folder, new or resumed. One that was stopped goes on with the same call, without `from`.
 * Throws what the recipe throws, after a line in log.txt.
 */
export async function runRecipe<C extends Config>(recipe: Recipe<C>, options: RunRecipeOptions): Promise<RecipeEnd> {
  const { dir, seed, versions, terminal, mirrors, set, isTiny, from, until } = options;
  const config = resolveConfig(recipe, { set, isTiny });
  const planned = recipe.stages === undefined ? undefined : plannedStages(recipe.stages, `recipe ${recipe.name}`);
  const declared = planned?.map(({ name }) => name);
  const redo = (begun: readonly StageRecord[]) => stagesToRedo(begun, declared, { from, until });
  // A stage that there is none of leaves no folder behind.
  redo(stageRecords(dir));
  using run = openRun({ dir, recipe: recipe.name, config, seed, versions, terminal, mirrors, redo });
  using _signals = onInterrupt(run);
  terminal?.plan(planned ?? [], learnedShares(dir, recipe.name, run.config));
  try {
    const stage = stagesOf(run, { declared, until });
    const result = await current.run(run, async () => recipe.run({ config, stage, run, seed }));
    terminal?.table(run.table.view);
    run.mirrors.finish();
    run.begin();
    run.log(endings.finished);
    return { isFinished: true, result };
  } catch (error) {
    if (error instanceof Stopped) {
      const { afterStage } = error;
      // A finished run that was asked for a stage that it has stays finished.
      if (afterStage === undefined || !run.leaveAsFound())
        run.log(afterStage === undefined ? endings.stopped : `${endings.stopped} after stage ${afterStage}`);
      return { isFinished: false, afterStage };
    }
    // What a person has to put right first is no part of the run.
    if (!(error instanceof UserError && run.leaveAsFound())) logQuietly(run, error);
    throw error;
  }
}

/** How the last line of log.txt begins when a process has left its run; a killed one leaves none of these. */
export const endings = {
  finished: "finished",
  stopped: "stopped as asked",
  waiting: "waits for a person: ",
  failed: "failed: ",
} as const;

/** Of the stages that have begun, those from `from` on. Throws a UserError for a stage that is not known, or not yet to be redone. */
function stagesToRedo(
  begun: readonly StageRecord[],
  declared: readonly string[] | undefined,
  { from, until }: { from?: string; until?: string },
): readonly StageRecord[] {
  const known = declared ?? begun.map(({ name }) => name);
  for (const [option, name] of Object.entries({ from, until })) {
    if (name === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    const list = known.join(", ") || "none: the recipe declares no stages, and none has begun here";
    throw new UserError(`--${option} ${name}: no such stage.${hint} Known: ${list}.`);
  }
  if (from === undefined) return [];
  const first = known.indexOf(from);
  if (until !== undefined && known.indexOf(until) < first)
    throw new UserError(
      `--from ${from} --until ${until}: ${until} comes before ${from}. Expected it to be ${from} or later.`,
    );
  const isDone = (name: string) => begun.some((record) => record.name === name && record.state === "done");
  const missing = known.slice(0, first).filter((name) => !isDone(name));
  if (missing.length > 0)
    throw new UserError(
      `--from ${from}: not done yet, of the stages before it: ${missing.join(", ")}. Leave --from away to do them.`,
    );
  return begun.filter(({ name }) => !known.slice(0, first).includes(name));
}

/** A full disk must not hide the error that it caused. */
function logQuietly(run: Run, error: unknown): void {
  try {
    if (error instanceof WaitsForPerson) run.log(endings.waiting + error.message);
    else run.log(`${endings.failed}${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } catch {
    // The error itself is on its way to the terminal.
  }
}
