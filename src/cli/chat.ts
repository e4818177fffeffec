import { createInterface } from "node:readline";
import pc from "picocolors";
import { LocalFrozen, type LocalOptions } from "#policy";
import { streamKey } from "#tensor";
import { prefillOf, stripHistory, ThinkStream } from "#tokenizer";

export type ChatOptions = {
  device: LocalOptions["device"];
  temperature: number;
  topP: number;
  maxNewTokens: number;
  seed: number;
  system?: string;
  /** Ask this and leave. */
  once?: string;
};

type Turn = { role: string; content: string };

/** `aha chat <model>`: a conversation in the terminal; the thinking is dimmed, the answer is not. */
export async function chat(folder: string, options: ChatOptions): Promise<void> {
  const policy = await LocalFrozen.load(folder, { device: options.device });
  const messages: Turn[] = options.system === undefined ? [] : [{ role: "system", content: options.system }];
  const ask = async (content: string): Promise<void> => {
    messages.push({ role: "user", content });
    messages.push({ role: "assistant", content: await answer(policy, messages, options) });
  };
  try {
    if (options.once !== undefined) return await ask(options.once);
    const isTerminal = process.stdin.isTTY === true;
    const lines = createInterface({
      input: process.stdin,
      output: isTerminal ? process.stdout : undefined,
      prompt: "> ",
    });
    if (isTerminal) console.log(pc.dim(`${folder}. Type a message; Ctrl-D leaves.`));
    lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== "") await ask(line.trim());
      lines.prompt();
    }
  } finally {
    policy.dispose();
  }
}

/** Streams one answer to the terminal and returns its text, the thought included. */
async function answer(policy: LocalFrozen, messages: readonly Turn[], options: ChatOptions): Promise<string> {
  const { tokenizer } = policy;
  const rendered = tokenizer.render(stripHistory(messages), { addGenerationPrompt: true });
  const ids = Int32Array.from(tokenizer.encode(rendered));
  const prefill = prefillOf(rendered);
  const decoded = tokenizer.decodeStream();
  const stream = new ThinkStream({ prefilled: prefill !== "" });
  const { maxPositions } = policy.model.decoder.config;
  let shown: string | undefined;
  const write = (events: ReturnType<ThinkStream["push"]>) => {
    for (const { kind, text } of events) {
      const piece = kind === shown ? text : text.trimStart();
      if (piece === "") continue;
      // Thinking and answer stand apart by a line too: a pipe has no colours.
      if (shown !== undefined && kind !== shown) process.stdout.write("\n\n");
      shown = kind;
      process.stdout.write(kind === "thinking" ? pc.dim(piece) : piece);
    }
  };
  const maxNewTokens = Math.max(1, Math.min(options.maxNewTokens, maxPositions - ids.length));
  let text = prefill;
  const take = (piece: string) => {
    text += piece;
    write(stream.push(piece));
  };
  const sampling = policy.sample([{ id: messages.length, ids }], {
    groupSize: 1,
    temperature: options.temperature,
    topP: options.topP,
    maxNewTokens,
    eosIds: tokenizer.eosIds,
    stream: (promptId) => streamKey(options.seed, "chat", promptId),
    onToken: (_prompt, _sample, id) => {
      if (!tokenizer.eosIds.includes(id)) take(decoded.push(id));
      return false;
    },
  });
  let isCut = false;
  for await (const { completions } of sampling) isCut = completions[0]!.finishReason === "length";
  take(decoded.end());
  write(stream.end());
  process.stdout.write(isCut ? pc.dim(`\n[cut at ${maxNewTokens} tokens]\n`) : "\n");
  return text;
}
