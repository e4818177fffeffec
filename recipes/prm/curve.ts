import { readAllRows } from "aha-rl";

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
