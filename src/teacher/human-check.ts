import { existsSync, readFileSync } from "node:fs";
import { UserError, WaitsForPerson, writeFileAtomic } from "#run";
import { splitResponse } from "#tokenizer";
import type { CollectedRow } from "./provenance.ts";

/** The first line of the file. */
type Header = { checked: boolean; todo: string };
/** One row as a person sees it. */
type Line = { id: string; keep: boolean; question: string; text: string };

const todo = 'Read each row; set keep to false, or mend its text. When done, set "checked" to true in this line.';

export type HumanCheckOptions = {
  /** The file that is read and edited. */
  path: string;
  /** Nobody reads the rows; their provenance says so. */
  skip?: boolean;
};

/**
 * The step at which a person reads the rows (arXiv 2501.12948 v2: human annotators check what was rewritten). The first
 * call writes them to `path` and stops with a UserError that says what to do; so does every later one until the file's first
 * line says `"checked": true`. Then come the rows that were kept, with their texts as edited. A deleted line is not kept.
 * @throws UserError also for an edit that cannot be read, with its line.
 */
export function humanCheck(rows: readonly CollectedRow[], { path, skip = false }: HumanCheckOptions): CollectedRow[] {
  if (skip) return rows.map((row) => checkedAs(row, "skipped"));
  if (!existsSync(path)) {
    const lines: object[] = [{ checked: false, todo } satisfies Header, ...rows.map(lineOf)];
    writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  const [header, ...lines] = editedLines(path);
  if ((header?.value as Header | undefined)?.checked !== true) {
    throw new WaitsForPerson(
      `${path}: ${rows.length} rows wait for a person. Set keep to false or mend the text where needed, set "checked" to true in the first line, then start the same command again.`,
    );
  }
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  return lines.flatMap(({ where, value }): CollectedRow[] => {
    const { id, keep, text } = readLine(value, where);
    const row = byId.get(id);
    if (row === undefined) throw new UserError(`${where}: no row ${id}, or twice. Leave the ids as they were written.`);
    byId.delete(id);
    if (!keep) return [];
    if (text === responseOf(row)) return [checkedAs(row, "kept")];
    return [
      checkedAs({ ...row, messages: [...row.messages.slice(0, -1), { role: "assistant", content: text }] }, "edited"),
    ];
  });
}

/** The values of a file that a person's editor saved: it may begin with a mark, have empty lines, and end without a line's end. */
function editedLines(path: string): { where: string; value: unknown }[] {
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  return text.split("\n").flatMap((line, index) => {
    const where = `${path}:${index + 1}`;
    if (line.trim() === "") return [];
    try {
      return [{ where, value: JSON.parse(line) as unknown }];
    } catch (error) {
      throw new UserError(
        `${where}: not JSON (${(error as Error).message}). Mend the line, or delete it to drop its row.`,
        {
          cause: error,
        },
      );
    }
  });
}

const idOf = ({ promptId, provenance }: CollectedRow): string => `${promptId}#${provenance.sample}`;
const responseOf = ({ messages }: CollectedRow): string => messages.at(-1)!.content;

function lineOf(row: CollectedRow): Line {
  const question = row.messages.findLast(({ role }) => role === "user")?.content ?? "";
  return { id: idOf(row), keep: true, question, text: responseOf(row) };
}

function readLine(line: unknown, where: string): Line {
  const { id, keep, text } = (line ?? {}) as Partial<Line>;
  if (typeof id !== "string") throw new UserError(`${where}: no "id". Leave the ids as they were written.`);
  if (typeof keep !== "boolean")
    throw new UserError(`${where}: keep is ${JSON.stringify(keep)}. Expected true or false.`);
  if (keep && (typeof text !== "string" || !splitResponse(text).hasAnswerPart))
    throw new UserError(`${where}: text has no answer after the thought. Mend it, or set keep to false.`);
  return line as Line;
}

const checkedAs = (row: CollectedRow, checked: "kept" | "edited" | "skipped"): CollectedRow => ({
  ...row,
  provenance: { ...row.provenance, checked },
});
