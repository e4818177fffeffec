import { mkdirSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { languageOf, randomOf, splitResponse } from "aha-rl";
import { type Asked, sendMessage } from "../../src/teacher/fake-server.ts";

/** Prompts by which the server knows what it is asked: the name, then each value in its tag. */
export function writePrompts(folder: string): string {
  const values = {
    "author-few-shot": ["exemplars", "question"],
    "author-reflect": ["question"],
    "author-rewrite": ["question", "thought", "answer"],
    "author-answer": ["question"],
    "author-answer-reasoned": ["question"],
    "judge-scores": ["question", "a", "b"],
    "judge-equal": ["question", "truth", "answer"],
    "judge-safe": ["question", "response"],
    "judge-readable": ["question", "response"],
  };
  mkdirSync(folder);
  for (const [name, tags] of Object.entries(values)) {
    const lines = [name, ...tags.map((tag) => `<${tag}>\n{${tag}}\n</${tag}>`)];
    writeFileSync(join(folder, `${name}.txt`), lines.join("\n"));
  }
  return folder;
}

/** Which of these prompts was asked, and its values. */
export function readPrompt({ body }: Asked): { name: string; value: (tag: string) => string } {
  const [{ content }] = body.messages as [{ content: string }];
  const value = (tag: string) => new RegExp(`<${tag}>\n([\\s\\S]*?)\n</${tag}>`).exec(content)?.[1] ?? "";
  return { name: content.split("\n")[0]!, value };
}

/** Answers as a judge who likes by chance and finds every answer equal to the truth, and as an author who knows these solutions. */
export function answerAs(solutions: ReadonlyMap<string, string>, response: ServerResponse, asked: Asked): void {
  const { name, value } = readPrompt(asked);
  const sections = (thought: string, summary: string) => `### Thought\n${thought}\n\n### Summary\n${summary}`;
  const chance = (tag: string) => randomOf(value(tag)).int(1, 10);
  const solve = () => {
    const { thought, shown } = splitResponse(solutions.get(value("question")) ?? "");
    return shown === "" ? "I cannot solve this." : sections(thought, shown);
  };
  const isChinese = languageOf(value("question")) === "zh";
  const reply = isChinese ? "这是我的回答。" : "This is my answer.";
  const replies: Record<string, () => string> = {
    "author-few-shot": solve,
    "author-reflect": solve,
    "author-rewrite": () => sections(value("thought"), value("answer")),
    "author-answer": () => reply,
    "author-answer-reasoned": () => sections(isChinese ? "我先想一想。" : "I think about it first.", reply),
    "judge-scores": () => `Scores: A=${chance("a")}, B=${chance("b")}`,
    "judge-equal": () => "Verdict: equal",
    "judge-safe": () => `Verdict: ${chance("response") > 5 ? "safe" : "unsafe"}`,
  };
  sendMessage(response, { content: replies[name]!() });
}
