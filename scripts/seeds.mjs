// npm run seeds [-- 1 2 3]: the main job once per seed into out/seed-N (finished ones are kept), then the spread, written
// into README.md between its two marks. No figure there is typed by hand.
import "./lib/node-version.mjs";

const { readFileSync, writeFileSync } = await import("node:fs");
const { join } = await import("node:path");
const { passThrough } = await import("./lib/exec.mjs");
const { packageRoot } = await import("./lib/paths.mjs");
const { runScript } = await import("./lib/report.mjs");
const { setup } = await import("./lib/setup.mjs");

const [begin, end] = ["<!-- seeds: made by npm run seeds -->", "<!-- /seeds -->"];

await runScript(async () => {
  await setup();
  const given = process.argv.slice(2).map(Number);
  const seeds = given.length > 0 ? given : [1, 2, 3];
  const summaries = [];
  for (const seed of seeds) {
    const path = join(packageRoot, "out", `seed-${seed}`, "summary.json");
    // A finished run only writes its summary again; one of other settings is refused, not shown as today's.
    const command = [join(packageRoot, "bin", "aha.mjs"), "train", join("recipes", "r1-zero.ts")];
    const args = [...command, "--seed", String(seed), "--run", `seed-${seed}`];
    const code = await passThrough(process.execPath, args, { cwd: packageRoot });
    if (code !== 0) return code;
    summaries.push(JSON.parse(readFileSync(path, "utf8")));
  }
  const text = table(summaries);
  console.log(text);
  const readme = join(packageRoot, "README.md");
  const page = readFileSync(readme, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`README.md: no "${begin}" … "${end}". Put the two marks where the table goes.`);
  writeFileSync(readme, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`);
  return 0;
});

function table(summaries) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const row = (name, { base, trained, trainSeconds, steps }) =>
    `| ${name} | ${percent(base.accuracy)} → ${percent(trained.accuracy)} | ${percent(base.consAt16)} → ${percent(trained.consAt16)} | ${base.meanTokens.toFixed(1)} → ${trained.meanTokens.toFixed(1)} | ${percent(trained.format)} | ${steps} | ${Math.round(trainSeconds)} |`;
  const all = summaries.map(({ trained }) => trained.accuracy);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, all.length - 1));
  return [
    "| seed | held-out accuracy | majority of 16 | mean tokens | format | steps | training, s |",
    "|---|---|---|---|---|---|---|",
    ...summaries.map((summary) => row(summary.seed, summary)),
    "",
    `Held-out accuracy after training: ${percent(mean)} ± ${percent(deviation)} (mean and standard deviation over ${all.length} seeds), ${percent(Math.min(...all))} to ${percent(Math.max(...all))}.`,
  ].join("\n");
}
