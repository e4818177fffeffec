/**
 * Work left for the comparison under way, in node evaluations (some 100 ns each). Counting work, not time, keeps a verdict
 * the same on a busy machine; an answer built to be slow finds itself without values, hence unproven, hence wrong.
 */
const FULL_BUDGET = 400_000;
let budget = FULL_BUDGET;

export const resetBudget = (): void => {
  budget = FULL_BUDGET;
};
/** Takes some work from the budget; false when that leaves nothing. */
export const charge = (work: number): boolean => {
  budget -= work;
  return budget > 0;
};
/** What an operation on integers of so many bits costs: a product takes the square of their words. */
export const workOfBits = (bits: number): number => (bits / 64) ** 2;
