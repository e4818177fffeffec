// npm test: sets up, then types, lint and every test. --full adds the long tests (*.full.test.ts).
import "./lib/node-version.mjs";

const unknown = process.argv.slice(2).find((argument) => argument !== "--full");
if (unknown !== undefined) {
  console.error(`npm test: unknown argument ${unknown}. Expected --full (npm run test:full) or nothing.`);
  process.exit(1);
}
const { runScript } = await import("./lib/report.mjs");
const { setup } = await import("./lib/setup.mjs");
const { runChecks } = await import("./lib/checks.mjs");

await runScript(async () => {
  await setup();
  return runChecks({ full: process.argv.includes("--full") });
});
