import type { CountdownProblem } from "aha-rl";
import { countdownDefaults, countdownProblems, countdownQuestion } from "aha-rl";
import { type Attempt, attemptsAt } from "./attempts.ts";
import { calculation, ordering, type Puzzle } from "./puzzles.ts";
import { Random } from "./random.ts";
import { type ReplyMixture, reply, replyMixture } from "./replies.ts";
import { Speaker } from "./speaker.ts";
import { isHeldOutQuestion } from "./split.ts";
import type { Language, Phrase } from "./words.ts";

/** Largest number of the world: each from 0 to here is one token. */
export const maxNumber = countdownDefaults.maxValue;

/** What the pretraining text is made of. Shares of Countdown's traces, unless it says otherwise. */
export type Mixture = {
  /** Shares of documents. */
  documents: {
    countdown: number;
    /** Sums and nothing else. */
    sums: number;
    calculation: number;
    ordering: number;
    /** General requests with answers, and answers alone. */
    replies: number;
  };
  /** How a trace goes. */
  kinds: {
    /** Answers at once, with some expression over the numbers. */
    direct: number;
    /** One to three attempts, then gives up on the last. */
    few: number;
    /** Many attempts, and then gives up all the same. */
    long: number;
  };
  /** Attempts of a long trace: from, to. */
  longAttempts: [number, number];
  /** How often a second step is the one that comes nearest to the target, not any. Share of attempts. */
  aim: number;
  /** Each of: re-checks a step, goes back to an earlier partial result, switches approach. Share of long traces that would. */
  reflection: { check: number; back: number; switch: number };
  /** How often somebody who has switched the approach once does so again before it is used up. Share of later attempts. */
  restless: number;
  /** Languages of the thought. */
  languages: { en: number; zh: number; mixed: number };
  /** Share of questions asked in Chinese. */
  chineseQuestions: number;
  /** Share of questions that come after one to three others of their kind, answered in the same conversation. */
  conversations: number;
  /** How a calculation or an ordering is thought through. Shares of their documents. */
  puzzles: {
    /** Some answer at once. */
    guess: number;
    /** The first line, and then a guess. */
    begin: number;
    /** Every line, and what follows from them. */
    work: number;
  };
  replies: ReplyMixture;
};

export const mixture: Mixture = {
  documents: { countdown: 0.53, sums: 0.17, calculation: 0.06, ordering: 0.06, replies: 0.18 },
  kinds: { direct: 0.75, few: 0.11, long: 0.14 },
  longAttempts: [5, 20],
  aim: 0.75,
  reflection: { check: 0.18, back: 0.18, switch: 0.2 },
  restless: 0.3,
  languages: { en: 0.6, zh: 0.25, mixed: 0.15 },
  chineseQuestions: 0.25,
  conversations: 0.06,
  puzzles: { guess: 0.7, begin: 0.15, work: 0.15 },
  replies: replyMixture,
};

export type Reflection = keyof Mixture["reflection"];

/** One document of the pretraining text. Words are separated by single spaces: one word, one token. */
export type Document = {
  /** What was asked and answered before, in the same conversation. */
  history: { question: string; text: string }[];
  /** What the user asks; undefined for plain text. */
  question: string | undefined;
  /** `<think> … </think> <answer> … </answer>`, or plain text. */
  text: string;
  topic: keyof Mixture["documents"];
  /** Of Countdown's traces: how it goes. */
  kind?: keyof Mixture["kinds"];
  isSolved: boolean;
  reflections: Reflection[];
};

/** A document without what came before it. */
type Told = Omit<Document, "history">;

/**
 * The pretraining text, document after document, without end. The same seed gives the same text.
 * It is made from training problems only: no document holds the numbers of a held-out problem as its question.
 */
export function* worldDocuments(seed: number, mix: Mixture = mixture): Generator<Document, never> {
  const random = new Random(seed);
  const problems = countdownProblems("train");
  const write: Record<keyof Mixture["documents"], () => Told> = {
    countdown: () => trace(random, random.pick(problems), mix),
    sums: () => sums(random),
    calculation: () => worked(random, "calculation", (language) => calculation(random, language, maxNumber), mix),
    ordering: () => worked(random, "ordering", (language) => ordering(random, language), mix),
    replies: () => ({
      topic: "replies",
      isSolved: false,
      reflections: [],
      ...reply(random, mix.replies, mix.languages),
    }),
  };
  for (;;) {
    const topic = random.weighted(mix.documents);
    const document = write[topic]();
    const before =
      isAsked(document) && random.chance(mix.conversations)
        ? Array.from({ length: random.between(1, 3) }, write[topic]).filter(isAsked)
        : [];
    yield { ...document, history: before.map(({ question, text }) => ({ question, text })) };
  }
}

const isAsked = (told: Told): told is Told & { question: string } => told.question !== undefined;

/** Sums and nothing else: a page of arithmetic. */
function sums(random: Random): Told {
  const facts = Array.from({ length: random.between(6, 16) }, () => {
    const { first, second } = random.pick(attemptsAt(threeNumbers(random), maxNumber));
    return random.chance(0.3) ? first : second;
  });
  return { question: undefined, text: facts.join(" , "), topic: "sums", isSolved: false, reflections: [] };
}

function threeNumbers(random: Random): number[] {
  return Array.from({ length: 3 }, () => random.between(1, countdownDefaults.maxNumber));
}

/** A worked trace of one problem, good or bad. */
function trace(random: Random, row: CountdownProblem, mix: Mixture): Told {
  const problem = { numbers: random.shuffled(row.numbers), target: row.target };
  const question = random.chance(mix.chineseQuestions) ? chineseQuestion(problem) : countdownQuestion(problem);
  const kind = random.weighted(mix.kinds);
  const thinker = new Thinker(random, problem, mix);
  const { expression, value } = thinker.tell(kind);
  const text = `<think> ${thinker.words.join(" ")} </think> <answer> ${expression} </answer>`;
  const isSolved = value === problem.target;
  return { question, text, topic: "countdown", kind, isSolved, reflections: thinker.reflections };
}

/** A puzzle of the training half with a thought that guesses, begins or works it out. */
function worked(
  random: Random,
  topic: "calculation" | "ordering",
  make: (language: Language) => Puzzle,
  mix: Mixture,
): Told {
  const questionLanguage = random.chance(mix.chineseQuestions) ? "zh" : "en";
  let puzzle = make(questionLanguage);
  while (isHeldOutQuestion(puzzle.question)) puzzle = make(questionLanguage);
  const { question, lines, answer, guesses } = puzzle;
  const speaker = new Speaker(random, mix.languages);
  const how = random.weighted(mix.puzzles);
  const shown = { guess: [], begin: lines.slice(0, 1), work: lines }[how];
  const said = how === "work" ? answer : random.pick(guesses);
  const words = [shown.join(" , "), speaker.say(how === "work" ? "so" : "guess"), ...(how === "work" ? [said] : [])];
  return {
    question,
    text: `<think> ${words.join(" ").trim()} </think> <answer> ${said} </answer>`,
    topic,
    isSolved: said === answer,
    reflections: [],
  };
}

/** Asks for a problem in Chinese. */
export function chineseQuestion({ numbers, target }: CountdownProblem): string {
  return `用 ${numbers.join(" , ")} 算出 ${target} .`;
}

/** Somebody who tries: holds what was tried and writes the thought down as it goes. */
class Thinker {
  readonly words: string[] = [];
  readonly reflections: Reflection[] = [];
  readonly #random: Random;
  readonly #target: number;
  readonly #mix: Mixture;
  readonly #speaker: Speaker;
  #planned: Reflection | "none" = "none";
  readonly #used = new Set<Attempt["op"]>();
  #untried: Attempt[];

  constructor(random: Random, { numbers, target }: CountdownProblem, mix: Mixture) {
    this.#random = random;
    this.#target = target;
    this.#mix = mix;
    this.#speaker = new Speaker(random, mix.languages);
    this.#untried = attemptsAt(numbers, maxNumber);
  }

  /** Writes a trace of the kind; returns what it answers. */
  tell(kind: keyof Mixture["kinds"]): Attempt {
    if (kind === "direct") {
      this.#say("guess");
      return this.#random.pick(this.#untried);
    }
    const [least, most] = kind === "few" ? [1, 3] : this.#mix.longAttempts;
    if (kind === "long") this.#planned = this.#random.weighted(this.#reflections());
    const limit = this.#random.between(least, most);
    const reflectAt = this.#random.between(1, Math.max(1, Math.min(limit, 8) - 1));
    let last = this.#begin();
    for (let count = 1; last.value !== this.#target; count++) {
      this.#say("no");
      const next = count < limit ? this.#goOn(last, count >= reflectAt) : undefined;
      if (next === undefined) {
        this.#say("giveUp");
        return last;
      }
      last = next;
    }
    this.#say("yes");
    return last;
  }

  #reflections(): Record<Reflection | "none", number> {
    const { check, back, switch: anotherWay } = this.#mix.reflection;
    return { ...this.#mix.reflection, none: 1 - check - back - anotherWay };
  }

  #begin(): Attempt {
    const op = this.#random.pick([...new Set(this.#untried.map((attempt) => attempt.op))]);
    return this.#write(this.#choose(this.#untried.filter((attempt) => attempt.op === op)));
  }

  /**
   * The next attempt: it opens with the operator of the last, unless the thought says that it takes another way. Whoever never
   * says so is at an end when the operator is used up: undefined.
   */
  #goOn(last: Attempt, isTime: boolean): Attempt | undefined {
    const isFirst = this.reflections.length === 0;
    const planned = isTime && isFirst ? this.#planned : "none";
    const same = this.#untried.filter(({ op }) => op === last.op);
    const other = this.#untried.filter(({ op }) => op !== last.op);
    if (this.#planned === "switch") {
      const wants = same.length === 0 || (isFirst ? isTime : this.#random.chance(this.#mix.restless));
      if (wants && other.length > 0) {
        this.#reflect("switch", "anotherWay");
        const fresh = other.filter(({ op }) => !this.#used.has(op));
        return this.#write(this.#choose(fresh.length > 0 ? fresh : other));
      }
    }
    if (planned === "back") {
      const again = this.#untried.filter(({ first }) => first === last.first);
      if (again.length > 0) {
        this.#reflect("back", "backTo", `${last.partial} ,`);
        return this.#write(this.#choose(again), { isBack: true });
      }
    }
    if (planned === "check") {
      this.#reflect("check", "check", this.#random.pick([last.first, last.second]));
      this.#say("right");
    }
    return same.length === 0 ? undefined : this.#write(this.#choose(same));
  }

  /** Any attempt, or, when aiming, any first step with the second that brings it nearest to the target. */
  #choose(from: Attempt[]): Attempt {
    const any = this.#random.pick(from);
    if (!this.#random.chance(this.#mix.aim)) return any;
    const miss = (attempt: Attempt): number => Math.abs(attempt.value - this.#target);
    return from.filter(({ first }) => first === any.first).reduce((a, b) => (miss(b) < miss(a) ? b : a));
  }

  #write(attempt: Attempt, { isBack = false } = {}): Attempt {
    this.#untried = this.#untried.filter((other) => other !== attempt);
    this.#used.add(attempt.op);
    this.words.push(isBack ? attempt.second : `${attempt.first} , ${attempt.second}`);
    return attempt;
  }

  #reflect(reflection: Reflection, phrase: Phrase, more?: string): void {
    this.reflections.push(reflection);
    this.#say("wait");
    this.#say(phrase);
    if (more) this.words.push(more);
  }

  #say(phrase: Phrase): void {
    this.words.push(this.#speaker.say(phrase));
  }
}
