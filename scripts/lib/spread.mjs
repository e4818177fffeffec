/** Figures over seeds. */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the sample; 0 for one value. */
export const deviation = (values) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / Math.max(1, values.length - 1));

/** Three digits or so: 0.42, 61.7, 358. */
export const short = (value) =>
  Math.abs(value) >= 1e5
    ? `${(value / 1e6).toFixed(2)} M`
    : value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
