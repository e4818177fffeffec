import {
  count,
  countdown,
  defineRecipe,
  embeddedModel,
  type FrozenPolicy,
  type LabelledSteps,
  LocalFrozen,
  readAllRows,
  readRows,
  rowsOf,
  sft,
  sftConfig,
  stepModel,
  stepModelConfig,
  within,
  writeJsonl,
} from "aha-rl";
import { firstLessons, type Lessons, searchLessons } from "./mcts/lessons.ts";
import { measureRound, rowOf } from "./mcts/measure.ts";

/** Of search, learning from what it found, and measuring. */
const rounds = [1, 2, 3];

/**
 * Monte-Carlo tree search with a value model, which the paper tried and dropped (arXiv 2501.12948, section 4.2): the policy
 * writes steps, a search guided by values finds answers, the pairs found train the actor and the value, and again.
 */
export default defineRecipe({
  name: "mcts",
  config: {
    model: embeddedModel,
    temperature: within(1, 0.01, 100),
    maxNewTokens: count(200),
    maxStepTokens: count(48),
    /** Plain responses that the first value model learns from. */
    first: { problems: count(600), samples: count(4) },
    valueModel: stepModelConfig({ batchSize: 32, lr: 1e-3, epochs: 3, warmupSteps: 10, beta2: 0.98 }),
    /** Steps that a node may get, and the weight of what the policy likes. */
    search: { cap: count(4), exploration: within(1, 0, 100) },
    /** New problems of each round, sampled tokens for each, and right answers to one that the actor learns from. */
    found: { problems: count(400), tokens: count(400), most: count(2) },
    actor: sftConfig({ epochs: 2, batchSize: 32, lr: 3e-4, warmupSteps: 5, beta2: 0.98 }),
    /** Held-out problems, and the plain responses to each, whose tokens are the search's budget. */
    evaluation: { problems: count(300, { min: 2 }), samples: count(8, { min: 2 }) },
  },
  tiny: {
    maxNewTokens: 48,
    maxStepTokens: 24,
    first: { problems: 6, samples: 2 },
    valueModel: { steps: 2, batchSize: 4 },
    search: { cap: 2 },
    found: { problems: 4, tokens: 60 },
    actor: { steps: 2, batchSize: 4 },
    evaluation: { problems: 4, samples: 2 },
  },
  stages: Object.fromEntries([
    ["responses", 1],
    ["value-0", 1],
    ["figures-0", 1],
    ...rounds.flatMap((round) => [
      [`search-${round}`, 2],
      [`actor-${round}`, 1],
      [`value-${round}`, 1],
      [`figures-${round}`, 1],
    ]),
  ]),
  async run({ config, stage, run, seed }) {
    const { model, temperature, maxNewTokens, maxStepTokens, first, search, found, evaluation } = config;
    const sampling = { temperature, maxNewTokens };
    const searching = { ...search, ...sampling, maxStepTokens };
    const onProgress = (share: number) => run.progress(share);
    const training = await rowsOf(countdown, "train");

    /** Lessons as files, with how many there are and what they cost. */
    const collected = async (name: string, { lessons, tokens }: { lessons: Lessons[]; tokens: number }) => {
      const folder = run.stageDir(name);
      const paths = { rows: `${folder}/rows.jsonl`, texts: `${folder}/texts.jsonl` };
      const numRows = await writeJsonl(paths.rows, lessons.flatMap(({ rows }) => rows)); // biome-ignore format: one line
      const numTexts = await writeJsonl(paths.texts, lessons.flatMap(({ texts }) => texts)); // biome-ignore format: one line
      const solved = lessons.filter(({ rows }) => rows.length > 0).length;
      return { ...paths, problems: lessons.length, solved, numRows, numTexts, tokens };
    };
    const learnValue = async (name: string, from: string, texts: string) => {
      const learn = async () =>
        stepModel(from, (await readAllRows(texts)) as unknown as LabelledSteps[], config.valueModel);
      return (await stage(name, learn, { from, texts, valueModel: config.valueModel })).model;
    };
    const figures = (round: number, actor: string, value: string) => {
      const measure = (policy: FrozenPolicy, values: FrozenPolicy) =>
        measureRound(countdown, policy, values, {
          ...evaluation,
          ...searching,
          seed,
          purpose: `figures ${round}`,
          onProgress,
        });
      const work = async () => {
        const measured = await withBoth(actor, value, measure);
        run.table.add(`round ${round}`, rowOf(measured));
        return measured;
      };
      return stage(`figures-${round}`, work, { policy: actor, values: value, evaluation, searching });
    };

    const responses = await stage(
      "responses",
      async () => {
        using policy = await LocalFrozen.load(model);
        const rows = training.slice(0, first.problems);
        return collected(
          "responses",
          await firstLessons(countdown, policy, rows, { ...sampling, samples: first.samples, seed, onProgress }),
        );
      },
      { model, first, ...sampling },
    );
    let actor = model;
    let value = await learnValue("value-0", model, responses.texts);
    await figures(0, actor, value);

    for (const round of rounds) {
      const before = actor;
      const pairs = await stage(
        `search-${round}`,
        async () => {
          const from = (round - 1) * found.problems;
          const rows = Array.from({ length: found.problems }, (_, i) => training[(from + i) % training.length]!);
          const { tokens, most } = found;
          const options = { ...searching, tokens, most, seed, purpose: `round ${round}`, onProgress };
          const lessons = await withBoth(before, value, (policy, values) =>
            searchLessons(countdown, policy, values, rows, options),
          );
          return collected(`search-${round}`, lessons);
        },
        { policy: before, values: value, found, searching },
      );
      const taught = await stage(
        `actor-${round}`,
        async () => {
          // A search that solved nothing leaves the actor as it was.
          if (pairs.numRows === 0) return { model: before };
          const { model } = await sft(before, readRows(pairs.rows), config.actor);
          return { model };
        },
        { from: before, rows: pairs.rows, actor: config.actor },
      );
      actor = taught.model;
      value = await learnValue(`value-${round}`, value, pairs.texts);
      await figures(round, actor, value);
    }
  },
});

async function withBoth<T>(
  actor: string,
  value: string,
  work: (policy: FrozenPolicy, values: FrozenPolicy) => Promise<T>,
): Promise<T> {
  using policy = await LocalFrozen.load(actor);
  using values = await LocalFrozen.load(value);
  return await work(policy, values);
}
