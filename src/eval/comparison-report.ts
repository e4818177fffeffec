import { type CurveName, curveNames, formatChange, formatDuration, formatShort, type RunComparison } from "#run";
import { escapeHtml, htmlPage } from "./html.ts";
import { tableSection } from "./report.ts";
import { type ChartSeries, chartLegend, plainNumber, svgChart } from "./svg-chart.ts";

const titles: Record<CurveName, string> = {
  "eval/accuracy": "Held-out accuracy",
  "reward/mean": "Reward in training",
  "sample/length": "Response length, tokens",
};

/** Two runs in one file without scripts: differing settings, both curves in each chart, final figures side by side. */
export function comparisonHtml({ runs: [a, b], differences, figures }: RunComparison): string {
  const chart = (name: CurveName) => {
    const series = [a, b].map(
      (run, hue): ChartSeries => ({
        name: run.name,
        style: name === "eval/accuracy" ? "marks" : "curve",
        hue: hue === 0 ? 0 : 1,
        points: run.curves[name],
      }),
    );
    const formatY = name === "eval/accuracy" ? (share: number) => `${plainNumber(100 * share)}%` : plainNumber;
    return `<figure><figcaption><h2>${titles[name]}</h2>${chartLegend(series)}</figcaption>${svgChart(series, { title: `${titles[name]} over steps`, xLabel: "step", formatY })}</figure>`;
  };
  const value = (figure: number | undefined) => (figure === undefined ? "" : formatShort(figure));
  const rows = figures.map(
    ({ name, values }) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${value(values[0])}</td><td>${value(values[1])}</td></tr>`,
  );
  const changes = differences.map((change) => `<li>${escapeHtml(formatChange(change))}</li>`).join("");
  const [first, second] = [a, b].map(
    ({ name, state, step, seconds }) =>
      `<strong>${escapeHtml(name)}</strong>: ${state}, ${step ?? 0} steps, ${formatDuration(seconds)}`,
  );
  return htmlPage(
    `${a.name} and ${b.name}`,
    `<header><h1>${escapeHtml(`${a.name} and ${b.name}`)}</h1><p>${first}<br>${second}</p></header>
<section><h2>Settings that differ</h2>${changes === "" ? "<p>None, and the same versions.</p>" : `<ul>${changes}</ul>`}</section>
<section class="charts">${curveNames.map(chart).join("\n")}</section>
<section><h2>Final figures</h2><table class="figures"><thead><tr><th></th><th scope="col">${escapeHtml(a.name)}</th><th scope="col">${escapeHtml(b.name)}</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></section>
${[a, b].map(({ table }) => tableSection(table)).join("")}`,
  );
}
