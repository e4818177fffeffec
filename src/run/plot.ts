import { formatShare, formatShort, isUnicodeLocale } from "./format.ts";

export type Point = { x: number; y: number };

export type PlotOptions = {
  title: string;
  points: readonly Point[];
  /** Characters, axis labels included. */
  width: number;
  /** Lines of the drawing itself; a title and the x axis are added. */
  height?: number;
  formatY?: (value: number) => string;
  /** Points that the axes make room for besides those drawn, so that two charts can be compared. */
  beside?: readonly Point[];
  /** Braille dots; otherwise stars. */
  isUnicode?: boolean;
};

/** A line chart as lines of text, all of the same width: title, drawing with its y labels, x axis. Points need not be sorted; those that are not finite are left out. */
export function plotLines({
  title,
  points,
  width,
  height = 8,
  formatY = formatShort,
  beside = [],
  isUnicode = isUnicodeLocale(),
}: PlotOptions): string[] {
  const finite = ({ x, y }: Point) => Number.isFinite(x) && Number.isFinite(y);
  const shown = points.filter(finite).sort((a, b) => a.x - b.x);
  const ranged = shown.length === 0 ? [] : [...shown, ...beside.filter(finite)].sort((a, b) => a.x - b.x);
  const [low, high] = rangeOf(ranged.map(({ y }) => y));
  const ends: [number, number] = [ranged[0]?.x ?? 0, ranged.at(-1)?.x ?? 0];
  const labels = [formatY(high), formatY(low)];
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const canvasWidth = Math.max(8, width - labelWidth - 2);
  const canvas = draw(shown, ends, [low, high], canvasWidth, height, isUnicode);
  const corner = isUnicode ? "┤" : "|";
  const rows = canvas.map((row, i) => {
    const label = i === 0 ? labels[0]! : i === height - 1 ? labels[1]! : "";
    return `${label.padStart(labelWidth)} ${corner}${row}`;
  });
  const [first, last] = ends.map(formatX) as [string, string];
  const axis =
    shown.length === 0 ? "no points yet" : `${first}${last.padStart(Math.max(1, canvasWidth - first.length))}`;
  const full = labelWidth + 2 + canvasWidth;
  return [title.slice(0, full), ...rows, `${" ".repeat(labelWidth + 2)}${axis}`].map((line) => line.padEnd(full));
}

const formatX = (x: number) => (Number.isInteger(x) ? String(x) : formatShort(x));

/** Blocks of lines beside each other. */
export function sideBySide(left: readonly string[], right: readonly string[], gap = 4): string[] {
  const width = Math.max(0, ...left.map((line) => line.length));
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, i) => `${(left[i] ?? "").padEnd(width)}${" ".repeat(gap)}${right[i] ?? ""}`);
}

/** The paper's two curves, accuracy and response length over steps: side by side where `columns` allow, else one above the other. */
export function plotTraining(
  curves: { accuracy: readonly Point[]; length: readonly Point[] },
  {
    columns = process.stdout.columns ?? 80,
    isUnicode = isUnicodeLocale(),
  }: { columns?: number; isUnicode?: boolean } = {},
): string {
  const isWide = columns >= 72;
  const width = isWide ? Math.min(60, Math.floor((columns - 4) / 2)) : columns;
  const accuracy = plotLines({
    title: "accuracy over steps",
    points: curves.accuracy,
    width,
    formatY: formatShare,
    isUnicode,
  });
  const length = plotLines({ title: "response length over steps (tokens)", points: curves.length, width, isUnicode });
  const lines = isWide ? sideBySide(accuracy, length) : [...accuracy, "", ...length];
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** The lowest and highest value, never equal. */
function rangeOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low < high ? [low, high] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
}

/** Dots of a cell, from the top left, in the order of Unicode's braille block (U+2800). */
const brailleBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

function draw(
  points: readonly Point[],
  [from, to]: [number, number],
  [low, high]: [number, number],
  width: number,
  height: number,
  isUnicode: boolean,
): string[] {
  const [perX, perY] = isUnicode ? [2, 4] : [1, 1];
  const [dotsX, dotsY] = [width * perX, height * perY];
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0));
  const mark = (x: number, y: number) => {
    const row = cells[Math.floor(y / perY)]!;
    row[Math.floor(x / perX)]! |= brailleBits[y % perY]![x % perX]!;
  };
  const dots = points.map(({ x, y }) => ({
    x: to > from ? Math.round(((x - from) / (to - from)) * (dotsX - 1)) : 0,
    y: Math.round(((high - y) / (high - low)) * (dotsY - 1)),
  }));
  for (const [i, b] of dots.entries()) {
    const a = dots[Math.max(0, i - 1)]!;
    const steps = Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y), 1);
    for (let s = 0; s <= steps; s++)
      mark(Math.round(a.x + ((b.x - a.x) * s) / steps), Math.round(a.y + ((b.y - a.y) * s) / steps));
  }
  return cells.map((row) =>
    row.map((bits) => (bits === 0 ? " " : isUnicode ? String.fromCharCode(0x2800 + bits) : "*")).join(""),
  );
}

/** Mean of each value with up to `reach` neighbours on either side, as many on the one as on the other, so that the ends do not bend: the bold line over a noisy curve. */
export function smooth(values: readonly number[], reach: number): number[] {
  return values.map((_, i) => {
    const near = Math.min(reach, i, values.length - 1 - i);
    const around = values.slice(i - near, i + near + 1);
    return around.reduce((sum, value) => sum + value, 0) / around.length;
  });
}
