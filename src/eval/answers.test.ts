import { expect, test } from "vitest";
import { type Answer, parseAnswer, type RewardValue } from "#rewards";
import { refuseFailingVerifier, type Scored } from "./answers.ts";

const answer: Answer = parseAnswer("<think>t</think> 1");
const scored = (correct: RewardValue): Scored =>
  ({ answer, score: { rewards: { correct }, total: null, verdicts: {} } }) as unknown as Scored;

test("answers whose verifier failed are refused above the share that may, a bad gold and a wrong answer never", () => {
  const failed = scored({ verdict: "verifierError", reward: null, detail: { error: "connection failed" } });
  const others: Scored[] = [
    0,
    1,
    { verdict: "noAnswer", reward: 0 } as const,
    { verdict: "badGold", reward: null } as const,
  ].map(scored);
  const groups = [{ scored: [failed, ...others] }, { scored: others }];
  expect(() => refuseFailingVerifier("eval", groups, 0.2)).not.toThrow();
  expect(() => refuseFailingVerifier("eval", groups, 0.1)).toThrow(
    /eval: 1 of 9 answers have no reward.*connection failed.*at most 10 %.*judge can be reached/,
  );
});
