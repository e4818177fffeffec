import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each room is built on; it may also use what those are built on. */
const builtOn: Record<string, string[]> = {
  tensor: [],
  nn: ["tensor"],
  models: ["nn"],
  tokenizer: [],
  data: [],
  rewards: ["tokenizer", "sandbox"],
  sandbox: [],
  tasks: ["data", "rewards", "sandbox"],
  teacher: ["tasks", "run"],
  rollout: ["models", "tokenizer"],
  policy: ["rollout"],
  train: ["policy", "tasks", "run", "eval", "teacher"], // a run watches its held-out accuracy by the code that evaluates
  eval: ["policy", "tasks", "run"],
  run: [],
  serve: ["policy", "tokenizer", "train"],
  dashboard: ["run"],
  cli: ["train", "eval", "serve", "dashboard"],
};
const dry = ["tokenizer", "data", "rewards", "sandbox", "tasks", "run", "teacher"];
/** The rooms that may reach out of src: the loader of the addon, and the doctor. */
const reachesTooling = ["tensor", "cli"];

const files = listFiles("src").filter((file) => !file.endsWith(".generated.ts"));
const rooms = [...new Set(files.map(roomOf).filter((room) => room !== ""))].sort();
const imports = files.flatMap((file) => importsOf(file).map((target) => ({ file, room: roomOf(file), target })));

describe("rooms", () => {
  it("has every folder of src in the table", () => {
    expect(rooms.filter((room) => !(room in builtOn))).toEqual([]);
  });

  it("imports across rooms only as #room, and only in the table's directions", () => {
    const wrong = imports.filter(({ room, target }) => {
      const other = /^#(.+)$/.exec(target)?.[1];
      return other !== undefined && room !== "" && other !== room && !reachable(room).has(other);
    });
    expect(wrong).toEqual([]);
  });

  it("never leaves a room by a relative path", () => {
    const wrong = imports.filter(({ file, room, target }) => {
      if (!target.startsWith(".") || room === "") return false;
      const to = relative(root, resolve(root, dirname(file), target));
      const isTooling = /^(native|scripts)\//.test(to) && reachesTooling.includes(room);
      return !to.startsWith(`src/${room}/`) && !isTooling;
    });
    expect(wrong).toEqual([]);
  });

  it("trains without having heard of any task or embedded model", () => {
    const below = ["train", "policy", "rollout", "nn", "tokenizer"];
    const known = /countdown|gsm8k|ifeval|sudoku|tiny-(?:base|student|world)|embedded(?:Model|Student)/i;
    const wrong = files.filter((file) => below.includes(roomOf(file)) && !isTest(file) && known.test(read(file)));
    expect(wrong).toEqual([]);
  });

  it("never imports a room from inside itself by its public name", () => {
    expect(imports.filter(({ room, target }) => target === `#${room}`)).toEqual([]);
  });

  it("keeps tensor out of every dry room's reach", () => {
    expect(dry.filter((room) => reachable(room).has("tensor"))).toEqual([]);
    const loaded = new Map(dry.map((room) => [room, reachedFrom(room)]));
    expect([...loaded].filter(([, reached]) => reached.has("tensor")).map(([room]) => room)).toEqual([]);
  });

  it("keeps the losses free of the policy", () => {
    const losses = imports.filter(({ file }) => /^src\/train\/(.*\/)?loss(es)?[^/]*(?<!\.test)\.ts$/.test(file));
    expect(losses.filter(({ target }) => target === "#policy" || target === "#rollout")).toEqual([]);
  });

  it("lets recipes and examples import only aha-rl, Node and their own files", () => {
    const outside = [...listFiles("recipes"), ...listFiles("examples")].filter((file) => !file.endsWith(".test.ts"));
    const wrong = outside.flatMap((file) =>
      importsOf(file)
        .filter((target) => {
          const to = relative(root, resolve(root, dirname(file), target));
          const isOwn = target.startsWith(".") && to.startsWith(`${file.split("/")[0]}/`);
          return target !== "aha-rl" && !target.startsWith("node:") && !isOwn;
        })
        .map((target) => `${file}: ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("size", () => {
  const measured = ["src", "native", "scripts", "bin", "recipes", "examples", "bench", "test"]
    .flatMap(listFiles)
    .filter((file) => !/generated|\/golden\//.test(file))
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }));

  it("has no file over 500 lines", () => {
    expect(measured.filter(({ lines }) => lines > 500)).toEqual([]);
  });

  it("has a median under 150 lines in src, tests included", () => {
    const lines = measured.filter(({ file }) => file.startsWith("src/")).map((file) => file.lines);
    expect(lines.sort((a, b) => a - b)[Math.floor(lines.length / 2)]).toBeLessThan(150);
  });

  it("prints the lines of each room", () => {
    const places = [...rooms.map((room) => `src/${room}`), "native", "scripts", "recipes", "examples", "bench", "test"];
    const table = places.map((place) => {
      const inside = measured.filter(({ file }) => file.startsWith(`${place}/`));
      const sum = (list: typeof inside) => list.reduce((total, { lines }) => total + lines, 0);
      const code = sum(inside.filter(({ file }) => !isTest(file)));
      return { place, files: inside.length, code, tests: sum(inside.filter(({ file }) => isTest(file))) };
    });
    const line = ({ place, files, code, tests }: (typeof table)[number]) =>
      `${place.padEnd(16)}${String(code).padStart(6)} lines${String(tests).padStart(6)} of tests${String(files).padStart(5)} files`;
    console.log(table.map(line).join("\n"));
    expect(table.filter(({ place, code }) => place.startsWith("src/") && code === 0)).toEqual([]);
  });
});

/** Every room that `room` may import: what it is built on, and what that is built on. */
function reachable(room: string): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    for (const next of builtOn[name] ?? []) if (!found.has(next)) found.add(next) && visit(next);
  };
  visit(room);
  // A command brings everything together.
  return room === "cli" ? new Set(Object.keys(builtOn)) : found;
}

/** Every room that importing `room` really loads. */
function reachedFrom(room: string): Set<string> {
  const found = new Set<string>([room]);
  for (const from of found) {
    for (const { room: importer, target } of imports)
      if (importer === from && target.startsWith("#")) found.add(target.slice(1));
  }
  return found;
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts");
}

function roomOf(file: string): string {
  const [, room, rest] = file.split("/");
  return rest === undefined ? "" : room!;
}

function importsOf(file: string): string[] {
  const text = read(file);
  const statements = text.matchAll(/^\s*(?:import|export)\b[^;"'`]*?\bfrom\s+"([^"]+)"/gm);
  const others = text.matchAll(/\bimport\s*\(?\s*"([^"]+)"\)?/g);
  return [...statements, ...others].map((match) => match[1]!);
}

function listFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.(ts|mts|mjs|cc|h|py|sh)$/.test(name) && !/node_modules|\.venv/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
