import { fileURLToPath } from "node:url";
import {
  type DecoderConfig,
  defineRecipe,
  loadModel,
  oneOf,
  optional,
  randomDecoder,
  type SftRow,
  saveModel,
  sft,
  sftConfig,
  Tokenizer,
  user,
  within,
} from "aha-rl";
import { writeTokenizer } from "./tiny-world/tokenizer.ts";
import { worldDocuments } from "./tiny-world/world.ts";

type Shape = Omit<DecoderConfig, "vocabSize">;

/** Shape of the embedded base: some 0.9 million parameters. */
const base: Shape = {
  family: "qwen2",
  width: 128,
  numLayers: 4,
  numHeads: 4,
  numKvHeads: 4,
  headSize: 32,
  mlpSize: 384,
  maxPositions: 512,
  normEps: 1e-6,
  rope: { type: "default", theta: 10_000, size: 32 },
  isTied: true,
  hasQkvBias: true,
  hasOutputBias: false,
  hasMlpBias: false,
  hasQkNorm: false,
  savedDtype: "float32",
};

/** Shape of the embedded student: a third of it, of another family. */
const student: Shape = {
  ...base,
  family: "llama",
  width: 96,
  numLayers: 2,
  numHeads: 3,
  numKvHeads: 3,
  mlpSize: 288,
  hasQkvBias: false,
};

const shapes = { base, student };

/**
 * Pretrains an embedded model on the world's text and writes its folder, models/tiny-base or (`--set model=student`)
 * models/tiny-student.
 */
export default defineRecipe({
  name: "tiny-base",
  config: {
    model: oneOf("base", ["base", "student"]),
    /** The folder that is written; the model's own in models/ where not given. */
    output: optional("string"),
    /** Standard deviation of the first weights. */
    deviation: within(0.06, 0, 1),
    sft: sftConfig({
      steps: 8000,
      batchSize: 84,
      lr: 2e-3,
      warmupSteps: 50,
      lrFloor: 0.02,
      beta2: 0.98,
      weightDecay: 0.01,
      checkpointEvery: 250,
      // As the released weights were made: another order of the same sums has other last bits.
      packing: "inOrder",
    }),
  },
  tiny: { sft: { steps: 3, batchSize: 4 }, output: "out/tiny-base-model" },
  async run({ config, stage, run, seed }) {
    const output = config.output ?? fileURLToPath(new URL(`../models/tiny-${config.model}`, import.meta.url));
    await stage("pretrain", async () => {
      const start = run.stageDir("pretrain");
      writeTokenizer(start);
      const { vocabSize } = Tokenizer.load(start);
      const decoder = randomDecoder({ ...shapes[config.model], vocabSize }, seed, config.deviation);
      saveModel({ decoder, files: new Map() }, start);
      decoder.dispose();
      const rows = Array.from(documents(seed, config.sft.steps! * config.sft.batchSize));
      const trained = await sft(start, { pretrain: { rows } }, config.sft);
      const model = loadModel(trained.model);
      saveModel(model, output);
      model.decoder.dispose();
      return trained;
    });
  },
});

/** The world's documents: a question is asked through the chat template, and read but not learned, since its numbers cannot be foreseen. */
function* documents(seed: number, num: number): Generator<SftRow> {
  const world = worldDocuments(seed);
  for (let i = 0; i < num; i++) {
    const { history, question, text } = world.next().value;
    const before = history.flatMap((turn) => [user(turn.question), { role: "assistant", content: turn.text }]);
    yield question === undefined ? { text } : { prompt: [...before, user(question)], completion: text };
  }
}
