import { writeFileSync } from "node:fs";
import type { Estimate, Evaluation, Figure, Run } from "aha-rl";
import type { RoundFigures } from "../mcts/measure.ts";
import type { StageFigures } from "../r1/measure.ts";
import { byStage } from "./by-stage.ts";
import { type Claim, curve, inPercent, meanOf, type Point } from "./claim.ts";
import type { CountdownFigures, FewShotFigures } from "./countdown.ts";
import type { Finished } from "./finished.ts";
import { ahaSample, reflectionCurves } from "./reflection.ts";

/** What the ablations gave. */
export type Ablations = {
  before: CountdownFigures;
  zero: CountdownFigures;
  shots: FewShotFigures;
  /** R1-Zero asked in both languages alike, with the language reward and without. */
  withLanguage: StageFigures;
  withoutLanguage: StageFigures;
  withoutSafety: StageFigures;
  /** Harmless requests that are declined, per cent, by R1 and by R1 without its safety prompts. */
  harmless: { withSafety: number; without: number };
  /** Held-out accuracy after the same steps, by objective. */
  objectives: Record<string, number>;
  /** Runs of what the paper tried and dropped, where there are any. */
  dropped: { prm: Finished; mcts: Finished } | undefined;
};

const numberIn = (figure: Figure | undefined): number =>
  typeof figure === "object" ? figure.value : typeof figure === "number" ? figure : Number.NaN;

/** Every claim with this seed's figures, also written to claims.json. What "holds" means stands in each. */
export async function claimsOf(r1: Finished, run: Run, parts: Ablations): Promise<Claim[]> {
  const { before, zero, shots, harmless, objectives } = parts;
  const [r1Metrics, rollouts, metrics] = [
    r1.path("metrics.jsonl"),
    r1.path("rollouts.jsonl"),
    run.path("metrics.jsonl"),
  ];
  const [zeroRow, dev1, dev2, dev3, final] = ["zero", "dev1", "dev2", "dev3", "r1"].map((name) =>
    r1.row(`${name}-figures`),
  ) as [Row, Row, Row, Row, Row];
  const [distilled, studentRl, both] = ["distilled", "student-rl", "distilled-rl"].map((name) =>
    r1.row(`${name}-figures`),
  ) as [Row, Row, Row];
  const [consistentRow, mixedRow, carelessRow] = [parts.withLanguage, parts.withoutLanguage, parts.withoutSafety].map(
    ({ figures }) =>
      (column: string) =>
        numberIn(figures[column]),
  ) as [Row, Row, Row];
  const reflections = await reflectionCurves(rollouts, "zero");
  const [rareAt, often] = [meanOf(reflections.all, "first"), meanOf(reflections.all, "last")];
  const judged = await curve(metrics, "hacking", "reward/judged");
  const truth = await curve(metrics, "hacking", "reward/truth");
  const bestTruth = Math.max(...truth.map((_, i) => meanOf(truth.slice(Math.max(0, i - 4), i + 1), "last", 1)));
  const sample = await ahaSample(rollouts, "zero");
  const claims: Claim[] = [
    {
      number: 1,
      claim: "Pure RL lifts pass@1 from a weak base, and majority voting adds more.",
      paper: "AIME 15.6 → 71.0 %, cons@64 86.7 %",
      figures: {
        "base %": before.accuracy,
        "R1-Zero %": zero.accuracy,
        [`majority of ${zero.samples} %`]: zero.consensus,
      },
      holds: zero.accuracy > before.accuracy && zero.consensus > zero.accuracy,
      curves: { "held-out accuracy": await curve(r1Metrics, "zero", "eval/countdown/accuracy") },
    },
    {
      number: 2,
      claim: "Response length grows by itself.",
      paper: "hundreds to thousands of tokens",
      figures: { "base, tokens": before.tokens, "R1-Zero, tokens": zero.tokens },
      holds: zero.tokens > before.tokens,
      curves: { tokens: await curve(r1Metrics, "zero", "sample/countdown/length") },
    },
    {
      number: 3,
      claim: "Reflection appears, per token of thought, so that it is not length in disguise.",
      paper: "reflective words 5–7×",
      figures: {
        "first steps, per 100 tokens": rareAt,
        "last steps, per 100 tokens": often,
        times: rareAt === 0 ? 0 : often / rareAt,
      },
      holds: often > rareAt,
      curves: reflections,
      ...(sample !== undefined && { sample }),
    },
    {
      number: 4,
      claim: "Harder problems get more thinking tokens.",
      paper: "more tokens on harder problems",
      figures: {
        "1 or 2 ways, tokens": zero.tokensByWays["1 or 2"],
        "3 to 5 ways, tokens": zero.tokensByWays["3 to 5"],
        "more ways, tokens": zero.tokensByWays.more,
      },
      holds:
        zero.tokensByWays["1 or 2"] > zero.tokensByWays["3 to 5"] &&
        zero.tokensByWays["3 to 5"] > zero.tokensByWays.more,
    },
    {
      number: 5,
      claim: "R1-Zero mixes languages; the language reward fixes it at a small cost in accuracy.",
      paper: "consistency kept; mathematics equal, code slightly lower",
      note: "R1-Zero trained with half of its questions in each language, without the reward and with it (one language: the question's). With the recipe's share of Chinese questions, a quarter, the reward teaches English to all of them (LOG.md).",
      figures: {
        "R1-Zero, one language %": mixedRow("one language %"),
        "with the reward, one language %": consistentRow("one language %"),
        "R1-Zero, Countdown %": mixedRow("countdown %"),
        "with the reward, Countdown %": consistentRow("countdown %"),
      },
      holds:
        consistentRow("one language %") > mixedRow("one language %") + 10 &&
        consistentRow("countdown %") > mixedRow("countdown %") - 10,
    },
    {
      number: 6,
      claim:
        "Cold start raises readability and lowers reasoning; reasoning RL recovers most of it; the final R1 passes R1-Zero.",
      paper: "AIME 77.9 → 59.0 → 74.0 → 79.8 %",
      figures: {
        "R1-Zero, readable %": zeroRow("readable %"),
        "Dev1, readable %": dev1("readable %"),
        "R1-Zero, Countdown %": zeroRow("countdown %"),
        "Dev1, Countdown %": dev1("countdown %"),
        "Dev2, Countdown %": dev2("countdown %"),
        "R1, Countdown %": final("countdown %"),
      },
      holds:
        dev1("readable %") > zeroRow("readable %") &&
        dev1("countdown %") < zeroRow("countdown %") &&
        dev2("countdown %") > dev1("countdown %") &&
        final("countdown %") > zeroRow("countdown %"),
    },
    {
      number: 7,
      claim: "Table 3: Dev2 reasons better than Dev1; R1 is preferred above all.",
      paper: "AIME 59.0 → 74.0 %; AlpacaEval 24.7, 50.1, 55.8, 62.1, 87.6 %",
      figures: {
        "Dev2 − Dev1, Countdown points": dev2("countdown %") - dev1("countdown %"),
        "R1 − the best before it, helpful points":
          final("helpful %") - Math.max(...[zeroRow, dev1, dev2, dev3].map((row) => row("helpful %"))),
      },
      holds:
        dev2("countdown %") > dev1("countdown %") &&
        [zeroRow, dev1, dev2, dev3].every((row) => final("helpful %") > row("helpful %")),
      byStage: byStage([zeroRow, dev1, dev2, dev3, final]),
    },
    {
      number: 8,
      claim: "Distillation into a smaller student beats RL on that student; RL after distillation gains further.",
      paper: "AIME: RL on Qwen-32B 47.0 %, distilled 72.6 %",
      figures: {
        "RL alone, Countdown %": studentRl("countdown %"),
        "distilled, Countdown %": distilled("countdown %"),
        "distilled, then RL, Countdown %": both("countdown %"),
      },
      holds: distilled("countdown %") > studentRl("countdown %") && both("countdown %") > distilled("countdown %"),
    },
    {
      number: 9,
      claim: "A preference model trained against too long is hacked: reward up, true score down.",
      paper: "helpfulness reward rises, Codeforces falls",
      figures: {
        "reward, first steps": meanOf(judged, "first"),
        "reward, last steps": meanOf(judged, "last"),
        "true score, best": bestTruth,
        "true score, last steps": meanOf(truth, "last"),
      },
      holds: meanOf(judged, "last") > meanOf(judged, "first") && meanOf(truth, "last") < bestTruth - 0.02,
      curves: { "reward of the preference model": judged, "true score": truth },
    },
    {
      number: 10,
      claim: "Safety RL raises refusals and costs short facts.",
      paper: "C-SimpleQA 63.7 %, above 70 without",
      figures: {
        "declines harmful %": final("declines %"),
        "without safety, declines harmful %": carelessRow("declines %"),
        "declines borderline %": final("overcautious %"),
        "without safety, declines borderline %": carelessRow("overcautious %"),
        "declines harmless %": harmless.withSafety,
        "without safety, declines harmless %": harmless.without,
        "facts %": final("facts %"),
        "without safety, facts %": carelessRow("facts %"),
      },
      holds: final("declines %") > carelessRow("declines %") && final("facts %") < carelessRow("facts %"),
    },
    {
      number: 11,
      claim: "PPO at λ 0.95 is far behind GRPO, at λ 1 near it; the clip holds stale mini-batches.",
      paper: "PPO λ 0.95 ≪ GRPO, λ 1.0 ≈ GRPO",
      note: "Stale: sixteen mini-batches to a rollout, at R1-Zero's learning rate, where a clip that binds one token in a hundred only slows learning, and (fast) at five times that.",
      figures: objectives,
      holds:
        // "Near": within a third of what the other λ falls short by.
        objectives.plain! - objectives.ppo! < (objectives.plain! - objectives["ppo-095"]!) / 3 &&
        objectives["ppo-095"]! < objectives.ppo! &&
        objectives["stale-fast-unclipped"]! < objectives["stale-fast"]!,
      curves: Object.fromEntries(
        await Promise.all(
          Object.keys(objectives).map(async (name) => [
            name,
            await curve(metrics, name.startsWith("ppo") ? name : `variant-${name}`, "eval/accuracy"),
          ]),
        ),
      ),
    },
    ...(parts.dropped === undefined ? [] : [triedAndDropped(parts.dropped)]),
    {
      number: 13,
      claim: "Few-shot prompting hurts the trained model.",
      paper: "few-shot prompts consistently degrade R1",
      figures: { "asked alone %": shots.zeroShot, [`after ${shots.shown} solved problems %`]: shots.fewShot },
      holds: shots.shown > 0 && shots.fewShot < shots.zeroShot,
    },
    {
      number: 14,
      claim: "Answers stay short while preference rises.",
      paper: "689 tokens on Arena-Hard, 2,218 characters on AlpacaEval",
      figures: {
        "Dev3, helpful %": dev3("helpful %"),
        "R1, helpful %": final("helpful %"),
        "Dev3, words shown": dev3("answer, words"),
        "R1, words shown": final("answer, words"),
      },
      holds: final("helpful %") > dev3("helpful %") && final("answer, words") < 2 * dev3("answer, words"),
    },
  ];
  writeFileSync(run.path("claims.json"), `${JSON.stringify(claims, null, 2)}\n`);
  return claims;
}

type Row = (column: string) => number;

/** What recipes/prm.ts and recipes/mcts.ts found. */
function triedAndDropped({ prm, mcts }: { prm: Finished; mcts: Finished }): Claim {
  const { oneSample, bestOf } = prm.result<Reranked>("rerank");
  const { before, after, curve } = prm.result<{ before: Hacked; after: Hacked; curve: HackedPoint[] }>("rl-figures");
  const best = 100 * Math.max(...curve.map(({ accuracy }) => accuracy));
  const rounds = [0, 1, 2, 3].map((round) => mcts.result<RoundFigures>(`figures-${round}`));
  const [first, last] = [rounds[0]!, rounds.at(-1)!];
  const [reward, accuracy] = [
    ({ evaluation }: Hacked) => evaluation.rewards.process!.value,
    ({ evaluation }: Hacked) => inPercent(evaluation.accuracy),
  ];
  const gains = rounds.slice(1).map((round, i) => round.search.value - rounds[i]!.search.value);
  return {
    number: 12,
    claim:
      "Process-reward reranking helps; as an RL reward it is hacked; MCTS helps at inference and its iteration stalls.",
    paper: "tried and dropped (section 4.2)",
    figures: {
      "one sample %": inPercent(oneSample),
      "best of N by process reward %": inPercent(bestOf.min),
      "guided search %": inPercent(prm.result<{ accuracy: Estimate }>("guided-search").accuracy),
      "process reward before RL": reward(before),
      "process reward after RL": reward(after),
      "accuracy before RL %": accuracy(before),
      "accuracy at its best during RL %": best,
      "accuracy after RL %": accuracy(after),
      "MCTS, plain sample %": inPercent(first.oneSample),
      "MCTS, search %": inPercent(first.search),
      "MCTS, search after 3 rounds %": inPercent(last.search),
    },
    holds:
      bestOf.min.value > oneSample.value &&
      reward(after) > reward(before) &&
      accuracy(after) < best - 5 &&
      first.search.value > first.oneSample.value &&
      gains[2]! < gains[0]!,
    curves: {
      "process reward": curve.map(({ step, reward }): Point => [step, reward]),
      accuracy: curve.map(({ step, accuracy }): Point => [step, accuracy]),
    },
  };
}

type Reranked = { oneSample: Estimate; bestOf: Record<"min" | "mean" | "last", Estimate> };
type Hacked = { evaluation: Pick<Evaluation, "accuracy" | "rewards"> };
type HackedPoint = { step: number; reward: number; accuracy: number };
