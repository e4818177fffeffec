import { closeSync, createReadStream, fstatSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { loadModel } from "#models";
import { type LocalOptions, logprobsOf } from "#policy";
import { UserError } from "#run";

export type ScoreOptions = { in: string; temperature: number; device: LocalOptions["device"] };

/**
 * `aha score <model> --in ids.jsonl`: for each line {"ids": […]} one line {"logprobs": […]} of ids[1…] on stdout, in
 * order, in float32 and nothing else. Needs no tokenizer.
 */
export async function score(folder: string, options: ScoreOptions): Promise<void> {
  if (!(options.temperature > 0))
    throw new UserError(`--temperature ${options.temperature}: expected above 0; logits are divided by it.`);
  const input = options.in === "-" ? process.stdin : createReadStream("", { fd: openInput(options.in) });
  const { decoder } = loadModel(folder, { device: options.device });
  const { vocabSize, maxPositions } = decoder.config;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === "") continue;
    const ids = readIds(line, `${options.in}:${number}`, vocabSize, maxPositions);
    const [logprobs] =
      ids.length < 2 ? [new Float32Array()] : await logprobsOf(decoder, [ids], options.temperature, ids.length);
    const isWritten = process.stdout.write(`${JSON.stringify({ logprobs: Array.from(logprobs!) })}\n`);
    if (!isWritten) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
  decoder.dispose();
}

/** A stream's own error would come too late to be caught. */
function openInput(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw new UserError(
      `--in ${path}: cannot be read (${(error as NodeJS.ErrnoException).code}). Expected a file of {"ids": [...]} lines.`,
      { cause: error },
    );
  }
  if (!fstatSync(fd).isDirectory()) return fd;
  closeSync(fd);
  throw new UserError(`--in ${path}: is a folder. Expected a file of {"ids": [...]} lines.`);
}

function readIds(line: string, where: string, vocabSize: number, maxPositions: number): Int32Array {
  let ids: unknown;
  try {
    ids = (JSON.parse(line) as { ids?: unknown } | null)?.ids;
  } catch (error) {
    throw new UserError(`${where}: not JSON (${(error as Error).message}). Expected {"ids": [1, 2, 3]}.`);
  }
  if (!Array.isArray(ids)) throw new UserError(`${where}: no array "ids". Expected {"ids": [1, 2, 3]}.`);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong !== undefined) {
    throw new UserError(
      `${where}: id ${JSON.stringify(wrong)} is not one of the model's vocabulary, 0 to ${vocabSize - 1}.`,
    );
  }
  if (ids.length > maxPositions) {
    throw new UserError(`${where}: ${ids.length} ids, the model's context is ${maxPositions} tokens. Split the line.`);
  }
  return Int32Array.from(ids as number[]);
}
