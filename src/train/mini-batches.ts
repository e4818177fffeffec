import type { Example, Trained } from "#policy";
import { permutation, streamKey } from "#tensor";
import type { RolloutConfig } from "./grpo-config.ts";

/** What was measured in one optimizer update; `step` counts updates from 0, `staleness` those since its answers were sampled. */
export type StepFigures = { step: number; staleness: number; lr: number; gradNorm: number; trained: Trained };

/** The answers of a rollout; `weigh` gives those of one step, their weights divided by that step's count. */
export type WeighedExamples<Field extends string> = {
  length: number;
  weigh: (chosen: readonly number[]) => Example<Field>[];
};

/** The mini-batches of one rollout's updates, from step `firstStep` on: each epoch in an order of its own. */
export function* miniBatches<Field extends string>(
  examples: WeighedExamples<Field>,
  config: Pick<RolloutConfig, "innerEpochs" | "miniBatches">,
  seed: number,
  firstStep: number,
): Generator<{ step: number; staleness: number; batch: Example<Field>[] }> {
  let staleness = 0;
  for (let epoch = 0; epoch < config.innerEpochs; epoch++) {
    const order = permutation(streamKey(seed, "mini-batches", firstStep, epoch), examples.length);
    for (const chosen of split(order, config.miniBatches)) {
      yield { step: firstStep + staleness, staleness: staleness++, batch: examples.weigh(Array.from(chosen)) };
    }
  }
}

/** `count` pieces of a list, as even as can be, in its order; a short list leaves some empty, and each is a step all the same. */
function split(order: Int32Array, count: number): Int32Array[] {
  const at = (i: number) => Math.round((i * order.length) / count);
  return Array.from({ length: count }, (_, i) => order.subarray(at(i), at(i + 1)));
}
