import { expect, it } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const now = Date.UTC(1994, 10, 6, 8, 49, 37);

it.each([
  ["2", 2000],
  [" 0.3 ", 300],
  ["Sun, 06 Nov 1994 08:49:43 GMT", 6000],
  ["Sunday, 06-Nov-94 08:49:43 GMT", 6000],
  ["Sun, 06 Nov 1994 08:49:07 GMT", 0],
  ["-5", undefined],
  ["later 5", undefined],
  ["Foo, 99 Bar 1994 GMT", undefined],
  ["", undefined],
  [null, undefined],
])("a Retry-After of %j asks for %s ms", (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});
