import { type Estimate, type Row, readAllRows } from "aha-rl";

/** What one seed says about one claim of the paper. */
export type Claim = {
  number: number;
  claim: string;
  /** The paper's own figure (arXiv 2501.12948). */
  paper: string;
  /** What a reader of the figures has to know of how they were made. */
  note?: string;
  /** Ours, by name; units stand in the names. */
  figures: Record<string, number>;
  /** Figures of every model of the pipeline, where the claim is about its ups and downs. */
  byStage?: ByStage;
  /** Whether the figures go the way the paper's do. */
  holds: boolean;
  /** Curves over optimizer steps, by name. */
  curves?: Record<string, Point[]>;
  /** A found sample, where the claim is about one. */
  sample?: string;
};

/** A figure of each model in the order of the stages, in a row for each column of the table; the paper's figure where it has one. */
export type ByStage = {
  models: string[];
  rows: { name: string; paper?: { name: string; values: number[] } | undefined; ours: number[] }[];
};

export type Point = [step: number, value: number];

export const inPercent = ({ value }: Estimate): number => 100 * value;

/** A curve of a stage's metric. */
export async function curve(metrics: string, stage: string, name: string): Promise<Point[]> {
  const lines = await readAllRows(metrics);
  return lines.flatMap((line: Row): Point[] =>
    line.stage === stage && typeof line[name] === "number" ? [[line.step as number, line[name]]] : [],
  );
}

/** The mean of a curve's first or last `share`. */
export function meanOf(points: readonly Point[], end: "first" | "last", share = 0.1): number {
  const count = Math.max(1, Math.round(share * points.length));
  const part = end === "first" ? points.slice(0, count) : points.slice(-count);
  return part.reduce((sum, [, value]) => sum + value, 0) / part.length;
}
