import type { Tensor } from "#tensor";
import type { DecoderConfig } from "./config.ts";
import type { Layer, Weights } from "./decoder.ts";

/** Puts named parameters (`embedding`, `layers.0.qkv`, …) where the decoder looks for them. */
export function assemble(config: DecoderConfig, named: ReadonlyMap<string, Tensor>): Weights {
  const get = (name: string): Tensor => {
    const tensor = named.get(name);
    if (tensor === undefined) throw new Error(`model: no parameter "${name}"`);
    return tensor;
  };
  const layers = Array.from({ length: config.numLayers }, (_, i) => {
    const prefix = `layers.${i}.`;
    const own = [...named].filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])) as Layer;
  });
  const embedding = get("embedding");
  return {
    embedding,
    layers,
    norm: get("norm"),
    ...(config.scalarHead === "score" ? {} : { head: config.isTied ? embedding : get("head") }),
    ...(config.scalarHead === undefined ? {} : { scalar: get("scalar") }),
  };
}
