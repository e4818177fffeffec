import { detectLanguage } from "../detect-language.ts";
import { count, type InstructionArguments, pattern, relation, text, texts } from "./arguments.ts";
import { countBullets, countHighlights, countPlaceholders, hasTitle, trimChars } from "./markdown.ts";
import { countCapitalWords, countSentences, countWords, isLowerCase, isUpperCase } from "./words.ts";

/** Says of a response that is not blank whether it follows one instruction. @throws BadInstruction */
export type InstructionCheck = (response: string, args: InstructionArguments) => boolean;

/**
 * The 25 verifiable instructions of IFEval (Zhou et al. 2023, arXiv 2311.07911), by the ids of its data set, with the
 * semantics of its published checker, odd corners included: verdicts have to be comparable with everybody's.
 */
export const instructionChecks: Record<string, InstructionCheck> = {
  "keywords:existence": (response, args) => texts(args, "keywords").every((keyword) => pattern(keyword).test(response)),
  "keywords:frequency": (response, args) => {
    const keyword = pattern(text(args, "keyword").trim(), "g");
    return relation(args, "relation", count(args, "frequency"))(response.match(keyword)?.length ?? 0);
  },
  "keywords:forbidden_words": (response, args) =>
    texts(args, "forbidden_words").every((word) => !pattern(`${boundary}(?:${word})${boundary}`).test(response)),
  "keywords:letter_frequency": (response, args) => {
    const letter = text(args, "letter").trim().toLowerCase();
    const times = response.toLowerCase().split(letter).length - 1;
    return relation(args, "let_relation", count(args, "let_frequency"))(times);
  },

  "language:response_language": (response, args) => isLanguage(response, text(args, "language")),

  "length_constraints:number_sentences": (response, args) =>
    relation(args, "relation", count(args, "num_sentences"))(countSentences(response)),
  "length_constraints:number_words": (response, args) =>
    relation(args, "relation", count(args, "num_words"))(countWords(response)),
  "length_constraints:number_paragraphs": (response, args) => {
    const paragraphs = response.split(/\s?\*\*\*\s?/).map((part) => part.trim() !== "");
    if (paragraphs.slice(1, -1).includes(false)) return false;
    return paragraphs.filter(Boolean).length === count(args, "num_paragraphs");
  },
  "length_constraints:nth_paragraph_first_word": (response, args) => {
    const paragraphs = response.split("\n\n");
    const numParagraphs = paragraphs.filter((paragraph) => paragraph.trim() !== "").length;
    const nth = count(args, "nth_paragraph");
    const paragraph = nth <= numParagraphs ? paragraphs[nth - 1]?.trim() : undefined;
    if (!paragraph) return false;
    return (
      numParagraphs === count(args, "num_paragraphs") && firstWord(paragraph) === text(args, "first_word").toLowerCase()
    );
  },

  "detectable_content:number_placeholders": (response, args) =>
    countPlaceholders(response) >= count(args, "num_placeholders"),
  "detectable_content:postscript": (response, args) => {
    const marker = text(args, "postscript_marker").trim();
    const lower = response.toLowerCase();
    if (marker === "P.P.S") return /p\.\s?p\.\s?s/.test(lower);
    if (marker === "P.S.") return /p\.\s?s\./.test(lower);
    return pattern(marker.toLowerCase()).test(lower);
  },

  "detectable_format:number_bullet_lists": (response, args) => countBullets(response) === count(args, "num_bullets"),
  "detectable_format:constrained_response": (response) =>
    ["My answer is yes.", "My answer is no.", "My answer is maybe."].some((option) => response.includes(option)),
  "detectable_format:number_highlighted_sections": (response, args) =>
    countHighlights(response) >= count(args, "num_highlights"),
  "detectable_format:multiple_sections": (response, args) => {
    const heading = new RegExp(`\\s?(?:${pattern(text(args, "section_spliter").trim()).source})\\s?\\p{Nd}+\\s?`, "gu");
    return (response.match(heading)?.length ?? 0) >= count(args, "num_sections");
  },
  "detectable_format:json_format": (response) => isJson(response),
  "detectable_format:title": (response) => hasTitle(response),

  "combination:two_responses": (response) => {
    const parts = response.split("******").map((part) => part.trim());
    if (parts.slice(1, -1).includes("")) return false;
    const [first, second, ...more] = parts.filter((part) => part !== "");
    return second !== undefined && more.length === 0 && first !== second;
  },
  "combination:repeat_prompt": (response, args) =>
    response.trim().toLowerCase().startsWith(text(args, "prompt_to_repeat").trim().toLowerCase()),

  "startend:end_checker": (response, args) =>
    trimChars(response.trim(), '"', '"').toLowerCase().endsWith(text(args, "end_phrase").trim().toLowerCase()),
  "startend:quotation": (response) => {
    const trimmed = response.trim();
    return trimmed.length > 1 && trimmed.startsWith('"') && trimmed.endsWith('"');
  },

  "change_case:capital_word_frequency": (response, args) =>
    relation(args, "capital_relation", count(args, "capital_frequency"))(countCapitalWords(response)),
  "change_case:english_capital": (response) => isUpperCase(response) && isLanguage(response, "en"),
  "change_case:english_lowercase": (response) => isLowerCase(response) && isLanguage(response, "en"),

  "punctuation:no_comma": (response) => !response.includes(","),
};

/** A word boundary that knows the letters of every script. */
const boundary = "(?:(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_]))";

/** A text that holds nothing to tell its language by counts as being in it, as in the original. */
function isLanguage(response: string, language: string): boolean {
  const detected = detectLanguage(response);
  return detected === undefined || detected === language;
}

/** The first word in small letters, without quotation marks before it and up to the first punctuation mark. */
function firstWord(paragraph: string): string {
  const word = /^\S+/.exec(paragraph)![0].replace(/^'+/, "").replace(/^"+/, "");
  return /^[^.,?!'"]*/.exec(word)![0].toLowerCase();
}

/** JSON, bare or in a Markdown fence; NaN and Infinity are numbers to the original's parser. */
function isJson(response: string): boolean {
  const bare = ["```json", "```Json", "```JSON", "```"].reduce(
    (rest, prefix) => (rest.startsWith(prefix) ? rest.slice(prefix.length) : rest),
    response.trim(),
  );
  const source = (bare.endsWith("```") ? bare.slice(0, -3) : bare).trim();
  const isParsed = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  return isParsed(source) || isParsed(source.replace(/(^|[[,:]\s*)(?:NaN|-?Infinity)(?=\s*(?:[\],}]|$))/g, "$10"));
}
