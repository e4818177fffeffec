import {
  bestOfConfig,
  count,
  defineRecipe,
  embeddedModel,
  embeddedStudent,
  type Figure,
  type GrpoConfig,
  grpo,
  grpoConfig,
  LocalFrozen,
  oneOf,
  paperGeneralSteps,
  paperScenarios,
  readAllRows,
  readLabelled,
  readPair,
  readRows,
  rewardConfig,
  rewardModel,
  type SftConfig,
  type Stage,
  settings,
  sft,
  sftConfig,
  within,
  writeTrainingReport,
} from "aha-rl";
import { dataSettings, dataWorld } from "./r1/data.ts";
import { measure } from "./r1/measure.ts";
import { checkRoom } from "./r1/room.ts";
import { coldStartRows, generalRows, judgedRows, rowsOf, sampledRows } from "./r1/rows.ts";
import { withScenarios } from "./r1/scenarios.ts";
import { tinyWorld } from "./r1/tiny.ts";
import { unread } from "./r1/unread.ts";
import r1Zero from "./r1-zero.ts";

/** What all stages of reinforcement share: R1-Zero's settings. */
const rl: GrpoConfig = grpoConfig({ ...r1Zero.config.grpo, evalPrompts: 100, checkpointEvery: 8, keepRollouts: 64 });

/** What one world reads, and the other does not. */
const ofWorlds = settings({
  /** Shares in which the tiny world's stand-ins are wrong. */
  noise: { judge: within(0.1, 0, 1), rewriter: within(0.05, 0, 1), author: within(0.35, 0, 1) },
  data: dataSettings,
});

/** The embedded models' world, or rows of your own (`data`); spread, the rule is the recipe's. */
const worlds = settings({ world: oneOf("tiny", ["tiny", "data"]), ...ofWorlds }, (config) => unread(config, ofWorlds));

/** A model's folder, and the tokens that its own stage trained on. */
type Trained = { model: string; tokens?: number };

/** Two rollouts of two steps each, for a run of seconds. */
const brief = {
  steps: 4,
  promptsPerStep: 2,
  groupSize: 4,
  miniBatches: 2,
  maxNewTokens: 48,
  evalEvery: 2,
  evalPrompts: 4,
};

/** The same for supervised stages. */
const supervised = {
  batchSize: 32,
  lr: 1e-3,
  warmupSteps: 10,
  weightDecay: 0.01,
  beta2: 0.98,
  checkpointEvery: 50,
} satisfies Partial<SftConfig>;

/**
 * The whole of R1 (arXiv 2501.12948): R1-Zero → cold start (Dev1) → reasoning RL (Dev2) → rejection sampling and supervised
 * training of the base (Dev3) → reward models → RL for all scenarios (R1) → distillation, each measured for the paper's Table 3.
 */
export default defineRecipe({
  name: "r1",
  config: {
    /** A pretrained base, and a smaller one that the answers are distilled into. */
    model: embeddedModel,
    student: embeddedStudent,
    ...worlds,

    zero: grpoConfig({ ...rl, steps: 320 }),
    drafts: { prompts: count(300), samples: count(4), maxNewTokens: count(256) },
    /** Whether a person reads the cold start's rows before they are learned. */
    check: oneOf("skip", ["skip", "person"]),
    coldStart: sftConfig({ ...supervised, epochs: 8 }),
    dev2: grpoConfig({ ...rl, steps: 240 }),
    sampling: bestOfConfig({ samples: 4, mostPerPrompt: 2, maxNewTokens: 256 }),
    /** The ratio of reasoning to general rows: the paper's 600,000 to 200,000. */
    mixture: { reasoning: within(3, 0.001, 1000), general: within(1, 0.001, 1000) },
    dev3: sftConfig({ ...supervised, epochs: 3 }),
    answers: {
      samples: count(8, { min: 2 }),
      pairsPerPrompt: count(8),
      threshold: within(1, 0, 9),
      maxNewTokens: count(96),
    },
    helpfulness: rewardConfig({ batchSize: 32, lr: 5e-4, epochs: 4, warmupSteps: 5 }),
    safety: rewardConfig({ judges: "response", batchSize: 32, lr: 5e-4, epochs: 4, warmupSteps: 5 }),
    /** A learning rate that falls by less: what enters last has to be learned, too. */
    r1: grpoConfig({ ...rl, steps: 480, temperature: 0.7, lrFloor: 0.6 }),
    /** The last share of R1's steps, in which general prompts and preference rewards are in: the paper's 400 of 1,700. */
    generalShare: within(paperGeneralSteps / paperScenarios.steps, 0.01, 1),
    /** Weights of general prompts against those of reasoning, once they are in. */
    generalWeights: { helpful: within(0.5, 0, 100), safe: within(0.25, 0, 100) },

    distill: sftConfig({ ...supervised, epochs: 4 }),
    studentRl: grpoConfig({ ...rl, steps: 320 }),
    distilledRl: grpoConfig({ ...rl, steps: 640 }),
    measure: {
      problems: count(200, { min: 2 }),
      samples: count(4),
      temperature: within(0.6, 0, 100),
      topP: within(0.95, 0.01, 1),
      maxNewTokens: count(256),
    },
  },
  tiny: {
    zero: brief,
    drafts: { prompts: 6, samples: 2, maxNewTokens: 48 },
    coldStart: { steps: 2, batchSize: 4 },
    dev2: brief,
    sampling: { samples: 2, numPrompts: 6, maxNewTokens: 48 },
    dev3: { steps: 2, batchSize: 4 },
    answers: { samples: 2, pairsPerPrompt: 1, maxNewTokens: 24 },
    helpfulness: { steps: 2, batchSize: 4 },
    safety: { steps: 2, batchSize: 4 },
    r1: brief,
    generalShare: 0.5,
    distill: { steps: 2, batchSize: 4 },
    studentRl: brief,
    distilledRl: brief,
    measure: { problems: 4, samples: 2, maxNewTokens: 48 },
  },
  stages: {
    "base-figures": 1,
    zero: 14,
    "zero-figures": 1,
    "cold-start": 2,
    dev1: 1,
    "dev1-figures": 1,
    dev2: 10,
    "dev2-figures": 1,
    sampling: 3,
    general: 1,
    dev3: 2,
    "dev3-figures": 1,
    judging: 1,
    helpfulness: 1,
    safety: 1,
    r1: 10,
    "r1-figures": 1,
    distill: 2,
    "distilled-figures": 1,
    "student-rl": 5,
    "student-rl-figures": 1,
    "distilled-rl": 5,
    "distilled-rl-figures": 1,
  },
  async run({ config, run, seed, ...parts }) {
    const { model: base, student, drafts, check, sampling, mixture, answers, generalShare, generalWeights } = config;
    const world = config.world === "tiny" ? tinyWorld(config.noise, seed) : await dataWorld(config.data, seed);
    // Hours before it is needed.
    LocalFrozen.check(student);
    if (config.world === "data") await checkRoom(world, config, seed);
    for (const note of world.notes) run.tell(note);
    // Who was asked in one stage is not in memory in the next.
    const stage: Stage = (name, work, inputs) => {
      const released = async () => {
        try {
          return await work();
        } finally {
          world.release();
        }
      };
      return parts.stage(name, released, inputs);
    };
    // What stages depend on that ask questions of the world: not all of `data`, which says where things lie, too.
    const { inputs } = world;
    const asks = { world: config.world };
    const { answer: tags, summary: summaries } = inputs.tasks;
    const asTags = world.reasoning({ form: "answer", language: 0 });
    const asSummaries = world.reasoning({ form: "summary", language: 1 });
    const tasks = asSummaries.map(({ task }) => task);
    const place = (name: string) => ({ folder: run.stageDir(name), seed });
    /** A row of the report. */
    const figures = (name: string, row: string, { model, tokens }: Trained, form: "answer" | "summary" = "summary") => {
      const work = async () => {
        const measured = await measure({ folder: model, form }, world, config.measure, run);
        const cost: Record<string, Figure> = tokens === undefined ? {} : { "trained on, tokens": tokens };
        run.table.add(row, { ...measured.figures, ...cost });
        return measured;
      };
      return stage(name, work, { ...asks, ...inputs.tasks[form].measured, model, form, measure: config.measure });
    };

    const before = await figures("base-figures", "base", { model: base }, "answer");

    // R1-Zero: pure reinforcement, accuracy and format alone.
    const zero = await stage("zero", () => grpo(base, asTags, config.zero), {
      ...asks,
      ...tags.trained,
      base,
      zero: config.zero,
    });
    await figures("zero-figures", "R1-Zero", zero, "answer");

    // Cold start: R1-Zero's own thoughts, made readable, and the base taught by them.
    const started = await stage(
      "cold-start",
      () =>
        coldStartRows(
          asTags.map(({ task }) => task),
          world,
          { name: "R1-Zero", model: zero.model },
          drafts,
          {
            ...place("cold-start"),
            check,
          },
        ),
      { ...asks, ...tags.collected, ...inputs.rewriter, drafts, check, model: zero.model },
    );
    const dev1 = await stage("dev1", () => sft(base, readRows(started.path), config.coldStart), {
      coldStart: config.coldStart,
      rows: started.path,
    });
    await figures("dev1-figures", "Dev1", dev1);

    // Reinforcement of reasoning, with the language-consistency reward.
    const dev2 = await stage("dev2", () => grpo(dev1.model, asSummaries, config.dev2), {
      ...asks,
      ...summaries.trained,
      model: dev1.model,
      dev2: config.dev2,
    });
    await figures("dev2-figures", "Dev2", dev2);

    // Rejection sampling, general rows, and the base taught by both.
    const sampled = await stage(
      "sampling",
      () => sampledRows(tasks, { name: "Dev2", model: dev2.model }, sampling, place("sampling")),
      { ...asks, ...summaries.collected, sampling, model: dev2.model },
    );
    const written = await stage("general", () => generalRows(world.general, run.stageDir("general")), {
      ...asks,
      ...inputs.author,
    });
    const lessons = () => ({
      reasoning: { rows: rowsOf(sampled), weight: mixture.reasoning },
      general: { rows: readRows(written), weight: mixture.general },
    });
    const dev3 = await stage("dev3", () => sft(base, lessons(), config.dev3), {
      dev3: config.dev3,
      mixture,
      rows: [...sampled, written],
    });
    await figures("dev3-figures", "Dev3", dev3);

    // What a judge prefers and what it finds safe, and the models that learn it.
    const judged = await stage(
      "judging",
      () =>
        judgedRows(
          world.general,
          { name: "Dev3", model: dev3.model },
          { name: "base", model: base },
          answers,
          place("judging"),
        ),
      { ...asks, ...inputs.judge, answers, base, model: dev3.model },
    );
    const helpfulness = await stage(
      "helpfulness",
      async () =>
        rewardModel(dev3.model, { pairs: (await readAllRows(judged.pairs)).map(readPair) }, config.helpfulness),
      { helpfulness: config.helpfulness, pairs: judged.pairs },
    );
    const safety = await stage(
      "safety",
      async () =>
        rewardModel(dev3.model, { responses: (await readAllRows(judged.responses)).map(readLabelled) }, config.safety),
      { safety: config.safety, responses: judged.responses },
    );

    // Reinforcement for all scenarios; general prompts and preference rewards enter late.
    const scorers = { helpfulness: helpfulness.model, safety: safety.model };
    const scenario = { generalShare, generalWeights, steps: config.r1.steps };
    const r1 = await stage(
      "r1",
      () => withScenarios(world, asSummaries, scorers, scenario, (shares) => grpo(dev3.model, shares, config.r1)),
      {
        ...asks,
        ...summaries.trained,
        ...inputs.requests,
        r1: config.r1,
        generalShare,
        generalWeights,
        ...scorers,
        model: dev3.model,
      },
    );
    const after = await figures("r1-figures", "R1", r1);

    // The student: taught by the same rows, by reinforcement alone, and by one after the other.
    const distilled = await stage("distill", () => sft(student, lessons(), config.distill), {
      student,
      distill: config.distill,
      mixture,
      rows: [...sampled, written],
    });
    await figures("distilled-figures", "student, distilled", distilled);
    const byRl = await stage("student-rl", () => grpo(student, asTags, config.studentRl), {
      ...asks,
      ...tags.trained,
      student,
      studentRl: config.studentRl,
    });
    await figures("student-rl-figures", "student, RL alone", byRl, "answer");
    const both = await stage("distilled-rl", () => grpo(distilled.model, asSummaries, config.distilledRl), {
      ...asks,
      ...summaries.trained,
      model: distilled.model,
      distilledRl: config.distilledRl,
    });
    await figures("distilled-rl-figures", "student, distilled, then RL", both);

    const all = [zero, dev1, dev2, dev3, r1];
    const total = (what: "steps" | "trainSeconds" | "tokens") => all.reduce((sum, stage) => sum + stage[what], 0);
    writeTrainingReport({
      run,
      stage: "zero",
      task: before.task,
      base: before.main,
      trained: after.main,
      result: { model: r1.model, steps: total("steps"), trainSeconds: total("trainSeconds"), tokens: total("tokens") },
      format: "format",
    });
  },
});
