// The seeds that a script is given, each a whole number, or those it takes where none is given.

import { SetupError } from "./report.mjs";

export function seedsGiven(words, otherwise = [1, 2, 3]) {
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (wrong !== undefined)
    throw new SetupError(
      `${wrong} is not a seed. Expected whole numbers from 0 on.`,
      `As in: -- ${otherwise.join(" ")}`,
    );
  return words.length > 0 ? words.map(Number) : otherwise;
}
