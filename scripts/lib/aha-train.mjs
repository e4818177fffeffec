import { join } from "node:path";
import { passThrough } from "./exec.mjs";
import { packageRoot } from "./paths.mjs";

/** `aha train recipes/<recipe>.ts` with its flags, in this package's folder; the exit code. */
export function ahaTrain(recipe, flags) {
  const command = [join(packageRoot, "bin", "aha.mjs"), "train", join("recipes", `${recipe}.ts`), ...flags];
  return passThrough(process.execPath, command, { cwd: packageRoot });
}
