import type { ByStage } from "./claim.ts";

/** The models of Table 3, in its order. */
const models = ["R1-Zero", "Dev1", "Dev2", "Dev3", "R1"];

/** Columns of our table, and what stands for them in the paper's (arXiv 2501.12948 v2, Table 3), where it has such a thing. */
const columns: { ours: string; paper?: { name: string; values: number[] } }[] = [
  { ours: "countdown %", paper: { name: "AIME 2024, pass@1 %", values: [77.9, 59.0, 74.0, 78.1, 79.8] } },
  { ours: "calculation %", paper: { name: "MATH-500, pass@1 %", values: [95.9, 94.2, 95.9, 95.4, 97.3] } },
  { ours: "helpful %", paper: { name: "AlpacaEval 2.0, win rate %", values: [24.7, 50.1, 55.8, 62.1, 87.6] } },
  { ours: "facts %", paper: { name: "C-SimpleQA, correct %", values: [66.4, 58.8, 64.2, 66.9, 63.7] } },
  { ours: "declines %" },
  { ours: "overcautious %" },
  { ours: "one language %" },
  { ours: "readable %" },
];

/** Our figures of each model, a function of the column, beside the paper's. */
export const byStage = (figures: readonly ((column: string) => number)[]): ByStage => ({
  models,
  rows: columns.map(({ ours, paper }) => ({ name: ours, paper, ours: figures.map((figure) => figure(ours)) })),
});
