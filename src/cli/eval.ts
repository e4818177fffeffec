import { statSync } from "node:fs";
import { type Estimate, type Evaluation, evaluate } from "#eval";
import { LocalFrozen, type LocalOptions } from "#policy";
import { formatShare, Terminal } from "#run";
import type { TaskChoices } from "#tasks";
import { loadTask } from "./load.ts";

export type EvalOptions = Pick<TaskChoices, "difficulty" | "prompt"> & {
  device: LocalOptions["device"];
  /** A file holds the problems themselves; a folder, its "test" split. */
  data?: string;
  task: string;
  samples: number;
  limit?: number;
  temperature: number;
  topP: number;
  maxNewTokens: number;
  seed: number;
  json?: boolean;
};

/** `aha eval <model> --task name`: pass@1 as the mean over k samples with its standard error, cons@k and pass@k. */
export async function runEval(folder: string, options: EvalOptions): Promise<void> {
  const { data, difficulty, prompt } = options;
  const problems =
    data === undefined || statSync(data, { throwIfNoEntry: false })?.isDirectory() ? data : { test: data };
  const task = await loadTask(options.task, { data: problems, difficulty, prompt });
  const policy = await LocalFrozen.load(folder, { device: options.device });
  using terminal = new Terminal({ isJson: options.json });
  terminal.begin(`${task.name}: problems answered`, options.limit);
  const { evaluation } = await evaluate(policy, task, {
    ...options,
    onProgress: (done, total) =>
      options.limit === undefined
        ? terminal.begin(`${task.name}: problems answered ${done}/${total}`)
        : terminal.advance(done),
  });
  terminal.end();
  policy.dispose();
  console.log(
    options.json
      ? JSON.stringify({ model: folder, task: task.name, ...settings(options), ...evaluation })
      : format(evaluation, task.name),
  );
}

const settings = ({ temperature, topP, maxNewTokens, seed }: EvalOptions) => ({
  temperature,
  topP,
  maxNewTokens,
  seed,
});

function format(evaluation: Evaluation, task: string): string {
  const { samples, numProblems } = evaluation;
  const share = ({ value, standardError }: Estimate) => `${formatShare(value)} ± ${formatShare(standardError)}`;
  const rows: [string, string][] = [
    ["pass@1", share(evaluation.accuracy)],
    [`cons@${samples}`, share(evaluation.consensus)],
    [`pass@${samples}`, share(evaluation.passAtK)],
    ...Object.entries(evaluation.rewards).map(([name, value]): [string, string] => [
      `reward ${name}`,
      `${value.value.toFixed(3)} ± ${value.standardError.toFixed(3)}`,
    ]),
    ["length", `${evaluation.length.value.toFixed(1)} ± ${evaluation.length.standardError.toFixed(1)} tokens`],
    ["truncated", formatShare(evaluation.truncated)],
    ...Object.entries(evaluation.verdicts).map(([name, shares]): [string, string] => [
      `verdicts ${name}`,
      Object.entries(shares)
        .map(([verdict, value]) => `${verdict} ${formatShare(value)}`)
        .join(", "),
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return [`${task}: ${numProblems} held-out problems, ${samples} samples each (± one standard error)`, ...lines].join(
    "\n",
  );
}
