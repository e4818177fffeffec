import { createHash } from "node:crypto";
import { field, placeOf, type Row } from "#data";
import { type Example, toScored } from "#policy";
import { type Exchange, judgedText } from "#rewards";
import { permutation, streamKey } from "#tensor";
import { type ChatMessage, sftExample, type Tokenizer } from "#tokenizer";
import type { PairFields } from "./losses-reward.ts";
import type { PreferencePair } from "./pairs.ts";
import type { RewardConfig } from "./reward-config.ts";

/** A response that was found safe or not. */
export type LabelledResponse = { prompt: readonly ChatMessage[]; response: string; isSafe: boolean };

/** What a reward model learns from: which of two is better, or what each is. */
export type RewardData = { pairs: readonly PreferencePair[] } | { responses: readonly LabelledResponse[] };

export type RewardFields = PairFields | "labels";

/** The texts that are compared or judged together, and what the loss reads at the last token of each. */
export type RewardItem = {
  texts: { ids: Int32Array; fields: Record<RewardFields, number> }[];
  /** Whether the first score has to be the higher, or above 0; undefined for a tie. */
  isTrue: boolean | undefined;
};

export type PreparedRewards = {
  items: RewardItem[];
  heldOut: RewardItem[];
  /** Left out: without a better one where ties are dropped, alike in what is judged, over the length limit. */
  dropped: { ties: number; same: number; tooLong: number };
  /** Tokens of the longest item. */
  longest: number;
  /** Tells these items from all others. */
  fingerprint: string;
};

/** The ids of an exchange as a reward model reads it: as the policy met it, its end token included. */
export function exchangeIds({ prompt, response }: Exchange, tokenizer: Tokenizer): Int32Array {
  const rendered = tokenizer.hasChatTemplate
    ? tokenizer.render(prompt, { addGenerationPrompt: true })
    : prompt.map(({ content }) => content).join("\n");
  const [eosId] = tokenizer.eosIds;
  if (eosId === undefined)
    throw new Error(`${tokenizer.name} has no end token. Give tokenizer_config.json an eos_token.`);
  return Int32Array.from(
    sftExample({ prompt: rendered, response, eosId, encode: (text) => tokenizer.encode(text) }).ids,
  );
}

/** Encodes all texts before the first step, and takes a random share of the prompts out, with all that was said to them. */
export function prepareRewards(
  data: RewardData,
  tokenizer: Tokenizer,
  config: Pick<RewardConfig, "judges" | "ties" | "maxTokens" | "heldOut">,
  { seed, padId }: { seed: number; padId: number | undefined },
): PreparedRewards {
  const dropped = { ties: 0, same: 0, tooLong: 0 };
  const byPrompt = new Map<string, RewardItem[]>();
  const hash = createHash("sha256");
  let longest = 0;
  const encode = (prompt: readonly ChatMessage[], response: string) =>
    toScored(exchangeIds({ prompt, response: judgedText(response, config.judges) }, tokenizer), padId);
  const add = (prompt: readonly ChatMessage[], item: RewardItem) => {
    const lengths = item.texts.map(({ ids }) => ids.length - 1);
    if (Math.max(...lengths) > config.maxTokens) {
      dropped.tooLong++;
      return;
    }
    for (const { ids } of item.texts) hash.update(ids);
    hash.update(JSON.stringify([item.isTrue, item.texts.map(({ fields }) => fields)]));
    longest = Math.max(
      longest,
      lengths.reduce((a, b) => a + b),
    );
    const key = JSON.stringify(prompt);
    byPrompt.set(key, [...(byPrompt.get(key) ?? []), item]);
  };
  if ("pairs" in data) {
    for (const { prompt, chosen, rejected, difference = 0, isTie = false } of data.pairs) {
      if (judgedText(chosen, config.judges) === judgedText(rejected, config.judges)) dropped.same++;
      else if (isTie && config.ties === "drop") dropped.ties++;
      else {
        const fields = { margins: difference, ties: Number(isTie), labels: 0 };
        const texts = [
          { ids: encode(prompt, chosen), fields: { ...fields, sides: 1 } },
          { ids: encode(prompt, rejected), fields: { ...fields, sides: -1 } },
        ];
        add(prompt, { texts, isTrue: isTie ? undefined : true });
      }
    }
  } else {
    for (const { prompt, response, isSafe } of data.responses) {
      const fields = { labels: Number(isSafe), sides: 0, margins: 0, ties: 0 };
      add(prompt, { texts: [{ ids: encode(prompt, response), fields }], isTrue: isSafe });
    }
  }
  const prompts = [...byPrompt.values()];
  const numHeldOut = Math.round(config.heldOut * prompts.length);
  const chosen = new Set(permutation(streamKey(seed, "reward-held-out"), prompts.length).subarray(0, numHeldOut));
  const side = (isHeldOut: boolean) => prompts.filter((_, i) => chosen.has(i) === isHeldOut).flat();
  return { items: side(false), heldOut: side(true), dropped, longest, fingerprint: hash.digest("hex").slice(0, 16) };
}

/** The items of one update: the last token of each text is trained, and all weigh the same. */
export function rewardExamples(items: readonly RewardItem[]): Example<RewardFields>[] {
  const texts = items.flatMap((item) => item.texts);
  return texts.map(({ ids, fields }) => {
    const last = (value: number) => new Float32Array(ids.length - 1).fill(value, -1);
    const { sides, margins, ties, labels } = fields;
    return {
      ids,
      weights: last(1 / texts.length),
      fields: { sides: last(sides), margins: last(margins), ties: last(ties), labels: last(labels) },
    };
  });
}

/** A pair of a file: prompt (text or messages), chosen and rejected (texts, or conversations that end with them), and maybe difference and isTie. */
export function readPair(row: Row): PreferencePair {
  const { difference, isTie } = row;
  if (difference !== undefined && !(typeof difference === "number" && difference >= 0))
    throw new Error(`${placeOf(row)}: difference is ${JSON.stringify(difference)}. Expected a number, 0 or more.`);
  return {
    prompt: readPrompt(row),
    chosen: readResponse(row, "chosen"),
    rejected: readResponse(row, "rejected"),
    ...(difference === undefined ? {} : { difference }),
    ...(isTie === undefined ? {} : { isTie: field(row, "isTie", "boolean") }),
  };
}

/** A labelled response of a file: prompt (text or messages), response and isSafe. */
export const readLabelled = (row: Row): LabelledResponse => ({
  prompt: readPrompt(row),
  response: readResponse(row, "response"),
  isSafe: field(row, "isSafe", "boolean"),
});

const readPrompt = (row: Row): ChatMessage[] =>
  typeof row.prompt === "string"
    ? [{ role: "user", content: row.prompt }]
    : (field(row, "prompt", "array") as ChatMessage[]);

function readResponse(row: Row, name: string): string {
  const value = row[name];
  const last = Array.isArray(value) ? (value.at(-1) as ChatMessage | undefined)?.content : value;
  if (typeof last === "string") return last;
  throw new Error(`${placeOf(row)}: ${name} is no text. Expected one, or messages that end with it.`);
}
