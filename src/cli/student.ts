import { fileURLToPath } from "node:url";
import { resolveConfig, UserError } from "#run";
import { loadRecipe } from "./load.ts";

export type StudentOptions = {
  /** A model folder, or an embedded model's name. */
  student?: string;
  /** Settings of recipes/sft.ts besides its model and data. */
  set?: string[];
  /** The training's run folder, in `outDir`. */
  run?: string;
  outDir?: string;
  /** The rows to learn from. */
  out: string;
  seed: number;
  json?: boolean;
};

/** The package's own supervised training: `aha train recipes/sft.ts` on the rows is the same. */
const recipe = fileURLToPath(new URL("../../recipes/sft.ts", import.meta.url));

/**
 * The student's training, checked as far as it can be before there are rows; undefined where there is no student.
 * Run once the rows are written, it gives the exit code. Its rooms are loaded here: who only collects needs no tensor.
 */
export async function studentTraining(options: StudentOptions): Promise<(() => Promise<number>) | undefined> {
  const { student, set = [], run, outDir, out, seed, json } = options;
  if (student === undefined) {
    const given = Object.entries({ set: set[0], run, "out-dir": outDir }).find(([, value]) => value !== undefined);
    if (given !== undefined) throw new UserError(`--${given[0]} ${given[1]} is for the training of a --student.`);
    return undefined;
  }
  const [{ modelFolder }, { LocalFrozen }, { Tokenizer }, { train }] = await Promise.all([
    import("#models"),
    import("#policy"),
    import("#tokenizer"),
    import("./train.ts"),
  ]);
  LocalFrozen.check(student);
  if (!Tokenizer.load(modelFolder(student)).hasChatTemplate)
    throw new UserError(
      `--student ${student}: its tokenizer has no chat template, and the rows are conversations. Take a model that has one, or write one into its tokenizer_config.json.`,
    );
  const settings = [`model=${student}`, `data=${JSON.stringify([out])}`, ...set];
  resolveConfig(await loadRecipe(recipe), { set: settings });
  return () => train(recipe, { set: settings, run: run ?? "distill", out: outDir ?? "out", seed, json });
}
