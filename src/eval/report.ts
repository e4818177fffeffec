import { formatDuration, formatFigure, formatNumber, formatShare, type TableView } from "#run";
import { escapeHtml, htmlPage } from "./html.ts";
import type { Estimate } from "./stats.ts";
import { type ChartSeries, chartLegend, plainNumber, svgChart } from "./svg-chart.ts";

/**
 * One model's scores on the held-out problems, as summary.json has them. Accuracy, consensus and format are shares;
 * `consAt16` is the vote over as many samples as were taken, sixteen in recipes/r1-zero.ts.
 */
export type Scores = { accuracy: number; consAt16: number; meanTokens: number; format: number };

/** `summary.json`: what a run came to. `trainSeconds` is training alone, `tokens` those trained on. */
export type Summary = {
  base: Scores;
  trained: Scores;
  steps: number;
  seed: number;
  trainSeconds: number;
  tokens: number;
};

/** The same scores with their standard errors. */
export type ScoreEstimates = Record<keyof Scores, Estimate>;

/** One completion, its thinking and its answer apart; `answer` is undefined where it gave none. */
export type ReportCompletion = {
  thought: string;
  answer: string | undefined;
  numTokens: number;
  finishReason: "stop" | "length";
  isCorrect: boolean;
};

/** Completions of one held-out problem by both models. */
export type ReportExample = { prompt: string; base: readonly ReportCompletion[]; trained: readonly ReportCompletion[] };

export type ReportParts = {
  title: string;
  /** What was trained and how, in a sentence. */
  subtitle: string;
  base: ScoreEstimates;
  trained: ScoreEstimates;
  /** Held-out problems and samples of each, for the table's caption. */
  numProblems: number;
  samplesPerProblem: number;
  steps: number;
  seed: number;
  trainSeconds: number;
  tokens: number;
  /** The stage that the curves are of, where the run has several. */
  stage?: string;
  /** Over steps; accuracy as shares, length in tokens. */
  curves: { accuracy: readonly ChartSeries[]; length: readonly ChartSeries[] };
  /** What the stages of the run reported. */
  table?: TableView;
  /** Settings and versions, as config.json and versions.json have them. */
  settings: Record<string, unknown>;
  versions: Record<string, unknown>;
  examples: readonly ReportExample[];
};

/** summary.json of the same run. */
export function summaryOf({ base, trained, steps, seed, trainSeconds, tokens }: ReportParts): Summary {
  const values = (scores: ScoreEstimates): Scores => ({
    accuracy: scores.accuracy.value,
    consAt16: scores.consAt16.value,
    meanTokens: scores.meanTokens.value,
    format: scores.format.value,
  });
  return { base: values(base), trained: values(trained), steps, seed, trainSeconds, tokens };
}

/** report.html: one file without scripts or outside references, light or dark as the reader's system is. All text is escaped. */
export function reportHtml(parts: ReportParts): string {
  const { title, subtitle, table } = parts;
  return htmlPage(
    title,
    `<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(subtitle)}</p></header>
${tiles(parts)}
${table === undefined ? "" : tableSection(table)}
${charts(parts)}
${scoreTable(parts)}
${parts.examples.map(example).join("\n")}
${settingsTables(parts)}`,
  );
}

/** The table that the run's stages filled; nothing where they added no row. */
export function tableSection({ columns, rows }: TableView): string {
  if (rows.length === 0) return "";
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join("");
  const body = rows.map(({ name, figures }) => {
    const cells = figures.map((figure) => `<td>${figure === undefined ? "" : escapeHtml(formatFigure(figure))}</td>`);
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join("")}</tr>`;
  });
  return `<section>
<h2>Stage by stage</h2>
<div class="wide"><table class="figures">
<thead><tr><th></th>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table></div>
</section>`;
}

function tiles({ base, trained, steps, trainSeconds, tokens }: ReportParts): string {
  const tile = (label: string, value: string, before = "") => {
    const from = before === "" ? "" : `<span class="before">${before} <span aria-label="to">→</span></span> `;
    return `<div class="tile"><dt>${label}</dt><dd>${from}${value}</dd></div>`;
  };
  return `<dl class="tiles">
${tile("Held-out accuracy", formatShare(trained.accuracy.value), formatShare(base.accuracy.value))}
${tile("Mean response length", `${trained.meanTokens.value.toFixed(1)} <small>tokens</small>`, base.meanTokens.value.toFixed(1))}
${tile("Training", `${formatDuration(trainSeconds)} <small>for ${steps} steps</small>`)}
${tile("Trained on", `${formatCount(tokens)} <small>tokens</small>`)}
</dl>`;
}

function charts({ curves, stage }: ReportParts): string {
  const xLabel = `step${stage === undefined ? "" : ` of stage ${stage}`} (optimizer update)`;
  const figure = (title: string, series: readonly ChartSeries[], formatY: (value: number) => string) =>
    `<figure><figcaption><h2>${title}</h2>${chartLegend(series)}</figcaption>${svgChart(series, { title: `${title} over steps`, xLabel, formatY })}</figure>`;
  return `<section class="charts">
${figure("Accuracy", curves.accuracy, (share) => `${plainNumber(100 * share)}%`)}
${figure("Response length", curves.length, plainNumber)}
</section>`;
}

const rowsOf = (samples: number): { key: keyof Scores; label: string; format: (value: number) => string }[] => [
  { key: "accuracy", label: "Accuracy (pass@1)", format: formatShare },
  { key: "consAt16", label: `Majority of ${samples} (cons@${samples})`, format: formatShare },
  { key: "meanTokens", label: "Mean length, tokens", format: (tokens) => tokens.toFixed(1) },
  { key: "format", label: "In the asked-for format", format: formatShare },
];

function scoreTable({ base, trained, numProblems, samplesPerProblem, seed }: ReportParts): string {
  const cell = ({ value, standardError }: Estimate, format: (value: number) => string) =>
    `<td>${format(value)}${Number.isFinite(standardError) ? ` <small>± ${format(standardError)}</small>` : ""}</td>`;
  const body = rowsOf(samplesPerProblem).map(
    ({ key, label, format }) =>
      `<tr><th scope="row">${label}</th>${cell(base[key], format)}${cell(trained[key], format)}</tr>`,
  );
  return `<section>
<h2>Before and after</h2>
<table class="scores">
<thead><tr><th></th><th scope="col">base</th><th scope="col">trained</th></tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
<p class="note">${numProblems} held-out problems × ${samplesPerProblem} samples each; ± is one standard error, clustered by problem. Seed ${seed}.</p>
</section>`;
}

function example({ prompt, base, trained }: ReportExample): string {
  const column = (name: string, completions: readonly ReportCompletion[]) =>
    `<div><h3>${name}</h3>${completions.map(completion).join("\n")}</div>`;
  return `<section>
<h2>One problem, before and after</h2>
<pre class="prompt">${escapeHtml(prompt)}</pre>
<div class="columns">${column("base", base)}${column("trained", trained)}</div>
</section>`;
}

function completion({ thought, answer, numTokens, finishReason, isCorrect }: ReportCompletion): string {
  const verdict = `<span class="verdict ${isCorrect ? "right" : "wrong"}">${isCorrect ? "✓ right" : "✗ wrong"}</span>`;
  const cut = finishReason === "length" ? ", cut at the limit" : "";
  return `<article>
<p class="meta">${verdict}<span>${numTokens} tokens${cut}</span></p>
<p class="label">thinking</p><pre class="thought" dir="auto">${thought === "" ? '<span class="none">(none)</span>' : escapeHtml(thought.trim())}</pre>
<p class="label">answer</p><pre class="answer" dir="auto">${answer === undefined ? '<span class="none">(none)</span>' : escapeHtml(answer.trim())}</pre>
</article>`;
}

function settingsTables({ settings, versions }: ReportParts): string {
  const table = (record: Record<string, unknown>) =>
    `<table class="settings"><tbody>${flatten(record)
      .map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
      .join("")}</tbody></table>`;
  return `<details><summary>Settings and versions</summary><div class="columns">${table(settings)}${table(versions)}</div></details>`;
}

/** Settings by their full path, as --set names them. */
function flatten(record: Record<string, unknown>, above = ""): [string, string][] {
  return Object.entries(record).flatMap(([key, value]): [string, string][] => {
    const path = above === "" ? key : `${above}.${key}`;
    if (value === undefined) return [];
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return flatten(value as Record<string, unknown>, path);
    if (typeof value === "number") return [[path, formatNumber(value)]];
    return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}

function formatCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e7 ? 0 : 1)} million`;
  return Math.round(value).toLocaleString("en-US");
}
