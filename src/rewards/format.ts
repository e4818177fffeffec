import { splitResponse } from "#tokenizer";
import type { Answer, Grade } from "./types.ts";

/**
 * R1-Zero's format reward (arXiv 2501.12948, section 2.2.2): 1 when the whole response is
 * `<think>…</think> <answer>…</answer>` with each tag exactly once, a letter or digit in the thought, an answer that is not blank, and nothing but white space
 * around and between them; else 0. A response cut at its limit earns it only if it is whole all the same.
 */
export function formatReward({ text }: Pick<Answer, "text">): number {
  return Number(splitResponse(text).form === "answer");
}

/** As `formatReward`, for R1's own shape too: `<think>…</think>` and then a summary, or R1-Zero's answer tags. */
export function thinkFormat({ text }: Pick<Answer, "text">): number {
  return Number(splitResponse(text).form !== undefined);
}

/**
 * For requests that may be answered at once: 1 when the response ended by itself, says something, and either has no thought or is in
 * one of the paper's two forms.
 */
export function generalFormat({ text, finishReason }: Pick<Answer, "text" | "finishReason">): number {
  const { hasThought, hasAnswerPart, form } = splitResponse(text);
  return Number(finishReason === "stop" && hasAnswerPart && (!hasThought || form !== undefined));
}

/**
 * The format of a bare completion: correct (1) in either of the paper's shapes, `detail.form` says which ("answer" or
 * "summary"); noAnswer when nothing follows the thought. `prefilled`: the prompt wrote the opening `<think>`.
 */
export function gradeFormat(completion: string, { prefilled = false }: { prefilled?: boolean } = {}): Grade {
  const { form, hasAnswerPart } = splitResponse(completion, { prefilled });
  if (form !== undefined) return { verdict: "correct", reward: 1, detail: { form } };
  return { verdict: hasAnswerPart ? "wrong" : "noAnswer", reward: 0 };
}
