import { openQuickjs, type QuickjsEnd, runQuickjs } from "#sandbox";
import type { Grade } from "../types.ts";
import { checkOutput } from "./checkers.ts";
import { gradeOf, idleTests, type Outcome } from "./outcome.ts";
import { toJavascript } from "./transform.ts";
import type { CodeJob, CodeTests } from "./types.ts";
import { equalsJson } from "./values.ts";

const outcomes: Record<QuickjsEnd, Outcome> = {
  exit: "passed",
  error: "runtimeError",
  cpuTime: "timeLimit",
  memory: "memoryLimit",
  output: "outputLimit",
};

/** What tests find as `assert`: comparisons of plain data, which is all that crosses. */
const testPrelude = String.raw`
{
class AssertionError extends Error { constructor(m) { super(m); this.name = "AssertionError"; } }
// A failure that the tests lose, in a promise nobody waits for, is one all the same.
const state = globalThis.__state = { checks: 0, calls: 0, isSettled: false, failed: undefined };
const fail = (m) => { state.failed ??= new AssertionError(m); throw state.failed; };
const same = (a, b, strict) => {
  if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [Object.keys(a), Object.keys(b)];
  return x.length === y.length && x.every((k) => Object.hasOwn(b, k) && same(a[k], b[k], strict));
};
const functions = {
  ok: (v) => v || fail("not true"), equal: (a, b) => a == b || fail("not equal"), notEqual: (a, b) => a != b || fail("equal"),
  strictEqual: (a, b) => Object.is(a, b) || fail("not equal"), notStrictEqual: (a, b) => !Object.is(a, b) || fail("equal"),
  deepEqual: (a, b) => same(a, b, false) || fail("not deep-equal"), deepStrictEqual: (a, b) => same(a, b, true) || fail("not deep-equal"),
  throws: (f) => { const before = state.failed; try { f(); } catch { state.failed = before; return; } fail("did not throw"); },
};
const counted = (f) => (...args) => { state.checks++; return f(...args); };
const assert = counted((v, m) => v || fail(m ?? "not true"));
for (const [name, f] of Object.entries(functions)) assert[name] = counted(f);
Object.assign(assert, { AssertionError, strict: assert });
console.assert = assert;
const inner = require;
globalThis.require = (name) => (/^(node:)?assert(\/strict)?$/.test(name) ? assert : inner(name));
globalThis.__remote = (name) => (...args) => {
  state.calls++;
  const reply = JSON.parse(__call(JSON.stringify({ name, args })));
  if ("error" in reply) throw Object.assign(new Error(reply.message), { name: reply.error });
  return reply.value;
};
}
`;

const identifier = /[A-Za-z_$][\w$]*/g;

/** Text that calls a function of the program and leaves JSON: values that JSON lacks come back as null. */
const callText = (name: string, args: unknown[]) =>
  `JSON.stringify({ value: (${name.split(".").every((part) => /^[\w$]+$/.test(part)) ? name : "undefined"})(...${JSON.stringify(args)}) })`;

/** Grades JavaScript in the WebAssembly engine, where there is no bubblewrap. Program and tests have an engine each. */
export async function gradeInQuickjs(job: CodeJob): Promise<Grade> {
  const mode = { mode: "webassembly" };
  const isTypescript = job.language === "typescript";
  const built = await toJavascript(job.program, isTypescript ? "typescript" : "javascript");
  if ("error" in built) return gradeOf("compileError", { ...mode, message: built.error });
  const limits = {
    cpuMs: job.timeLimitMs ?? 10_000,
    memoryBytes: (job.memoryMb ?? 512) * 2 ** 20,
    outputBytes: 2 ** 24,
  };
  if (job.tests.type === "stdio") return await gradeOutputs(job, job.tests, built.code);
  const program = await openQuickjs(limits);
  const loaded = program.evaluate(built.code);
  const endOf = (error: { error: string; message: string }): Grade => {
    const isSyntax = error.error === "SyntaxError";
    return gradeOf(program.end() === "exit" ? (isSyntax ? "compileError" : "runtimeError") : outcomes[program.end()], {
      ...mode,
      ...error,
    });
  };
  if ("error" in loaded) return endOf(loaded);
  const ask = (name: string, args: unknown[]): { value: unknown } | { error: string; message: string } => {
    const reply = program.evaluate(callText(name, args));
    if ("error" in reply) return reply;
    try {
      return { value: null, ...(JSON.parse(reply.value ?? "{}") as object) };
    } catch {
      return { error: "TypeError", message: "the value is no JSON" };
    }
  };
  if (job.tests.type === "function") {
    const { name, cases, tolerance = 1e-6 } = job.tests;
    let passed = 0;
    for (const { args, expected } of cases) {
      const reply = ask(name, args);
      if ("error" in reply && job.partial !== true) return endOf(reply);
      if ("value" in reply && equalsJson(plain(reply.value), expected, tolerance)) passed += 1;
    }
    const counts = { ...mode, passed, total: cases.length };
    if (passed === cases.length) return gradeOf("passed", counts);
    return gradeOf("wrongOutput", counts, job.partial === true ? passed / cases.length : 0);
  }
  const { code, setup = "" } = job.tests;
  const text = await toJavascript(`${setup}\n${code}`, isTypescript ? "typescript" : "javascript");
  if ("error" in text)
    return { verdict: "badGold", reward: null, detail: { ...mode, problem: `the tests do not run: ${text.error}` } };
  const tests = await openQuickjs({ ...limits, cpuMs: 3 * limits.cpuMs }, "", (request) => {
    const { name, args } = JSON.parse(request) as { name: string; args: unknown[] };
    return JSON.stringify(ask(name, args));
  });
  tests.evaluate(testPrelude);
  for (const name of new Set(text.code.match(identifier))) {
    const isFree = tests.evaluate(`try { typeof ${name} === "undefined" ? "free" : "taken" } catch { "taken" }`);
    const kind = program.evaluate(`try { typeof ${name} } catch { "none" }`);
    if ("value" in isFree && isFree.value === "free" && "value" in kind && kind.value === "function")
      tests.evaluate(`globalThis.${name} = __remote("${name}")`);
  }
  // The last statement's value is waited for: tests in an asynchronous function leave their promise there.
  const begun = tests.evaluate(
    `Promise.resolve((() => eval(${JSON.stringify(text.code)}))()).then(() => { __state.isSettled = true; }, (e) => { __state.failed ??= e ?? new Error("rejected"); }); 0`,
  );
  const ran =
    "error" in begun ? begun : tests.evaluate("if (__state.failed) throw __state.failed; JSON.stringify(__state)");
  if (program.end() !== "exit") return gradeOf(outcomes[program.end()], mode);
  if (!("error" in ran)) {
    const { checks, calls, isSettled } = JSON.parse(ran.value ?? "{}") as Record<string, number | boolean>;
    if (isSettled !== true && tests.end() === "exit")
      return {
        verdict: "badGold",
        reward: null,
        detail: { ...mode, problem: "the tests wait for a promise that never settles" },
      };
    const numChecks = Number(checks) + Number(/\bthrow\b/.test(text.code));
    return idleTests(numChecks, Number(calls), mode) ?? gradeOf("passed", mode);
  }
  const outcome =
    ran.error === "ReferenceError"
      ? "missingFunction"
      : ran.error === "AssertionError"
        ? "failedAssertion"
        : "runtimeError";
  return gradeOf(outcome, { ...mode, ...ran });
}

/** JSON as a program wrote it, in the wire's words. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) return { d: Object.entries(value).map(([k, v]) => [k, plain(v)]) };
  return typeof value === "number" && !Number.isInteger(value) ? { f: String(value) } : value;
}

async function gradeOutputs(job: CodeJob, tests: CodeTests & { type: "stdio" }, code: string): Promise<Grade> {
  const checker = tests.checker ?? "exact";
  if (typeof checker === "object" && checker.type === "program")
    return { verdict: "badGold", reward: null, detail: { problem: "a checker program needs bubblewrap" } };
  let passed = 0;
  let earned = 0;
  for (const [i, { input, output }] of tests.cases.entries()) {
    const limits = {
      cpuMs: job.timeLimitMs ?? 10_000,
      memoryBytes: (job.memoryMb ?? 512) * 2 ** 20,
      outputBytes: 4 * output.length + 2 ** 20,
    };
    const run = await runQuickjs(code, input, limits);
    const isRight = run.end === "exit" && checkOutput(checker, run.output, output);
    if (isRight) {
      passed += 1;
      earned += Number(output.trim() !== "");
    }
    if (!isRight && job.partial !== true) {
      const outcome =
        run.end === "exit" ? "wrongOutput" : run.error?.error === "SyntaxError" ? "compileError" : outcomes[run.end];
      return gradeOf(outcome, {
        mode: "webassembly",
        case: i,
        passed,
        total: tests.cases.length,
        output: run.output.slice(0, 500),
        ...run.error,
      });
    }
  }
  const counts = { mode: "webassembly", passed, total: tests.cases.length };
  return passed === tests.cases.length
    ? gradeOf("passed", counts)
    : gradeOf(
        "wrongOutput",
        counts,
        earned / Math.max(1, tests.cases.filter(({ output }) => output.trim() !== "").length),
      );
}
