/** Figures over seeds. */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the sample; 0 for one value. */
export const deviation = (values) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / Math.max(1, values.length - 1));

/** Three digits or so: 0.42, 61.7, 358. */
export const short = (value) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** "61.7 ± 1.20": mean and standard deviation, of one value the value alone; large ones in millions. "—" where a seed has none. */
export function spread(values) {
  if (!values.every(Number.isFinite)) return "—";
  const inMillions = Math.abs(mean(values)) >= 1e5;
  const scaled = inMillions ? values.map((value) => value / 1e6) : values;
  const both = scaled.length > 1 ? `${short(mean(scaled))} ± ${short(deviation(scaled))}` : short(mean(scaled));
  return inMillions ? `${both} M` : both;
}
