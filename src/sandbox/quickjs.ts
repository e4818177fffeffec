import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten";

/** JavaScript in WebAssembly: no machine, no files, no clock of its own; for machines without bubblewrap. */
export type QuickjsEnd = "exit" | "error" | "cpuTime" | "memory" | "output";

export type QuickjsLimits = { cpuMs: number; memoryBytes: number; outputBytes: number };

/** What a script finds: a console, the input, and the handful of Node's names that programs for judges use. */
const prelude = String.raw`
globalThis.console = { log: (...a) => __print(a.map((x) => typeof x === "string" ? x : typeof x === "object" && x !== null ? JSON.stringify(x) : String(x)).join(" ") + "\n") };
console.info = console.debug = console.log; console.error = console.warn = () => {};
globalThis.process = { stdout: { write: (t) => (__print(String(t)), true) }, argv: [], env: {}, exit: () => { throw "__exit"; }, stdin: (() => {
  const on = { setEncoding: () => on, resume: () => on, on: (name, f) => { __later.push(name === "data" ? () => f(__input) : name === "end" ? f : () => {}); return on; } };
  return on;
})() };
globalThis.__later = [];
globalThis.require = (name) => {
  name = String(name).replace(/^node:/, "");
  if (name === "fs") return { readFileSync: (path, how) => how === undefined ? { toString: () => __input } : __input, writeFileSync: (path, text) => __print(String(text)), writeSync: (fd, text) => __print(String(text)) };
  if (name === "readline") return { createInterface: () => {
    const lines = __input.split(/\r?\n/); if (lines.at(-1) === "") lines.pop();
    const self = { on: (name, f) => { __later.push(name === "line" ? () => lines.forEach((l) => f(l)) : name === "close" ? () => f() : () => {}); return self; }, close: () => {}, [Symbol.asyncIterator]: async function* () { yield* lines; } };
    return self; } };
  throw new Error("no module " + name);
};
globalThis.module = { exports: {} }; globalThis.exports = module.exports;
`;

type Instant = { wallMs: number; cpuMs: number };

const now = (): Instant => {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
};

/** Processor time since then, which other threads may add to, but never more than the clock: neighbours cost a script nothing. */
const spentMs = (since: Instant): number => {
  const { wallMs, cpuMs } = now();
  return Math.min(wallMs - since.wallMs, cpuMs - since.cpuMs);
};

/**
 * A fresh engine with limits, in which `evaluate` runs text. Its WebAssembly memory is its own and goes with it, however it
 * ended. `call` is what the script finds as `__call`, from text to text. Blocks its thread: run it in a worker with a deadline.
 */
export async function openQuickjs(limits: QuickjsLimits, input = "", call?: (text: string) => string) {
  const { newQuickJSWASMModule } = await import("quickjs-emscripten");
  const runtime = (await newQuickJSWASMModule()).newRuntime();
  runtime.setMemoryLimit(limits.memoryBytes);
  runtime.setMaxStackSize(2 ** 17);
  const context = runtime.newContext();
  let usedMs = 0;
  let began: Instant | undefined;
  let end: QuickjsEnd = "exit";
  let output = "";
  runtime.setInterruptHandler(() => {
    const isOver = usedMs + (began === undefined ? 0 : spentMs(began)) > limits.cpuMs;
    if (isOver) end = "cpuTime";
    return isOver || end === "output";
  });
  const print = context.newFunction("__print", (text) => {
    if (output.length > limits.outputBytes) {
      end = "output";
      return { error: context.newError("too much output") };
    }
    output += context.getString(text);
    return context.undefined;
  });
  context.setProp(context.global, "__print", print);
  print.dispose();
  if (call !== undefined) {
    const bridge = context.newFunction("__call", (text) => context.newString(call(context.getString(text))));
    context.setProp(context.global, "__call", bridge);
    bridge.dispose();
  }
  const text = context.newString(input);
  context.setProp(context.global, "__input", text);
  text.dispose();

  /** Runs text and what it left for later; the value as JSON text, or the error's. */
  const evaluate = (code: string): { value: string | undefined } | { error: string; message: string } => {
    began = now();
    try {
      const result = context.evalCode(code, "program.js", { type: "global" });
      if (result.error) return readError(context, result.error);
      const jobs = runtime.executePendingJobs();
      if (jobs.error) {
        result.value.dispose();
        return readError(context, jobs.error);
      }
      const value = context.typeof(result.value) === "string" ? context.getString(result.value) : undefined;
      result.value.dispose();
      return { value };
    } catch (error) {
      // The engine itself gave up, for instance on WebAssembly's own stack.
      return { error: "EngineError", message: error instanceof Error ? error.message : String(error) };
    } finally {
      usedMs += spentMs(began);
      began = undefined;
    }
  };
  const readError = (context: QuickJSContext, handle: QuickJSHandle): { error: string; message: string } => {
    let error: unknown;
    try {
      error = context.dump(handle);
    } catch {
      error = undefined; // Not even its error can be read within the limits.
    }
    handle.dispose();
    const record = typeof error === "object" && error !== null ? (error as { name?: unknown; message?: unknown }) : {};
    const message = String(record.message ?? error);
    if (end === "exit" && message.includes("out of memory")) end = "memory";
    return { error: String(record.name ?? "Error"), message };
  };
  evaluate(prelude);
  return {
    evaluate,
    end: () => end,
    output: () => output,
    cpuMs: () => usedMs,
  };
}

/** Runs a script to its end: its output, how it ended, and the error that ended it. */
export async function runQuickjs(program: string, input: string, limits: QuickjsLimits) {
  const js = await openQuickjs(limits, input);
  let result = js.evaluate(program);
  // Listeners for the input hear it once the script has run.
  while (!("error" in result)) {
    result = js.evaluate("(() => { const f = __later.shift(); if (f) f(); return f ? 'more' : 'done'; })()");
    if (!("error" in result) && result.value !== "more") break;
  }
  const isExit = "error" in result && result.message === "__exit";
  const failed = "error" in result && !isExit ? result : undefined;
  const end: QuickjsEnd = js.end() === "exit" && failed !== undefined ? "error" : js.end();
  return { end, output: js.output(), cpuMs: js.cpuMs(), error: failed };
}
