/** A mistake that a person can repair: its message says where, what and what to do, and a command prints it without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/** A run cannot go on before a person has done something that it asks for; nothing went wrong. */
export class WaitsForPerson extends UserError {}

/** "1e-6" rather than "0.000001": numbers as people write them in settings. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && size < 1e-3 ? value.toExponential() : String(value);
}

/** A setting's value as it is typed after `--set name=`. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "none";
  if (typeof value === "number") return formatNumber(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
