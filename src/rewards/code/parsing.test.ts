import { describe, expect, it } from "vitest";
import { findSignatures } from "./cpp-signature.ts";
import { toJavascript } from "./transform.ts";

const names = new Set(["f", "g", "h"]);

describe("findSignatures", () => {
  it("reads the last definition of each name that is asked for", () => {
    const source = `
      // int f(int) {
      int f(int a);
      static std::vector<int> f(const std::vector<int>& xs, long long  k = 3) { return g(1); }
      double g ( double x ) { return x; }
      struct S { int h(int x) { return x; } };
      Node* h(Node* n) { return n; }`;
    expect(Object.fromEntries(findSignatures(source, names))).toEqual({
      f: { name: "f", result: "std::vector < int >", params: ["const std::vector < int > &", "long long"] },
      g: { name: "g", result: "double", params: ["double"] },
      h: { problem: expect.stringContaining("the types of h") },
    });
  });

  it.each([
    ["comments that never close", "/*".repeat(100_000)],
    ["calls without an end", "f(x) ".repeat(50_000)],
    ["parentheses", "f(".repeat(100_000)],
    ["white space", `int f(int${" ".repeat(200_000)}a${" ".repeat(50_000)}) {}`],
    ["a long name", `int ${"f".repeat(200_000)}(int a) {}`],
    ["a parameter without an end", `int f(${"x ".repeat(100_000)}) {}`],
    ["quotation marks", "'\"".repeat(100_000)],
    ["line ends and directives", "\n #".repeat(60_000)],
  ])("reads %s in bounded time", (_, source) => {
    const began = performance.now();
    findSignatures(source, names);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

it("finds out in bounded time that empty lines are no module", async () => {
  const began = performance.now();
  await toJavascript("\n".repeat(200_000), "javascript");
  expect(performance.now() - began).toBeLessThan(1000);
});
