// node scripts/train.mjs <recipe> [flags of aha train]: sets up, then trains by one of recipes/. What `npm run quickstart`
// (r1-zero) and `npm run r1` call: npm run r1 -- --seed 11 --run mine
import "./lib/node-version.mjs";

const { ahaTrain } = await import("./lib/aha-train.mjs");
const { runScript } = await import("./lib/report.mjs");
const { setup } = await import("./lib/setup.mjs");

await runScript(async () => {
  await setup();
  const [recipe, ...flags] = process.argv.slice(2);
  return ahaTrain(recipe, flags);
});
