export { LocalFrozen, type LocalOptions, LocalPolicy } from "./local.ts";
export { logprobsOf } from "./logprobs.ts";
export { lazyOutputs, needOutputs } from "./outputs.ts";
export { scoresOf, toScored } from "./scores.ts";
export type { Example, FrozenPolicy, PassOptions, Policy, Trained } from "./types.ts";
