/** The settings of each recipe, as `--set` takes them. */
export declare const quick: Record<"r1" | "prm" | "mcts" | "claims", readonly string[]>;
