import { addRmsNorm, linear, linearLogprobs, rmsNorm, rotary, swiglu } from "#nn";
import { type Device, type DType, noGrad, outside, type Tensor } from "#tensor";
import type { DecoderConfig } from "./config.ts";
import { ropeTables } from "./rope.ts";

/** Attention as the caller wants it: over packed sequences, or over a cache. q [N, H, C], k and v [N, K, C] → [N, H, C]. */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

export type Layer = {
  attentionNorm: Tensor; // [D]
  qkv: Tensor; // [(H + 2K) · C, D]: queries, keys, values
  qkvBias?: Tensor;
  queryNorm?: Tensor; // [C]
  keyNorm?: Tensor; // [C]
  output: Tensor; // [D, H · C]
  outputBias?: Tensor;
  mlpNorm: Tensor; // [D]
  gateUp: Tensor; // [2F, D]: gate, up
  gateUpBias?: Tensor;
  down: Tensor; // [D, F]
  downBias?: Tensor;
};

export type Weights = {
  embedding: Tensor; // [V, D]
  layers: Layer[];
  norm: Tensor; // [D]
  /** [V, D]; a reward model has none. */
  head?: Tensor;
  /** [1, D]; see `DecoderConfig.scalarHead`. */
  scalar?: Tensor;
};

/** A decoder-only transformer. Qwen2, Qwen3 and Llama are configurations of it. */
export class Decoder {
  readonly config: DecoderConfig;
  readonly weights: Weights;
  #rope: { cos: Tensor; sin: Tensor; length: number } | undefined;

  constructor(config: DecoderConfig, weights: Weights) {
    this.config = config;
    this.weights = weights;
  }

  get device(): Device {
    return this.weights.embedding.device;
  }
  get dtype(): DType {
    return this.weights.embedding.dtype;
  }

  /** Every parameter by name, each once. */
  parameters(): Map<string, Tensor> {
    const { embedding, layers, norm, head, scalar } = this.weights;
    const named: [string, Tensor][] = [["embedding", embedding]];
    for (const [i, layer] of layers.entries())
      for (const [name, tensor] of Object.entries(layer)) named.push([`layers.${i}.${name}`, tensor]);
    named.push(["norm", norm]);
    if (head !== undefined && head !== embedding) named.push(["head", head]);
    if (scalar !== undefined) named.push(["scalar", scalar]);
    return new Map(named);
  }

  get numParameters(): number {
    return [...this.parameters().values()].reduce((sum, parameter) => sum + parameter.size, 0);
  }

  /** ids and positions int64 [N] → the final hidden states [N, D], normed. `aux` is for losses that layers add; dense ones add none. */
  forward(ids: Tensor, positions: Tensor, lastPosition: number, attend: Attend): { hidden: Tensor; aux?: Tensor } {
    const { embedding, layers, norm } = this.weights;
    const { normEps } = this.config;
    const { cos, sin } = this.#tables(lastPosition + 1);
    let sum = embedding.embedding(ids); // [N, D]
    let normed = rmsNorm(sum, layers[0]?.attentionNorm ?? norm, normEps); // [N, D]
    for (const [i, layer] of layers.entries()) {
      const attended = this.#attention(layer, normed, positions, cos, sin, (q, k, v) => attend(i, q, k, v));
      ({ normed, sum } = addRmsNorm(sum, attended, layer.mlpNorm, normEps));
      ({ normed, sum } = addRmsNorm(sum, this.#mlp(layer, normed), layers[i + 1]?.attentionNorm ?? norm, normEps));
    }
    return { hidden: normed };
  }

  #attention(
    layer: Layer,
    normed: Tensor,
    positions: Tensor,
    cos: Tensor,
    sin: Tensor,
    attend: (q: Tensor, k: Tensor, v: Tensor) => Tensor,
  ): Tensor {
    const { numHeads: H, numKvHeads: K, headSize: C, normEps } = this.config;
    const N = normed.dim(0);
    const qkv = linear(normed, layer.qkv, layer.qkvBias); // [N, (H + 2K) · C]
    const [queries, keys, values] = qkv.splitWithSizes([H * C, K * C, K * C], 1);
    let q = queries!.view([N, H, C]);
    let k = keys!.view([N, K, C]);
    if (layer.queryNorm !== undefined) q = rmsNorm(q, layer.queryNorm, normEps);
    if (layer.keyNorm !== undefined) k = rmsNorm(k, layer.keyNorm, normEps);
    q = rotary(q, cos, sin, positions);
    k = rotary(k, cos, sin, positions);
    const mixed = attend(q, k, values!.view([N, K, C])); // [N, H, C]
    return linear(mixed.reshape([N, H * C]), layer.output, layer.outputBias);
  }

  #mlp(layer: Layer, normed: Tensor): Tensor {
    return linear(swiglu(linear(normed, layer.gateUp, layer.gateUpBias)), layer.down, layer.downBias);
  }

  /** Log-probabilities of targets int64 [N] and entropies, both [N], of softmax(logits / temperature). */
  logprobs(hidden: Tensor, targets: Tensor, temperature = 1): { logprobs: Tensor; entropy: Tensor } {
    return linearLogprobs(hidden, this.#head, targets, temperature);
  }

  /** hidden [N, D] → [N, V]. */
  logits(hidden: Tensor): Tensor {
    return linear(hidden, this.#head);
  }

  /** The scalar head of hidden [N, D] → [N], in float32 at least. */
  scalars(hidden: Tensor): Tensor {
    const { scalar } = this.weights;
    if (scalar === undefined) {
      throw new Error(
        "model: it has no scalar head, so it gives neither values nor scores. addScalarHead gives it a fresh one.",
      );
    }
    const numbers = linear(hidden, scalar).view([hidden.dim(0)]); // [N]
    return this.dtype === "float64" ? numbers : numbers.to("float32");
  }

  get #head(): Tensor {
    const { head } = this.weights;
    if (head !== undefined) return head;
    throw new Error(
      "model: a reward model gives scores, no tokens and no log-probabilities. Use the model it was made from.",
    );
  }

  /** Rotary tables for at least `length` positions; they grow by doubling. */
  #tables(length: number): { cos: Tensor; sin: Tensor } {
    if (length > this.config.maxPositions) {
      throw new Error(
        `model: position ${length - 1} is beyond its context of ${this.config.maxPositions} tokens. Shorten the prompt or the answer.`,
      );
    }
    if (this.#rope === undefined || this.#rope.length < length) {
      const size = Math.min(this.config.maxPositions, Math.max(256, 2 * length));
      const dtype = this.dtype === "float64" ? "float64" : "float32";
      const old = this.#rope;
      // Outlives any tidy scope that happens to be open.
      this.#rope = { ...outside(() => ropeTables(this.config.rope, size, dtype, this.device)), length: size };
      old?.cos.dispose();
      old?.sin.dispose();
    }
    return this.#rope;
  }

  /** A frozen copy of the weights as they are now. */
  snapshot(): Decoder {
    return noGrad(() =>
      outside(
        () =>
          new Decoder(
            this.config,
            mapWeights(this.weights, (tensor) => tensor.clone()),
          ),
      ),
    );
  }

  /** The matrices of the linear products. */
  matrices(): Tensor[] {
    const { layers, head } = this.weights;
    const all = layers.flatMap(({ qkv, output, gateUp, down }) => [qkv, output, gateUp, down]);
    return head === undefined ? all : [...all, head];
  }

  setTrainable(isTrainable: boolean): void {
    for (const parameter of this.parameters().values()) parameter.requiresGrad = isTrainable;
  }

  dispose(): void {
    for (const parameter of this.parameters().values()) parameter.dispose();
    this.#rope?.cos.dispose();
    this.#rope?.sin.dispose();
    this.#rope = undefined;
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function mapWeights({ embedding, layers, norm, head, scalar }: Weights, change: (tensor: Tensor) => Tensor): Weights {
  const changed = change(embedding);
  return {
    embedding: changed,
    layers: layers.map((layer) => {
      const entries = Object.entries(layer).map(([name, tensor]) => [name, change(tensor)]);
      return Object.fromEntries(entries) as Layer;
    }),
    norm: change(norm),
    ...(head === undefined ? {} : { head: head === embedding ? changed : change(head) }),
    ...(scalar === undefined ? {} : { scalar: change(scalar) }),
  };
}
