import { formatShort, smooth } from "#run";
import { escapeHtml } from "./html.ts";

/** `error` is a standard error, drawn as a bar of ± 1.96 of it. */
export type ChartPoint = { x: number; y: number; error?: number };

/** "curve": every value faint, their running mean bold. "marks": a dot each, with its error bar. `hue` where two of one style differ: 0 for curves, 1 for marks where not given. */
export type ChartSeries = { name: string; style: "curve" | "marks"; points: readonly ChartPoint[]; hue?: 0 | 1 };

export type ChartOptions = { title: string; xLabel: string; formatY?: (value: number) => string };

const size = { width: 560, height: 330 };
const plot = { left: 58, right: 548, top: 14, bottom: 286 };

/** A chart as inline SVG whose colours are the page's: classes `series-0` and `series-1`, so light and dark follow the style sheet. */
export function svgChart(
  series: readonly ChartSeries[],
  { title, xLabel, formatY = formatShort }: ChartOptions,
): string {
  const finite = series.map((one) => ({
    ...one,
    points: one.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const points = finite.flatMap((one) => one.points);
  if (points.length === 0) return `<p class="empty">${escapeHtml(title)}: nothing was measured.</p>`;
  // From zero: a share or a length that doubles should look it.
  const yTicks = niceTicks(
    [0, ...points.flatMap(({ y, error = 0 }) => [y - 1.96 * error, y + 1.96 * error])].filter(Number.isFinite),
    5,
  );
  const xTicks = niceTicks(
    points.map(({ x }) => x),
    6,
  );
  const [xFrom, xTo] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const [yFrom, yTo] = [yTicks[0]!, yTicks.at(-1)!];
  const toX = (x: number) => plot.left + 8 + ((x - xFrom) / (xTo - xFrom || 1)) * (plot.right - plot.left - 16);
  const toY = (y: number) => plot.bottom - ((y - yFrom) / (yTo - yFrom)) * (plot.bottom - plot.top);
  const grid = yTicks.map((y) => {
    const at = round(toY(y));
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at}" y2="${at}"/><text class="tick" x="${plot.left - 8}" y="${at + 4}" text-anchor="end">${escapeHtml(formatY(y))}</text>`;
  });
  const below = xTicks
    .filter((x) => x >= xFrom && x <= xTo)
    .map(
      (x) =>
        `<text class="tick" x="${round(toX(x))}" y="${plot.bottom + 19}" text-anchor="middle">${formatTick(x)}</text>`,
    );
  const axis = `<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>`;
  const label = `<text class="tick" x="${(plot.left + plot.right) / 2}" y="${size.height - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text>`;
  const drawn = finite.map((one) =>
    (one.style === "curve" ? drawCurve : drawMarks)(one.points, hueClass(one), toX, toY),
  );
  const body = [...grid, axis, ...below, label, ...drawn].join("\n");
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(title)}">\n${body}\n</svg>`;
}

type Scale = (value: number) => number;

const hueClass = ({ hue, style }: ChartSeries) => `series-${hue ?? (style === "curve" ? 0 : 1)}`;

/** A round tick without the digits of its floating point: 60, 0.25. */
export const plainNumber = (value: number) => String(Number(value.toPrecision(6)));

export function chartLegend(series: readonly ChartSeries[]): string {
  const entries = series.map((one) => `<li class="${hueClass(one)} ${one.style}">${escapeHtml(one.name)}</li>`);
  return `<ul class="legend">${entries.join("")}</ul>`;
}

function drawCurve(points: readonly ChartPoint[], hue: string, toX: Scale, toY: Scale): string {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const path = (ys: readonly number[]) => sorted.map(({ x }, i) => `${round(toX(x))},${round(toY(ys[i]!))}`).join(" ");
  const raw = sorted.map(({ y }) => y);
  const smoothed = smooth(raw, Math.round(raw.length / 30) + 1);
  return `<polyline class="${hue} raw" points="${path(raw)}"/><polyline class="${hue} smooth" points="${path(smoothed)}"/>`;
}

function drawMarks(points: readonly ChartPoint[], hue: string, toX: Scale, toY: Scale): string {
  return points
    .map(({ x, y, error }) => {
      const [cx, half] = [round(toX(x)), 1.96 * (error ?? 0)];
      const bar =
        half > 0
          ? `<line class="${hue} bar" x1="${cx}" x2="${cx}" y1="${round(toY(y - half))}" y2="${round(toY(y + half))}"/>`
          : "";
      return `${bar}<circle class="${hue} dot" cx="${cx}" cy="${round(toY(y))}" r="4"/>`;
    })
    .join("");
}

const round = (value: number) => Math.round(value * 10) / 10;

const formatTick = (x: number) => (Number.isInteger(x) ? String(x) : formatShort(x));

/** About `wanted` round numbers (1, 2 or 5 × a power of ten apart) from at or below the least to at or above the greatest value. */
export function niceTicks(values: readonly number[], wanted: number): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => span / candidate <= wanted)!;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  // Multiples, rounded: 3 × 0.1 is 0.30000000000000004.
  return Array.from({ length: Math.max(2, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
