/**
 * The algorithm without the trainer: sample, score, compare, improve, in one file.
 * `npx tsx examples/grpo-by-hand.ts [model folder] [rollouts]`
 */
import { advantages, countdown, LocalPolicy, policyLoss, scoreAnswer, streamKey, toAnswer } from "aha-rl";

const [folder = "tiny-base", rollouts = "3"] = process.argv.slice(2);
const [numPrompts, groupSize] = [8, 8];
const loss = policyLoss({ clipLow: 0.2, clipHigh: 0.28, ratio: "token", objective: "clip", ratioCap: 0, kl: 0 });

const policy = await LocalPolicy.open(folder);
const { tokenizer } = policy;
const rows = await countdown.load("train");

for (let rollout = 0; rollout < Number(rollouts); rollout++) {
  // 1. Sample G answers to each prompt.
  const asked = rows.slice(rollout * numPrompts, (rollout + 1) * numPrompts);
  const prompts = asked.map((row, id) => ({ id, ids: Int32Array.from(tokenizer.encodePrompt(countdown.prompt(row))) }));
  const groups = [];
  const stream = (prompt: number, sample: number) => streamKey(1, "by hand", rollout, prompt, sample);
  const options = { groupSize, temperature: 1, maxNewTokens: 160, eosIds: tokenizer.eosIds, stream };
  for await (const group of policy.sample(prompts, options)) groups.push(group);
  groups.sort((a, b) => a.prompt.id - b.prompt.id);

  // 2. Score the text.
  const rewards = await Promise.all(
    groups.map(({ prompt, completions }) =>
      Promise.all(
        completions.map(async ({ ids, finishReason }) => {
          const text = tokenizer.decode(Array.from(ids), { skipSpecialTokens: true });
          const answer = toAnswer({ text, numTokens: ids.length, finishReason });
          return (await scoreAnswer(countdown, answer, asked[prompt.id]!)).total ?? 0;
        }),
      ),
    ),
  );

  // 3. Compare the answers of a group with each other.
  const compared = advantages(rewards, { kind: "std", deviation: "population" });

  // 4. Improve: every token of the step weighs the same.
  const numTokens = groups.flatMap(({ completions }) => completions).reduce((sum, { ids }) => sum + ids.length, 0);
  const examples = groups.flatMap(({ prompt, completions }, g) =>
    completions.map(({ ids, logprobs }, i) => {
      const onAnswer = (value: (t: number) => number) =>
        Float32Array.from({ length: prompt.ids.length + ids.length - 1 }, (_, t) =>
          t < prompt.ids.length - 1 ? 0 : value(t - prompt.ids.length + 1),
        );
      return {
        ids: Int32Array.from([...prompt.ids, ...ids]),
        weights: onAnswer(() => 1 / numTokens),
        fields: {
          oldLogprobs: onAnswer((t) => logprobs[t]!),
          advantages: onAnswer(() => compared[g]![i]!),
          refLogprobs: onAnswer(() => 0),
        },
      };
    }),
  );
  await policy.forwardBackward(examples, loss);
  const { gradNorm } = await policy.step({ lr: 1e-4, maxGradNorm: 1 });
  const mean = rewards.flat().reduce((a, b) => a + b, 0) / rewards.flat().length;
  console.log(
    `rollout ${rollout + 1}: reward ${mean.toFixed(3)}, ${numTokens} tokens, gradient ${gradNorm.toFixed(3)}`,
  );
}
policy.dispose();
