import { expect, it } from "vitest";
import { calibration, reliabilityLines } from "./calibration.ts";

it("the error is each bin's distance between confidence and accuracy, weighed by its share", () => {
  // Two at 0.9, one of them right: |0.5 − 0.9| · 2/3. One at 0.35: 0.65 for the other side, which came true: |1 − 0.65| / 3.
  const { accuracy, error, bins } = calibration(
    [
      { chance: 0.9, isTrue: true },
      { chance: 0.9, isTrue: false },
      { chance: 0.35, isTrue: false },
    ],
    5,
  );
  expect(error).toBeCloseTo((0.4 * 2) / 3 + 0.35 / 3, 12);
  expect(accuracy).toBeCloseTo(2 / 3, 12);
  expect(bins).toEqual([
    { from: 0.6, count: 1, confidence: 0.65, accuracy: 1 },
    { from: 0.9, count: 2, confidence: 0.9, accuracy: 0.5 },
  ]);
});

it("forecasts that come true as often as they say have no error, and certain ones that fail have 1", () => {
  const seven = Array.from({ length: 10 }, (_, i) => ({ chance: 0.7, isTrue: i < 7 }));
  expect(calibration(seven).error).toBeCloseTo(0, 12);
  expect(calibration([{ chance: 1, isTrue: false }]).error).toBe(1);
});

it("does not depend on which side a forecast is told from, and an even one is half right", () => {
  const told = [
    { chance: 0.83, isTrue: true },
    { chance: 0.5, isTrue: true },
  ];
  const other = told.map(({ chance, isTrue }) => ({ chance: 1 - chance, isTrue: !isTrue }));
  expect(calibration(other).error).toBeCloseTo(calibration(told).error, 12);
  expect(calibration([{ chance: 0.5, isTrue: false }])).toMatchObject({ error: 0 });
});

it("without forecasts there is nothing to say", () => {
  expect(() => calibration([])).toThrow("no forecasts");
});

it("the table says in each line how sure, how often right and of how many", () => {
  const table = reliabilityLines(calibration([0.9, 0.9, 0.6].map((chance, i) => ({ chance, isTrue: i > 0 }))));
  expect(table).toEqual([
    "held out: right in 66.7 %, expected calibration error 40.0 %",
    "   sure    right    of",
    " 60.0 %  100.0 %     1",
    " 90.0 %   50.0 %     2",
  ]);
});
