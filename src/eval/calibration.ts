/** A chance that was foretold, 0 to 1, and whether it came true. */
export type Forecast = { chance: number; isTrue: boolean };

/** One bin of a reliability table: forecasts from `from` (up to the next one's), what they foretold on average and how often it came true. */
export type ReliabilityBin = { from: number; count: number; confidence: number; accuracy: number };

export type Calibration = {
  /** Share of forecasts whose likelier side came true. */
  accuracy: number;
  /** Expected calibration error. */
  error: number;
  bins: ReliabilityBin[];
};

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, 1706.04599, eq. 3) of two-way forecasts, and its
 * reliability table: each forecast counts as one of its likelier side, so confidences are 0.5 to 1, in bins of equal
 * width; bins without a forecast are left out. Throws where there is no forecast.
 */
export function calibration(forecasts: readonly Forecast[], numBins = 10): Calibration {
  if (forecasts.length === 0) throw new Error("calibration: no forecasts. Expected at least one.");
  const sides = forecasts.map(({ chance, isTrue }) => ({
    confidence: Math.max(chance, 1 - chance),
    // An even chance is right half of the time, whichever way it came out.
    isRight: chance === 0.5 ? 0.5 : Number(chance > 0.5 === isTrue),
  }));
  const binOf = (confidence: number) => Math.min(numBins - 1, Math.floor((confidence - 0.5) * 2 * numBins));
  const bins = Array.from({ length: numBins }, (_, bin): ReliabilityBin => {
    const own = sides.filter(({ confidence }) => binOf(confidence) === bin);
    const mean = (of: (side: (typeof own)[number]) => number) =>
      own.reduce((sum, side) => sum + of(side), 0) / own.length;
    return {
      from: 0.5 + bin / (2 * numBins),
      count: own.length,
      confidence: mean(({ confidence }) => confidence),
      accuracy: mean(({ isRight }) => isRight),
    };
  }).filter(({ count }) => count > 0);
  const error = bins.reduce(
    (sum, { count, confidence, accuracy }) => sum + (count / forecasts.length) * Math.abs(accuracy - confidence),
    0,
  );
  const accuracy = bins.reduce((sum, bin) => sum + (bin.count / forecasts.length) * bin.accuracy, 0);
  return { accuracy, error, bins };
}

/** A reliability table in words: how sure, how often right, of how many. */
export function reliabilityLines({ accuracy, error, bins }: Calibration): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(7);
  return [
    `held out: right in ${percent(accuracy).trim()}, expected calibration error ${percent(error).trim()}`,
    "   sure    right    of",
    ...bins.map((bin) => `${percent(bin.confidence)}  ${percent(bin.accuracy)}  ${String(bin.count).padStart(4)}`),
  ];
}
