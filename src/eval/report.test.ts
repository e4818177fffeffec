import { describe, expect, it } from "vitest";
import { compareRuns } from "#run";
import { comparisonHtml } from "./comparison-report.ts";
import { type ReportCompletion, type ReportParts, reportHtml, summaryOf } from "./report.ts";
import { niceTicks, svgChart } from "./svg-chart.ts";

const estimate = (value: number, standardError = 0.01) => ({ value, standardError });
const completion: ReportCompletion = {
  thought: "3 + 7 = 10",
  answer: "3 + 7",
  numTokens: 20,
  finishReason: "stop",
  isCorrect: true,
};
const parts: ReportParts = {
  title: "R1-Zero on Countdown",
  subtitle: "a test",
  base: { accuracy: estimate(0.172), consAt16: estimate(0.31), meanTokens: estimate(24.13), format: estimate(0.99) },
  trained: {
    accuracy: estimate(0.825),
    consAt16: estimate(0.87),
    meanTokens: estimate(73.4),
    format: estimate(1, Number.NaN),
  },
  numProblems: 512,
  samplesPerProblem: 16,
  steps: 176,
  seed: 11,
  trainSeconds: 433,
  tokens: 5_412_331,
  curves: {
    accuracy: [
      {
        name: "training",
        style: "curve",
        points: [
          { x: 1, y: 0.2 },
          { x: 2, y: 0.4 },
        ],
      },
      { name: "held out", style: "marks", points: [{ x: 0, y: 0.172, error: 0.01 }] },
    ],
    length: [{ name: "training", style: "curve", points: [] }],
  },
  settings: { model: "tiny-base", grpo: { lr: 1e-6, clipHigh: undefined, lengths: [160, 320] } },
  versions: { node: "v20.20.2" },
  examples: [
    {
      prompt: "3 7 → 10",
      base: [{ ...completion, answer: undefined, isCorrect: false, finishReason: "length" }],
      trained: [completion],
    },
  ],
};

describe("report.html", () => {
  it("shows scores with their errors, settings by their path and completions in parts", () => {
    const html = reportHtml(parts);
    expect(html).toContain("<td>82.5% <small>± 1.0%</small></td>");
    expect(html).toContain("<td>100.0%</td>");
    expect(html).toContain('<th scope="row">grpo.lr</th><td>1e-6</td>');
    expect(html).toContain('<th scope="row">grpo.lengths</th><td>[160,320]</td>');
    expect(html).not.toContain("clipHigh");
    expect(html).toContain('<pre class="thought" dir="auto">3 + 7 = 10</pre>');
    expect(html).toContain('<pre class="answer" dir="auto">3 + 7</pre>');
    expect(html).toContain("20 tokens, cut at the limit");
    expect(html).toContain("Response length over steps: nothing was measured.");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(html).toContain("step (optimizer update)");
    expect(reportHtml({ ...parts, stage: "zero" })).toContain("step of stage zero (optimizer update)");
  });

  it("shows what a model wrote and never obeys it", () => {
    const attack = `</pre><script>alert(1)</script><img src=x onerror="alert(2)" id='x'>&amp;\u0000\u001b[31m`;
    const html = reportHtml({
      ...parts,
      title: attack,
      subtitle: attack,
      settings: { [attack]: attack },
      versions: { [attack]: { deep: attack } },
      curves: { accuracy: [{ name: attack, style: "curve", points: [{ x: 0, y: 1 }] }], length: [] },
      examples: [{ prompt: attack, base: [{ ...completion, thought: attack, answer: attack }], trained: [] }],
    });
    expect(html).not.toMatch(/<script|<img|&amp;amp;amp/);
    expect(html.split("&lt;script&gt;alert(1)").length - 1).toBe(11);
    expect(html).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it("needs nothing from outside and runs nothing", () => {
    const html = reportHtml(parts);
    expect(html).not.toMatch(/https?:|src=|href=|url\(|@import/);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it("every tag that is opened is closed", () => {
    const open: string[] = [];
    const isVoid = new Set(["meta", "line", "circle", "polyline", "!doctype"]);
    for (const [, close, name, selfClosed] of reportHtml(parts).matchAll(
      /<(\/?)([a-z!][a-z0-9]*)(?:"[^"]*"|[^>"])*?(\/?)>/g,
    )) {
      if (close === "/") expect(open.pop()).toBe(name);
      else if (selfClosed !== "/" && !isVoid.has(name!)) open.push(name!);
    }
    expect(open).toEqual([]);
  });
});

describe("figures of stages and runs", () => {
  const attack = "<script>alert(1)</script>";
  const table = { columns: ["reasoning %", attack], rows: [{ name: "Dev1", figures: [{ value: 41.2, standardError: 1.5 }, undefined] }, { name: attack, figures: ["none", 2] }] }; // biome-ignore format: one line

  it("stand in the report with their errors, nothing where nothing was measured, and markup as text", () => {
    const html = reportHtml({ ...parts, table });
    expect(html).toContain('<tr><th scope="row">Dev1</th><td>41.2 ± 1.50</td><td></td></tr>');
    expect(html).not.toContain("<script");
    expect(reportHtml({ ...parts, table: { columns: [], rows: [] } })).not.toContain("Stage by stage");
  });

  it("of two runs stand beside each other, each run in its colour", () => {
    const run = (name: string, lr: number) => ({
      name, dir: name, recipe: "r", seed: 1, state: "done" as const, started: "", seconds: 60, sizeBytes: 1,
      config: { lr, note: attack }, versions: {}, table, figures: { "reward/mean": lr },
      curves: { "eval/accuracy": [{ x: 1, y: 0.5, error: 0.1 }], "reward/mean": [{ x: 1, y: lr }, { x: 2, y: lr }], "sample/length": [] },
    }); // biome-ignore format: one line
    const html = comparisonHtml(compareRuns(run("a", 0.5), run(attack, 0.25)));
    expect(html).toContain("<li>lr 0.5 → 0.25</li>");
    expect(html).toContain('<tr><th scope="row">reward/mean</th><td>0.500</td><td>0.250</td></tr>');
    expect(html.match(/class="series-0 smooth"|class="series-1 smooth"/g)).toEqual(['class="series-0 smooth"', 'class="series-1 smooth"']); // biome-ignore format: one line
    expect(html).toContain("Response length, tokens over steps: nothing was measured.");
    expect(html).not.toMatch(/<script|NaN|undefined/);
  });
});

it("summary.json has the report's numbers without their errors", () => {
  expect(summaryOf(parts)).toEqual({
    base: { accuracy: 0.172, consAt16: 0.31, meanTokens: 24.13, format: 0.99 },
    trained: { accuracy: 0.825, consAt16: 0.87, meanTokens: 73.4, format: 1 },
    steps: 176,
    seed: 11,
    trainSeconds: 433,
    tokens: 5_412_331,
  });
});

describe("a chart", () => {
  it("has round ticks that enclose its values", () => {
    expect(niceTicks([0, 0.83], 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks([0, 73], 5)).toEqual([0, 20, 40, 60, 80]);
    expect(niceTicks([0, 0.3], 5)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(niceTicks([5, 5], 5).length).toBeGreaterThan(1);
    expect(niceTicks([0, 0], 5).length).toBeGreaterThan(1);
  });

  it("stays inside its frame, whatever the values", () => {
    for (const ys of [[0, 0], [1], [0.2, 0.9], [1e6, 1], [0.001, Number.NaN]]) {
      const svg = svgChart([{ name: "a", style: "curve", points: ys.map((y, x) => ({ x, y })) }], {
        title: "t",
        xLabel: "step",
      });
      const pairs = [...svg.matchAll(/points="([^"]*)"/g)].flatMap((match) =>
        match[1]!.split(" ").map((pair) => pair.split(",").map(Number)),
      );
      expect(pairs.length).toBeGreaterThan(0);
      for (const [x, y] of pairs) {
        expect(x).toBeGreaterThanOrEqual(58);
        expect(x).toBeLessThanOrEqual(548);
        expect(y).toBeGreaterThanOrEqual(14);
        expect(y).toBeLessThanOrEqual(286);
      }
    }
  });
});
