import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "#run";

/** The package's own prompts; copy the folder to change them. */
export const promptsFolder = fileURLToPath(new URL("../../prompts", import.meta.url));

/**
 * A prompt that a person edits: `<folder>/<name>.txt`, plain text with a {placeholder} for each value that is put in.
 * @throws UserError when there is no such file, when it leaves one of `placeholders` out, or has another.
 */
export function promptFile<Name extends string>(
  name: string,
  placeholders: readonly Name[],
  folder: string = promptsFolder,
): (values: Record<Name, string>) => string {
  const path = join(folder, `${name}.txt`);
  const text = read(path);
  const found = new Set(Array.from(text.matchAll(placeholder), (match) => match[1]!));
  const list = placeholders.map((one) => `{${one}}`).join(", ");
  const missing = placeholders.find((one) => !found.has(one));
  if (missing !== undefined) throw new UserError(`${path}: no {${missing}} in it. Expected each of ${list}.`);
  const unknown = [...found].find((one) => !placeholders.includes(one as Name));
  if (unknown !== undefined)
    throw new UserError(`${path}: nothing is known to put in for {${unknown}}. Here: ${list}.`);
  // In one pass: a value that has braces itself is no placeholder.
  return (values) => text.replace(placeholder, (_, one: Name) => values[one]);
}

/** A word in braces; `\boxed{}` and JSON are text. */
const placeholder = /\{([A-Za-z]\w*)\}/g;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new UserError(
      `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code}). Copy the whole folder ${promptsFolder}, then change its files.`,
      { cause },
    );
  }
}
