import { evaluate, type LocalFrozen, type Measured, promptOf, readAllRows, type Task } from "aha-rl";

export type MeasureOptions = {
  problems: number;
  samples: number;
  temperature: number;
  maxNewTokens: number;
  seed: number;
};

/** Every reward of a task on held-out problems, with some of the answers. */
export async function measure<R>(
  policy: LocalFrozen,
  task: Task<R>,
  { problems: limit, ...options }: MeasureOptions,
): Promise<Measured> {
  const { evaluation, problems } = await evaluate(policy, task, { ...options, limit });
  const examples = problems.slice(0, 4).map(({ row, scored }) => ({
    prompt: promptOf(task, row).map(({ content }) => content).join("\n"), // biome-ignore format: one line
    completions: scored.slice(0, 2).map(({ answer, score }) => ({ ...answer, isCorrect: score.verdicts.correct === "correct" })), // biome-ignore format: one line
  }));
  return { evaluation, examples };
}

/** Where a training stood at one of its evaluations: the process reward of its rollouts, and how often held-out answers were right. */
export type CurvePoint = { step: number; reward: number; accuracy: number; standardError: number };

/** The curve of a stage, from the run's metrics. */
export async function curveOf(metrics: string, stage: string): Promise<CurvePoint[]> {
  const lines = (await readAllRows(metrics)) as (Record<string, number> & { stage?: string })[];
  return lines
    .filter((line) => line.stage === stage && line["eval/standardError"] !== undefined)
    .map((line) => ({
      step: line.step!,
      reward: line["reward/process"]!,
      accuracy: line["eval/accuracy"]!,
      standardError: line["eval/standardError"]!,
    }));
}
