// npm run seeds [-- 1 2 3]: the main job once per seed into out/seed-N (finished ones are kept), then the spread, written
// into README.md between its two marks. No figure there is typed by hand.
import "./lib/node-version.mjs";

const { readFileSync } = await import("node:fs");
const { join } = await import("node:path");
const { ahaTrain } = await import("./lib/aha-train.mjs");
const { replaceMarked } = await import("./lib/marked.mjs");
const { packageRoot } = await import("./lib/paths.mjs");
const { runScript } = await import("./lib/report.mjs");
const { seedsGiven } = await import("./lib/seeds.mjs");
const { setup } = await import("./lib/setup.mjs");
const { deviation, mean } = await import("./lib/spread.mjs");

await runScript(async () => {
  const seeds = seedsGiven(process.argv.slice(2));
  await setup();
  const summaries = [];
  for (const seed of seeds) {
    const path = join(packageRoot, "out", `seed-${seed}`, "summary.json");
    // A finished run only writes its summary again; one of other settings is refused, not shown as today's.
    const code = await ahaTrain("r1-zero", ["--seed", String(seed), "--run", `seed-${seed}`]);
    if (code !== 0) return code;
    summaries.push(JSON.parse(readFileSync(path, "utf8")));
  }
  const text = table(summaries);
  console.log(text);
  replaceMarked(join(packageRoot, "README.md"), "seeds: made by npm run seeds", "/seeds", text);
  return 0;
});

function table(summaries) {
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const row = (name, { base, trained, trainSeconds, steps }) =>
    `| ${name} | ${percent(base.accuracy)} → ${percent(trained.accuracy)} | ${percent(base.consAt16)} → ${percent(trained.consAt16)} | ${base.meanTokens.toFixed(1)} → ${trained.meanTokens.toFixed(1)} | ${percent(trained.format)} | ${steps} | ${Math.round(trainSeconds)} |`;
  const all = summaries.map(({ trained }) => trained.accuracy);
  return [
    "| seed | held-out accuracy | majority of 16 | mean tokens | format | steps | training, s |",
    "|---|---|---|---|---|---|---|",
    ...summaries.map((summary) => row(summary.seed, summary)),
    "",
    `Held-out accuracy after training: ${percent(mean(all))} ± ${percent(deviation(all))} (mean and standard deviation over ${all.length} seeds), ${percent(Math.min(...all))} to ${percent(Math.max(...all))}.`,
  ].join("\n");
}
