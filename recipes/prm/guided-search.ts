import { type FrozenPolicy, streamKey } from "aha-rl";
import { chancesOf, drawSteps, type Path, type StepOptions } from "../steps/paths.ts";
import { type Aggregate, aggregated } from "../steps/rerank.ts";

export type GuidedOptions = StepOptions & {
  /** Paths that are kept after each round of steps. */
  width: number;
  /** Next steps sampled for each of them. */
  branch: number;
  /** Sampled tokens of a problem: no round begins that, as long as the one before, would exceed them. */
  tokens: number;
  aggregate: Aggregate;
  seed: number;
};

type Kept = { path: Path; score: number };

/** The open paths of the highest score; equals in the order they came. */
export const keepBest = (candidates: readonly Kept[], width: number): Kept[] =>
  candidates
    .filter(({ path }) => path.state === "open")
    .toSorted((a, b) => b.score - a.score)
    .slice(0, width);

/** What a search found, if it came to an answer, and what it cost. */
export type Guided = { path: Path | undefined; tokens: number };

/**
 * Step by step, for all problems side by side: several next steps of each kept path, the best of all by the process
 * reward kept. What has come to an answer is set aside; where nothing is left to go on with, the search begins anew, until
 * its budget is spent. Its answer is the best one met.
 */
export async function guidedSearch(
  policy: FrozenPolicy,
  model: Pick<FrozenPolicy, "values">,
  starts: readonly Path[],
  options: GuidedOptions,
): Promise<Guided[]> {
  const { width, branch, tokens: budget, aggregate, seed } = options;
  const beams = starts.map((start, problem) => ({
    problem,
    kept: [start],
    best: undefined as Kept | undefined,
    tokens: 0,
    lastRound: 0,
  }));
  for (let round = 0; ; round++) {
    const active = beams.filter(({ tokens, lastRound }) => tokens + lastRound <= budget);
    if (active.length === 0) return beams.map(({ best, tokens }) => ({ path: best?.path, tokens }));
    const requests = active.flatMap((beam) =>
      beam.kept.map((path, i) => ({
        beam,
        path,
        key: (sample: number) => streamKey(seed, "guided", beam.problem, round, i, sample),
      })),
    );
    const drawn = await drawSteps(policy, requests, branch, options);
    const found = drawn.flatMap(({ steps }, r) => steps.map(({ path }) => ({ beam: requests[r]!.beam, path })));
    const chances = await chancesOf(
      model,
      found.map(({ path }) => path),
    );
    const scored = found.map((one, i) => ({ ...one, score: aggregated(chances[i]!, aggregate) }));
    for (const beam of active) {
      beam.lastRound = drawn.reduce((sum, { tokens }, r) => sum + (requests[r]!.beam === beam ? tokens : 0), 0);
      beam.tokens += beam.lastRound;
      const steps = scored.filter((one) => one.beam === beam);
      for (const { path, score } of steps)
        if (path.state === "done" && score > (beam.best?.score ?? -1)) beam.best = { path, score };
      const open = keepBest(steps, width).map(({ path }) => path);
      beam.kept = open.length > 0 ? open : [starts[beam.problem]!];
    }
  }
}
