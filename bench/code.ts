import { parseArgs } from "node:util";
import { type CodeRow, gradeCode } from "#rewards";
import { treeUsage } from "#sandbox";

const usage = `npm run bench:code -- [--count 100]

How many short Python programs are graded in a second, and what processor time one grading takes in all processes
together: on a busy machine only the second means anything. 100 ms on two free cores are 20 a second.
  --count N   gradings of each kind`;

const hasCloseElements = `from typing import List

def has_close_elements(numbers: List[float], threshold: float) -> bool:
    for i, one in enumerate(numbers):
        for other in numbers[i + 1:]:
            if abs(one - other) < threshold:
                return True
    return False
`;
const cases = [
  { args: [[1, 2, 3.9, 4, 5, 2.2], 0.3], expected: true },
  { args: [[1, 2, 3.9, 4, 5, 2.2], 0.05], expected: false },
  { args: [[1.1, 2.2, 3.1, 4.1, 5.1], 0.5], expected: false },
];
const asserts = cases.map(({ args: [numbers, threshold], expected }) => {
  return `    assert candidate(${JSON.stringify(numbers)}, ${threshold}) == ${expected ? "True" : "False"}`;
});

const kinds: Record<string, Omit<CodeRow, "language">> = {
  stdio: {
    program: "n = int(input())\nprint(n + sum(map(int, input().split())))",
    tests: { type: "stdio", cases: [{ input: "3\n1 2 3\n", output: "9\n" }] },
  },
  function: { program: hasCloseElements, tests: { type: "function", name: "has_close_elements", cases } },
  asserts: {
    program: hasCloseElements,
    tests: {
      type: "asserts",
      code: ["def check(candidate):", ...asserts].join("\n"),
      entryPoint: "has_close_elements",
    },
  },
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { count: { type: "string", default: "100" }, help: { type: "boolean", default: false } },
  });
  if (values.help) return console.log(usage);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--count ${values.count}: expected a whole number from 1`);
  for (const [kind, row] of Object.entries(kinds)) {
    const grade = () => gradeCode({ language: "python", ...row });
    await grade();
    const cpuBefore = treeUsage(process.pid).cpuMs;
    const began = performance.now();
    const grades = await Promise.all(Array.from({ length: count }, grade));
    const seconds = (performance.now() - began) / 1000;
    const wrong = grades.filter(({ verdict }) => verdict !== "correct");
    if (wrong.length > 0)
      throw new Error(`${kind}: ${wrong.length} of ${count} not correct: ${JSON.stringify(wrong[0])}`);
    // What ran in a sandbox is nobody's waited-for child: its time is in the verdict.
    const inside = grades.reduce((sum, { detail }) => sum + Number(detail?.cpuMs), 0);
    const cpuMs = treeUsage(process.pid).cpuMs - cpuBefore + inside;
    console.log(
      `${kind}: ${(count / seconds).toFixed(1)} gradings/s here and now, ${(cpuMs / count).toFixed(0)} ms of processor time each (${((2000 * count) / cpuMs).toFixed(0)} a second on two free cores)`,
    );
  }
}

await main();
