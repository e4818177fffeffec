import {
  count,
  defineRecipe,
  grpo,
  grpoConfig,
  optional,
  ppo,
  ppoConfig,
  rewardConfig,
  UserError,
  within,
} from "aha-rl";
import { claimsOf } from "./claims/claims.ts";
import { fewShot, scored } from "./claims/countdown.ts";
import { finishedRun } from "./claims/finished.ts";
import { biasedModel, hackedPolicy } from "./claims/hacking.ts";
import { declinesHarmless } from "./claims/harmless.ts";
import { inBothLanguages } from "./claims/languages.ts";
import { variantsOf } from "./claims/variants.ts";
import ppoRecipe from "./ppo.ts";
import { measure } from "./r1/measure.ts";
import { withScenarios } from "./r1/scenarios.ts";
import { tinyWorld } from "./r1/tiny.ts";
import r1Zero from "./r1-zero.ts";
import { reasoningTasks } from "./tiny-world/tasks.ts";

/** What every objective of the comparison has in common; the rest is R1-Zero's. */
const sharedByAll = {
  steps: 96,
  evalEvery: 16,
  evalPrompts: 100,
  evalTemperature: 0.6,
  evalTopP: 0.95,
  checkpointEvery: 16,
};
const shared = { ...r1Zero.config.grpo, ...sharedByAll };

const brief = { steps: 16, promptsPerStep: 1, groupSize: 2, maxNewTokens: 24, evalPrompts: 2 };

/**
 * The paper's claims in miniature, from a finished run of recipes/r1.ts and the ablations that it lacks. `npm run claims` runs
 * both for several seeds and writes docs/claims.md.
 */
export default defineRecipe({
  name: "claims",
  config: {
    /** Folder of a finished run of recipes/r1.ts on the tiny world. */
    r1: "out/r1",
    /** Folders of finished runs of recipes/prm.ts and recipes/mcts.ts; claim 12 is left out without them. */
    prm: optional("string"),
    mcts: optional("string"),
    evaluation: {
      problems: count(200, { min: 2 }),
      samples: count(16),
      temperature: within(0.6, 0, 100),
      topP: within(0.95, 0.01, 1),
      maxNewTokens: count(256),
    },
    /** The objectives that are compared: variants.ts has what each changes. */
    variant: grpoConfig({ ...shared, clipLow: 0.2, clipHigh: 0.2, aggregation: "sequence" }),
    ppo: ppoConfig({ ...ppoRecipe.config.ppo, ...sharedByAll }),
    /** A preference model's fault: the share of its pairs in which the longer answer was preferred. */
    longerShare: within(0.9, 0.5, 1),
    biased: rewardConfig({ batchSize: 32, lr: 3e-4, epochs: 2, warmupSteps: 5 }),
    /** A policy trained against it for long, and by nothing else. */
    hacking: grpoConfig({ ...shared, steps: 320, schedule: "constant", clipHigh: 0.28, maxNewTokens: 96 }),
  },
  tiny: {
    evaluation: { problems: 8, samples: 2, maxNewTokens: 48 },
    variant: brief,
    ppo: brief,
    biased: { steps: 2 },
    hacking: { ...brief, steps: 4 },
  },
  async run({ config, stage, run, seed }) {
    const variants = variantsOf(config.variant);
    const r1 = finishedRun(config.r1);
    const { noise, zero: zeroRl, r1: last, generalShare, generalWeights, model: base } = r1.config;
    if (r1.config.world !== "tiny")
      throw new UserError(
        `recipe claims: ${config.r1} is a run over rows of your own (world=${r1.config.world}). Expected one of the tiny world, whose truth the claims are held against: npm run r1 -- --run NAME, then --set r1=out/NAME.`,
      );
    const world = tinyWorld(noise, seed);
    const { countdown } = reasoningTasks({ form: "answer", language: 0 });
    const summaries = world.reasoning({ form: "summary", language: 1 });
    const { evaluation } = config;
    const score = (name: string, folder: string, inputs: Record<string, unknown> = {}) =>
      stage(name, () => scored(folder, countdown, evaluation, seed), { ...inputs, model: folder, evaluation });
    const figures = (name: string, folder: string, form: "answer" | "summary") =>
      stage(name, () => measure({ folder, form }, world, r1.config.measure, run), {
        model: folder,
        form,
        measure: r1.config.measure,
      });

    const before = await score("base", base);
    const zero = await score("zero", r1.model("zero"), r1.begun("zero"));

    // R1-Zero with a language reward and without, asked as often in one language as in the other.
    const inBoth = (language: number) => inBothLanguages(world.reasoning({ form: "answer", language }));
    const mixed = await stage("mixed", () => grpo(base, inBoth(0), zeroRl), { base, zero: zeroRl });
    const withoutLanguage = await figures("mixed-figures", mixed.model, "answer");
    const consistent = await stage("one-language", () => grpo(base, inBoth(1), zeroRl), { base, zero: zeroRl });
    const withLanguage = await figures("one-language-figures", consistent.model, "answer");

    // Objectives beside each other, all from the base.
    const objectives: Record<string, number> = {};
    for (const [name, settings] of variants) {
      const trained = await stage(`variant-${name}`, () => grpo(base, countdown, settings), { base, settings });
      objectives[name] = (await score(`variant-${name}-figures`, trained.model)).accuracy;
    }
    for (const lambda of [0.95, 1]) {
      const name = lambda === 1 ? "ppo" : "ppo-095";
      const settings = ppoConfig({ ...config.ppo, lambda });
      const trained = await stage(name, () => ppo(base, countdown, settings), { base, settings });
      objectives[name] = (await score(`${name}-figures`, trained.model)).accuracy;
    }

    // What hangs on R1's last stages comes last: a change of theirs leaves the above as it is.
    const shots = await stage("few-shot", () => fewShot(r1.model("r1"), evaluation, seed), {
      ...r1.begun("r1"),
      evaluation,
    });

    // R1 without its safety prompts.
    const scorers = { helpfulness: r1.model("helpfulness"), safety: r1.model("safety") };
    const scenario = { generalShare, generalWeights: { ...generalWeights, safe: 0 }, steps: last.steps };
    const careless = await stage(
      "no-safety",
      () => withScenarios(world, summaries, scorers, scenario, (shares) => grpo(r1.model("dev3"), shares, last)),
      { ...r1.begun("dev3", "helpfulness", "safety"), last, scenario },
    );
    const withoutSafety = await figures("no-safety-figures", careless.model, "summary");

    // A preference model with a fault, and what a policy makes of it.
    const { longerShare, biased, hacking } = config;
    const faulty = await stage("biased", () => biasedModel(r1, longerShare, biased), {
      ...r1.begun("dev3", "judging"),
      longerShare,
      biased,
    });
    await stage("hacking", () => hackedPolicy(r1.model("dev3"), faulty.model, hacking), {
      ...r1.begun("dev3"),
      hacking,
      model: faulty.model,
    });

    const harmless = await stage(
      "harmless",
      async () => ({
        withSafety: await declinesHarmless(r1.model("r1"), evaluation, seed),
        without: await declinesHarmless(careless.model, evaluation, seed),
      }),
      { ...r1.begun("r1"), evaluation, model: careless.model },
    );

    const claims = await claimsOf(r1, run, {
      dropped: config.prm && config.mcts ? { prm: finishedRun(config.prm), mcts: finishedRun(config.mcts) } : undefined,
      before,
      zero,
      shots,
      withLanguage,
      withoutLanguage,
      withoutSafety,
      harmless,
      objectives,
    });
    for (const { number, claim, holds } of claims)
      run.tell(`${holds ? "holds     " : "does not  "} ${number}. ${claim}`);
  },
});
