import {
  chatAuthor,
  chatJudge,
  count,
  type Judge,
  judgeReward,
  type MathRow,
  oneOf,
  optional,
  paperNgram,
  type Reward,
  share,
  type TaskShare,
  UserError,
} from "aha-rl";
import { asked, askedModels, identityOf } from "./asked.ts";
import { kinds, type Requests, readExemplars, readRequests, requestTasks } from "./requests.ts";
import { countsOf, hashOf, named, readSources, type Sources, source, taskOver } from "./sources.ts";
import type { World } from "./world.ts";

/** R1 on rows of your own, with a judge and an author; what has to be set is said by an error. */
export const dataSettings = {
  gsm8k: source(),
  math: source(),
  code: source(),
  choice: source(),
  /**
   * Questions with answers of your own, read as those of `math`. Answers that no rule can compare are for the judge, who
   * sees the truth: they are in from Dev2 on, since R1-Zero is rewarded by rules alone, and have no part in the held-out accuracy.
   */
  own: { ...source(), graded: oneOf("rule", ["rule", "judge"]) },
  /** Training questions that share so many words in a row with a held-out one are left out; 0 leaves all in. */
  decontaminate: count(paperNgram, { min: 0 }),
  /** General requests (`readRequests`; examples/requests.jsonl). */
  requests: optional("string"),
  /** IFEval's rows, a column of the report. */
  ifeval: optional("string"),
  /** Who solves, rewrites and answers, and who judges: the author again, where nothing else is said. */
  author: { ...asked(), maxTokens: count(32_768) },
  judge: asked(),
  /** A folder of prompts instead of the package's, and solutions to be shown before a question ({question, response}). */
  prompts: optional("string"),
  exemplars: optional("string"),
};

export type DataSettings = typeof dataSettings;

const taskNames = ["gsm8k", "math", "code", "choice", "own"] as const;
type TaskName = (typeof taskNames)[number];
type Form = "answer" | "summary";

/**
 * The world of a user's own rows, judge and author.
 * @throws UserError for settings that are missing, and for bad requests.
 */
export async function dataWorld(settings: DataSettings, seed: number): Promise<World> {
  const path = checked(settings);
  const { prompts, exemplars, ifeval, decontaminate, author: writing } = settings;
  const { maxTokens } = writing;
  const given = taskNames.filter((name) => isGiven(settings, name));
  const sources = Object.fromEntries(given.map((name) => [name, settings[name]]));
  const { rows, columns, isHeldOut, notes, hashes } = await readSources(sources, ifeval, decontaminate);
  const all = await named("data.requests", () => readRequests(path));
  const requests: Requests = { helpful: without(all.helpful, isHeldOut), safe: without(all.safe, isHeldOut) };
  const shown = exemplars === undefined ? [] : await named("data.exemplars", () => readExemplars(exemplars));
  const models = await askedModels(writing, settings.judge, seed);
  const author = chatAuthor({ model: models.author, exemplars: shown, prompts, maxTokens });
  const judge = chatJudge({ model: models.judge, prompts });
  const written = { author: { ...identityOf("author", models.author, prompts), exemplars: hashOf(shown), maxTokens } };
  const requested = { requests: hashOf(kinds.flatMap((kind) => [...requests[kind].train, ...requests[kind].test])) };
  const judged = { judge: identityOf("judge", models.judge, prompts) };
  return {
    reasoning: (options) =>
      given
        .filter((name) => isAsked(settings, name, options.form))
        .map((name) => reasoningTask(settings, name, rows[name]!, { ...options, judge })),
    general: {
      helpful: requests.helpful.train.map(({ prompt }) => prompt),
      sensitive: requests.safe.train.map(({ prompt }) => prompt),
      tasks: (scorers) => requestTasks(requests, scorers),
      judge,
      author,
      needsThought: thoughtsOf(requests),
    },
    rewriter: author,
    // Few-shot prompting needs something to show.
    solves: exemplars === undefined ? ["reflect"] : ["fewShot", "reflect"],
    columns,
    notes: [
      `judge: ${judge.description}`,
      `author: ${author.description}`,
      ...notes,
      ...kinds.map((kind) => {
        const { train, test } = requests[kind];
        return `${kind} requests: ${countsOf(all[kind].train.length, train.length)}, and ${test.length} held out`;
      }),
    ],
    inputs: {
      tasks: {
        answer: taskInputs(settings, hashes, "answer", judged),
        summary: taskInputs(settings, hashes, "summary", judged),
      },
      rewriter: written,
      author: { ...written, ...requested },
      judge: { ...judged, ...requested },
      requests: requested,
    },
    release() {
      models.author.release();
      models.judge.release();
    },
  };
}

const isGiven = (settings: DataSettings, name: TaskName): boolean => settings[name].rows !== undefined;
/** Whether a rule grades it; else the judge does. */
const isRuled = (settings: DataSettings, name: TaskName) =>
  isGiven(settings, name) && !(name === "own" && settings.own.graded === "judge");

/** Whether a task is asked in this form: R1-Zero's is for rules alone. */
const isAsked = (settings: DataSettings, name: TaskName, form: Form) =>
  isGiven(settings, name) && (form === "summary" || isRuled(settings, name));

/** What the tasks of a form depend on: rows by their content, settings under their own names, and the judge where it grades. */
function taskInputs(
  settings: DataSettings,
  hashes: Sources["hashes"],
  form: Form,
  judged: { judge: Record<string, unknown> },
): World["inputs"]["tasks"][Form] {
  const names = taskNames.filter((name) => isAsked(settings, name, form));
  const own = isGiven(settings, "own") ? { own: { graded: settings.own.graded } } : {};
  const of = (found: Record<string, string>, ...more: string[]) =>
    Object.fromEntries([...names, ...more].flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]]])));
  const graded = names.every((name) => isRuled(settings, name)) ? {} : judged;
  const { decontaminate } = settings;
  const rows = of(hashes.train);
  const weights = names.map((name) => [name, { ...(name === "own" && own.own), weight: settings[name].weight }]);
  return {
    trained: {
      ...graded,
      data: { decontaminate, ...own, ...Object.fromEntries(weights) },
      rows,
      heldOut: of(hashes.test),
    },
    collected: { ...graded, data: { decontaminate, ...own }, rows },
    measured: { ...graded, data: own, heldOut: of(hashes.test, "ifeval") },
  };
}

function reasoningTask(
  settings: DataSettings,
  name: TaskName,
  rows: Sources["rows"][string],
  { form, language, judge }: { form: Form; language: number; judge: Judge },
): TaskShare {
  // In the paper's template, or in each task's own manner of asking.
  const task = taskOver(name, settings[name], form === "answer" ? "r1-zero" : undefined);
  const { weight } = settings[name];
  const isJudged = !isRuled(settings, name);
  const rewards = isJudged ? { ...task.rewards, correct: seesTruth(judge) } : task.rewards;
  const weights = { ...task.weights, language };
  return share({ ...task, load: (split) => rows[split], rewards, weights }, { weight, isJudged });
}

const without = ({ train, test }: Requests["safe"], isHeldOut: (text: string) => boolean): Requests["safe"] => ({
  train: train.filter(({ prompt }) => !isHeldOut(prompt)),
  test,
});

/** Rows as `math` reads them. */
const seesTruth = (judge: Judge): Reward<unknown> =>
  judgeReward(judge, (row) => ({ question: (row as MathRow).question, truth: (row as MathRow).answer }));

function thoughtsOf(requests: Requests): (prompt: string) => boolean {
  const all = kinds.flatMap((kind) => Object.values(requests[kind]).flat());
  const atOnce = new Set(all.filter(({ thought }) => !thought).map(({ prompt }) => prompt));
  return (prompt) => !atOnce.has(prompt);
}

/** What has to be set (`unread` refuses what would be ignored): the file of requests. */
function checked(settings: DataSettings): string {
  const { requests, author } = settings;
  const hasAuthor = author.url !== undefined || author.folder !== undefined;
  const ruled = taskNames.some((name) => isRuled(settings, name));
  const missing = [
    ...(requests === undefined ? ["data.requests (general requests, as in examples/requests.jsonl)"] : []),
    ...(hasAuthor
      ? []
      : ["data.author.url (an OpenAI-compatible server) or data.author.folder (a model that runs here)"]),
    ...(ruled
      ? []
      : [`${taskNames.map((name) => `data.${name}.rows`).join(", ")} (one or more, whose answers a rule grades)`]),
  ];
  if (requests === undefined || !hasAuthor || !ruled)
    throw new UserError(
      `recipe r1: world is "data", but not set: ${missing.join("; ")}. Give each with --set NAME=VALUE, or set world=tiny.`,
    );
  return requests;
}
