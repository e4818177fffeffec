/**
 * Milliseconds that a Retry-After header asks for: its seconds, or the time until its date (RFC 9110, section 10.2.3), 0 once
 * that has passed. Undefined where it says neither.
 */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse alone would also find a year in "5" or "foo 5".
  const date = /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
