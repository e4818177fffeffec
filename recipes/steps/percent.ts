import type { Estimate, Figure } from "aha-rl";

/** A share as a table shows it. */
export const percent = ({ value, standardError }: Estimate): Figure => ({
  value: 100 * value,
  standardError: 100 * standardError,
});
