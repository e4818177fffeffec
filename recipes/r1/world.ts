import type { Author, Judge, Scorer, SolveStyle, Task, TaskShare } from "aha-rl";

type Inputs = Record<string, unknown>;

/** What R1 is made of besides its algorithms: what is asked, who judges what no rule can, what is measured. */
export type World = {
  /** Tasks whose answers a rule checks, with their shares: asked for in R1-Zero's tags, or as a thought and a summary. */
  reasoning: (options: { form: "answer" | "summary"; language: number }) => TaskShare[];
  general: GeneralWorld;
  /** Rewrites drafts in readable form. */
  rewriter: Author;
  /** The ways in which it can be asked to solve: its long chains of thought are drafts, too. */
  solves: SolveStyle[];
  /** Further columns of the report: tasks measured on held-out rows, by the mean of their first reward. */
  columns: Record<string, Task<unknown>>;
  /** Facts about the world that the report prints: who judges, how often a stand-in is wrong. */
  notes: string[];
  /** What its parts depend on, for the stages that use them: never where something lies or who serves it, but what it is. */
  inputs: {
    /** By the form asked for: rows to train on and how they are mixed, those that answers are collected to, those held out. */
    tasks: Record<"answer" | "summary", Record<"trained" | "collected" | "measured", Inputs>>;
    /** Who rewrites, and the requests with who answers, judges, or nobody. */
    rewriter: Inputs;
    author: Inputs;
    judge: Inputs;
    requests: Inputs;
  };
  /** Frees what was loaded to be asked; the next question loads it again. */
  release: () => void;
};

/** What no rule decides. */
export type GeneralWorld = {
  /** Requests of the training split: those whose answers are compared, and those whose answers may do harm. */
  helpful: string[];
  sensitive: string[];
  /** The tasks of the last stage, rewarded by the models that learned from the judge. */
  tasks: (scorers: { helpfulness: Scorer; safety: Scorer }) => { helpful: Task<unknown>; safe: Task<unknown> };
  judge: Judge;
  author: Author;
  needsThought: (request: string) => boolean;
};

/** Tasks of rows of any kind beside each other: what a task reads of its rows it wrote itself. */
export const anyTask = <R>(task: Task<R>): Task<unknown> => task as unknown as Task<unknown>;
