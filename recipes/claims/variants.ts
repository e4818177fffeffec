import { type GrpoConfig, grpoConfig } from "aha-rl";

/** Objectives that are compared, by name: what each changes. The paper's R1 has ε = 10; the others are later work. */
const variants: Record<string, Partial<GrpoConfig>> = {
  plain: { clipLow: 0.2, clipHigh: 0.2, aggregation: "sequence" },
  "clip-higher": { clipLow: 0.2, clipHigh: 0.28, aggregation: "sequence" },
  "token-level": { clipLow: 0.2, clipHigh: 0.2, aggregation: "token" },
  "dynamic-sampling": { clipLow: 0.2, clipHigh: 0.2, aggregation: "sequence", maxRounds: 3 },
  "dr-grpo": { clipLow: 0.2, clipHigh: 0.2, advantage: "mean", aggregation: "constant" },
  "sequence-ratio": { ratio: "sequence", clipLow: 3e-4, clipHigh: 4e-4, aggregation: "sequence" },
  "epsilon-10": { clipLow: 10, clipHigh: 10, aggregation: "sequence" },
  // The last of sixteen mini-batches is fifteen updates old: with the clip and without, at R1-Zero's learning rate and at five times that.
  stale: { clipLow: 0.2, clipHigh: 0.2, aggregation: "sequence", miniBatches: 16 },
  "stale-unclipped": { clipLow: 1e6, clipHigh: 1e6, aggregation: "sequence", miniBatches: 16 },
  "stale-fast": { clipLow: 0.2, clipHigh: 0.2, aggregation: "sequence", miniBatches: 16, lr: 1e-3 },
  "stale-fast-unclipped": { clipLow: 1e6, clipHigh: 1e6, aggregation: "sequence", miniBatches: 16, lr: 1e-3 },
};

/** The settings of each, by name. Throws where one does not fit the others, before any of them has begun. */
export const variantsOf = (given: GrpoConfig): [name: string, settings: GrpoConfig][] =>
  Object.entries(variants).map(([name, changes]) => [name, grpoConfig({ ...given, ...changes })]);
