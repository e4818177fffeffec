import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The name under which the model that ships with the package is asked for. */
export const embeddedModel = "tiny-base";

/** A model's folder by its path; `tiny-base` is the embedded model wherever the package is installed. */
export function modelFolder(name: string): string {
  if (name !== embeddedModel || existsSync(name)) return name;
  return fileURLToPath(new URL(`../../models/${embeddedModel}`, import.meta.url));
}
