// The page of the claims: figures over seeds with their spread, how often each claim held, a chart where there are curves.

import { mean, short, spread } from "./spread.mjs";

/** The claims of every seed side by side: one entry per claim, with what each seed said of it. */
function together(bySeed) {
  return bySeed[0].claims.map((first) => ({
    first,
    all: bySeed.flatMap(({ claims }) => claims.find(({ number }) => number === first.number) ?? []),
  }));
}

export function claimsPage(bySeed, { command, charts, isQuick }) {
  const seeds = bySeed.map(({ seed }) => seed);
  const head = [
    "# The paper's claims in miniature",
    "",
    `Made by \`${command}\` over seed${seeds.length > 1 ? "s" : ""} ${seeds.join(", ")}, on the embedded model's world (docs/world.md). Figures are the mean over seeds ± their standard deviation. *Holds* counts the seeds whose figures go the way the paper's do, by the rule in recipes/claims/claims.ts; the same settings for all seeds, and what does not hold stays here.`,
    ...(isQuick ? ["", "A quick run: one seed, few steps. Its figures show the order of things at best."] : []),
  ];
  const index = [
    "",
    "| | claim | holds |",
    "|---|---|---|",
    ...together(bySeed).map(({ first, all }) => `| ${first.number} | ${first.claim} | ${heldIn(all)} |`),
  ];
  const sections = together(bySeed).flatMap(({ first, all }) => [
    "",
    `## ${first.number}. ${first.claim}`,
    "",
    `Paper: ${first.paper}. Holds: ${heldIn(all)}.`,
    ...(first.note ? ["", first.note] : []),
    "",
    "| | ours |",
    "|---|---|",
    ...Object.keys(first.figures).map((name) => `| ${name} | ${spread(all.map(({ figures }) => figures[name]))} |`),
    ...(first.byStage ? ["", ...stagesTable(all.map(({ byStage }) => byStage))] : []),
    ...(first.curves ? ["", `![${first.claim}](${charts}/${first.number}.svg)`] : []),
    ...(first.sample ? ["", "Found in a rollout:", "", `    ${first.sample}`] : []),
  ]);
  return `${[...head, ...index, ...sections].join("\n")}\n`;
}

/** The models beside each other; a figure that has one of the paper's above it says in how many seeds it went the paper's way. */
function stagesTable(bySeed) {
  const [{ models, rows }] = bySeed;
  const line = (name, cells) => `| ${[name, ...cells].join(" | ")} |`;
  const goesAlong = (ours, paper, i) => Math.sign(ours[i] - ours[i - 1]) === Math.sign(paper[i] - paper[i - 1]);
  const lines = rows.flatMap(({ name, paper, ours }, r) => {
    const seeds = bySeed.map((one) => one.rows[r].ours);
    const figures = ours.map((_, i) => {
      const along = seeds.filter((one) => i > 0 && paper && goesAlong(one, paper.values, i)).length;
      return `${spread(seeds.map((one) => one[i]))}${i > 0 && paper ? ` (${along} of ${seeds.length})` : ""}`;
    });
    return [
      ...(paper
        ? [
            line(
              `*paper: ${paper.name}*`,
              paper.values.map((value) => `*${value.toFixed(1)}*`),
            ),
          ]
        : []),
      line(name, figures),
    ];
  });
  return [
    "Under a figure of the paper's: ours of the nearest column, and in brackets the seeds that go up or down from the model before as the paper does.",
    "",
    line("", models),
    line(
      "---",
      models.map(() => "---"),
    ),
    ...lines,
  ];
}

const heldIn = (all) => `${all.filter(({ holds }) => holds).length} of ${all.length}`;

/** Charts as files: every curve of a claim, the mean over seeds at each step, in a band from the lowest seed to the highest. */
export function chartsOf(bySeed) {
  return together(bySeed).flatMap(({ first, all }) => {
    if (!first.curves) return [];
    const series = Object.keys(first.curves).map((name) => ({
      name,
      points: meanCurve(all.map(({ curves }) => curves[name])),
    }));
    return [[`${first.number}.svg`, lineChart(series, first.claim)]];
  });
}

function meanCurve(curves) {
  const bySteps = new Map();
  for (const curve of curves) for (const [x, y] of curve) bySteps.set(x, [...(bySteps.get(x) ?? []), y]);
  return [...bySteps]
    .sort(([a], [b]) => a - b)
    .map(([x, values]) => [x, mean(values), Math.min(...values), Math.max(...values)]);
}

/** Colours that colour-blind readers can tell apart (Okabe and Ito's), then the same dashed. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const box = { left: 56, right: 520, top: 16, bottom: 270, width: 800, height: 310 };

/** Lines and bands from zero up over optimizer steps, with a legend at the right, as a file of its own. */
function lineChart(series, title) {
  const points = series.flatMap((one) => one.points);
  const [xTo, yTo] = [Math.max(1, ...points.map(([x]) => x)), Math.max(1e-9, ...points.map(([, , , high]) => high))];
  const toX = (x) => (box.left + (x / xTo) * (box.right - box.left)).toFixed(1);
  const toY = (y) => (box.bottom - (Math.max(0, y) / yTo) * (box.bottom - box.top)).toFixed(1);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<line x1="${box.left}" x2="${box.right}" y1="${toY(part * yTo)}" y2="${toY(part * yTo)}" stroke="#ccc"/>` +
      `<text x="${box.left - 6}" y="${Number(toY(part * yTo)) + 4}" text-anchor="end">${short(part * yTo)}</text>` +
      `<text x="${toX(part * xTo)}" y="${box.bottom + 18}" text-anchor="middle">${Math.round(part * xTo)}</text>`,
  );
  const lines = series.map(({ name, points }, i) => {
    const stroke = `stroke="${colours[i % colours.length]}" stroke-width="2" ${i < colours.length ? "" : 'stroke-dasharray="5 3"'}`;
    const y = box.top + 8 + 20 * i;
    const edge = (at) => (point) => `${toX(point[0])},${toY(point[at])}`;
    const band = [...points.map(edge(3)), ...points.map(edge(2)).reverse()].join(" ");
    return (
      `<polygon fill="${colours[i % colours.length]}" fill-opacity="0.12" points="${band}"/>` +
      `<polyline fill="none" ${stroke} points="${points.map(edge(1)).join(" ")}"/>` +
      `<line x1="${box.right + 14}" x2="${box.right + 38}" y1="${y}" y2="${y}" ${stroke}/><text x="${box.right + 44}" y="${y + 4}">${escaped(name)}</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${box.width} ${box.height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">
<rect width="100%" height="100%" fill="#fff"/>
${[...grid, ...lines].join("\n")}
<text x="${(box.left + box.right) / 2}" y="${box.height - 6}" text-anchor="middle">optimizer steps</text>
</svg>
`;
}

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
