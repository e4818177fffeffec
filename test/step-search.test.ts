import { defineTask, type FrozenPolicy, type Tokenizer, user } from "aha-rl";
import { describe, expect, it } from "vitest";
import { lessonsOf } from "../recipes/mcts/lessons.ts";
import { searchAll } from "../recipes/mcts/search.ts";
import { answerOf, endsOf, expand, type Node, puct, rootOf, select } from "../recipes/mcts/tree.ts";
import { guidedSearch, keepBest } from "../recipes/prm/guided-search.ts";
import { chancesOf, extended, isRight, type Path, pathOf, prefixOf } from "../recipes/steps/paths.ts";
import { aggregated, rightOfBest } from "../recipes/steps/rerank.ts";

/** Ids of the texts below: 1 ends a response, 2 ends a step, the others are words. */
const [eos, stop] = [1, 2];
const promptIds = [7, 7, 7];
const path = (ids: number[], state: Path["state"] = "open"): Path => ({
  promptIds,
  ids,
  ends: [ids.length - 1],
  state,
});
const start: Path = { promptIds, ids: [], ends: [], state: "open" };

describe("a response as steps", () => {
  it("ends one at each word that does, and one where it ends itself", () => {
    const ids = [5, stop, 6, 6, stop, 9, eos];
    expect(pathOf(promptIds, { ids, finishReason: "stop" }, [stop, 3])).toEqual({ promptIds, ids, ends: [1, 4, 6], state: "done" }); // biome-ignore format: one line
    expect(pathOf(promptIds, { ids: ids.slice(0, 6), finishReason: "length" }, [stop])).toMatchObject({ ends: [1, 4], state: "cut" }); // biome-ignore format: one line
    expect(pathOf(promptIds, { ids: [5, stop], finishReason: "length" }, [])).toMatchObject({ ends: [], state: "cut" });
  });

  it("begins as it went on: a prefix holds the ids up to its end", () => {
    const whole = pathOf(promptIds, { ids: [5, stop, 6, 6, stop, 9, eos], finishReason: "stop" }, [stop]);
    expect(prefixOf(whole, 1)).toEqual({ promptIds, ids: [5, stop, 6, 6, stop], ends: [1, 4], state: "open" });
  });

  it("grows by steps until it ends itself or is too long; an end beyond the limit is a cut", () => {
    const limits = { eosIds: [eos], maxNewTokens: 5 };
    const one = extended(start, [5, stop], limits);
    expect(one).toEqual({ promptIds, ids: [5, stop], ends: [1], state: "open" });
    expect(extended(one, [6, 6, eos], limits)).toMatchObject({ ends: [1, 4], state: "done" });
    expect(extended(one, [6, 6, stop], limits)).toMatchObject({ ends: [1, 4], state: "cut" });
    expect(extended(one, [6, 6, 6, eos], limits)).toMatchObject({ ends: [1, 5], state: "cut" });
  });

  it("gets the chance of each step from the value at its end, the last one too", async () => {
    // Log-odds at place i: i.
    const values = async (all: readonly Int32Array[]) =>
      all.map((ids) => Float32Array.from(ids.subarray(1), (_, i) => i));
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const two = { ...path([5, stop, 9, eos], "done"), ends: [1, 3] };
    expect(await chancesOf({ values }, [two, start])).toEqual([[sigmoid(4), sigmoid(6)], []]);
  });
});

describe("choosing among whole responses", () => {
  it("goes by the least, the mean or the last chance; without a step by nothing", () => {
    const chances = [0.5, 0.25, 0.75];
    expect([aggregated(chances, "min"), aggregated(chances, "mean"), aggregated(chances, "last")]).toEqual([0.25, 0.5, 0.75]); // biome-ignore format: one line
    expect(aggregated([], "min")).toBe(0);
  });

  it("takes the highest score, and of equal ones each with the same chance", () => {
    expect(rightOfBest([0.2, 0.9, 0.4], [true, false, true])).toBe(0);
    expect(rightOfBest([0.9, 0.9, 0.4, 0.9], [true, false, true, false])).toBeCloseTo(1 / 3, 12);
  });
});

describe("the tree of a search, by hand", () => {
  const third = Math.log(1 / 3);
  const grown = () => {
    const root = rootOf(start);
    expand(root, [
      { path: path([5, stop]), logprob: third, chance: 0.2 },
      { path: path([6, stop]), logprob: Math.log(1 / 6), chance: 0.6 },
    ]);
    return root;
  };

  it("shares out the policy's chance among the steps drawn, and counts each as seen all the way up", () => {
    const root = grown();
    const [a, b] = root.children as [Node, Node];
    expect([a.prior, b.prior]).toEqual([expect.closeTo(2 / 3, 12), expect.closeTo(1 / 3, 12)]);
    expect([root.visits, a.visits, b.visits]).toEqual([2, 1, 1]);
    expect(root.total).toBeCloseTo(0.8, 12);
    // Q + c · P · √N(parent) / (1 + N)
    expect(puct(a, 1)).toBeCloseTo(0.2 + ((2 / 3) * Math.SQRT2) / 2, 12);
    expect(puct(b, 1)).toBeCloseTo(0.6 + ((1 / 3) * Math.SQRT2) / 2, 12);
  });

  it("shares it out among long steps, too, whose chances are too small for a number", () => {
    const root = rootOf(start);
    expand(root, [
      { path: path([5, stop]), logprob: -1000, chance: 0.2 },
      { path: path([6, stop]), logprob: -1000 + Math.log(3), chance: 0.6 },
    ]);
    expect(root.children.map(({ prior }) => prior)).toEqual([expect.closeTo(1 / 4, 12), expect.closeTo(3 / 4, 12)]);
  });

  it("goes where mean and bonus lead: to the worth without a bonus, to the policy's liking with a large one", () => {
    const root = grown();
    const [a, b] = root.children as [Node, Node];
    expect(select(root, 0)).toBe(b);
    // 0.4 · 2 < c · (1/3) · √2 from c = 1.7 on.
    expect(select(root, 1.69)).toBe(b);
    expect(select(root, 1.7)).toBe(a);
  });

  it("spreads what is found below over all above: three poor steps make the better beginning the worse", () => {
    const root = grown();
    const [a, b] = root.children as [Node, Node];
    expand(b, [
      { path: path([6, stop, 5, stop]), logprob: third, chance: 0 },
      { path: path([6, stop, 6, stop]), logprob: third, chance: 0 },
      { path: path([6, stop, 9, stop]), logprob: third, chance: 0 },
    ]);
    expect([b.visits, b.total, root.visits, root.total]).toEqual([4, 0.6, 5, expect.closeTo(0.8, 12)]);
    expect(select(root, 0)).toBe(a);
  });

  it("never opens what has ended, and is closed when nothing open is left", () => {
    const root = rootOf(start);
    const steps = [
      { path: path([9, eos], "done"), logprob: third, chance: 0.9 },
      { path: path([5, stop]), logprob: third, chance: 0.1 },
    ];
    expand(root, steps);
    const open = root.children[1]!;
    expect(select(root, 1)).toBe(open);
    expand(open, [
      { path: path([5, stop, 9, eos], "done"), logprob: third, chance: 0.95 },
      { path: path([5, stop, 6, stop], "cut"), logprob: third, chance: 0.99 },
    ]);
    expect([open.isClosed, root.isClosed]).toEqual([true, true]);
    expect(endsOf(root).map((node) => node.path.ids.length)).toEqual([2, 4, 4]);
    // What was cut has no answer, however good it looked.
    expect(answerOf(root)!.chance).toBe(0.95);
    expect(answerOf(rootOf(start))).toBeUndefined();
  });
});

/** Writes two-token steps in turn: [5, stop], [6, stop], … and ends a response with its third. Its value likes large ids. */
function scripted() {
  const asked: { prefix: number[]; groupSize: number }[] = [];
  const tokenizer = { eosIds: [eos], idOf: () => stop, name: "scripted" } as unknown as Tokenizer;
  const policy = {
    tokenizer,
    async *sample(prompts: readonly { id: number; ids: Int32Array }[], { groupSize }: { groupSize: number }) {
      for (const prompt of prompts.toReversed()) {
        const prefix = Array.from(prompt.ids).slice(promptIds.length);
        asked.push({ prefix, groupSize });
        const completions = Array.from({ length: groupSize }, (_, i) => ({
          ids: Int32Array.from([5 + (i % 3), prefix.length < 4 ? stop : eos]),
          logprobs: Float32Array.of(-1, 0),
        }));
        yield { prompt, completions };
      }
    },
  } as unknown as FrozenPolicy;
  const values = async (all: readonly Int32Array[]) =>
    all.map((ids) => Float32Array.from(ids.subarray(1), (_, i) => ids.slice(3, i + 1).reduce((a, b) => a + b, 0) / 10));
  return { policy, model: { values }, asked };
}
const options = { temperature: 1, maxStepTokens: 4, maxNewTokens: 10, seed: 1 };

describe("search over a policy", () => {
  it("gives a node no more steps than the cap, joins equal ones, and counts every token that was sampled", async () => {
    const { policy, model, asked } = scripted();
    const limits = { ...options, cap: 4, exploration: 1, tokens: 17, purpose: "test" };
    const [first, second] = await searchAll(policy, model, [start, start], limits);
    // Four samples of two tokens each expansion, three of them different; the third expansion begins below 17.
    expect(first!.root.children).toHaveLength(3);
    expect([first!.expansions, first!.tokens]).toEqual([3, 24]);
    expect(asked.every(({ groupSize }) => groupSize === 4)).toBe(true);
    expect(asked).toHaveLength(6);
    expect(second!.tokens).toBe(24);
    const sizes = (node: Node): number[] => [node.children.length, ...node.children.flatMap(sizes)];
    expect(Math.max(...sizes(first!.root))).toBe(3);
  });

  it("with a budget for it closes the tree, and answers with what the value model likes most", async () => {
    const { policy, model } = scripted();
    const limits = { ...options, cap: 3, exploration: 1, tokens: 1e6, purpose: "test" };
    const { root, expansions } = (await searchAll(policy, model, [start], limits))[0]!;
    expect([root.isClosed, expansions, endsOf(root).length]).toEqual([true, 1 + 3 + 9, 27]);
    expect(answerOf(root)!.path.ids).toEqual([7, stop, 7, stop, 7, eos]);
  });

  it("guided by process rewards goes on with the best steps of each round, as long as its tokens allow", async () => {
    const { policy, model, asked } = scripted();
    const limits = { ...options, width: 2, branch: 3, tokens: 30, aggregate: "last" } as const;
    const [found] = await guidedSearch(policy, model, [start], limits);
    expect(found!.path!.ids).toEqual([7, stop, 7, stop, 7, eos]);
    const prefixes = asked.map(({ prefix }) => prefix.filter((id) => id !== stop).join(""));
    // The engine is handed the better first and gives groups back in any order: here the last first.
    expect(prefixes).toEqual(["", "6", "7", "76", "77"]);
    expect(found!.tokens).toBe(6 * (1 + 2 + 2));
  });

  it("guided begins anew after answers while its tokens allow a round as long as the last", async () => {
    const { policy, model, asked } = scripted();
    const limits = { ...options, width: 1, branch: 3, tokens: 24, aggregate: "last" } as const;
    const [found] = await guidedSearch(policy, model, [start], limits);
    const prefixes = asked.map(({ prefix }) => prefix.filter((id) => id !== stop).join(""));
    expect(prefixes).toEqual(["", "7", "77", ""]);
    expect(found!.tokens).toBe(24);
  });

  it("guided, with its budget spent before any answer, has none", async () => {
    const { policy, model } = scripted();
    const limits = { ...options, width: 2, branch: 3, tokens: 6, aggregate: "last" } as const;
    expect(await guidedSearch(policy, model, [start], limits)).toEqual([{ path: undefined, tokens: 6 }]);
  });

  it("goes on with open paths only, and of equals with those that came first", () => {
    const kept = (ids: number[], score: number, state: Path["state"] = "open") => ({ path: path(ids, state), score });
    const [a, b, c, d] = [kept([3], 0.5), kept([4], 0.9, "cut"), kept([5], 0.8, "done"), kept([6], 0.7)];
    expect(keepBest([a, b, c, kept([7], 0.5), d], 2)).toEqual([d, a]);
  });
});

describe("lessons from responses", () => {
  const task = defineTask<{ right: number }>({
    name: "says it",
    load: () => [],
    prompt: () => [user("?")],
    rewards: { correct: ({ text }, { right }) => Number(text === String(right)) },
  });
  const tokenizer = { decode: (ids: number[]) => ids.join(" ") } as unknown as Tokenizer;

  it("give the actor right answers only, so many at most, and the value model the outcome at every step", async () => {
    const paths = [path([8, eos], "done"), path([9, eos], "done"), path([8, eos], "done"), path([8, stop], "cut")];
    const { rows, texts } = await lessonsOf(task, { right: 8 }, paths, { problem: "p", most: 1, tokenizer });
    expect(rows).toEqual([{ ids: [7, 7, 7, 8, eos], trained: [0, 0, 0, 1, 1] }]);
    expect(texts.map(({ chances }) => chances)).toEqual([[1], [0], [1], [0]]);
    expect(texts[0]).toMatchObject({ problem: "p", ids: [7, 7, 7, 8, eos], ends: [4] });
  });

  it("know as right what the task's first reward pays in full, and nothing that was cut", async () => {
    expect(await isRight(task, { right: 8 }, path([8, eos], "done"), tokenizer)).toBe(true);
    expect(await isRight(task, { right: 8 }, path([8, eos], "cut"), tokenizer)).toBe(false);
  });
});
