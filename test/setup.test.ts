import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missingOptionals } from "../scripts/lib/lock.mjs";
import { nodeVersionProblem } from "../scripts/lib/node-version.mjs";
import { packageDifference } from "../scripts/lib/setup.mjs";
import { root, temporaryFolder, write, writeProgram } from "./fake-machine.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("Node's version", () => {
  it.each(["20.20.0", "20.21.3", "22.0.0", "24.1.0"])("%s is new enough", (version) => {
    expect(nodeVersionProblem(version)).toBeNull();
  });

  it.each(["18.20.4", "20.19.6", "20.9.0"])("%s is too old, and the message says what to install", (version) => {
    expect(nodeVersionProblem(version)).toMatch(
      new RegExp(
        `this is Node ${version.replaceAll(".", "\\.")}\\. aha needs Node 20\\.20.*Debian: .*macOS: brew install node`,
      ),
    );
  });

  it("is checked before anything else is loaded by each script that a person starts", () => {
    for (const script of ["scripts/setup.mjs", "scripts/train.mjs", "scripts/test.mjs", "bin/aha.mjs"]) {
      const imports = readFileSync(join(root, script), "utf8").match(/^import .*$/gm);
      expect(imports, script).toHaveLength(1);
      expect(imports?.[0], script).toMatch(/lib\/node-version\.mjs";$/);
    }
    expect(readFileSync(join(root, "scripts/lib/node-version.mjs"), "utf8")).not.toMatch(/^import /m);
  });
});

describe("npm packages", () => {
  const entry = (version: string, more: object = {}) => ({ version, ...more });
  function lay(wanted: object, installed: object | null) {
    write(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...wanted } }));
    if (!installed) return;
    write(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
    for (const place of Object.keys(installed)) write(join(folder, place, "package.json"), "{}");
  }

  it("are as the lock has them when each is there in its version", () => {
    lay({ "node_modules/a": entry("1.0.0") }, { "node_modules/a": entry("1.0.0") });
    expect(packageDifference(folder)).toBeNull();
  });

  it("may lack an optional one of another platform", () => {
    lay({ "node_modules/a": entry("1.0.0", { optional: true }) }, {});
    expect(packageDifference(folder)).toBeNull();
  });

  it("differ without node_modules, with another version, and with a removed folder", () => {
    lay({ "node_modules/a": entry("1.0.0") }, null);
    expect(packageDifference(folder)).toBe("no node_modules yet");
    lay({ "node_modules/a": entry("1.0.0") }, { "node_modules/a": entry("0.9.0") });
    expect(packageDifference(folder)).toBe("node_modules/a is 0.9.0, not 1.0.0");
    rmSync(join(folder, "node_modules", "a"), { recursive: true });
    expect(packageDifference(folder)).toBe("node_modules/a is not installed");
  });
});

describe("package-lock.json", () => {
  it("names every platform's optional packages, else npm ci refuses it (node scripts/complete-lock.mjs)", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    expect(Object.keys(missingOptionals(lock))).toEqual([]);
  });

  it("gains the packages that a registry of one platform left out", () => {
    const asks = {
      version: "1.0.0",
      optionalDependencies: { "@x/cli-linux-x64-musl": "1.0.0", "@x/cli-darwin-arm64": "1.0.0" },
    };
    const there = { "node_modules/@x/cli-darwin-arm64": { version: "1.0.0" } };
    expect(missingOptionals({ packages: { "node_modules/x": asks, ...there } })).toEqual({
      "node_modules/@x/cli-linux-x64-musl": {
        version: "1.0.0",
        cpu: ["x64"],
        libc: ["musl"],
        os: ["linux"],
        optional: true,
      },
    });
    const nested = { "node_modules/x/node_modules/@x/cli-linux-x64-musl": { version: "1.0.0" } };
    expect(missingOptionals({ packages: { "node_modules/x": asks, ...there, ...nested } })).toEqual({});
  });
});

describe("the Debian packages", () => {
  const missing = (path: string) =>
    spawnSync("/bin/sh", [join(root, "scripts/debian-packages.sh"), "--missing"], {
      env: { PATH: path },
      encoding: "utf8",
    });

  it("are those whose command is not there", (context) => {
    if (process.platform !== "linux") return context.skip("bubblewrap is Linux's");
    writeProgram(join(folder, "uname"), "echo Linux");
    writeProgram(join(folder, "g++"), "exit 0");
    expect(missing(folder).stdout.trim()).toBe("python3 python3-pip bubblewrap");
    for (const name of ["python3", "bwrap"]) writeProgram(join(folder, name), "exit 0");
    expect(missing(folder).stdout.trim()).toBe("");
  });
});

describe("the command", () => {
  it("says how to build a checkout that has no dist", () => {
    cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
    cpSync(join(root, "scripts", "lib"), join(folder, "scripts", "lib"), { recursive: true });
    mkdirSync(join(folder, "src"));
    expect(existsSync(join(folder, "dist"))).toBe(false);
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "bin/aha.mjs"), "doctor"], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/dist\/cli\/main\.js is missing: .* Run: npm run setup\n$/);
  });
});
