import { type FrozenPolicy, streamKey } from "aha-rl";
import { chancesOf, drawSteps, type Path, type StepOptions } from "../steps/paths.ts";
import { expand, type Node, rootOf, select } from "./tree.ts";

export type SearchOptions = StepOptions & {
  /** Steps that a node may get at most: they are sampled at once, and those that are the same are one. */
  cap: number;
  /** Weight of the bound's bonus. */
  exploration: number;
  /** Sampled tokens of a problem after which nothing more is expanded. */
  tokens: number;
  seed: number;
};

/** Problems that are best searched side by side. */
export const problemsAtOnce = 128;

/** The tree of one problem, and what it cost. */
export type Searched = { root: Node; tokens: number; expansions: number };

/**
 * Monte-Carlo tree search for many problems side by side, one expansion of each at a time: the policy writes the next
 * steps of the leaf that the bound leads to, the value model says what each is worth, and no verifier is asked. `purpose`
 * parts the random streams of one search from those of another.
 */
export async function searchAll(
  policy: FrozenPolicy,
  model: Pick<FrozenPolicy, "values">,
  starts: readonly Path[],
  { purpose, ...options }: SearchOptions & { purpose: string },
): Promise<Searched[]> {
  const { cap, exploration, tokens: budget, seed } = options;
  const trees = starts.map((path): Searched => ({ root: rootOf(path), tokens: 0, expansions: 0 }));
  for (;;) {
    const active = [...trees.entries()].filter(([, { root, tokens }]) => !root.isClosed && tokens < budget);
    if (active.length === 0) return trees;
    const leaves = active.map(([problem, tree]) => {
      const leaf = select(tree.root, exploration);
      const key = (sample: number) => streamKey(seed, `search ${purpose}`, problem, tree.expansions, sample);
      return { tree, leaf, path: leaf.path, key };
    });
    const drawn = await drawSteps(policy, leaves, cap, options);
    const chances = await chancesOf(
      model,
      drawn.flatMap(({ steps }) => steps.map(({ path }) => path)),
    );
    let at = 0;
    for (const [i, { tree, leaf }] of leaves.entries()) {
      const { steps, tokens } = drawn[i]!;
      expand(
        leaf,
        steps.map((step) => ({ ...step, chance: chances[at++]!.at(-1)! })),
      );
      tree.tokens += tokens;
      tree.expansions++;
    }
  }
}
