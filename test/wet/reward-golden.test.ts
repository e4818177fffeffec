import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { addScalarHead, loadModel, saveModel } from "#models";
import { type Example, LocalPolicy, scoresOf, toScored } from "#policy";
import { liveTensors, tensor, tidy } from "#tensor";
import { Tokenizer } from "#tokenizer";
import { type PairFields, pairLoss, pointLoss } from "#train";
import { toBatch } from "../../src/policy/batch.ts";
import { oursFolders, writeOurs } from "../golden/reward/ours.ts";

const root = join(import.meta.dirname, "../golden/reward");
const tokenizer = Tokenizer.load(join(import.meta.dirname, "../golden/tokenizer/tiny"));
const dir = mkdtempSync(join(tmpdir(), "aha-reward-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Values = { norm: number; first: number[]; last: number[] };
type Golden = {
  sequences: number[][];
  scores: number[];
  pairs: { loss: number; gradients: Record<string, Values> };
};
const read = <T>(...names: string[]): T => JSON.parse(readFileSync(join(root, ...names), "utf8")) as T;
const near = (values: readonly number[], digits = 4) => values.map((value) => expect.closeTo(value, digits));

/** Texts as examples of a pairwise loss: each even one is better than the next. */
function pairExamples(texts: readonly Int32Array[], margins: readonly number[] = []): Example<PairFields>[] {
  return texts.map((ids, s) => {
    const last = (value: number) => new Float32Array(ids.length - 1).fill(value, -1);
    return {
      ids,
      weights: last(1 / texts.length),
      fields: { sides: last(s % 2 === 0 ? 1 : -1), margins: last(margins[s >> 1] ?? 0), ties: last(0) },
    };
  });
}
const plain = { margin: 1, ties: "drop", tieThreshold: 0.5, centre: 0 } as const;

const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

describe.each(folders)("%s as transformers reads it", (name) => {
  const golden = read<Golden>(name, "golden.json");
  const texts = golden.sequences.map((ids) => toScored(ids, 0));

  it("has its scores within 1e-4, packed in one batch or alone, padding of its own left out", async () => {
    for (const microBatchTokens of [1000, 1]) {
      const policy = new LocalPolicy(loadModel(join(root, name)), tokenizer, { microBatchTokens });
      expect(await scoresOf(policy, texts)).toEqual(near(golden.scores));
      policy.dispose();
    }
  });

  it("has the pairwise loss and its gradient for every weight, however pairs are packed", async () => {
    for (const microBatchTokens of [1000, 1]) {
      const policy = new LocalPolicy(loadModel(join(root, name)), tokenizer, { microBatchTokens });
      const { loss } = await policy.forwardBackward(pairExamples(texts), pairLoss(plain), { together: 2 });
      expect(loss).toBeCloseTo(golden.pairs.loss, 4);
      const gradient = (ours: string) => tidy(() => policy.model.decoder.parameters().get(ours)!.grad!.toFloat32());
      for (const [ours, theirs] of [
        ["scalar", "score.weight"],
        ["embedding", "model.embed_tokens.weight"],
        ["norm", "model.norm.weight"],
        ["layers.0.down", "model.layers.0.mlp.down_proj.weight"],
        ["layers.1.output", "model.layers.1.self_attn.o_proj.weight"],
      ] as const) {
        const { first, last, norm } = golden.pairs.gradients[theirs]!;
        expect(Array.from(gradient(ours).slice(0, 8))).toEqual(near(first));
        expect(Array.from(gradient(ours).slice(-8))).toEqual(near(last));
        expect(Math.hypot(...gradient(ours)) / norm).toBeCloseTo(1, 4);
      }
      policy.dispose();
    }
  });

  it("scores the same after a save, and leaves nothing behind", async () => {
    const before = liveTensors();
    const model = loadModel(join(root, name));
    saveModel(model, join(dir, name));
    const policy = new LocalPolicy(loadModel(join(dir, name)), tokenizer);
    expect(await scoresOf(policy, texts)).toEqual(near(golden.scores));
    policy.dispose();
    model.decoder.dispose();
    // The collector may have found earlier tests' leftovers meanwhile; more than before is ours.
    expect(liveTensors()).toBeLessThanOrEqual(before);
  });
});

it.each(oursFolders)("%s is, byte for byte, what a save writes today", (name) => {
  writeOurs(name, join(dir, "again", name));
  for (const file of ["config.json", "model.safetensors"])
    expect(readFileSync(join(dir, "again", name, file)).equals(readFileSync(join(root, name, file)))).toBe(true);
});

describe("the losses equal TRL's and torch's, value and gradient, within 1e-6", () => {
  type Case = { hasMargin: boolean; centre: number; loss: number; gradient: number[]; accuracy: number };
  const golden = read<{
    chosen: number[];
    rejected: number[];
    margin: number[];
    cases: Case[];
    pointwise: { scores: number[]; labels: number[]; loss: number; gradient: number[] };
  }>("losses.json");

  /** A policy whose scores are given: what its loss says of them. */
  async function lossOf(scores: number[], examples: Example<PairFields>[], config: Parameters<typeof pairLoss>[0]) {
    return tidy(() => {
      const { batch } = toBatch(examples, "cpu", 2);
      const all = tensor(Float32Array.from(scores));
      all.requiresGrad = true;
      const { loss, metrics } = pairLoss(config)({ scores: all }, batch);
      loss.sum().backward();
      const accuracy = metrics["train/accuracy"]!.mean().item();
      return { loss: loss.detach().sum().item(), gradient: all.grad!.toArray(), accuracy };
    });
  }

  it.each(golden.cases)("pairwise, margin $hasMargin, centre $centre", async (theirs) => {
    const scores = golden.chosen.flatMap((better, i) => [better, golden.rejected[i]!]);
    const texts = scores.map(() => Int32Array.of(1, 0));
    const margins = theirs.hasMargin ? golden.margin : [];
    const ours = await lossOf(scores, pairExamples(texts, margins), { ...plain, centre: theirs.centre });
    expect(ours.loss).toBeCloseTo(theirs.loss, 6);
    const half = golden.chosen.length;
    const gradient = golden.chosen.flatMap((_, i) => [theirs.gradient[i]!, theirs.gradient[half + i]!]);
    expect(ours.gradient).toEqual(near(gradient, 6));
    expect(ours.accuracy).toBeCloseTo(theirs.accuracy, 6);
  });

  it("pointwise", async () => {
    const { scores, labels, loss: wanted, gradient } = golden.pointwise;
    tidy(() => {
      const all = tensor(Float32Array.from(scores));
      all.requiresGrad = true;
      const weights = tensor(Float32Array.from(scores, () => 1 / scores.length));
      const unused = () => all;
      const batch = { labels: tensor(Float32Array.from(labels)), weights, sequenceSum: unused, sequenceMean: unused };
      const { loss } = pointLoss({ scores: all }, { ...batch, groupSum: unused });
      loss.sum().backward();
      expect(loss.detach().sum().item()).toBeCloseTo(wanted, 6);
      expect(all.grad!.toArray()).toEqual(near(gradient, 6));
    });
  });
});

describe("what a policy cannot give is refused by name", () => {
  const base = () => loadModel(join(root, "../models/qwen2-tied"));
  const example = { ids: Int32Array.of(3, 4, 5), weights: Float32Array.of(0, 1), fields: {} };

  it("a reward model has scores, and neither tokens nor log-probabilities", async () => {
    const policy = new LocalPolicy(addScalarHead(base(), "score", { seed: 1 }), tokenizer);
    expect([...policy.outputs]).toEqual(["values", "scores"]);
    const loss = policy.forwardBackward([example], ({ logprobs }) => ({ loss: logprobs, metrics: {} }));
    await expect(loss).rejects.toThrow("loss: this policy gives values, scores, not logprobs.");
    await expect(policy.logprobs([example.ids])).rejects.toThrow("a reward model gives scores");
    policy.dispose();
  });

  it("a language model has no values, until it is given a head for them", async () => {
    const plain = new LocalPolicy(base(), tokenizer);
    expect([...plain.outputs]).toEqual(["logprobs", "entropy"]);
    await expect(plain.values([example.ids])).rejects.toThrow("model: it has no scalar head");
    const loss = plain.forwardBackward([example], ({ scores }) => ({ loss: scores, metrics: {} }));
    await expect(loss).rejects.toThrow("loss: this policy gives logprobs, entropy, not scores.");
    plain.dispose();
    const both = new LocalPolicy(addScalarHead(base(), "value", { seed: 1 }), tokenizer);
    expect([...both.outputs]).toEqual(["logprobs", "entropy", "values", "scores"]);
    expect((await both.values([example.ids]))[0]).toEqual(Float32Array.of(0, 0));
    both.dispose();
  });

  it("a value head is saved beside the language model, and comes back", async () => {
    const model = addScalarHead(base(), "value", { seed: 1 });
    model.decoder.weights.scalar!.fill_(0.5);
    saveModel(model, join(dir, "value"));
    const again = loadModel(join(dir, "value"));
    expect(again.decoder.config.scalarHead).toBe("value");
    expect(again.decoder.weights.scalar!.toArray()).toEqual(Array(32).fill(0.5));
    expect(JSON.parse(readFileSync(join(dir, "value", "config.json"), "utf8")).architectures).toEqual(["Qwen2ForCausalLM"]); // biome-ignore format: one line
    for (const { decoder } of [model, again]) decoder.dispose();
  });

  it("a classifier of several labels is no reward model, and a second head is one too many", () => {
    const model = addScalarHead(base(), "score", { seed: 1 });
    expect(() => addScalarHead(model, "value", { seed: 1 })).toThrow("it has a score head already");
    const folder = join(dir, "labels");
    saveModel(model, folder);
    model.decoder.dispose();
    const path = join(folder, "config.json");
    const { id2label: _, ...config } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...config, id2label: { 0: "a", 1: "b", 2: "c" } }));
    expect(() => loadModel(folder)).toThrow("Qwen2ForSequenceClassification has 3 labels. Expected 1");
    // transformers leaves two labels out.
    writeFileSync(path, JSON.stringify(config));
    expect(() => loadModel(folder)).toThrow("has 2 labels");
  });
});
