import { describe, expect, it } from "vitest";
import { ngramIndex } from "#data";
import { parseAnswer } from "#rewards";
import {
  type Candidate,
  describeFilter,
  type Filter,
  filterRows,
  generalFilters,
  hasLength,
  hasNoCode,
  hasNoRepetition,
  hasShortParagraphs,
  hasSummary,
  hasThought,
  inOneLanguage,
  isClean,
  isCorrect,
  isFinished,
  readableFilters,
  restatesResult,
  selectRows,
} from "./filters.ts";
import { type Provenance, refuseGenerated } from "./provenance.ts";

const thought = "First I add three and four, which gives seven. Then I check it by counting on my fingers.";
const good: Candidate = {
  question: "How much is three plus four?",
  answer: parseAnswer(`<think>\n${thought}\n</think>\n\nThree plus four is \\boxed{7}.`),
  verdict: "correct",
  result: "7",
};
const withText = (text: string): Candidate => ({ ...good, answer: parseAnswer(text) });

describe("each filter keeps a readable row and drops what it is for", () => {
  it.each<[Filter, Candidate]>([
    [isCorrect, { ...good, verdict: "wrong" }],
    [isCorrect, { ...good, verdict: "verifierError" }],
    [isCorrect, { ...good, verdict: undefined }],
    [isFinished, { ...good, answer: { ...good.answer, finishReason: "length" } }],
    [hasSummary, withText(`<think>${thought}</think>`)],
    [hasSummary, withText(`<think>${thought}`)],
    [hasThought, withText("It is 7.")],
    [hasThought, withText(`<think>${thought}</think></think> 7`)],
    [restatesResult, withText(`<think>${thought} So 7.</think>I have found the answer.`)],
    [restatesResult, withText(`<think>${thought}</think>It is 17.`)],
    [restatesResult, withText(`<think>${thought}</think>It is 7.5.`)],
    [inOneLanguage(), withText(`<think>${thought} 然后我再检查一遍这个答案是否正确。</think>It is 7.`)],
    [inOneLanguage(), withText(`<think>${thought}</think>三加四等于七，这就是我们的答案。`)],
    [hasShortParagraphs({ maxChars: 80 }), good],
    [hasNoCode, withText(`<think>${thought}\n  \`\`\`py\n3 + 4\n\`\`\`\n</think>It is 7.`)],
    [hasNoRepetition({ n: 3, share: 0.2 }), withText(`<think>${"I add three and four. ".repeat(9)}</think>It is 7.`)],
    [hasLength({ max: 10 }), good],
    [hasLength({ min: 1000, max: 2000 }), good],
    [isClean(ngramIndex(["then I CHECK it, by counting!"], 5)), good],
    [isClean(ngramIndex(["How much is three plus four"], 5)), good],
  ])("%o", (filter, bad) => {
    const loose: Record<string, Filter> = {
      paragraphs: hasShortParagraphs(),
      length: hasLength({ max: 1000 }),
      contaminated: isClean(ngramIndex(["something else that nobody said here"], 5)),
    };
    expect((loose[filter.name] ?? filter).keeps(good)).toBe(true);
    expect(filter.keeps(bad)).toBe(false);
  });

  it("and all of them together keep the readable row", () => {
    expect(filterRows([good], readableFilters)).toEqual({ kept: [good], dropped: {} });
  });
});

describe("what is no reason to drop a row", () => {
  it("a translation is in another language than its question; a thought in another one is a reason", () => {
    const asked = { ...good, question: "How do you say good morning, my friend, in Chinese?" };
    const inThought = "They ask for a greeting in the morning, said to a friend, so I give the common one.";
    const answered = (text: string) => ({ ...asked, answer: parseAnswer(text) });
    for (const text of ["早上好，我的朋友。", `<think>${inThought}</think>早上好，我的朋友。`])
      expect(filterRows([answered(text)], generalFilters).dropped).toEqual({});
    const foreign = answered("<think>他们想知道怎么用中文说早上好，所以我给出最常用的说法。</think>早上好，我的朋友。");
    expect(filterRows([foreign], generalFilters).dropped).toEqual({ oneLanguage: 1 });
  });

  it("formulas alone are in no other language", () => {
    expect(inOneLanguage().keeps(withText("<think>3 + 4 = 7 so 7</think> <answer> 7 </answer>"))).toBe(true);
    expect(inOneLanguage().keeps(withText("<think>3 + 4 = 7</think>7"))).toBe(true);
  });

  it("a question too short to tell its language from its letters", () => {
    for (const question of ["Find x.", "Define entropy.", "Determine f(2)", "Implement quicksort in Python"])
      expect(inOneLanguage().keeps({ ...good, question })).toBe(true);
  });

  it("code in the summary, where it was asked for, however much more of it there is than words", () => {
    const program = "def number_of_apples(bought, eaten):\n    return bought - eaten\n".repeat(20);
    const answered = withText(`<think>${thought}</think>\n\`\`\`py\n${program}\`\`\``);
    expect([hasNoCode.keeps(answered), inOneLanguage().keeps(answered)]).toEqual([true, true]);
  });

  it("a result said in other marks", () => {
    const said = { ...withText("<think>x</think>So \\boxed{ ( 3 + 4 ) * 2 }!"), result: "(3+4)*2" };
    expect(restatesResult.keeps(said)).toBe(true);
  });

  it("a question in Chinese that is answered in Chinese", () => {
    const chinese = {
      ...withText("<think>先把三和四加起来，得到七。</think>答案是七。"),
      question: "三加四等于多少？",
    };
    expect(inOneLanguage().keeps(chinese)).toBe(true);
  });
});

describe("filterRows and selectRows", () => {
  const rows = ["a 1", "b 2", "A  1 ", "c 3", "d 4"].map(withText);

  it("count a candidate for the first filter that drops it", () => {
    const odd: Filter = { name: "odd", keeps: ({ answer }) => !/[24]/.test(answer.text) };
    const early: Filter = { name: "early", keeps: ({ answer }) => !/[bc]/.test(answer.text) };
    const { kept, dropped } = filterRows(rows, [odd, early]);
    expect(kept).toEqual([rows[0], rows[2]]);
    expect(dropped).toEqual({ odd: 2, early: 1 });
  });

  it("keep the first of equal texts and at most so many, and lose none uncounted", () => {
    const { kept, dropped } = selectRows(rows, { filters: [], most: 3 });
    expect(kept).toEqual([rows[0], rows[1], rows[3]]);
    expect(dropped).toEqual({ duplicate: 1, overCap: 1 });
  });
});

it("a filter is described with its limits", () => {
  expect(describeFilter(hasNoRepetition({ n: 3, share: 0.1 }))).toBe("repetition (n 3, share 0.1)");
  expect(describeFilter(isCorrect)).toBe("correct");
});

describe("refuseGenerated", () => {
  const provenance: Provenance = {
    origin: "author",
    model: "m",
    promptId: "p",
    sample: 0,
    filters: [],
    numSampled: 1,
    dropped: {},
  };
  const fromPolicy: Provenance = { ...provenance, origin: "policy" };

  it("lets pass what models wrote, and what was made from it", () => {
    expect(() => refuseGenerated([{ provenance }, { provenance: { ...provenance, draft: fromPolicy } }])).not.toThrow();
  });

  it("refuses a generator's solution, also behind a rewriting", () => {
    const draft: Provenance = { ...provenance, origin: "generator", promptId: "q7" };
    expect(() => refuseGenerated([{ provenance }, { provenance: draft }])).toThrow(
      /row 1 \(prompt q7\) is a generator/,
    );
    expect(() => refuseGenerated([{ provenance: { ...provenance, draft } }], "x.jsonl")).toThrow(
      /x\.jsonl: row 0.*generator/,
    );
  });

  it("refuses a row that does not say where it comes from", () => {
    expect(() => refuseGenerated([{}])).toThrow(/row 0 has no provenance/);
    expect(() => refuseGenerated([{ provenance: { ...provenance, origin: "web" as "chat" } }])).toThrow(
      /no provenance/,
    );
  });
});
