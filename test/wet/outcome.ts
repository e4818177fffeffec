import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readJsonLines } from "#run";

/** What must be the same of two runs: figures, metrics but for times, rows, and the last weights of every trained stage. */
export function outcome(run: string, rows: readonly string[]) {
  const read = (...path: string[]) => readFileSync(join(run, ...path), "utf8");
  const lines = readJsonLines(join(run, "metrics.jsonl"));
  return {
    table: read("table.json"),
    metrics: lines.map((line) => JSON.stringify(Object.entries(line).filter(([name]) => !name.startsWith("time/")))),
    rows: rows.map((path) => read(path).replaceAll(run, "")),
    weights: readdirSync(join(run, "checkpoints"))
      .sort()
      .map((stage) => {
        const last = Math.max(...readdirSync(join(run, "checkpoints", stage)).map(Number));
        const weights = join(run, "checkpoints", stage, String(last), "model.safetensors");
        return [stage, last, readFileSync(weights, "base64")];
      }),
  };
}
