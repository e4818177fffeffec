import { placeOf, type Row } from "#data";
import {
  type ChatMessage,
  continuationOf,
  joinResponse,
  prefillOf,
  sftExample,
  stripHistory,
  type Tokenizer,
} from "#tokenizer";

/** Token ids and which of them are trained: 1 where a token is predicted and learned. The first never is. */
export type Sequence = { ids: Int32Array; trained: Uint8Array; numTrained: number };

/** A message of a conversation to learn from. */
export type SftMessage = {
  role: string;
  content: string;
  /** The thought of an assistant turn, where `content` does not hold it in tags. */
  reasoning_content?: string;
  /** Whether this assistant turn is trained. Where one of a conversation is true, the others are not. */
  train?: boolean;
};

/**
 * A row of supervised data; other fields are left alone. A prompt that is text is a user's message, or plain text where
 * the model has no chat template. `ids` are taken as they are: nothing is decoded and encoded again.
 */
export type SftRow =
  | { messages: SftMessage[]; tools?: object[] }
  | { prompt: string | SftMessage[]; completion: string | SftMessage[]; tools?: object[] }
  | { text: string }
  | { ids: ArrayLike<number>; trained?: ArrayLike<boolean | number> };

/**
 * What a row teaches, as ids: a sequence per trained assistant turn, with the history as the model will meet it there
 * (without earlier thoughts); turns that only add to what came before share one sequence. Each turn's end is trained.
 * Throws, naming file and line, where a row is none of `SftRow`.
 */
export function sequencesOf(row: Row, tokenizer: Tokenizer, { turns }: { turns: "all" | "last" }): Sequence[] {
  try {
    const messages = messagesOf(row);
    if (messages !== undefined) {
      const { prompt, completion } = row;
      if (typeof prompt === "string" && typeof completion === "string" && !tokenizer.hasChatTemplate)
        return [plainExample(prompt, completion, tokenizer)];
      return conversation(messages, (row.tools ?? undefined) as object[] | undefined, tokenizer, turns);
    }
    if (typeof row.text === "string") return [plainText(row.text, tokenizer)];
    if (isGiven(row.ids)) return [givenIds(row, tokenizer)];
    const here = Object.keys(row).join(", ") || "none";
    throw new Error(
      `nothing to train on. Expected messages, prompt and completion, text, or ids. Fields here: ${here}.`,
    );
  } catch (cause) {
    throw new Error(`${placeOf(row)}: ${(cause as Error).message}`, { cause });
  }
}

/** Parquet has null for what a row lacks. */
const isGiven = (value: unknown) => value !== undefined && value !== null;

/** The conversation of a row, its thoughts in tags; undefined where it has none. */
function messagesOf({ messages, prompt, completion }: Row): SftMessage[] | undefined {
  if (isGiven(messages)) return readMessages(messages, "messages");
  if (!isGiven(prompt) || !isGiven(completion)) return undefined;
  const side = (value: unknown, role: string, name: string) =>
    typeof value === "string" ? [{ role, content: value }] : readMessages(value, name);
  return [...side(prompt, "user", "prompt"), ...side(completion, "assistant", "completion")];
}

function readMessages(list: unknown, name: string): SftMessage[] {
  if (!Array.isArray(list) || list.length === 0)
    throw new Error(`${name} is not a list of messages with role and content.`);
  return list.map((message: SftMessage | null, i) => {
    const { role, content, reasoning_content: thought, train, ...rest } = message ?? ({} as SftMessage);
    const refuse = (what: string) => new Error(`${name}[${i}] ${what}`);
    if (typeof role !== "string") throw refuse(`has no role. Expected "user", "assistant", "system" or another.`);
    if (isGiven(train) && typeof train !== "boolean") throw refuse(`has a train that is not true or false.`);
    if (train === true && role !== "assistant")
      throw refuse(`is a ${role}'s turn with train: true. Only assistant turns can be trained.`);
    if (typeof content !== "string" && (role === "assistant" || content === undefined))
      throw refuse(`has no text as its content.`);
    const whole = role === "assistant" && typeof thought === "string" ? joinResponse(thought, content) : content;
    return { ...rest, role, content: whole, ...(isGiven(train) ? { train } : {}) };
  });
}

function conversation(
  messages: readonly SftMessage[],
  tools: object[] | undefined,
  tokenizer: Tokenizer,
  turns: "all" | "last",
): Sequence[] {
  const chosen = chosenTurns(messages, turns);
  if (chosen.length === 0) throw new Error("no assistant turn to train. Expected one that has not train: false.");
  const plain = messages.map(({ train: _, ...message }): ChatMessage & { content: string } => message);
  const sequences: Sequence[] = [];
  for (const turn of chosen) {
    const prompt = tokenizer.render(stripHistory(plain.slice(0, turn)), { addGenerationPrompt: true, tools });
    const example = sftExample({
      prompt,
      response: plain[turn]!.content,
      eosId: tokenizer.endOfTurnId,
      encode: (text) => tokenizer.encode(text),
    });
    const sequence = toSequence(example.ids, example.trained);
    const before = sequences.at(-1);
    if (before?.ids.every((id, i) => id === sequence.ids[i])) {
      sequences.pop();
      sequence.trained.set(before.trained);
      sequence.numTrained += before.numTrained;
    }
    sequences.push(sequence);
  }
  return sequences;
}

function chosenTurns(messages: readonly SftMessage[], turns: "all" | "last"): number[] {
  const all = messages.flatMap(({ role }, i) => (role === "assistant" ? [i] : []));
  const asked = all.filter((i) => messages[i]!.train === true);
  if (asked.length > 0) return asked;
  return (turns === "all" ? all : all.slice(-1)).filter((i) => messages[i]!.train !== false);
}

/** A prompt and its completion for a model without a chat template. */
function plainExample(prompt: string, completion: string, tokenizer: Tokenizer): Sequence {
  const promptIds = tokenizer.encode(prompt, { addSpecialTokens: true });
  const ids = [...promptIds, ...tokenizer.encode(continuationOf(completion, prefillOf(prompt))), tokenizer.endOfTurnId];
  return toSequence(
    ids,
    ids.map((_, i) => i >= promptIds.length),
  );
}

/** A document to continue pretraining on: all of it, and the tokenizer's own end. */
function plainText(text: string, tokenizer: Tokenizer): Sequence {
  const ids = tokenizer.encode(text, { addSpecialTokens: true });
  const end = tokenizer.eosIds[0] ?? tokenizer.endOfTurnId;
  return toSequence(ids.at(-1) === end ? ids : [...ids, end]);
}

function givenIds({ ids, trained }: Row, { vocabSize }: Tokenizer): Sequence {
  const all = Array.from(ids as ArrayLike<number>, Number);
  const wrong = all.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong !== undefined) throw new Error(`ids has ${wrong}. Expected whole numbers from 0 to ${vocabSize - 1}.`);
  const mask = isGiven(trained) ? Array.from(trained as ArrayLike<boolean>, Boolean) : undefined;
  if (mask !== undefined && mask.length !== all.length)
    throw new Error(`trained has ${mask.length} values for ${all.length} ids. Expected one for each.`);
  return toSequence(all, mask);
}

function toSequence(ids: readonly number[], mask?: readonly boolean[]): Sequence {
  const trained = Uint8Array.from(ids, (_, i) => Number(i > 0 && (mask?.[i] ?? true)));
  const numTrained = trained.reduce((sum, one) => sum + one, 0);
  if (numTrained === 0) throw new Error(`none of its ${ids.length} tokens would be trained.`);
  return { ids: Int32Array.from(ids), trained, numTrained };
}

/** The sequence cut at its end to `maxLength` tokens; undefined where nothing trained would be left. */
export function truncated({ ids, trained }: Sequence, maxLength: number): Sequence | undefined {
  const kept = trained.slice(0, maxLength);
  const numTrained = kept.reduce((sum, one) => sum + one, 0);
  return numTrained === 0 ? undefined : { ids: ids.slice(0, maxLength), trained: kept, numTrained };
}
