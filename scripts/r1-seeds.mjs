// npm run r1:seeds [-- 1 2 3]: recipes/r1.ts once per seed into out/claims/r1-N (finished ones are kept, and serve npm run
// claims), then the table over seeds, written into docs/r1.md between its two marks. No figure there is typed by hand.
import "./lib/node-version.mjs";

const { readFileSync } = await import("node:fs");
const { join } = await import("node:path");
const { ahaTrain } = await import("./lib/aha-train.mjs");
const { replaceMarked } = await import("./lib/marked.mjs");
const { packageRoot } = await import("./lib/paths.mjs");
const { seedTable } = await import("./lib/seed-table.mjs");
const { runScript } = await import("./lib/report.mjs");
const { seedsGiven } = await import("./lib/seeds.mjs");
const { setup } = await import("./lib/setup.mjs");

await runScript(async () => {
  const seeds = seedsGiven(process.argv.slice(2));
  await setup();
  const runs = [];
  for (const seed of seeds) {
    const out = ["--out", join("out", "claims"), "--run", `r1-${seed}`, "--seed", String(seed)];
    const code = await ahaTrain("r1", out);
    if (code !== 0) return code;
    const read = (name) => JSON.parse(readFileSync(join(packageRoot, "out", "claims", `r1-${seed}`, name), "utf8"));
    runs.push({ seed, cells: read("table.json") });
  }
  const text = seedTable(runs);
  console.log(text);
  replaceMarked(join(packageRoot, "docs", "r1.md"), "r1: made by npm run r1:seeds", "/r1", text);
  return 0;
});
