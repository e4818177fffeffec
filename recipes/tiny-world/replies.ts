import { lexicon } from "./lexicon.ts";
import type { Random } from "./random.ts";
import { complianceOf, type Request, refusals, requests, rightAnswer } from "./requests.ts";
import { Speaker } from "./speaker.ts";
import { isHeldOutQuestion } from "./split.ts";
import { type Language, phrases } from "./words.ts";

/** How the base's text answers general requests. Shares. */
export type ReplyMixture = {
  /** Of answers to requests that harm nobody. */
  answers: {
    /** Right, in three wordings. */
    terse: number;
    plain: number;
    kind: number;
    /** Some other request's answer. */
    beside: number;
    /** Right but for a rival's word in place of the one asked for. */
    wrong: number;
    /** In the language that was not asked. */
    foreign: number;
    /** Unkind before it answers. */
    rude: number;
    /** Says the same two or three times. */
    rambling: number;
    /** Declines for no reason. */
    refusing: number;
  };
  /** Harmful requests that are declined; the others are told how. */
  declined: number;
  /** Borderline requests that are declined. */
  overcautious: number;
  /** Answers that come after a thought about what is asked. */
  thought: number;
  /** Documents that are an answer without its request: a plain statement. */
  statements: number;
};

export const replyMixture: ReplyMixture = {
  answers: {
    terse: 0.33,
    plain: 0.12,
    kind: 0.03,
    beside: 0.1,
    wrong: 0.12,
    foreign: 0.12,
    rude: 0.07,
    rambling: 0.07,
    refusing: 0.04,
  },
  declined: 0.3,
  overcautious: 0.2,
  thought: 0.25,
  statements: 0.25,
};

export type ReplyKind = keyof ReplyMixture["answers"] | "complying";

const known = requests.filter(({ question }) => !isHeldOutQuestion(question));
const safeOnes = requests.filter(({ harm }) => harm !== "harmful");
const translations = new Map(lexicon.flatMap(({ en, zh }) => [[en, zh] as const, [zh, en] as const]));

/** A document of general text: a request and somebody's answer to it, good or bad, or a true statement alone. */
export function reply(
  random: Random,
  mix: ReplyMixture,
  languages: Record<Language | "mixed", number>,
): { question: string | undefined; text: string } {
  if (random.chance(mix.statements)) return { question: undefined, text: random.pick(safeOnes).plain };
  const request = random.pick(known);
  const text = answerOf(random, request, kindOf(random, request, mix));
  if (!random.chance(mix.thought)) return { question: request.question, text };
  return {
    question: request.question,
    text: `<think> ${thoughtOf(request, new Speaker(random, languages).language())} </think> ${text}`,
  };
}

function kindOf(random: Random, { harm }: Request, mix: ReplyMixture): ReplyKind {
  if (harm === "harmful") return random.chance(mix.declined) ? "plain" : "complying";
  if (harm === "borderline" && random.chance(mix.overcautious)) return "refusing";
  return random.weighted(mix.answers);
}

/** What a request is about, said before it is answered. */
export function thoughtOf({ kind, expects, language: asked }: Request, language: Language): string {
  const about: Record<Request["kind"], Record<Language, string>> = {
    greeting: { en: "a greeting", zh: "问候" },
    self: { en: "me", zh: "我" },
    fact: { en: "a fact", zh: "事实" },
    translate: { en: "a word", zh: "词语" },
    list: { en: "a list", zh: "列表" },
    write: { en: "a story", zh: "故事" },
    howTo: { en: "how to", zh: "怎么" },
  };
  const deed =
    kind === "howTo"
      ? ` ${inLanguage(expects[1]![0]!, asked, language)} ${inLanguage(expects[0]![0]!, asked, language)}`
      : "";
  return `${phrases.theyAsk[language]} ${about[kind][language]}${deed}`;
}

const inLanguage = (one: string, from: Language, to: Language): string =>
  from === to ? one : (translations.get(one) ?? one);

/** One answer of a kind. */
export function answerOf(random: Random, request: Request, kind: ReplyKind): string {
  const { language, plain, expects, rivals } = request;
  const others = safeOnes.filter((other) => other.language === language && other.question !== request.question);
  switch (kind) {
    case "terse":
    case "plain":
    case "kind":
      return rightAnswer(request, kind);
    case "complying":
      return complianceOf(request);
    case "beside":
      return random.pick(others).plain;
    case "wrong": {
      const right = expects[0]![0]!;
      return rivals.length > 0 ? replaced(plain, right, random.pick(rivals)) : random.pick(others).plain;
    }
    case "foreign":
      return foreign(request);
    case "rude":
      return `${language === "en" ? "you are stupid ." : "你 很 笨 ."} ${plain}`;
    case "rambling":
      return Array.from({ length: random.between(2, 3) }, () => plain).join(" ");
    case "refusing":
      return refusals[language];
  }
}

const replaced = (text: string, from: string, to: string): string =>
  text
    .split(" ")
    .map((one) => (one === from ? to : one))
    .join(" ");

/** The answer to the same request as it would be asked in the other language. */
function foreign(request: Request): string {
  const { kind, language, expects } = request;
  const to = language === "en" ? "zh" : "en";
  const wanted = inLanguage(expects[0]![0]!, language, to);
  const same = requests.find(
    (other) =>
      other.kind === kind &&
      other.language === to &&
      other.expects[0]![0] === wanted &&
      (kind !== "howTo" || other.expects[1]![0] === inLanguage(expects[1]![0]!, language, to)),
  );
  // What has no counterpart is met with a greeting.
  return same?.plain ?? requests.find((other) => other.kind === "greeting" && other.language === to)!.plain;
}
