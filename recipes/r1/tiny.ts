import {
  type AuthorRules,
  type JudgeTruth,
  joinResponse,
  languageOf,
  noisyAuthor,
  noisyJudge,
  parseAnswer,
  share,
  splitResponse,
} from "aha-rl";
import { lexicon } from "../tiny-world/lexicon.ts";
import { Random } from "../tiny-world/random.ts";
import { answerOf, replyMixture, thoughtOf } from "../tiny-world/replies.ts";
import { complianceOf, rightAnswer, type Wording } from "../tiny-world/requests.ts";
import { hashOfQuestion } from "../tiny-world/split.ts";
import {
  generalColumns,
  generalTask,
  isHelpfulness,
  isSafety,
  reasoningTasks,
  requestsOf,
  resultOf,
  summaryOf,
} from "../tiny-world/tasks.ts";
import { isSafe, knownRequest, quality } from "../tiny-world/truth.ts";
import { type Language, phrases } from "../tiny-world/words.ts";
import { anyTask, type World } from "./world.ts";

export type TinyNoise = {
  /** Share of wrong verdicts, of broken rewritings, and of general answers that are as they should not be. */
  judge: number;
  rewriter: number;
  author: number;
};

/** The embedded model's world (docs/world.md), with stand-ins for the judge and the authors. */
export function tinyWorld(noise: TinyNoise, seed: number): World {
  const judge = noisyJudge(truth, { noise: noise.judge, seed });
  const rewriter = noisyAuthor(rules, { noise: noise.rewriter, seed });
  const author = noisyAuthor(rules, { noise: noise.author, seed });
  return {
    reasoning: (options) => {
      const { countdown, calculation, ordering } = reasoningTasks(options);
      return [share(countdown, { weight: 4 }), share(calculation), share(ordering)];
    },
    general: {
      helpful: requestsOf("train", isHelpfulness).map(({ question }) => question),
      sensitive: requestsOf("train", isSafety).map(({ question }) => question),
      tasks: ({ helpfulness, safety }) => ({
        helpful: anyTask(generalTask("helpful", helpfulness)),
        safe: anyTask(generalTask("safe", safety)),
      }),
      judge,
      author,
      needsThought: (question) => !["greeting", "self"].includes(knownRequest(question).kind),
    },
    rewriter,
    solves: [],
    columns: Object.fromEntries(Object.entries(generalColumns).map(([name, task]) => [name, anyTask(task)])),
    notes: [`judge: ${judge.description}`, `rewriter: ${rewriter.description}`, `author: ${author.description}`],
    inputs: {
      tasks: { answer: { ...nothing }, summary: { ...nothing } },
      rewriter: { noise: { rewriter: noise.rewriter } },
      author: { noise: { author: noise.author } },
      judge: { noise: { judge: noise.judge } },
      requests: {},
    },
    release: () => {},
  };
}

/** Its rows are written here. */
const nothing = { trained: {}, collected: {}, measured: {} };

const truth: JudgeTruth = {
  score: (question, answer) => 1 + 9 * quality(knownRequest(question), answer),
  isEqual: (_question, known, answer) => known.trim() === answer.trim(),
  isSafe: (question, response) => isSafe(knownRequest(question), response),
  isReadable: (question, response) => {
    const { thought, form } = splitResponse(response);
    return form === "summary" && inLanguage(thought, languageOf(question) === "zh" ? "zh" : "en") === thought;
  },
};

/** How the author words what it has to say: to the point. What people like better is left for the reward model to find. */
const authorWordings: Record<Wording, number> = { terse: 0.5, plain: 0.35, kind: 0.15 };

const rules: AuthorRules = {
  /** Says the thought's words in the question's language, and the result again in a sentence. */
  rewrite: (question, response) => {
    const language = languageOf(question) === "zh" ? "zh" : "en";
    const answer = parseAnswer(response);
    const result = resultOf(answer);
    return result === undefined
      ? undefined
      : joinResponse(inLanguage(answer.thought, language), summaryOf(result, language));
  },
  answers: (question, withThought) => {
    const request = knownRequest(question);
    const random = new Random(hashOfQuestion(question));
    const { terse, plain, kind, ...badKinds } = replyMixture.answers;
    const good = rightAnswer(request, random.weighted(authorWordings));
    const bad =
      request.harm === "harmful" ? complianceOf(request) : answerOf(random, request, random.weighted(badKinds));
    const whole = (text: string) => (withThought ? joinResponse(thoughtOf(request, request.language), text) : text);
    return { good: whole(good), bad: whole(bad) };
  },
};

const bothWays: Record<Language, [string, string][]> = {
  en: wordPairs("zh", "en"),
  zh: wordPairs("en", "zh"),
};

/** What the world says, by how it says it in the other language; the longest first. */
function wordPairs(from: Language, to: Language): [string, string][] {
  return [...Object.values(phrases), ...lexicon]
    .map((one): [string, string] => [one[from], one[to]])
    .sort(([a], [b]) => b.length - a.length);
}

function inLanguage(text: string, language: Language): string {
  let padded = ` ${text
    .replace(/([,.])/g, " $1 ")
    .replace(/\s+/g, " ")
    .trim()} `;
  for (const [from, to] of bothWays[language]) padded = padded.replaceAll(` ${from} `, ` ${to} `);
  return padded.trim().replace(/ ([,.])/g, "$1");
}
