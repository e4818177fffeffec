// npm run claims [-- --quick] [-- 1 2 3]: R1 and the ablations of the paper's claims, once per seed, into out/claims (what is
// done is kept, so it goes on after a stop), then the page: docs/claims.md, or out/claims/quick.md for --quick.
import "./lib/node-version.mjs";

const { mkdirSync, readFileSync, writeFileSync } = await import("node:fs");
const { join, relative } = await import("node:path");
const { ahaTrain } = await import("./lib/aha-train.mjs");
const { quick } = await import("./lib/claims-quick.mjs");
const { claimsPage, chartsOf } = await import("./lib/claims-page.mjs");
const { packageRoot } = await import("./lib/paths.mjs");
const { runScript } = await import("./lib/report.mjs");
const { seedsGiven } = await import("./lib/seeds.mjs");
const { setup } = await import("./lib/setup.mjs");

await runScript(async () => {
  const words = process.argv.slice(2);
  const isQuick = words.includes("--quick");
  const seeds = seedsGiven(
    words.filter((word) => word !== "--quick"),
    isQuick ? [1] : [1, 2, 3],
  );
  await setup();
  const out = join("out", "claims");
  const train = (recipe, run, seed, set) => {
    const flags = ["--out", out, "--run", run, "--seed", String(seed), ...set.flatMap((one) => ["--set", one])];
    return ahaTrain(recipe, flags);
  };
  const page = isQuick ? join(packageRoot, out, "quick.md") : join(packageRoot, "docs", "claims.md");
  const charts = isQuick ? join(packageRoot, out, "quick") : join(packageRoot, "docs", "claims");
  const command = ["npm run claims", ...(words.length > 0 ? ["--", ...words] : [])].join(" ");
  const bySeed = [];
  for (const seed of seeds) {
    const name = (kind) => `${kind}${isQuick ? "-quick" : ""}-${seed}`;
    const inputs = ["r1", "prm", "mcts"];
    for (const recipe of inputs) {
      const code = await train(recipe, name(recipe), seed, isQuick ? quick[recipe] : []);
      if (code !== 0) return code;
    }
    const folders = inputs.map((recipe) => `${recipe}=${join(out, name(recipe))}`);
    const code = await train("claims", name("claims"), seed, [...folders, ...(isQuick ? quick.claims : [])]);
    if (code !== 0) return code;
    bySeed.push({
      seed,
      claims: JSON.parse(readFileSync(join(packageRoot, out, name("claims"), "claims.json"), "utf8")),
    });
    // After each seed, so that hours are not waited for.
    mkdirSync(charts, { recursive: true });
    for (const [file, svg] of chartsOf(bySeed)) writeFileSync(join(charts, file), svg);
    writeFileSync(page, claimsPage(bySeed, { command, charts: relative(join(page, ".."), charts), isQuick }));
    console.log(`claims   ${relative(packageRoot, page)}, of seeds ${bySeed.map(({ seed }) => seed).join(", ")}`);
  }
  return 0;
});
