import {
  defineTask,
  type Exemplar,
  field,
  generalFormat,
  languageReward,
  placeOf,
  preferenceReward,
  promptId,
  type Reward,
  readRows,
  type Scorer,
  type Split,
  safetyReward,
  splitResponse,
  type Task,
  UserError,
  user,
} from "aha-rl";
import { anyTask } from "./world.ts";

/** What a request is about: whether answers are compared by how much they help, or looked at for harm. */
export const kinds = ["helpful", "safe"] as const;

/** What a user asks that no rule can grade. */
export type Request = {
  prompt: string;
  kind: (typeof kinds)[number];
  /** Whether the author thinks before it answers: not for a greeting. */
  thought: boolean;
};

export type Requests = Record<Request["kind"], Record<Split, Request[]>>;

/** Of each kind: enough to learn from, and enough held out for a standard error. */
const fewest = { train: 2, test: 2 };
const heldOutOneIn = 10;

/**
 * General requests of a file, rows {prompt, kind: "helpful" | "safe", thought?: boolean}. Of each kind a tenth, and at least two, are held
 * out: those whose prompts hash lowest. @throws UserError that names file, line and field, and for too few of a kind.
 */
export async function readRequests(path: string): Promise<Requests> {
  const places = new Map<string, string>();
  const all: Request[] = [];
  for await (const row of readRows(path)) {
    const { kind, thought = true } = row;
    const prompt = field(row, "prompt", "string");
    if (prompt.trim() === "") throw new UserError(`${placeOf(row)}: prompt is empty. Expected a request.`);
    if (!kinds.includes(kind as Request["kind"]))
      throw new UserError(`${placeOf(row)}: kind is ${JSON.stringify(kind)}. Expected "helpful" or "safe".`);
    if (typeof thought !== "boolean")
      throw new UserError(`${placeOf(row)}: thought is ${JSON.stringify(thought)}. Expected true, false or none.`);
    const before = places.get(prompt);
    if (before !== undefined)
      throw new UserError(`${placeOf(row)}: the same prompt as at ${before}. Leave one of them out.`);
    places.set(prompt, placeOf(row));
    all.push({ prompt, kind: kind as Request["kind"], thought });
  }
  const of = (kind: Request["kind"]) => divided(all, kind, path);
  return { helpful: of("helpful"), safe: of("safe") };
}

function divided(all: readonly Request[], kind: Request["kind"], path: string): Record<Split, Request[]> {
  const requests = all.filter((request) => request.kind === kind);
  if (requests.length < fewest.train + fewest.test)
    throw new UserError(
      `${path}: ${requests.length} rows of kind "${kind}". Expected at least ${fewest.train + fewest.test}, of which ${fewest.test} are held out.`,
    );
  const numHeldOut = Math.max(fewest.test, Math.round(requests.length / heldOutOneIn));
  const ids = new Map(requests.map((request) => [request, promptId([user(request.prompt)])]));
  const last = [...ids.values()].sort()[numHeldOut - 1]!;
  const isHeldOut = (request: Request) => ids.get(request)! <= last;
  return { train: requests.filter((request) => !isHeldOut(request)), test: requests.filter(isHeldOut) };
}

/**
 * The tasks of the last stage: what the helpfulness model says of the summary, or the safety model of the whole response, with
 * the form and the language of the thought, each of weight 1 (arXiv 2501.12948 v2: R = R_reasoning + R_general + R_language).
 */
export function requestTasks(
  { helpful, safe }: Requests,
  scorers: { helpfulness: Scorer; safety: Scorer },
): Record<Request["kind"], Task<unknown>> {
  return {
    helpful: requestTask("helpful", helpful, preferenceReward(scorers.helpfulness, messagesOf)),
    safe: requestTask("safe", safe, safetyReward(scorers.safety, messagesOf)),
  };
}

const messagesOf = ({ prompt }: Request) => [user(prompt)];
const language = languageReward<Request>({ prompt: ({ prompt }) => prompt });

function requestTask(name: string, rows: Record<Split, Request[]>, judged: Reward<Request>): Task<unknown> {
  const task = defineTask<Request>({
    name,
    load: (split) => rows[split],
    prompt: messagesOf,
    rewards: {
      judged,
      format: generalFormat,
      // An answer that was given at once has no thought in a wrong language.
      language: (answer, row) => (answer.thought === "" ? 1 : language(answer, row)),
    },
    key: ({ prompt }) => prompt,
  });
  return anyTask(task);
}

/** Questions with responses to be imitated, rows {question, response}. @throws UserError that names file and line. */
export async function readExemplars(path: string): Promise<Exemplar[]> {
  const exemplars: Exemplar[] = [];
  for await (const row of readRows(path)) {
    const [question, response] = [field(row, "question", "string"), field(row, "response", "string")];
    if (splitResponse(response).form !== "summary")
      throw new UserError(
        `${placeOf(row)}: response is in another form. Expected <think>…</think> and then a summary.`,
      );
    exemplars.push({ question, response });
  }
  return exemplars;
}
