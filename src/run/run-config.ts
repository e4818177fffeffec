import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./user-error.ts";

/** `config.json`: what was asked for. */
export type RunConfig = { recipe: string; seed: number; config: Record<string, unknown> };

/** What a run folder was asked for; undefined for a folder that is none. */
export function readRunConfig(dir: string): RunConfig | undefined {
  return readJsonFile<RunConfig | undefined>(join(dir, "config.json"), undefined);
}

/** A file of JSON, or `missing` where there is none. */
export function readJsonFile<T>(path: string, missing: T): T {
  if (!existsSync(path)) return missing;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    throw new UserError(`${path}: not JSON (${(error as Error).message}). Put it right, or choose another --run.`, {
      cause: error,
    });
  }
}
