import { user } from "#tasks";
import { joinResponse, splitResponse } from "#tokenizer";
import type { ChatModel } from "./chat.ts";
import { promptFile } from "./prompt-file.ts";

/** A question with a response to be imitated: `<think>…</think>` and a summary. */
export type Exemplar = { question: string; response: string };

/** How a chain of thought is asked for: shown by examples, or told to reflect on it and to verify it. */
export type SolveStyle = "fewShot" | "reflect";

/**
 * Who writes what a model shall learn from: long chains of thought, readable forms of them, general answers. What cannot
 * be used (cut off, not in the form asked for) is undefined.
 */
export type Author = {
  /** Who it is; provenance and reports print it. */
  description: string;
  /** A response with a long chain of thought. */
  solve: (ask: { question: string; style: SolveStyle; round?: number }) => Promise<string | undefined>;
  /** The same thought in readable form, then a summary that restates the result. */
  rewrite: (ask: { question: string; response: string; round?: number }) => Promise<string | undefined>;
  /** An answer to a general request, after a thought or without one. */
  answer: (ask: { question: string; withThought: boolean; round?: number }) => Promise<string | undefined>;
};

export type ChatAuthorOptions = {
  model: ChatModel;
  /** A handful, shown before the question in the "fewShot" style. */
  exemplars?: readonly Exemplar[];
  /** A folder of prompts instead of the package's. */
  prompts?: string;
  temperature?: number;
  maxTokens?: number;
};

/** An author that is asked in words, with the prompts `author-*.txt`. */
export function chatAuthor(options: ChatAuthorOptions): Author {
  const { model, exemplars = [], prompts, temperature = 1, maxTokens = 32_768 } = options;
  const fewShot = promptFile("author-few-shot", ["exemplars", "question"], prompts);
  const reflect = promptFile("author-reflect", ["question"], prompts);
  const rewrite = promptFile("author-rewrite", ["question", "thought", "answer"], prompts);
  const reasoned = promptFile("author-answer-reasoned", ["question"], prompts);
  const plain = promptFile("author-answer", ["question"], prompts);
  // A question that is an exemplar itself is not shown its own answer.
  const shownFor = (question: string) =>
    exemplars
      .filter((one) => one.question.trim() !== question.trim())
      .map(asSections)
      .join("\n\n");
  const write = async (prompt: string, round = 0): Promise<string | undefined> => {
    const reply = await model.chat([user(prompt)], { temperature, maxTokens, seed: round });
    return reply.finishReason === "stop" && reply.content !== "" ? reply.content : undefined;
  };
  return {
    description: `${model.name}, asked in words`,
    async solve({ question, style, round }) {
      const prompt = style === "fewShot" ? fewShot({ exemplars: shownFor(question), question }) : reflect({ question });
      return fromSections(await write(prompt, round));
    },
    async rewrite({ question, response, round }) {
      const { thought, shown: answer } = splitResponse(response);
      return fromSections(await write(rewrite({ question, thought, answer }), round));
    },
    async answer({ question, withThought, round }) {
      if (!withThought) return write(plain({ question }), round);
      return fromSections(await write(reasoned({ question }), round));
    },
  };
}

/**
 * Thought and summary under headings of their own: tags would be taken for the author's own thinking, which reasoning
 * models keep to themselves.
 */
const sections = /^\W*thought\W*\n([\s\S]+?)\n\W*summary\W*\n([\s\S]+)$/i;

function asSections({ question, response }: Exemplar): string {
  const { thought, shown } = splitResponse(response);
  return `Question: ${question}\n\n### Thought\n${thought}\n\n### Summary\n${shown}`;
}

function fromSections(text: string | undefined): string | undefined {
  const [, thought, summary] = sections.exec(text?.trim() ?? "") ?? [];
  return thought?.trim() && summary?.trim() ? joinResponse(thought, summary) : undefined;
}
