import {
  count,
  countdown,
  defineRecipe,
  embeddedModel,
  evaluate,
  grpo,
  grpoConfig,
  LocalFrozen,
  withExamples,
  writeTrainingReport,
} from "aha-rl";

/**
 * R1-Zero on the embedded base model: pure reinforcement learning with the paper's two rewards, accuracy and format, in
 * equal weight, and nothing else. Evaluated on held-out problems before and after.
 */
export default defineRecipe({
  name: "r1-zero",
  config: {
    model: embeddedModel,
    evalProblems: count(500, { min: 2 }),
    evalSamples: count(16),
    grpo: grpoConfig({
      steps: 400,
      promptsPerStep: 8,
      groupSize: 16,
      miniBatches: 4,
      lr: 2e-4,
      warmupSteps: 10,
      schedule: "linear",
      beta2: 0.95,
      clipHigh: 0.28,
      maxNewTokens: 256,
      evalEvery: 40,
      evalPrompts: 200,
      checkpointEvery: 4,
    }),
  },
  tiny: {
    evalProblems: 8,
    evalSamples: 2,
    grpo: { steps: 4, promptsPerStep: 2, groupSize: 4, miniBatches: 2, maxNewTokens: 48, evalEvery: 2, evalPrompts: 4 },
  },
  stages: { "evaluate-base": 1, grpo: 40, "evaluate-trained": 2 },
  async run({ config, stage, run, seed }) {
    // As the paper evaluates: temperature 0.6, top-p 0.95, several answers to each problem.
    const measure = async (folder: string) => {
      using policy = await LocalFrozen.load(folder);
      const result = await evaluate(policy, countdown, {
        samples: config.evalSamples,
        limit: config.evalProblems,
        temperature: config.grpo.evalTemperature,
        topP: config.grpo.evalTopP,
        maxNewTokens: config.grpo.maxNewTokens,
        seed,
        onProgress: (done, total) => {
          run.terminal?.begin(`evaluating ${folder}: ${done} of ${total} problems`);
          run.progress(done / total);
        },
      });
      run.terminal?.end();
      return withExamples(countdown, result);
    };
    const base = await stage("evaluate-base", () => measure(config.model));
    const trained = await stage("grpo", () => grpo(config.model, countdown, config.grpo));
    const after = await stage("evaluate-trained", () => measure(trained.model));
    writeTrainingReport({ run, stage: "grpo", base, trained: after, result: trained, format: "format" });
  },
});
