import { normals, outside, streamKey, tensor, zeros } from "#tensor";
import { Decoder } from "./decoder.ts";
import type { Model } from "./load.ts";

/**
 * The model with a fresh scalar head; its other weights are shared, not copied, and a "score" takes the place of the
 * vocabulary's projection, which is freed where it is not the embedding. A value begins at 0, a score's weights are
 * normal with variance 1 / (D + 1) (Stiennon et al. 2020, 2009.01325, appendix). `padId` is config.json's where not given.
 */
export function addScalarHead(
  { decoder, files }: Model,
  head: "value" | "score",
  { seed, padId = decoder.config.padId }: { seed: number; padId?: number },
): Model {
  const { config, weights } = decoder;
  if (config.scalarHead !== undefined)
    throw new Error(
      `model: it has a ${config.scalarHead} head already. Expected a language model to give a ${head} head.`,
    );
  const { width: D } = config;
  const deviation = 1 / Math.sqrt(D + 1);
  const fresh = () => normals(streamKey(seed, "scalar-head"), D).map((value) => value * deviation);
  const options = { dtype: decoder.dtype, device: decoder.device };
  const scalar = outside(() => (head === "value" ? zeros([1, D], options) : tensor(fresh(), [1, D], options)));
  const { head: vocabulary, ...rest } = weights;
  const isKept = head === "value" && vocabulary !== undefined;
  if (!isKept && vocabulary !== weights.embedding) vocabulary?.dispose();
  const changed = { ...config, scalarHead: head, ...(padId === undefined ? {} : { padId }) };
  return { decoder: new Decoder(changed, { ...rest, ...(isKept ? { head: vocabulary } : {}), scalar }), files };
}
