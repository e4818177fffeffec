import { type Operator, results } from "aha-rl";

/** One way through a three-number problem: `x op y = r`, then `r` and the third number. */
export type Attempt = {
  op: Operator;
  /** `3 + 5 = 8` */
  first: string;
  /** Value of the first step. */
  partial: number;
  /** `8 * 7 = 56` */
  second: string;
  value: number;
  /** `( 3 + 5 ) * 7` */
  expression: string;
};

/**
 * Every attempt at a problem that stays within natural numbers up to `maxValue`, each once (3 + 5 and 5 + 3 are one).
 * Numbers stand in the order of the problem where an operator allows it, partial results first.
 */
export function attemptsAt(numbers: readonly number[], maxValue: number): Attempt[] {
  const found = new Map<string, Attempt>();
  for (const [i, x] of numbers.entries()) {
    for (const [j, y] of numbers.entries()) {
      if (i === j) continue;
      const third = numbers.find((_, k) => k !== i && k !== j)!;
      for (const { op, value: partial } of results(x, y)) {
        if (isSwappable(op) && j < i) continue;
        if (partial > maxValue) continue;
        const first = `${x} ${op} ${y} = ${partial}`;
        const inner = `( ${x} ${op} ${y} )`;
        const add = (second: string, expression: string, value: number): void => {
          if (value <= maxValue) found.set(`${first},${second}`, { op, first, partial, second, value, expression });
        };
        for (const { op: next, value } of results(partial, third)) {
          add(`${partial} ${next} ${third} = ${value}`, `${inner} ${next} ${third}`, value);
        }
        for (const { op: next, value } of results(third, partial)) {
          if (isSwappable(next)) continue;
          add(`${third} ${next} ${partial} = ${value}`, `${third} ${next} ${inner}`, value);
        }
      }
    }
  }
  return [...found.values()];
}

function isSwappable(op: Operator): boolean {
  return op === "+" || op === "*";
}
