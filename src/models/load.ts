import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Device, type DType, empty, machine, noGrad, outside, SafetensorsFile, type Tensor, tidy } from "#tensor";
import { type DecoderConfig, readConfig } from "./config.ts";
import { Decoder } from "./decoder.ts";
import { modelFolder } from "./embedded.ts";
import { layout, type Part, shapeOf } from "./layout.ts";
import { assemble } from "./weights.ts";

/** A decoder and the other files of its folder, which a save writes beside the weights. */
export type Model = { decoder: Decoder; files: ReadonlyMap<string, Buffer> };

export type LoadOptions = {
  /** Element type to compute in; float32 unless told otherwise. */
  dtype?: DType;
  device?: Device;
};

/** Files that belong to a model besides its weights: configuration, tokenizer, chat template. */
const companions =
  /^(config|generation_config|tokenizer.*|special_tokens_map|added_tokens|vocab|chat_template)\.(json|jinja|model|txt)$|^merges\.txt$|^chat_template\.jinja$/;

/**
 * Loads a Hugging Face model folder, or the embedded `tiny-base` by its name. Throws where the folder is missing or half there, where its family does not run
 * here, and where a weight has another shape than config.json asks for.
 */
export function loadModel(name: string, { dtype = "float32", device = "cpu" }: LoadOptions = {}): Model {
  const folder = modelFolder(name);
  if (device !== "cpu" && !machine().hasCuda)
    throw new Error(`${device}: this libtorch sees no NVIDIA GPU. Use the device cpu; aha doctor says what is there.`);
  return withShards(folder, (shards, config) => {
    const named = new Map<string, Tensor>();
    try {
      for (const [name, parts] of layout(config))
        named.set(
          name,
          outside(() => shards.parameter(parts, config, { dtype, device })),
        );
      shards.refuseLeftovers();
      const names = readdirSync(folder).filter((name) => companions.test(name));
      const files = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
      return { decoder: new Decoder(config, assemble(config, named)), files };
    } catch (error) {
      for (const parameter of named.values()) parameter.dispose();
      throw error;
    }
  });
}

/**
 * Throws what `loadModel` would about a folder, from the names and shapes of its weights alone: in a moment, so that a model
 * that is needed in hours can be refused now.
 */
export function checkModel(name: string): DecoderConfig {
  return withShards(modelFolder(name), (shards, config) => {
    for (const parts of layout(config).values()) for (const part of parts) shards.find(part, config);
    shards.refuseLeftovers();
    return config;
  });
}

/** Opens a model folder's weights and reads its configuration, as the weights correct it. */
function withShards<T>(folder: string, work: (shards: Shards, config: DecoderConfig) => T): T {
  if (!existsSync(folder)) {
    throw new Error(`${folder}: no such model folder. Expected a Hugging Face folder (config.json, *.safetensors).`);
  }
  const { config } = readConfig(folder);
  const shards = new Shards(folder);
  try {
    return work(shards, { ...config, isTied: config.isTied && !shards.hasOwnHead(config) });
  } finally {
    shards.close();
  }
}

/** The safetensors files of a folder, one or many. */
class Shards {
  readonly #folder: string;
  readonly #files = new Map<string, SafetensorsFile>();
  /** Which file has which tensor. */
  readonly #where = new Map<string, SafetensorsFile>();
  readonly #used = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    const names = shardNames(folder);
    try {
      for (const name of names) {
        const file = new SafetensorsFile(join(folder, name));
        this.#files.set(name, file);
        for (const tensor of file.entries.keys()) this.#where.set(tensor, file);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  parameter(parts: readonly Part[], config: DecoderConfig, { dtype, device }: Required<LoadOptions>): Tensor {
    return noGrad(() =>
      tidy(() => {
        const whole = empty(shapeOf(parts), { dtype });
        let row = 0;
        for (const part of parts) {
          tidy(() => {
            whole.narrow(0, row, part.shape[0]!).copy_(this.#read(part, config));
          });
          row += part.shape[0]!;
        }
        return device === "cpu" ? whole : whole.toDevice(device);
      }),
    );
  }

  #read(part: Part, config: DecoderConfig): Tensor {
    return this.find(part, config).read(part.name);
  }

  /** The file of a weight that is there in its shape; throws where it is not. */
  find({ name, shape }: Part, config: DecoderConfig): SafetensorsFile {
    const file = this.#where.get(name);
    if (file === undefined) {
      const hint =
        this.#where.size === 0
          ? "no tensors at all"
          : `${this.#where.size} tensors, such as ${[...this.#where.keys()][0]}`;
      throw new Error(
        `${this.#folder}: no weight "${name}" (there are ${hint}). Is the download whole, and config.json of this model?`,
      );
    }
    this.#used.add(name);
    const found = file.entries.get(name)!.shape;
    if (`${found}` !== `${shape}`) {
      const heads = /[qkv]_proj/.test(name)
        ? ` (${config.numHeads} heads of ${config.headSize}, ${config.numKvHeads} for keys)`
        : "";
      throw new Error(
        `${file.path}: ${name} is [${found.join(", ")}], config.json asks for [${shape.join(", ")}]${heads}. Wrong config for these weights?`,
      );
    }
    return file;
  }

  /** Whether a head is there that is not the embedding: transformers then ties nothing, whatever config.json says. */
  hasOwnHead(config: DecoderConfig): boolean {
    if (!this.#where.has("lm_head.weight")) return false;
    const shape = [config.vocabSize, config.width];
    const [head, embedding] = ["lm_head.weight", "model.embed_tokens.weight"].map((name) => ({ name, shape }));
    return tidy(() => this.#read(head!, config).sub(this.#read(embedding!, config)).abs().amax().item() !== 0);
  }

  /** A weight of a layer that no parameter took would silently change the model. */
  refuseLeftovers(): void {
    const left = [...this.#where.keys()].filter(
      (name) => name.startsWith("model.layers.") && !this.#used.has(name) && !name.endsWith("rotary_emb.inv_freq"),
    );
    if (left.length > 0) {
      throw new Error(
        `${this.#folder}: ${left.length} weights have no place in this model, such as ${left[0]}. Is config.json of these weights?`,
      );
    }
  }

  close(): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }
}

function shardNames(folder: string): string[] {
  const index = join(folder, "model.safetensors.index.json");
  if (existsSync(join(folder, "model.safetensors"))) return ["model.safetensors"];
  if (!existsSync(index)) {
    throw new Error(
      `${folder}: no weights. Expected model.safetensors, or model.safetensors.index.json and its shards.`,
    );
  }
  let map: Record<string, string> | undefined;
  try {
    map = JSON.parse(readFileSync(index, "utf8"))?.weight_map;
  } catch (error) {
    throw new Error(`${index}: not JSON (${(error as Error).message}). Copy or download it again.`);
  }
  if (typeof map !== "object" || map === null) {
    throw new Error(`${index}: no weight_map. Expected the name of each weight's file. Copy or download it again.`);
  }
  const names = [...new Set(Object.values(map))].sort();
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new Error(
      `${folder}: ${missing.length} of ${names.length} weight files are missing, such as ${missing[0]}. Finish the download.`,
    );
  }
  return names;
}
