import {
  count,
  countdown,
  defineRecipe,
  type Estimate,
  embeddedModel,
  evaluate,
  grpo,
  grpoConfig,
  type LabelledSteps,
  LocalFrozen,
  meanWithError,
  oneOf,
  readAllRows,
  rowsOf,
  stepModel,
  stepModelConfig,
  withExamples,
  writeJsonl,
  writeTrainingReport,
} from "aha-rl";
import { curveOf } from "./prm/curve.ts";
import { guidedSearch } from "./prm/guided-search.ts";
import { labelledSteps } from "./prm/labels.ts";
import { processScorer, processTask } from "./prm/process-reward.ts";
import { isRight, startOf } from "./steps/paths.ts";
import { percent } from "./steps/percent.ts";
import { aggregates, rerank } from "./steps/rerank.ts";

/**
 * A process reward model, which the paper tried and dropped (arXiv 2501.12948, section 4.2): its labels from rollouts, its
 * use to rerank answers and to guide a search, and what reinforcement makes of it as the only reward.
 */
export default defineRecipe({
  name: "prm",
  config: {
    /** Its answers are judged and reranked, and its weights are trained further. */
    model: embeddedModel,
    maxStepTokens: count(48),
    labels: { problems: count(400), samples: count(2), rollouts: count(4) },
    processModel: stepModelConfig({ batchSize: 32, lr: 1e-3, epochs: 4, warmupSteps: 10, beta2: 0.98, heldOut: 0.1 }),
    /** Held-out problems, and the responses to each that are voted over and reranked. */
    answers: { problems: count(300, { min: 2 }), samples: count(8, { min: 2 }) },
    /** Paths kept, next steps sampled for each, and how the chances of a path's steps make its worth. */
    guided: { width: count(1), branch: count(2), aggregate: oneOf("last", aggregates) },
    /** How they make the reward of a response. */
    reward: oneOf("min", aggregates),
    /** Its temperature and length limit are those of every response and every step here. */
    grpo: grpoConfig({
      steps: 240,
      promptsPerStep: 8,
      groupSize: 16,
      miniBatches: 4,
      lr: 2e-4,
      warmupSteps: 10,
      beta2: 0.95,
      clipHigh: 0.28,
      temperature: 1,
      maxNewTokens: 200,
      evalTemperature: 1,
      evalTopP: 1,
      evalEvery: 20,
      evalPrompts: 200,
      alarm: 3,
      checkpointEvery: 8,
    }),
  },
  tiny: {
    maxStepTokens: 24,
    labels: { problems: 6, samples: 2, rollouts: 2 },
    processModel: { steps: 2, batchSize: 4 },
    answers: { problems: 4, samples: 2 },
    grpo: { steps: 4, promptsPerStep: 2, groupSize: 4, miniBatches: 2, maxNewTokens: 48, evalEvery: 2, evalPrompts: 4 },
  },
  stages: { labels: 2, "process-model": 1, rerank: 1, "guided-search": 1, rl: 6, "rl-figures": 1 },
  async run({ config, stage, run, seed }) {
    const { model, maxStepTokens, labels, answers, guided, reward } = config;
    const sampling = { temperature: config.grpo.temperature, maxNewTokens: config.grpo.maxNewTokens };
    const onProgress = (share: number) => run.progress(share);

    const labelled = await stage(
      "labels",
      async () => {
        using policy = await LocalFrozen.load(model);
        const rows = (await rowsOf(countdown, "train")).slice(0, labels.problems);
        const { texts, tokens } = await labelledSteps(policy, countdown, rows, {
          ...labels,
          ...sampling,
          seed,
          onProgress,
        });
        const path = `${run.stageDir("labels")}/steps.jsonl`;
        await writeJsonl(path, texts);
        return { path, responses: texts.length, steps: texts.reduce((sum, { ends }) => sum + ends.length, 0), tokens };
      },
      { model, labels, ...sampling },
    );

    const judge = await stage(
      "process-model",
      async () =>
        stepModel(model, (await readAllRows(labelled.path)) as unknown as LabelledSteps[], config.processModel),
      { model, processModel: config.processModel, labels: labelled.path },
    );

    const reranked = await stage(
      "rerank",
      async () => {
        using policy = await LocalFrozen.load(model);
        using scorer = await LocalFrozen.load(judge.model);
        const { evaluation, problems } = await evaluate(policy, countdown, {
          ...sampling,
          samples: answers.samples,
          limit: answers.problems,
          seed,
          onProgress: (done, all) => onProgress(done / all),
        });
        const bestOf = await rerank(countdown, problems, scorer, policy.tokenizer);
        const tokens = answers.samples * evaluation.length.value;
        const row = (name: string, accuracy: Estimate, spent: number) =>
          run.table.add(name, { "accuracy %": percent(accuracy), "tokens per problem": Math.round(spent) });
        row("one sample", evaluation.accuracy, evaluation.length.value);
        row("majority", evaluation.consensus, tokens);
        for (const by of aggregates) row(`best of N by process reward, ${by}`, bestOf[by], tokens);
        row("any of N right", evaluation.passAtK, tokens);
        const { accuracy: oneSample, consensus: majority, passAtK: any } = evaluation;
        return { oneSample, majority, bestOf, any, tokens, rows: problems.map((problem) => problem.row) };
      },
      { model, judge: judge.model, answers, ...sampling },
    );

    await stage(
      "guided-search",
      async () => {
        using policy = await LocalFrozen.load(model);
        using scorer = await LocalFrozen.load(judge.model);
        const { rows, tokens } = reranked;
        const starts = rows.map((row) => startOf(countdown, row, policy.tokenizer));
        const found = await guidedSearch(policy, scorer, starts, {
          ...guided,
          ...sampling,
          maxStepTokens,
          seed,
          tokens,
        });
        const marks = await Promise.all(
          found.map(({ path }, i) => path !== undefined && isRight(countdown, rows[i]!, path, policy.tokenizer)),
        );
        const accuracy = meanWithError(marks.map(Number));
        const spent = meanWithError(found.map((one) => one.tokens)).value;
        run.table.add("guided search", { "accuracy %": percent(accuracy), "tokens per problem": Math.round(spent) });
        return { accuracy, tokens: spent };
      },
      { model, judge: judge.model, problems: reranked.rows, guided, maxStepTokens, ...sampling },
    );

    const trained = await stage(
      "rl",
      async () => {
        using scorer = await processScorer(judge.model, reward);
        return await grpo(model, processTask(countdown, scorer), config.grpo);
      },
      { model, judge: judge.model, reward, grpo: config.grpo },
    );

    const { before, after } = await stage(
      "rl-figures",
      async () => {
        using scorer = await processScorer(judge.model, reward);
        const measured = async (folder: string, name: string) => {
          using policy = await LocalFrozen.load(folder);
          const task = processTask(countdown, scorer);
          const { samples, problems: limit } = answers;
          const result = withExamples(task, await evaluate(policy, task, { samples, limit, ...sampling, seed }));
          const { accuracy, rewards, length } = result.evaluation;
          const figures = { "process reward": rewards.process!, "accuracy %": percent(accuracy) };
          run.table.add(name, { ...figures, "length, tokens": length });
          return result;
        };
        const before = await measured(model, "before RL on the process reward");
        const curve = await curveOf(run.path("metrics.jsonl"), "rl");
        const best = curve.toSorted((a, b) => b.accuracy - a.accuracy)[0];
        if (best !== undefined)
          run.table.add("most accurate on the way", {
            "process reward": best.reward,
            "accuracy %": percent({ ...best, value: best.accuracy }),
          });
        return { before, curve, after: await measured(trained.model, "after RL on the process reward") };
      },
      { model, judge: judge.model, trained: trained.model, reward, answers, ...sampling },
    );
    writeTrainingReport({ run, stage: "rl", base: before, trained: after, result: trained, format: "format" });
  },
});
