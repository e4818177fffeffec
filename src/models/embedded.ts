import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The names under which the models that ship with the package are asked for. */
export const embeddedModel = "tiny-base";
/** A smaller one of another family, pretrained on the same text: what answers are distilled into. */
export const embeddedStudent = "tiny-student";

/** A model's folder by its path; an embedded model by its name wherever the package is installed. */
export function modelFolder(name: string): string {
  if ((name !== embeddedModel && name !== embeddedStudent) || existsSync(name)) return name;
  return fileURLToPath(new URL(`../../models/${name}`, import.meta.url));
}
