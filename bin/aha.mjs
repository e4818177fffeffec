#!/usr/bin/env node
import "../scripts/lib/node-version.mjs";

const { existsSync } = await import("node:fs");
const { fileURLToPath } = await import("node:url");
const { runScript } = await import("../scripts/lib/report.mjs");

/** Commands that never touch a tensor: they run before the addon is built, and where it cannot be. */
const dry = ["doctor", "check", "grade", "decontaminate", "runs", "help", "--help", "-h", "--version", "-V", undefined];
/** A user's own task may import anything of the package, tensors too. */
const readsFile = process.argv.slice(3).some((argument) => /\.[cm]?[jt]s(#\w+)?$/.test(argument));
const main = new URL("../dist/cli/main.js", import.meta.url);
const command = process.argv[2];

if (!existsSync(fileURLToPath(main))) {
  console.error(`aha: ${fileURLToPath(main)} is missing: this checkout has not been built. Run: npm run setup`);
  process.exit(1);
}
if (existsSync(fileURLToPath(new URL("../src", import.meta.url)))) {
  const { isDistStale } = await import("../scripts/lib/setup.mjs");
  if (isDistStale()) console.error("aha: src has changed since dist was compiled. To run the change: npm run setup");
}
await runScript(async () => {
  if (!dry.includes(command) || (command === "check" && readsFile)) {
    const { ensureNative } = await import("../native/build.mjs");
    await ensureNative();
  }
  await import(main.href);
});
