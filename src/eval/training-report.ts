import { readFileSync } from "node:fs";
import { plotTraining, type Run, readJsonLines, writeFileAtomic } from "#run";
import { promptOf, type Task } from "#tasks";
import { worth } from "./answers.ts";
import type { Evaluation, Problem } from "./evaluate.ts";
import {
  type ReportCompletion,
  type ReportParts,
  reportHtml,
  type ScoreEstimates,
  type Summary,
  summaryOf,
} from "./report.ts";
import type { ChartPoint } from "./svg-chart.ts";

/** An evaluation with some of its answers, as a stage keeps it. */
export type Measured = { evaluation: Evaluation; examples: { prompt: string; completions: ReportCompletion[] }[] };

/** What `evaluate` gave, with two answers to each of the first four problems; right is what the first reward pays in full. */
export function withExamples<R>(
  task: Task<R>,
  { evaluation, problems }: { evaluation: Evaluation; problems: readonly Problem<R>[] },
): Measured {
  const correct = Object.keys(task.rewards)[0]!;
  const examples = problems.slice(0, 4).map(({ row, scored }) => ({
    prompt: promptOf(task, row).map(({ content }) => content).join("\n"), // biome-ignore format: one line
    completions: scored.slice(0, 2).map((one) => ({ ...one.answer, isCorrect: (worth(one, correct) ?? 0) >= 1 })),
  }));
  return { evaluation, examples };
}

export type TrainingReport = {
  run: Run;
  /** The stage whose curves are shown; all lines of metrics.jsonl where not given. */
  stage?: string;
  /** The task that is shown, where the stage trained on several. */
  task?: string;
  base: Measured;
  trained: Measured;
  /** The trained model, and what all stages took that led to it. */
  result: { model: string; steps: number; trainSeconds: number; tokens: number };
  /** The reward that says whether an answer had the asked-for format. */
  format: string;
};

/** Writes report.html and summary.json of a training run, shows both curves in the terminal, and the line that starts a chat. */
export function writeTrainingReport(report: TrainingReport): Summary {
  const { run, base, trained, result } = report;
  const parts = partsOf(report);
  const summary = summaryOf(parts);
  writeFileAtomic(run.path("report.html"), reportHtml(parts));
  writeFileAtomic(run.path("summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  const curve = (points: readonly ChartPoint[]) => points.map(({ x, y }) => ({ x, y }));
  const [accuracy, length] = [parts.curves.accuracy[0]!.points, parts.curves.length[0]!.points];
  const say = (text: string) => run.terminal?.note(text);
  say("");
  say(plotTraining({ accuracy: curve(accuracy), length: curve(length) }, { columns: process.stdout.columns ?? 100 }));
  const share = ({ value, standardError }: Evaluation["accuracy"]) =>
    `${(100 * value).toFixed(1)} % ± ${(100 * standardError).toFixed(1)}`;
  const [before, after] = [base.evaluation, trained.evaluation];
  say(`held-out accuracy  ${share(before.accuracy)}  →  ${share(after.accuracy)}`);
  say(`majority of ${before.samples}     ${share(before.consensus)}  →  ${share(after.consensus)}`);
  say(`mean length        ${before.length.value.toFixed(1)}  →  ${after.length.value.toFixed(1)} tokens`);
  say("");
  say(`report   ${run.path("report.html")}`);
  say(`chat     npx aha chat ${result.model}    (then type, say: ${worthTyping(trained) ?? "a question"})`);
  return summary;
}

/** A question as the trained model was asked it, on one line; undefined where nobody would type it. */
function worthTyping({ examples }: Measured): string | undefined {
  const question = examples[0]?.prompt.replace(/\s+/g, " ").trim();
  return question !== undefined && question.length <= 160 ? question : undefined;
}

function partsOf({ run, stage, task, base, trained, result, format }: TrainingReport): ReportParts {
  const lines = readJsonLines<Record<string, number> & { stage?: string }>(run.path("metrics.jsonl"));
  const metrics = lines.filter((line) => stage === undefined || line.stage === stage);
  const points = (name: string): ChartPoint[] =>
    metrics.flatMap((line) => (line[name] === undefined ? [] : [{ x: line.step!, y: line[name] }]));
  const correct = Object.keys(base.evaluation.rewards)[0]!;
  // Metrics of one task among several have its name behind their family's.
  const of = (family: string, name: string) => [family, ...(task === undefined ? [] : [task]), name].join("/");
  const [accuracyName, errorName] = [of("eval", "accuracy"), of("eval", "standardError")];
  const heldOut = metrics.flatMap((line) =>
    line[accuracyName] === undefined ? [] : [{ x: line.step!, y: line[accuracyName], error: line[errorName] }],
  );
  const { accuracy, length, numProblems, samples } = base.evaluation;
  return {
    title: `${run.recipe}: ${run.dir}`,
    subtitle: `${numProblems} held-out problems, ${samples} answers to each, before and after ${result.steps} steps.`,
    base: estimates(base.evaluation, format),
    trained: estimates(trained.evaluation, format),
    numProblems,
    samplesPerProblem: samples,
    ...result,
    seed: run.seed,
    stage,
    curves: {
      accuracy: [
        { name: "answers in training", style: "curve", points: points(of("reward", correct)) },
        {
          name: "held-out problems",
          style: "marks",
          points: [{ x: 0, y: accuracy.value, error: accuracy.standardError }, ...heldOut],
        },
      ],
      length: [
        { name: "answers in training", style: "curve", points: points(of("sample", "length")) },
        {
          name: "held-out problems",
          style: "marks",
          points: [{ x: 0, y: length.value }, ...points(of("eval", "length"))],
        },
      ],
    },
    table: run.table.view,
    settings: run.config,
    versions: JSON.parse(readFileSync(run.path("versions.json"), "utf8")) as Record<string, unknown>,
    examples: base.examples.slice(0, 3).map(({ prompt, completions }, i) => ({
      prompt,
      base: completions,
      trained: trained.examples[i]?.completions ?? [],
    })),
  };
}

function estimates({ accuracy, consensus, length, rewards }: Evaluation, format: string): ScoreEstimates {
  const none = { value: Number.NaN, standardError: Number.NaN };
  return { accuracy, consAt16: consensus, meanTokens: length, format: rewards[format] ?? none };
}
