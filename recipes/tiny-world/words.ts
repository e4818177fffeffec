/** The languages of the world. */
export type Language = "en" | "zh";

/** What a thought says between its sums, in each language. Words of a phrase are separated by spaces. */
export const phrases = {
  guess: { en: "i guess", zh: "我 猜" },
  no: { en: "no", zh: "不对" },
  yes: { en: "yes", zh: "对" },
  giveUp: { en: "give up", zh: "算了" },
  wait: { en: "wait", zh: "等等" },
  check: { en: "check", zh: "检查" },
  right: { en: "right", zh: "没错" },
  backTo: { en: "back to", zh: "回到" },
  anotherWay: { en: "another way", zh: "换个 思路" },
  so: { en: "so", zh: "所以" },
  theyAsk: { en: "they ask about", zh: "他们 问" },
  theAnswerIs: { en: "the answer is", zh: "答案 是" },
} as const satisfies Record<string, Record<Language, string>>;

export type Phrase = keyof typeof phrases;
