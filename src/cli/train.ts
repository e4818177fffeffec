import { isAbsolute, join, relative } from "node:path";
import { runRecipe, Terminal, UserError } from "#run";
import { machine } from "#tensor";
import { loadRecipe } from "./load.ts";
import { packageVersion } from "./version.ts";

export type TrainOptions = {
  set: string[];
  tiny?: boolean;
  from?: string;
  until?: string;
  tensorboard?: boolean;
  wandbOffline?: boolean;
  run?: string;
  seed: number;
  out: string;
  json?: boolean;
};

/** `aha train recipe.ts`: runs a recipe in its run folder, new or resumed. Returns the exit code. */
export async function train(path: string, options: TrainOptions): Promise<number> {
  const recipe = await loadRecipe(path);
  const name = options.run ?? (options.tiny ? `${recipe.name}-tiny` : recipe.name);
  const dir = join(options.out, name);
  if (isAbsolute(name) || /^(\.\.([/\\]|$)|$)/.test(relative(options.out, dir)))
    throw new UserError(
      `--run ${name}: leads out of ${options.out}. Expected the name of a folder in it; --out says where runs are.`,
    );
  const { torchVersion, numThreads } = machine();
  using terminal = new Terminal({ isJson: options.json });
  const { isFinished, afterStage } = await runRecipe(recipe, {
    dir,
    seed: options.seed,
    set: options.set,
    isTiny: options.tiny,
    from: options.from,
    until: options.until,
    mirrors: [
      ...(options.tensorboard ? ["tensorboard" as const] : []),
      ...(options.wandbOffline ? ["wandb" as const] : []),
    ],
    terminal,
    versions: { aha: packageVersion(), libtorch: torchVersion, threads: String(numThreads) },
  });
  if (isFinished) return 0;
  if (afterStage !== undefined) {
    terminal.note(`Stage ${afterStage} is done, and the run stops there. To go on: ${commandLine(path, options)}`);
    return 0;
  }
  const again = options.from === undefined ? "The same command goes on" : `${commandLine(path, options)} goes on`;
  terminal.note(`Stopped. ${again} from the last checkpoint in ${dir}.`);
  return 130;
}

/** The command that goes on with a run, to its end. */
function commandLine(path: string, options: TrainOptions): string {
  const { set, tiny, run, seed, out, tensorboard, wandbOffline, json } = options;
  const given: [string, string | undefined][] = [
    ...set.map((text): [string, string] => ["--set", text]),
    ["--run", run],
    ["--out", out === "out" ? undefined : out],
    ["--seed", seed === 1 ? undefined : String(seed)],
  ];
  const values = given.flatMap(([name, value]) => (value === undefined ? [] : [name, quoted(value)]));
  const flags = Object.entries({ tiny, tensorboard, "wandb-offline": wandbOffline, json }).flatMap(([name, isGiven]) =>
    isGiven ? [`--${name}`] : [],
  );
  return ["npx aha train", quoted(path), ...flags, ...values].join(" ");
}

const quoted = (text: string) => (/^[\w./=:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
