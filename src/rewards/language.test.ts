import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAnswer } from "./answer.ts";
import { consistencyLanguages, gradeLanguage, languageOf, languageReward } from "./language.ts";

const thoughts = {
  en: "First I need to find how many apples are left. She had twelve and gave five away, so seven remain. Let me check that again.",
  zh: "首先我需要计算剩下多少个苹果。她原来有十二个，送出去五个，所以还剩下七个。让我再检查一遍这个结果是否正确。",
  ja: "まず、りんごがいくつ残っているかを計算する必要があります。最初に十二個あって五個をあげたので、残りは七個です。もう一度確認しましょう。",
  ko: "먼저 사과가 몇 개 남았는지 계산해야 합니다. 처음에 열두 개가 있었고 다섯 개를 주었으므로 일곱 개가 남습니다. 다시 확인해 보겠습니다.",
  ru: "Сначала нужно найти, сколько яблок осталось. У неё было двенадцать, пять она отдала, значит осталось семь. Проверим ещё раз этот ответ.",
  ar: "أولاً أحتاج إلى معرفة عدد التفاحات المتبقية. كان لديها اثنتا عشرة تفاحة وأعطت خمساً منها، إذن بقيت سبع تفاحات. دعني أتحقق مرة أخرى.",
  hi: "पहले मुझे यह पता करना है कि कितने सेब बचे हैं। उसके पास बारह सेब थे और उसने पाँच दे दिए, इसलिए सात सेब बचे हैं। मैं फिर से जाँच करता हूँ।",
  fr: "D'abord je dois trouver combien de pommes il reste. Elle en avait douze et elle en a donné cinq, donc il en reste sept. Vérifions encore une fois.",
  de: "Zuerst muss ich herausfinden, wie viele Äpfel übrig sind. Sie hatte zwölf und hat fünf verschenkt, also bleiben sieben. Ich prüfe das noch einmal.",
  es: "Primero necesito saber cuántas manzanas quedan. Ella tenía doce y regaló cinco, así que quedan siete. Voy a comprobarlo una vez más.",
};

const share = (text: string, target: string) => gradeLanguage(text, target).reward ?? Number.NaN;

describe("gradeLanguage", () => {
  test.each(Object.entries(thoughts))("a thought in %s is all in its language and in no other", (language, thought) => {
    for (const target of consistencyLanguages) {
      if (target === language) expect([target, share(thought, target)]).toEqual([target, 1]);
      else expect(share(thought, target), `${language} taken for ${target}`).toBeLessThan(0.2);
    }
    expect(languageOf(thought)).toBe(language);
  });

  test("half a thought in another language costs about half, in the same script or another", () => {
    for (const other of ["zh", "de", "ru"] as const) {
      const mixed = share(`${thoughts.en} ${thoughts[other]}`, "en");
      expect(mixed, other).toBeGreaterThan(0.3);
      expect(mixed, other).toBeLessThan(0.7);
    }
  });

  test("single foreign words inside a sentence count, each once", () => {
    const { detail } = gradeLanguage("So we take the 结果 and add the other number to it 然后 we stop here", "en");
    expect(detail).toEqual({ words: 16, inTarget: 14 });
  });

  test("code, formulas, numbers, identifiers and single letters count neither way", () => {
    const noise =
      "```python\nfor each in range(10): print('bonjour le monde')\n``` 12 $\\text{donc } x = 3$ `voici` maxValue foo_bar x y \\(a+b\\) sin";
    expect(gradeLanguage(`${thoughts.zh} ${noise}`, "zh").detail).toEqual(gradeLanguage(thoughts.zh, "zh").detail);
  });

  test("saying nothing, or next to nothing, earns nothing and is told apart", () => {
    for (const text of ["", "Seven it is.", "1 + 2 = 3 $\\text{one two three four five six seven eight nine}$"]) {
      expect(gradeLanguage(text, "en")).toMatchObject({ verdict: "noAnswer", reward: 0 });
    }
  });

  test("an unknown target is a bad gold", () => {
    expect(gradeLanguage(thoughts.en, "tlh")).toMatchObject({ verdict: "badGold", reward: null });
  });

  test("no text makes it throw, and the reward is a share", () => {
    const word = fc.constantFrom(
      ...Object.values(thoughts).flatMap((text) => text.split(/\s+/)),
      "```",
      "$",
      "\\(",
      "\0",
      "\u202e",
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(word, fc.string({ unit: "binary" })), { maxLength: 60 }),
        fc.constantFrom(...consistencyLanguages),
        (words, target) => {
          const { reward } = gradeLanguage(words.join(" "), target);
          expect(reward).toBeGreaterThanOrEqual(0);
          expect(reward).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each(["a", "$", "`", "\\(", "字", "\0", "<a", "a@a."])(
    "ten megabytes of %j have their grade in bounded time",
    { timeout: 300_000 },
    (piece) => {
      const start = process.cpuUsage().user;
      gradeLanguage(piece.repeat(10_000_000 / piece.length), "en");
      expect(process.cpuUsage().user - start).toBeLessThan(20e6);
    },
  );
});

test("a word that two languages share is no more one than the other for being repeated", () => {
  expect(gradeLanguage("no 9, no 6, no 7, no, no, no, then 3 * 7 = 21 yes, so yes", "en", 1).reward).toBe(1);
  expect(gradeLanguage("no no 9, no 6, give up", "en", 1).reward).toBe(1);
  expect(gradeLanguage("non, 9, non, 6, non, je ne sais pas encore, non, oui", "en", 1).reward).toBe(0);
});

describe("languageReward", () => {
  const reward = languageReward<{ question: string; language?: string }>({
    prompt: (row) => row.question,
    target: (row) => row.language,
  });
  const answer = parseAnswer(`<think>${thoughts.fr}</think> The answer is seven.`);

  test("the target is the prompt's language unless the row says otherwise, and only the thought is read", () => {
    expect(reward(answer, { question: "Combien de pommes reste-t-il dans le panier ?" }).reward).toBe(1);
    expect(reward(answer, { question: "How many apples are left in the basket?" }).reward).toBe(0);
    expect(reward(answer, { question: "How many apples are left in the basket?", language: "fr" }).reward).toBe(1);
  });
});

describe("a thought that says next to nothing in its language", () => {
  test.each([
    ["one word again and again", "the ".repeat(200)],
    [
      "eight words beside a thought in a code block",
      `First I will solve this in eight words.\n\`\`\`\n${thoughts.zh.repeat(9)}\n\`\`\``,
    ],
    [
      "eight words beside a thought in formulas",
      `First I will solve this in eight words. ${`$${thoughts.zh}$ `.repeat(9)}`,
    ],
  ])("earns nothing: %s", (_, text) => {
    expect(gradeLanguage(text, "en")).toMatchObject({ verdict: "noAnswer", reward: 0 });
  });

  test("is not one with prose and as much code again", () => {
    expect(gradeLanguage(`${thoughts.en}\n\`\`\`\n${"total = apples - given\n".repeat(6)}\`\`\``, "en").reward).toBe(1);
  });
});
