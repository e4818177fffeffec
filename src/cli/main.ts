import { Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "#run";
import { packageVersion } from "./version.ts";

/** Each command's code is loaded when it runs, so that those without a tensor never load the addon. */
const program = new Command("aha")
  .description("DeepSeek-R1's training system: R1-Zero by pure reinforcement learning, evaluation, chat.")
  .version(packageVersion())
  .showHelpAfterError("(aha help <command> lists its options)");

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
};
const whole = (text: string): number => {
  const value = number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Expected a whole number, 0 or more.");
  return value;
};
const positive = (text: string): number => {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError("Expected a whole number above 0.");
  return value;
};
const temperature = (text: string): number => {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError("Expected 0 (greedy) or more.");
  return value;
};
const topP = (text: string): number => {
  const value = number(text);
  if (value <= 0 || value > 1) throw new InvalidArgumentError("Expected above 0, at most 1.");
  return value;
};
/** A timer that is asked for more goes off at once. */
const seconds = (text: string): number => {
  const value = positive(text);
  if (value > 2_147_483) throw new InvalidArgumentError("Expected at most 2147483 seconds (24 days).");
  return value;
};
const collected = (text: string, before: string[]): string[] => [...before, text];
const seed = () => new Option("--seed <n>", "seed of everything random").argParser(whole).default(1);
const taskChoices = (command: Command): Command =>
  command
    .option("--data <path>", "rows of a task over a data set: a file, a folder with files of each split, or a hub id")
    .option("--difficulty <n>", "of a generated task", positive)
    .addOption(new Option("--prompt <style>", "how a question is put").choices(["plain", "boxed", "r1-zero"]));
const device = () =>
  new Option("--device <name>", "where the model computes").choices(["cpu", "cuda:0"]).default("cpu");
const json = () => new Option("--json", "machine-readable output on stdout");

program
  .command("train <recipe>")
  .description("run a recipe (a .ts file) in its run folder, new or resumed")
  .option("--set <name=value>", "change a setting; may be repeated", collected, [])
  .option("--tiny", "the recipe's tiny settings: every stage in seconds")
  .option("--from <stage>", "do this stage and those after it again; what they made is set aside")
  .option("--until <stage>", "stop once this stage is done")
  .option("--tensorboard", "write TensorBoard event files too, into the run folder")
  .option("--wandb-offline", "write a Weights & Biases offline run too, for wandb sync")
  .option("--run <name>", "name of the run folder (the recipe's name)")
  .option("--out <folder>", "where run folders are", "out")
  .addOption(seed())
  .addOption(json())
  .action(async (recipe, options) => {
    const { train } = await import("./train.ts");
    process.exitCode = await train(recipe, options);
  });

taskChoices(program.command("eval <model>"))
  .description("pass@1, cons@k and pass@k of a model folder on a task's held-out problems")
  .requiredOption("--task <name>", "a built-in task, or file.ts#export")
  .option("--samples <k>", "answers per problem", positive, 16)
  .option("--limit <n>", "problems; all where not given", positive)
  .option("--temperature <t>", "0 is greedy", temperature, 0.6)
  .option("--top-p <p>", "nucleus", topP, 0.95)
  .option("--max-new-tokens <n>", "length limit of an answer", positive, 256)
  .addOption(seed())
  .addOption(json())
  .addOption(device())
  .action(async (model, options) => {
    const { runEval } = await import("./eval.ts");
    await runEval(model, options);
  });

program
  .command("score <model>")
  .description('log-probabilities of token ids: {"ids": […]} lines in, {"logprobs": […]} lines out')
  .requiredOption("--in <file>", "JSON lines; - for standard input")
  .option("--temperature <t>", "divides the logits", number, 1)
  .addOption(device())
  .action(async (model, options) => {
    const { score } = await import("./score.ts");
    await score(model, options);
  });

taskChoices(program.command("check <task>"))
  .description("run a task's gold answers and answers that deserve nothing through its rewards")
  .addOption(new Option("--split <name>", "which rows").choices(["train", "test"]).default("train"))
  .option("--limit <n>", "the first rows; all where not given", positive)
  .addOption(json())
  .action(async (task, options) => {
    const { check } = await import("./check.ts");
    process.exitCode = await check(task, options);
  });

program
  .command("chat <model>")
  .description("talk with a model; its thinking is shown dimmed")
  .option("--temperature <t>", "0 is greedy", temperature, 0.6)
  .option("--top-p <p>", "nucleus", topP, 0.95)
  .option("--max-new-tokens <n>", "length limit of an answer", positive, 4096)
  .option("--system <text>", "a system message")
  .option("--once <text>", "ask this and leave")
  .addOption(seed())
  .addOption(device())
  .action(async (model, options) => {
    const { chat } = await import("./chat.ts");
    await chat(model, options);
  });

program
  .command("grade <kind>")
  .description("grade answers: every row of the output is the input row with verdict, reward and detail")
  .option("--in <file>", "rows (.jsonl, .json, .parquet, .gz); - for standard input", "-")
  .option("--out <file>", "verdicts (.jsonl, .gz); - for standard output", "-")
  .option("--strict", "maths: only a boxed or tagged answer counts")
  .action(async (kind, options) => {
    const { grade } = await import("./grade.ts");
    const { numInvalid } = await grade({ ...options, kind, input: options.in, output: options.out });
    process.exitCode = numInvalid === 0 ? 0 : 1;
  });

taskChoices(program.command("distill"))
  .description("collect a teacher's thoughts and answers as rows, and train a student on them; resumable")
  .requiredOption(
    "--teacher <url|folder>",
    "an OpenAI-compatible server, or a model folder (tiny-base: an embedded one)",
  )
  .option("--teacher-model <name>", "which of the server's models; its only one where not given")
  .option("--api-key-env <name>", "environment variable with the server's key")
  .option("--task <name>", "asks a task's training rows and keeps right answers: a built-in, or file.ts#export")
  .option("--prompts <file>", "asks the rows of a file: prompt, question or messages")
  .option("--judge <url>", "a server that compares each answer with the prompt row's answer")
  .option("--judge-model <name>", "which of the judge's models; its only one where not given")
  .requiredOption("--out <file>", "the rows (.jsonl, .jsonl.gz, .parquet)")
  .option("--samples <n>", "answers per prompt", positive, 1)
  .option("--limit <n>", "the first prompts; all where not given", positive)
  .option("--most-per-prompt <n>", "rows of one prompt at most; all where not given", positive)
  .option("--temperature <t>", "0 is greedy", temperature, 0.6)
  .option("--top-p <p>", "nucleus", topP, 0.95)
  .option("--max-tokens <n>", "length limit of an answer, its thought included", positive, 32_768)
  .option("--concurrency <n>", "requests under way at once", positive, 8)
  .option("--retries <n>", "how often a failed request is made again", whole, 5)
  .option("--timeout <seconds>", "longest silence of the server", seconds, 120)
  .option("--without <filter>", "leave a filter out; may be repeated", collected, [])
  .option("--against <path>", "drop rows that share ten words with this evaluation set; may be repeated", collected, [])
  .option("--student <model>", "then train this model on the rows, by recipes/sft.ts: a folder, or tiny-student")
  .option("--set <name=value>", "a setting of the student's training (sft.epochs=2); may be repeated", collected, [])
  .option("--run <name>", "name of the student's run folder (distill)")
  .option("--out-dir <folder>", "where run folders are (out)")
  .addOption(seed())
  .addOption(json())
  .action(async (options) => {
    const { distill } = await import("./distill.ts");
    process.exitCode = await distill(options);
  });

program
  .command("decontaminate")
  .description("drop the rows that share a sequence of words with an evaluation set")
  .requiredOption("--in <path>", "rows: a file, or a folder of data files")
  .requiredOption("--against <path>", "an evaluation set; may be repeated", collected, [])
  .requiredOption("--out <file>", "the rows that stay (.jsonl, .gz)")
  .option("--n <words>", "length of a match", positive, 10)
  .option("--field <name>", "look at this field only; every text of a row where not given")
  .action(async (options) => {
    const { decontaminateFiles } = await import("./decontaminate.ts");
    await decontaminateFiles({ ...options, input: options.in, output: options.out });
  });

program
  .command("runs [names...]")
  .description("the runs in a folder (out/ where not given), or two runs compared: settings, figures, curves")
  .option("--out <folder>", "where run folders are", "out")
  .option("--html <file>", "the comparison as a page (<out>/<a>-vs-<b>.html)")
  .addOption(json())
  .action(async (names, options) => {
    const { runs } = await import("./runs.ts");
    await runs(names, options);
  });

program
  .command("doctor")
  .description("what this machine has, and what to do about what is missing")
  .addOption(json())
  .action(async (options) => {
    const { doctor, formatDoctor } = await import("./doctor.ts");
    const report = await doctor();
    console.log(options.json ? JSON.stringify(report, null, 2) : formatDoctor(report));
    process.exitCode = report.healthy ? 0 : 1;
  });

// Whoever read the output has gone, as `head` does; what was saved is whole.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(141);
});

try {
  await program.parseAsync();
} catch (error) {
  // A user's mistake gets its message; anything else is ours and shows where it happened.
  const isMistake = error instanceof UserError || (error instanceof Error && /^(SetupError|Error)$/.test(error.name));
  console.error(isMistake && process.env.AHA_DEBUG === undefined ? `aha: ${(error as Error).message}` : error);
  process.exitCode = 1;
}
