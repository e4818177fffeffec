import { mkdtempSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Asked, sendMessage } from "../../src/teacher/fake-server.ts";

/** A folder with prompts.jsonl, 40 questions for `count`. */
export function writePrompts(): string {
  const dir = mkdtempSync(join(tmpdir(), "aha-distill-"));
  const questions = Array.from({ length: 40 }, (_, i) => `{"prompt": "What is ${i} plus one?"}\n`);
  writeFileSync(join(dir, "prompts.jsonl"), questions.join(""));
  return dir;
}

/** `aha distill` of those questions from a server. */
export const distillFrom = (url: string, dir: string, out: string, ...more: string[]): string[] =>
  ["distill", "--teacher", url, "--prompts", join(dir, "prompts.jsonl"), "--out", join(dir, out), "--teacher-model", "r1", ...more]; // biome-ignore format: one line

export const questionOf = ({ body }: Asked): string => (body.messages as { content: string }[])[0]!.content;

/** A teacher who counts on, and talks in a loop at every fourth question. */
export function count(response: ServerResponse, asked: Asked): void {
  const n = Number(/\d+/.exec(questionOf(asked))?.[0]);
  sendMessage(response, {
    reasoning_content: "I take the number and go one step further from it.",
    content: n % 4 === 3 ? `I say ${"so again and ".repeat(60)}` : `It is ${n + 1}.`,
  });
}
