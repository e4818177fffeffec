import type { Random } from "./random.ts";
import { type Language, type Phrase, phrases } from "./words.ts";

/** Somebody who speaks English, Chinese, or both in one breath. */
export class Speaker {
  readonly #random: Random;
  readonly #language: Language | "mixed";

  constructor(random: Random, languages: Record<Language | "mixed", number>) {
    this.#random = random;
    this.#language = random.weighted(languages);
  }

  say(phrase: Phrase): string {
    return phrases[phrase][this.language()];
  }

  /** The language of the next word. */
  language(): Language {
    return this.#language === "mixed" ? this.#random.pick(["en", "zh"] as const) : this.#language;
  }
}
