import {
  builtInTask,
  chatAuthor,
  chatJudge,
  count,
  ifeval,
  type Judge,
  judgeReward,
  type MathRow,
  oneOf,
  optional,
  type Reward,
  share,
  type TaskShare,
  UserError,
  within,
} from "aha-rl";
import { asked, askedModels } from "./asked.ts";
import { kinds, type Requests, readExemplars, readRequests, requestTasks } from "./requests.ts";
import { anyTask, type World } from "./world.ts";

/** Rows of a task: a file, a folder with a file of each split, or a hub id; with `heldOut`, rows to train on and rows to measure by. */
const source = () => ({
  rows: optional("string"),
  heldOut: optional("string"),
  /** Its prompts' part of a mixture. */
  weight: within(1, 0.001, 1000),
});

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

/**
 * The world of a user's own rows, judge and author.
 * @throws UserError for settings that are missing or would be ignored, and for bad requests.
 */
export async function dataWorld(settings: DataSettings, seed: number): Promise<World> {
  const path = checked(settings);
  const { prompts, exemplars } = settings;
  const requests = await readRequests(path);
  const models = await askedModels(settings.author, settings.judge, seed);
  const author = chatAuthor({
    model: models.author,
    exemplars: exemplars === undefined ? [] : await readExemplars(exemplars),
    prompts,
    maxTokens: settings.author.maxTokens,
  });
  const judge = chatJudge({ model: models.judge, prompts });
  return {
    reasoning: ({ form, language }) =>
      taskNames
        .filter((name) => (form === "answer" ? isRuled : isGiven)(settings, name))
        .map((name) => reasoningTask(settings, name, { form, language, judge })),
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
    columns: settings.ifeval === undefined ? {} : { ifeval: anyTask(ifeval({ data: { test: settings.ifeval } })) },
    notes: [
      `judge: ${judge.description}`,
      `author: ${author.description}`,
      ...kinds.map((kind) => {
        const { train, test } = requests[kind];
        return `${kind} requests: ${train.length}, and ${test.length} held out`;
      }),
    ],
    release() {
      models.author.release();
      models.judge.release();
    },
  };
}

const isGiven = (settings: DataSettings, name: TaskName): boolean => settings[name].rows !== undefined;
const isJudged = ({ own }: DataSettings, name: TaskName): boolean => name === "own" && own.graded === "judge";
const isRuled = (settings: DataSettings, name: TaskName) => isGiven(settings, name) && !isJudged(settings, name);

function reasoningTask(
  settings: DataSettings,
  name: TaskName,
  { form, language, judge }: { form: "answer" | "summary"; language: number; judge: Judge },
): TaskShare {
  const { rows, heldOut, weight } = settings[name];
  const data = heldOut === undefined ? rows : { train: rows, test: heldOut };
  // In the paper's template, or in each task's own manner of asking.
  const prompt = form === "answer" ? "r1-zero" : undefined;
  const task = builtInTask(name === "own" ? "math" : name, { data, prompt })!;
  const byJudge = isJudged(settings, name);
  const rewards = byJudge ? { ...task.rewards, correct: seesTruth(judge) } : task.rewards;
  return share({ ...task, name, rewards, weights: { ...task.weights, language } }, { weight, isJudged: byJudge });
}

/** Rows as `math` reads them. */
const seesTruth = (judge: Judge): Reward<unknown> =>
  judgeReward(judge, (row) => ({ question: (row as MathRow).question, truth: (row as MathRow).answer }));

function thoughtsOf(requests: Requests): (prompt: string) => boolean {
  const all = kinds.flatMap((kind) => Object.values(requests[kind]).flat());
  const atOnce = new Set(all.filter(({ thought }) => !thought).map(({ prompt }) => prompt));
  return (prompt) => !atOnce.has(prompt);
}

/** What has to be set, and nothing that would be ignored: the file of requests. */
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
  const half = taskNames.find((name) => settings[name].heldOut !== undefined && !isGiven(settings, name));
  if (half !== undefined)
    throw new UserError(
      `recipe r1: data.${half}.heldOut is ${settings[half].heldOut}, data.${half}.rows is not set. Expected both, or rows alone.`,
    );
  return requests;
}
