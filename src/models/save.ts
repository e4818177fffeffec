import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, dtypeBytes, noGrad, type Tensor, tidy, writeSafetensors } from "#tensor";
import { headJson, toJson } from "./config.ts";
import type { Decoder } from "./decoder.ts";
import { layout, type Part } from "./layout.ts";
import type { Model } from "./load.ts";

export type SaveOptions = {
  /** Element type of the weights; the source's unless told otherwise. */
  dtype?: DType;
  /** Largest size of one weight file. */
  shardBytes?: number;
};

type Piece = { parameter: Tensor; row: number; part: Part };

/**
 * Writes a model as a Hugging Face folder and syncs its files. The folder may exist; what it holds under the same names
 * is replaced. A temporary name and the rename are the caller's.
 */
export function saveModel({ decoder, files }: Model, folder: string, options: SaveOptions = {}): void {
  const { dtype = decoder.config.savedDtype, shardBytes = 5e9 } = options;
  mkdirSync(folder, { recursive: true });
  const config = toJson({ ...decoder.config, savedDtype: dtype });
  const original = files.get("config.json");
  const kept =
    original === undefined
      ? config
      : {
          ...JSON.parse(original.toString("utf8")),
          ...headJson(decoder.config),
          tie_word_embeddings: decoder.config.isTied,
          dtype,
        };
  writeSynced(join(folder, "config.json"), `${JSON.stringify(kept, null, 2)}\n`);
  for (const [name, data] of files) if (name !== "config.json") writeSynced(join(folder, name), data);

  const shards = split(pieces(decoder), dtypeBytes[dtype], shardBytes);
  const names = shards.map((_, i) => shardName(i, shards.length));
  for (const [i, shard] of shards.entries()) {
    noGrad(() =>
      tidy(() => {
        const tensors = shard.map(({ parameter, row, part }): [string, Tensor] => [
          part.name,
          parameter.detach().narrow(0, row, part.shape[0]!).to(dtype).toDevice("cpu").contiguous(),
        ]);
        writeSafetensors(join(folder, names[i]!), Object.fromEntries(tensors));
      }),
    );
  }
  if (shards.length > 1) {
    const weight_map = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ part }) => [part.name, names[i]])));
    const total_size = shards.flat().reduce((sum, { part }) => sum + sizeOf(part) * dtypeBytes[dtype], 0);
    const text = JSON.stringify({ metadata: { total_size }, weight_map }, null, 2);
    writeSynced(join(folder, "model.safetensors.index.json"), `${text}\n`);
  }
}

function pieces(decoder: Decoder): Piece[] {
  const parameters = decoder.parameters();
  return [...layout(decoder.config)].flatMap(([name, parts]) => {
    let row = 0;
    return parts.map((part) => {
      const piece = { parameter: parameters.get(name)!, row, part };
      row += part.shape[0]!;
      return piece;
    });
  });
}

const sizeOf = ({ shape }: Part): number => shape.reduce((product, size) => product * size, 1);

function split(all: Piece[], valueBytes: number, shardBytes: number): Piece[][] {
  const shards: Piece[][] = [[]];
  let used = 0;
  for (const piece of all) {
    const bytes = sizeOf(piece.part) * valueBytes;
    if (used > 0 && used + bytes > shardBytes) {
      shards.push([]);
      used = 0;
    }
    shards.at(-1)!.push(piece);
    used += bytes;
  }
  return shards;
}

function shardName(index: number, count: number): string {
  const pad = (value: number) => String(value).padStart(5, "0");
  return count === 1 ? "model.safetensors" : `model-${pad(index + 1)}-of-${pad(count)}.safetensors`;
}

function writeSynced(path: string, data: string | Buffer): void {
  const fd = openSync(path, "w");
  try {
    writeFileSync(fd, data);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
