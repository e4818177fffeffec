import { fileURLToPath } from "node:url";
import {
  type DecoderConfig,
  defineRecipe,
  loadModel,
  randomDecoder,
  type SftRow,
  saveModel,
  sft,
  sftConfig,
  Tokenizer,
  within,
} from "aha-rl";
import { writeTokenizer } from "./tiny-base/tokenizer.ts";
import { worldDocuments } from "./tiny-base/world.ts";

const folder = fileURLToPath(new URL("../models/tiny-base", import.meta.url));

/** Shape of the embedded model: some 0.9 million parameters. */
const shape: Omit<DecoderConfig, "vocabSize"> = {
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

/** Pretrains the embedded base model on the world's text and writes models/tiny-base. */
export default defineRecipe({
  name: "tiny-base",
  config: {
    output: folder,
    /** Standard deviation of the first weights. */
    deviation: within(0.06, 0, 1),
    sft: sftConfig({
      steps: 8000,
      batchSize: 64,
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
    await stage("pretrain", async () => {
      const start = run.stageDir("pretrain");
      writeTokenizer(start);
      const { vocabSize } = Tokenizer.load(start);
      const decoder = randomDecoder({ ...shape, vocabSize }, seed, config.deviation);
      saveModel({ decoder, files: new Map() }, start);
      decoder.dispose();
      const rows = Array.from(documents(seed, config.sft.steps! * config.sft.batchSize));
      const trained = await sft(start, { pretrain: { rows } }, config.sft);
      const model = loadModel(trained.model);
      saveModel(model, config.output);
      model.decoder.dispose();
      return trained;
    });
  },
});

/** The world's documents: a question is asked through the chat template, and read but not learned, since its numbers cannot be foreseen. */
function* documents(seed: number, num: number): Generator<SftRow> {
  const world = worldDocuments(seed);
  for (let i = 0; i < num; i++) {
    const { question, text } = world.next().value;
    yield question === undefined ? { text } : { prompt: question, completion: text };
  }
}
