import type { Decoder } from "#models";
import type { AllOutputs, OutputName } from "#nn";
import { type Tensor, tensor, zeros } from "#tensor";
import { hiddenOf, type Packed } from "./pack.ts";
import type { FrozenPolicy } from "./types.ts";

type Makers = { readonly [Name in OutputName]?: () => Tensor };

const names: readonly OutputName[] = ["logprobs", "entropy", "values", "scores"];

/** The outputs that a policy can make, each made when it is first read; reading one that it cannot is refused by name. */
export function lazyOutputs(policy: string, makers: Makers): AllOutputs {
  const made = new Map<OutputName, Tensor>();
  const read = (name: OutputName): Tensor => {
    const tensor = made.get(name) ?? (makers[name] ?? refuse(policy, new Set(Object.keys(makers)), name))();
    made.set(name, tensor);
    return tensor;
  };
  const getters = names.map((name) => [name, { get: () => read(name), enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(getters)) as AllOutputs;
}

/** Throws, before anything is sampled or trained, where `policy` cannot give all that is needed. */
export function needOutputs(policy: FrozenPolicy, needed: readonly OutputName[], who: string): void {
  for (const name of needed) if (!policy.outputs.has(name)) refuse(who, policy.outputs, name);
}

function refuse(who: string, given: ReadonlySet<string>, name: OutputName): never {
  const advice = { logprobs: "language model", entropy: "local language model" } as Record<OutputName, string>;
  throw new Error(
    `${who}: this policy gives ${[...given].join(", ") || "no outputs"}, not ${name}. Expected a ${advice[name] ?? "local model with a scalar head"}.`,
  );
}

/** What a decoder of these heads gives. */
export const outputsOf = ({ weights: { head, scalar } }: Decoder): ReadonlySet<OutputName> =>
  new Set([
    ...(head === undefined ? [] : (["logprobs", "entropy"] as const)),
    ...(scalar === undefined ? [] : (["values", "scores"] as const)),
  ]);

/** One packed pass through a decoder. `rows` are the trained positions; undefined: all. */
export function localOutputs(
  decoder: Decoder,
  packed: Packed,
  rows: Tensor | undefined,
  temperature: number,
): AllOutputs {
  const { device } = decoder;
  const hidden = hiddenOf(decoder, packed);
  const N = hidden.dim(0);
  const at = (x: Tensor, chosen: Tensor | undefined) => (chosen === undefined ? x : x.indexSelect(0, chosen));
  const spread = (x: Tensor, chosen: Tensor | undefined) =>
    chosen === undefined ? x : zeros([N], { device, dtype: x.dtype }).indexAdd(0, chosen, x); // [N]
  let drawn: ReturnType<Decoder["logprobs"]> | undefined;
  const ofTokens = () => (drawn ??= decoder.logprobs(at(hidden, rows), at(packed.targets, rows), temperature));
  const ofScalar = (chosen: Tensor | undefined) => spread(decoder.scalars(at(hidden, chosen)), chosen); // [N]
  const makers: Record<OutputName, () => Tensor> = {
    logprobs: () => spread(ofTokens().logprobs, rows),
    entropy: () => spread(ofTokens().entropy, rows),
    values: () => ofScalar(rows),
    scores: () => ofScalar(lastPositions(packed, device)),
  };
  const given = outputsOf(decoder);
  return lazyOutputs(
    "loss",
    Object.fromEntries(Object.entries(makers).filter(([name]) => given.has(name as OutputName))),
  );
}

const lastPositions = ({ offsets }: Packed, device: Decoder["device"]): Tensor =>
  tensor(
    Int32Array.from(offsets.starts.slice(1), (end) => end - 1),
    undefined,
    { device },
  ); // [S]
