import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradeIfeval } from "./grade.ts";
import { instructionChecks } from "./instructions.ts";

const follows = (id: string, args: Record<string, unknown>, response: string) => instructionChecks[id]!(response, args);

describe("instructions", () => {
  test.each([
    ["keywords:existence", { keywords: ["Sun"] }, "sunny", "moon"],
    ["keywords:frequency", { keyword: "a", frequency: 2, relation: "at least" }, "A a", "A"],
    ["keywords:forbidden_words", { forbidden_words: ["cat"] }, "category", "a Cat!"],
    ["keywords:forbidden_words", { forbidden_words: ["бог"] }, "богатый", "это Бог."],
    ["keywords:letter_frequency", { letter: "Z", let_frequency: 2, let_relation: "less than" }, "z", "zZ"],
    ["language:response_language", { language: "de" }, "Das ist ein ganz gewöhnlicher Satz.", "An ordinary sentence."],
    [
      "length_constraints:number_sentences",
      { num_sentences: 2, relation: "less than" },
      "Mr. Hall slept.",
      "He slept. I ran.",
    ],
    ["length_constraints:number_words", { num_words: 3, relation: "at least" }, "don't go", "do go"],
    ["length_constraints:number_paragraphs", { num_paragraphs: 2 }, "a\n***\nb\n***", "a\n***\n***\nb"],
    [
      "length_constraints:nth_paragraph_first_word",
      { num_paragraphs: 2, nth_paragraph: 2, first_word: "Then" },
      'x\n\n"Then, we',
      "x\n\nwe then",
    ],
    ["detectable_content:number_placeholders", { num_placeholders: 2 }, "[a] [b]", "[a\n] [b]"],
    ["detectable_content:postscript", { postscript_marker: "P.S." }, "Bye.\nP. S. more", "PS more"],
    ["detectable_content:postscript", { postscript_marker: "P.P.S" }, "p.p.s x", "p.s. x"],
    ["detectable_format:number_bullet_lists", { num_bullets: 2 }, "* a\n  - b", "** a\n- b"],
    ["detectable_format:constrained_response", {}, "I say: My answer is no.", "no"],
    ["detectable_format:number_highlighted_sections", { num_highlights: 2 }, "*a* **b**", "*a* **\n*"],
    [
      "detectable_format:multiple_sections",
      { section_spliter: "Section", num_sections: 2 },
      "Section 1 x Section 2 y",
      "Section one",
    ],
    ["detectable_format:json_format", {}, '```json\n{"a": NaN}\n```', '{"a": }'],
    ["detectable_format:title", {}, "<<a>>", "<<>>"],
    ["combination:two_responses", {}, "a\n******\nb", "a\n******\na"],
    ["combination:repeat_prompt", { prompt_to_repeat: "Say hi" }, "  say HI then hi", "hi"],
    ["startend:end_checker", { end_phrase: "The end." }, 'x the end."', "The end. x"],
    ["startend:quotation", {}, ' "x" ', '"'],
    ["change_case:capital_word_frequency", { capital_frequency: 2, capital_relation: "at least" }, "DON'T", "DO not"],
    ["change_case:english_capital", {}, "THIS IS THE WAY THAT THEY WANT TO HAVE IT", "This is the way"],
    [
      "change_case:english_lowercase",
      {},
      "this is the way that they want to have it",
      "so ist das aber gar nicht gemeint gewesen",
    ],
    ["punctuation:no_comma", {}, "a b", "a, b"],
  ])("%s %j accepts %j and refuses %j", (id, args, good, bad) => {
    expect([follows(id, args, good), follows(id, args, bad)]).toEqual([true, false]);
  });
});

describe("gradeIfeval", () => {
  const noComma = { ids: ["punctuation:no_comma"], args: [null] };

  test("a blank response follows nothing", () => {
    expect(gradeIfeval(noComma, " \n")).toEqual({
      verdict: "noAnswer",
      reward: 0,
      detail: { strict: [false], loose: [false] },
    });
  });

  test("the loose reading forgives a first line, a last line and stars, the strict one does not", () => {
    const ends = { ids: ["startend:end_checker"], args: [{ end_phrase: "Bye." }] };
    expect(gradeIfeval(ends, "Bye.\nHope this helps!").detail).toEqual({ strict: [false], loose: [true] });
    expect(gradeIfeval(ends, "**Bye.**").detail).toEqual({ strict: [false], loose: [true] });
    expect(gradeIfeval(ends, "**Bye.**", { reading: "loose" }).reward).toBe(1);
  });

  test("credit by share pays half for one of two, credit for all pays nothing", () => {
    const two = { ids: ["punctuation:no_comma", "startend:quotation"], args: [{}, {}] };
    expect(gradeIfeval(two, "a").reward).toBe(0);
    expect(gradeIfeval(two, "a", { credit: "share" }).reward).toBe(0.5);
  });

  test.each([
    [{ ids: ["no:such"], args: [{}] }, /no instruction "no:such"/],
    [{ ids: ["keywords:existence"], args: [{ keywords: null }] }, /keywords is null/],
    [{ ids: ["length_constraints:number_words"], args: [{ num_words: 5, relation: "about" }] }, /relation is "about"/],
    [{ ids: [], args: [] }, /0 instructions/],
  ])("%j is a bad gold, whatever the answer", (instructions, reason) => {
    for (const response of ["x", ""]) {
      const grade = gradeIfeval(instructions, response);
      expect([grade.verdict, grade.reward]).toEqual(["badGold", null]);
      expect(grade.detail?.error).toMatch(reason);
    }
  });

  const everyInstruction = {
    ids: Object.keys(instructionChecks),
    args: Object.keys(instructionChecks).map(() => ({
      ...{
        keywords: ["a(", "b"],
        keyword: "[",
        frequency: 1,
        relation: "at least",
        forbidden_words: ["x"],
        letter: "a",
      },
      ...{
        let_frequency: 2,
        let_relation: "less than",
        language: "en",
        num_sentences: 2,
        num_words: 9,
        num_paragraphs: 2,
      },
      ...{ nth_paragraph: 1, first_word: "A", num_placeholders: 1, postscript_marker: "P.S.", num_bullets: 1 },
      ...{ num_highlights: 1, section_spliter: "Section", num_sections: 1, prompt_to_repeat: "a", end_phrase: "b" },
      ...{ capital_frequency: 1, capital_relation: "at least" },
    })),
  };

  test("no response makes any instruction throw", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "*",
        "**",
        "***",
        "******",
        "[",
        "]",
        "<<",
        ">>",
        "\n",
        "\n\n",
        "- ",
        "```",
        '"',
        "P.S.",
        "Dr. ",
        "\0",
        "מ",
        "\ud800",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { detail } = gradeIfeval(everyInstruction, pieces.join(""));
        expect(detail?.strict).toHaveLength(everyInstruction.ids.length);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["[", 10_000_000],
    ["\n", 10_000_000],
    ["<<", 5_000_000],
    ["a. ", 3_000_000],
    ["字", 10_000_000],
    ["שלום ", 2_000_000],
    [`a${"\n".repeat(300_000)}`, 10],
    [`[NaN${" ".repeat(300_000)}`, 10],
  ])("ten megabytes of %j have their verdict in bounded time", { timeout: 300_000 }, (piece, times) => {
    const start = process.cpuUsage().user;
    expect(gradeIfeval(everyInstruction, piece.repeat(times)).reward).toBe(0);
    expect(process.cpuUsage().user - start).toBeLessThan(60e6);
  });

  const recorded = "../shared/data/instruction/ifeval-verdicts.jsonl.gz";
  test("agrees with at least 99% of the recorded verdicts", (context) => {
    context.skip(!existsSync(recorded), `no ${recorded}`);
    let [all, same] = [0, 0];
    for (const line of gunzipSync(readFileSync(recorded)).toString().trim().split("\n")) {
      const row = JSON.parse(line);
      const { detail } = gradeIfeval({ ids: row.instruction_id_list, args: row.kwargs }, row.response);
      for (const reading of ["strict", "loose"]) {
        for (const [i, theirs] of row[reading].entries()) {
          all++;
          same += Number((detail as Record<string, boolean[]>)[reading]?.[i] === theirs);
        }
      }
    }
    expect(all).toBeGreaterThan(1000);
    expect(same / all).toBeGreaterThanOrEqual(0.99);
  });
});
