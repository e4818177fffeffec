import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLibtorch } from "../scripts/lib/libtorch-layout.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dir = process.env.AHA_LIBTORCH_1_13 ?? "/usr";

/** Debian's libtorch, installed by the project's own script where this user may. */
function findOld(): string | undefined {
  const found = () => {
    const read = readLibtorch(dir, "Debian's");
    return "version" in read && read.version.startsWith("1.13.") ? dir : undefined;
  };
  if (found() === undefined && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get") && dir === "/usr")
    execFileSync("sh", [join(root, "scripts", "debian-packages.sh"), "--libtorch"], { stdio: "inherit" });
  return found();
}

/** A copy of the checkout's own files, so that building against another libtorch leaves this one's addon alone. */
function copyOfCheckout(): string {
  const copy = mkdtempSync(join(tmpdir(), "aha-libtorch-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const file of files.toString().split("\0").filter(Boolean)) {
    if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

describe("libtorch 1.13, as Debian 12 has it", () => {
  let copy: string | undefined;
  beforeAll(() => {
    if (findOld() !== undefined) copy = copyOfCheckout();
  }, 1_200_000);
  afterAll(() => {
    if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
  });

  it("builds the addon and passes the tests of every room that computes on tensors", (context) => {
    if (copy === undefined)
      context.skip(`no libtorch 1.13 in ${dir}: as root, sh scripts/debian-packages.sh --libtorch`);
    const run = (...args: string[]) =>
      execFileSync(process.execPath, args, {
        cwd: copy,
        env: { ...process.env, AHA_LIBTORCH: dir },
        stdio: ["ignore", "pipe", "inherit"],
      }).toString();
    expect(run(join("native", "build.mjs"))).toContain("aha.node");
    const rooms = ["tensor", "nn", "models", "rollout", "policy"].map((room) => `src/${room}/`);
    const vitest = join(dirname(fileURLToPath(import.meta.resolve("vitest/package.json"))), "vitest.mjs");
    const report = run(vitest, "run", "--project", "wet", "--reporter=json", ...rooms);
    const { numPassedTests, numFailedTests } = JSON.parse(report.slice(report.indexOf("{"))) as Record<string, number>;
    expect(numPassedTests).toBeGreaterThan(100);
    expect(numFailedTests).toBe(0);
  });
});
