import type { Path } from "../steps/paths.ts";

/** A response so far, in a tree of them, and what the search has seen below it. */
export type Node = {
  path: Path;
  parent: Node | undefined;
  /** Its share of the chance that the policy gives it and its sisters. */
  prior: number;
  /** What the value model said of it. */
  chance: number;
  /** Paths seen at it and below, and the sum of their chances. */
  visits: number;
  total: number;
  children: Node[];
  /** Nothing is left to be expanded here. */
  isClosed: boolean;
};

export const rootOf = (path: Path): Node => nodeOf(path, undefined, 1, 0);

function nodeOf(path: Path, parent: Node | undefined, prior: number, chance: number): Node {
  return { path, parent, prior, chance, visits: 0, total: 0, children: [], isClosed: path.state !== "open" };
}

/** Predictor and upper confidence bound (AlphaZero, arXiv 1712.01815): the mean seen below, and a bonus for what the policy likes and the search has seen little of. */
export function puct({ total, visits, prior, parent }: Node, exploration: number): number {
  return total / visits + (exploration * prior * Math.sqrt(parent!.visits)) / (1 + visits);
}

/** The open leaf that the bound leads to from a root that is not closed; of equals the first. */
export function select(root: Node, exploration: number): Node {
  let node = root;
  while (node.children.length > 0) {
    const open = node.children.filter(({ isClosed }) => !isClosed);
    const bounds = open.map((child) => puct(child, exploration));
    node = open[bounds.indexOf(Math.max(...bounds))]!;
  }
  return node;
}

/** Gives a leaf its next steps, each seen once with its chance, all the way up; closes what has no open leaf below. */
export function expand(leaf: Node, steps: readonly { path: Path; logprob: number; chance: number }[]): void {
  const likeliest = Math.max(...steps.map(({ logprob }) => logprob));
  const likely = steps.map(({ logprob }) => Math.exp(logprob - likeliest)); // Long steps all have a chance near 0.
  const sum = likely.reduce((a, b) => a + b, 0);
  leaf.children = steps.map(({ path, chance }, i) => nodeOf(path, leaf, likely[i]! / sum, chance));
  for (const child of leaf.children) {
    for (let node: Node | undefined = child; node !== undefined; node = node.parent) {
      node.visits++;
      node.total += child.chance;
    }
  }
  for (let node: Node | undefined = leaf; node?.children.every(({ isClosed }) => isClosed); node = node.parent)
    node.isClosed = true;
}

/** Everything below a node that cannot be gone on with. */
export const endsOf = (node: Node): Node[] => (node.path.state === "open" ? node.children.flatMap(endsOf) : [node]);

/** The answer of a search: the finished response of the highest chance. */
export const answerOf = (root: Node): Node | undefined =>
  endsOf(root)
    .filter(({ path }) => path.state === "done")
    .sort((a, b) => b.chance - a.chance)[0];
