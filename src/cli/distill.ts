import { existsSync } from "node:fs";
import { ngramIndex, readRows, textsOf } from "#data";
import { nearest, Terminal, UserError } from "#run";
import type { TaskChoices } from "#tasks";
import {
  type CollectPrompt,
  type CollectSummary,
  chatJudge,
  chatSampler,
  collectRows,
  endpoint,
  type Filter,
  filePrompts,
  formatSummary,
  hasThought,
  isClean,
  isCorrect,
  type Judge,
  reasoningFilters,
  type Sampler,
  taskPrompts,
} from "#teacher";
import { loadTask } from "./load.ts";
import { type StudentOptions, studentTraining } from "./student.ts";

export type DistillOptions = TaskChoices & StudentOptions & CollectionOptions;

type CollectionOptions = {
  /** An OpenAI-compatible address, a model folder, or an embedded model's name. */
  teacher: string;
  teacherModel?: string;
  apiKeyEnv?: string;
  task?: string;
  prompts?: string;
  judge?: string;
  judgeModel?: string;
  samples: number;
  limit?: number;
  mostPerPrompt?: number;
  temperature: number;
  topP: number;
  maxTokens: number;
  concurrency: number;
  retries: number;
  /** Seconds. */
  timeout: number;
  without: string[];
  against: string[];
};

/** `aha distill`: a teacher's thoughts and answers, filtered, as rows, and a student trained on them. Returns the exit code. */
export async function distill(options: DistillOptions): Promise<number> {
  const { student, out } = options;
  const train = await studentTraining(options);
  const { numRows, numFailed } = await collect(options);
  if (numFailed > 0) return 1;
  if (train === undefined) return 0;
  if (numRows === 0)
    throw new UserError(
      `${out}: no answer passed the filters, so ${student} has nothing to learn. Ask for more --samples, or leave filters out by --without, in another --out.`,
    );
  return train();
}

/** The rows alone, and what became of the prompts. */
async function collect(options: DistillOptions): Promise<CollectSummary> {
  const prompts = await promptsOf(options);
  if (prompts.length === 0)
    throw new UserError(
      options.prompts === undefined
        ? `--task ${options.task}: no training rows, so nothing to ask.`
        : `${options.prompts}: no rows, so nothing to ask. Expected a prompt, a question or messages in each.`,
    );
  const filters = await filtersOf(options);
  using terminal = new Terminal({ isJson: options.json });
  await using teacher = await teacherOf(options, (text) => terminal.note(text));
  const { out, mostPerPrompt } = options;
  const summary = await collectRows({ prompts, sampler: teacher.sampler, filters, mostPerPrompt, out, terminal });
  if (options.json) console.log(JSON.stringify({ out, ...summary }));
  else console.log(`${formatSummary(summary)}\n\nThe rows are in ${out}.`);
  if (summary.numFailed > 0)
    terminal.note(`${summary.numFailed} prompts got no answer; the same command asks them again.${waiting(options)}`);
  return summary;
}

/** Rows that came later would make it another training. */
const waiting = ({ student }: DistillOptions): string =>
  student === undefined
    ? ""
    : ` ${student} is trained once all are answered: take those that cannot be out of the list.`;

async function promptsOf(options: DistillOptions): Promise<CollectPrompt[]> {
  const { task, prompts, limit, data, difficulty, prompt, judge } = options;
  if ((task === undefined) === (prompts === undefined))
    throw new UserError("distill: what is to be asked? Give either --task (answers are graded) or --prompts (a file).");
  if (task !== undefined && judge !== undefined)
    throw new UserError("--judge is for --prompts; the answers of a task are graded by its rule.");
  if (task !== undefined) return taskPrompts(await loadTask(task, { data, difficulty, prompt }), { limit });
  const choice = Object.entries({ data, difficulty, prompt }).find(([, value]) => value !== undefined)?.[0];
  if (choice !== undefined) throw new UserError(`--${choice} is for --task; --prompts says itself what is asked.`);
  return (await filePrompts(prompts!, await judgeOf(options))).slice(0, limit);
}

/** Compares with the "answer" of each row. */
async function judgeOf({ judge, judgeModel, apiKeyEnv, ...rest }: DistillOptions): Promise<Judge | undefined> {
  if (judge === undefined) return undefined;
  const connection = { concurrency: rest.concurrency, retries: rest.retries, timeoutMs: rest.timeout * 1000 };
  return chatJudge({ model: await endpoint({ url: judge, model: judgeModel, apiKeyEnv, ...connection }) });
}

/** The paper's filters for reasoning, and a whole thought; right answers only where somebody grades them. */
async function filtersOf({ task, judge, without, against }: DistillOptions): Promise<Filter[]> {
  const all = [...reasoningFilters, hasThought].filter(
    (filter) => (task ?? judge) !== undefined || filter !== isCorrect,
  );
  const names = all.map(({ name }) => name);
  const unknown = without.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, names);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new UserError(`--without ${unknown}: no such filter.${hint} Here: ${names.join(", ")}.`);
  }
  const texts: string[] = [];
  for (const path of against) for await (const row of readRows(path)) texts.push(...textsOf(row));
  return [
    ...all.filter(({ name }) => !without.includes(name)),
    ...(against.length > 0 ? [isClean(ngramIndex(texts))] : []),
  ];
}

type Teacher = { sampler: Sampler; [Symbol.asyncDispose]: () => Promise<void> };

async function teacherOf(options: DistillOptions, say: (text: string) => void): Promise<Teacher> {
  const { teacher, teacherModel, apiKeyEnv, samples, temperature, topP, maxTokens, concurrency, retries, seed } =
    options;
  if (!/^https?:\/\//.test(teacher)) return localTeacher(options);
  const onRetry = (reason: string, delayMs: number) => say(`${reason} Asking again in ${delayMs / 1000} s.`);
  const connection = { concurrency, retries, timeoutMs: options.timeout * 1000, onRetry };
  const model = await endpoint({ url: teacher, model: teacherModel, apiKeyEnv, ...connection });
  const sampling = { samples, seed, temperature, topP, maxTokens, concurrency };
  return { sampler: chatSampler(model, sampling), [Symbol.asyncDispose]: async () => {} };
}

/** Its rooms are loaded here, so that a teacher elsewhere needs no tensor. */
async function localTeacher(options: DistillOptions): Promise<Teacher> {
  const { teacher, teacherModel, apiKeyEnv, samples, temperature, topP, maxTokens: maxNewTokens, seed } = options;
  const [{ embeddedModel, embeddedStudent, modelFolder }, { LocalFrozen }, { policySampler }] = await Promise.all([
    import("#models"),
    import("#policy"),
    import("#train"),
  ]);
  if (!existsSync(modelFolder(teacher)))
    throw new UserError(
      `--teacher ${teacher}: no such folder. Expected an address (http…), a model folder, ${embeddedModel} or ${embeddedStudent}.`,
    );
  if (apiKeyEnv !== undefined) throw new UserError("--api-key-env is for a server; a model that runs here needs none.");
  const policy = await LocalFrozen.load(teacher);
  const context = policy.model.decoder.config.maxPositions;
  const model = { model: teacherModel ?? teacher, checkpoint: teacher };
  return {
    sampler: policySampler(policy, { samples, temperature, topP, maxNewTokens, seed, context, ...model }),
    [Symbol.asyncDispose]: async () => policy.dispose(),
  };
}
