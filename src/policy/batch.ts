import type { Batch } from "#nn";
import { type Device, type Tensor, tensor, zeros } from "#tensor";
import type { Example } from "./types.ts";

/** The tensors of a micro-batch. `rows` are the positions that are trained, or undefined where all are. */
export function toBatch<Field extends string>(
  examples: readonly Example<Field>[],
  device: Device,
  together = 1,
): { batch: Batch<Field>; rows: Tensor | undefined; trained: Tensor; numTrained: number } {
  const join = (of: (example: Example<Field>) => Float32Array) => {
    const N = examples.reduce((sum, { ids }) => sum + ids.length - 1, 0);
    const all = new Float32Array(N);
    let at = 0;
    for (const example of examples) {
      const values = of(example);
      if (values.length !== example.ids.length - 1) {
        throw new Error(
          `train: a field has ${values.length} values for ${example.ids.length} ids. Expected one per predicted token, ${example.ids.length - 1}.`,
        );
      }
      all.set(values, at);
      at += values.length;
    }
    return all;
  };
  const weights = join((example) => example.weights);
  const trainedRows = Int32Array.from(weights.keys()).filter((i) => weights[i] !== 0);
  const names = Object.keys(examples[0]!.fields) as Field[];
  const fields = Object.fromEntries(
    names.map((name) => [
      name,
      tensor(
        join(({ fields: f }) => f[name]),
        undefined,
        { device },
      ),
    ]),
  );
  const trained = tensor(
    weights.map((weight) => Number(weight !== 0)),
    undefined,
    { device },
  ); // [N]
  const sequence = tensor(sequenceIndex(examples, 1), undefined, { device }); // [N] int64
  const group = together === 1 ? sequence : tensor(sequenceIndex(examples, together), undefined, { device }); // [N] int64
  const sum = (values: Tensor, index = sequence) =>
    zeros([examples.length], { device }).indexAdd(0, index, values.mul(trained)); // [S]
  const counts = sum(trained).clamp(1, Number.POSITIVE_INFINITY); // [S]
  const batch = {
    ...(fields as Record<Field, Tensor>),
    weights: tensor(weights, undefined, { device }),
    sequenceSum: (values: Tensor) => sum(values).indexSelect(0, sequence),
    groupSum: (values: Tensor) => sum(values, group).indexSelect(0, group),
    sequenceMean: (values: Tensor) => sum(values).div(counts).indexSelect(0, sequence),
  };
  const isWhole = trainedRows.length === weights.length;
  return {
    batch,
    rows: isWhole ? undefined : tensor(trainedRows, undefined, { device }),
    trained,
    numTrained: trainedRows.length,
  };
}

function sequenceIndex(examples: readonly Example[], together: number): Int32Array {
  const index = (s: number) => Math.floor(s / together);
  return Int32Array.from(examples.flatMap(({ ids }, s) => new Array<number>(ids.length - 1).fill(index(s))));
}
