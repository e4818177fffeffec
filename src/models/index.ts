export { type DecoderConfig, type Family, type Rope, readConfig } from "./config.ts";
export { type Attend, Decoder, type Layer, type Weights } from "./decoder.ts";
export { embeddedModel, embeddedStudent, modelFolder } from "./embedded.ts";
export { checkModel, type LoadOptions, loadModel, type Model } from "./load.ts";
export { randomDecoder } from "./random.ts";
export { type SaveOptions, saveModel } from "./save.ts";
export { addScalarHead } from "./scalar-head.ts";
