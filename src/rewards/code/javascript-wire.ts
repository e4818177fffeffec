/** JavaScript source of the wire, with the tags that `pythonWire` has, and `u` for undefined, `o` for a record, `x` for dates. */
export const javascriptWire = String.raw`
"use strict";
const fs = require("fs");
const { isArray } = Array, { stringify, parse } = JSON, plainPrototype = Object.prototype;

function makeWire(onFunction) {
  const objects = new Map();
  const encode = (value, depth = 0) => {
    if (depth > 200) throw new Error("value nested deeper than 200 levels");
    const inner = (items) => Array.from(items, (item) => encode(item, depth + 1));
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (typeof value === "number") return Number.isInteger(value) && !Object.is(value, -0) && Math.abs(value) <= 2 ** 53 ? value : { f: Object.is(value, -0) ? "-0" : String(value) };
    if (value === undefined) return { u: 1 };
    if (typeof value === "bigint") return { n: String(value) };
    if (isArray(value)) return inner(value);
    if (value instanceof Map) return { d: Array.from(value, ([k, v]) => [encode(k, depth + 1), encode(v, depth + 1)]) };
    if (value instanceof Set) return { s: inner(value) };
    if (value instanceof Date) return { x: value.getTime() };
    if (value instanceof RegExp) return { e: [value.source, value.flags] };
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return { a: [value.constructor.name, inner(value)] };
    if (value instanceof Error) return { E: [value.name, String(value.message)] };
    if (typeof value === "object") {
      const proto = Object.getPrototypeOf(value);
      const isRecord = proto === null || proto === plainPrototype || (proto.constructor && proto.constructor.name === "Object");
      const keys = Object.keys(value);
      if (isRecord && keys.every((key) => typeof value[key] !== "function")) return { o: keys.map((key) => [key, encode(value[key], depth + 1)]) };
    }
    if (typeof value === "symbol") throw new Error("a symbol is not plain data");
    const known = handles.get(value);
    if (known !== undefined) return { h: known };
    if (onFunction) return onFunction(value);
    const number = objects.size + 1;
    objects.set(number, value);
    return { h: number };
  };
  const handles = new WeakMap();
  const decode = (data) => {
    if (isArray(data)) return data.map(decode);
    if (data === null || typeof data !== "object") return data;
    const tag = Object.keys(data)[0], body = data[tag];
    switch (tag) {
      case "f": return Number(body === "inf" ? "Infinity" : body === "-inf" ? "-Infinity" : body);
      case "u": return undefined;
      case "n": return BigInt(body);
      case "d": return new Map(body.map(([k, v]) => [decode(k), decode(v)]));
      case "o": {
        const record = {};
        for (const [key, value] of body) Object.defineProperty(record, key, { value: decode(value), enumerable: true, writable: true, configurable: true });
        return record;
      }
      case "s": return new Set(body.map(decode));
      case "x": return new Date(body);
      case "e": return new RegExp(body[0], body[1]);
      case "a": {
        const arrays = { Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array };
        return Object.hasOwn(arrays, body[0]) ? arrays[body[0]].from(body[1].map(decode)) : Uint8Array.from(body[1].map(decode));
      }
      case "E": return Object.assign(new Error(body[1]), { name: body[0] });
      case "h": {
        if (objects.has(body)) return objects.get(body);
        return adopt(wire.makeHandle(body), body);
      }
    }
    throw new Error("not a message of ours: " + tag);
  };
  const adopt = (handle, number) => (handles.set(handle, number), handle);
  const wire = { encode, decode, adopt, numberOf: (handle) => handles.get(handle), makeHandle: (number) => ({ handle: number }) };
  return wire;
}

/** Reads whole lines from a descriptor, waiting for each: the tests call the program as if it were beside them. */
function lineReader(fd) {
  let rest = Buffer.alloc(0);
  const chunk = Buffer.alloc(1 << 16);
  return () => {
    for (;;) {
      const end = rest.indexOf(10);
      if (end >= 0) {
        const line = rest.toString("utf8", 0, end);
        rest = rest.subarray(end + 1);
        return line;
      }
      let read;
      try {
        read = fs.readSync(fd, chunk, 0, chunk.length, null);
      } catch (error) {
        if (error.code === "EAGAIN") { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); continue; }
        if (error.code === "EOF") read = 0; else throw error;
      }
      if (read === 0) return undefined;
      rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    }
  };
}

function writeLine(fd, text) {
  let data = Buffer.from(text + "\n");
  while (data.length > 0) {
    try {
      data = data.subarray(fs.writeSync(fd, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
`;

/** The program's side. Its console writes to standard error; promises are waited for before a value goes back. */
export const javascriptProgram = String.raw`
${javascriptWire}
const vm = require("vm");
const nextLine = lineReader(0);
const say = (message) => writeLine(1, stringify(message));
console.log = console.info = console.debug = console.error = console.warn = (...items) => { try { fs.writeSync(2, items.map(String).join(" ") + "\n"); } catch {} };
Object.defineProperty(process, "stdout", { value: process.stderr });
const wire = makeWire();
const failure = (error) => {
  const isError = error instanceof Error || (typeof error === "object" && error !== null && "message" in error);
  return { error: isError ? String(error.name) : "Error", of: isError ? String(error.name) : "thrown value", message: String(isError ? error.message : error).slice(0, 2000) };
};
const module_ = { exports: {} };
Object.assign(globalThis, { require, module: module_, exports: module_.exports, __filename: "/app/program.js", __dirname: "/app" });
let script;
try {
  script = new vm.Script(fs.readFileSync("/app/program.js", "utf8"), { filename: "program.js" });
} catch (error) {
  say({ syntax: String(error.message), of: "SyntaxError" });
  process.exit(0);
}
const identifier = /^[A-Za-z_$][\w$]*$/;
const lookUp = (name) => {
  if (!identifier.test(name)) return undefined;
  // Declarations of a script live beside the global object, where only code can see them.
  const value = vm.runInThisContext("typeof " + name + " === 'undefined' ? undefined : " + name);
  return value === undefined && module_.exports !== null && module_.exports !== undefined ? module_.exports[name] : value;
};
const find = (path) => {
  const [head, ...rest] = path.split(".");
  let value = lookUp(head), self;
  if (value === undefined && rest.length === 0) {
    const Solution = lookUp("Solution");
    if (typeof Solution === "function") { self = new Solution(); value = self[head]; }
  }
  for (const name of rest) {
    self = typeof value === "function" && value[name] === undefined ? new value() : value;
    value = self[name];
  }
  if (value === undefined) throw Object.assign(new Error(head), { name: "KeyError" });
  return [value, self];
};
const answer = async (message) => {
  const { op, of } = message;
  const [target, self] = typeof of === "string" ? find(of) : [wire.decode(of), undefined];
  if (op === "kind") return typeof target === "function" ? (/^class\b/.test(Function.prototype.toString.call(target)) ? "class" : "callable") : "value";
  if (op === "get") return "name" in message ? target[message.name] : target;
  if (op === "set") { target[message.name] = wire.decode(message.value); return undefined; }
  const args = wire.decode(message.args);
  if (op === "new") return new target(...args);
  if (op === "method") return target[message.name](...args);
  return target.apply(self, args);
};
const serve = async () => {
  try {
    script.runInThisContext();
  } catch (error) {
    return say(failure(error));
  }
  say({ names: {} });
  for (let line = nextLine(); line !== undefined; line = nextLine()) {
    try {
      const message = parse(line);
      const value = await answer(message);
      say({ value: wire.encode(value) });
    } catch (error) {
      say(failure(error));
    }
  }
};
serve().then(() => process.exit(0));
`;

/** The tests' side: a test's undefined names are the program's. Prints one verdict line. */
export const javascriptTests = String.raw`
${javascriptWire}
const vm = require("vm"), realExit = process.exit.bind(process);
const nextLine = lineReader(0);
const verdict = (message) => writeLine(1, "V" + stringify(message));
console.log = console.info = console.debug = console.error = console.warn = (...items) => { try { fs.writeSync(2, items.map(String).join(" ") + "\n"); } catch {} };
class ProgramEnded extends Error {}
const remoteErrors = new WeakSet();
let calls = 0, checks = 0;
const request = (message) => {
  if (message.op !== "kind") calls++;
  writeLine(1, "C" + stringify(message));
  const line = nextLine();
  if (line === undefined) throw new ProgramEnded();
  const reply = parse(line);
  if ("value" in reply) return wire.decode(reply.value);
  const kinds = { Error, TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError };
  const kind = Object.hasOwn(kinds, String(reply.error)) ? kinds[reply.error] : Error;
  const error = new kind(String(reply.message));
  if (kind === Error && reply.error !== "AssertionError") error.name = String(reply.error);
  remoteErrors.add(error);
  throw error;
};
class NeedsLive extends Error {}
const wire = makeWire((value) => { throw new NeedsLive("the tests pass the program a " + typeof value); });
const encodeAll = (args) => args.map((arg) => wire.encode(arg));
const opinions = new Set(["startsWith", "endsWith", "includes", "every", "some", "has", "test", "equals", "isEqual", "isWellFormed", "isSubsetOf", "isSupersetOf", "isDisjointFrom"]);
/**
 * A function or object of the program: calls and reads go over the wire; it equals nothing but itself. Where the tests did
 * not make it with new, it may stand in for a text or a list, and is not asked what those would be asked.
 */
const proxyOf = (of, isOwn = false) => new Proxy(function () {}, {
  apply: (_, self, args) => request({ op: "call", of, args: encodeAll(args) }),
  construct: (_, args) => {
    const made = request({ op: "new", of, args: encodeAll(args) }), number = handleOf(made);
    return number === undefined ? made : wire.adopt(proxyOf({ h: number }, true), number);
  },
  get: (target, name) => {
    if (typeof name === "symbol" || name === "then") return undefined;
    if (!isOwn && typeof of !== "string" && opinions.has(name)) throw new TypeError("the program returned an object where the tests ask for its " + name + "; only plain data is asked");
    if (typeof of !== "string") {
      const value = request({ op: "get", of, name });
      return typeof value === "function" ? (...args) => request({ op: "method", of, name, args: encodeAll(args) }) : value;
    }
    const path = of + "." + name;
    return (...args) => request({ op: "call", of: path, args: encodeAll(args) });
  },
  set: (_, name, value) => { request({ op: "set", of, name, value: wire.encode(value) }); return true; },
  getPrototypeOf: () => { throw new Error("tests: the program returned an object where the tests compare; only plain data is compared"); },
  ownKeys: () => { throw new Error("tests: the program returned an object where the tests compare; only plain data is compared"); },
});
const handleOf = (value) => ((typeof value === "object" && value !== null) || typeof value === "function" ? wire.numberOf(value) : undefined);
wire.makeHandle = (number) => proxyOf({ h: number });

const spec = parse(fs.readFileSync("/app/tests.json", "utf8"));
const first = nextLine();
if (first === undefined) {
  verdict({ passed: false, why: "ended" });
  realExit(0);
}
const hello = parse(first);
if (hello.names === undefined) {
  verdict({ passed: false, why: "load", error: hello.of, message: hello.message ?? hello.syntax });
  realExit(0);
}
const module_ = { exports: {} };
/** Node's assert, and every function of it, counting how often it is asked. */
const counting = (assert) => new Proxy(assert, {
  apply: (target, self, args) => { checks++; return Reflect.apply(target, self, args); },
  get: (target, name) => {
    const value = target[name];
    if (name === "strict") return value === assert ? counted : countedStrict;
    return typeof value === "function" && !/^[A-Z]|^constructor$/.test(String(name)) ? (...args) => { checks++; return value.apply(target, args); } : value;
  },
});
const plainAssert = require("node:assert"), counted = counting(plainAssert), countedStrict = counting(plainAssert.strict);
const requireCounted = Object.assign((name) => /^(node:)?assert$/.test(name) ? counted : /^(node:)?assert\/strict$/.test(name) ? countedStrict : require(name), require);
console.assert = (holds, ...words) => counted(holds, words.map(String).join(" ") || "console.assert");
const own = { require: requireCounted, module: module_, exports: module_.exports, console };
const known = new Map();
const lookUp = (name) => {
  if (known.has(name)) return known.get(name);
  let kind;
  try {
    kind = request({ op: "kind", of: name });
  } catch (error) {
    if (error instanceof ProgramEnded) throw error;
  }
  const value = kind === undefined ? undefined : kind === "value" ? request({ op: "get", of: name }) : proxyOf(name);
  known.set(name, value);
  return value;
};
const scope = new Proxy(own, {
  has: (_, name) => typeof name === "string" && (Object.hasOwn(own, name) || (!(name in globalThis) && lookUp(name) !== undefined)),
  get: (_, name) => (typeof name === "symbol" ? undefined : Object.hasOwn(own, name) ? own[name] : lookUp(name)),
  set: (_, name, value) => { own[name] = value; return true; },
});
let run;
const wrap = (code, isAsync) => new Function("__scope__", "with (__scope__) { return (" + (isAsync ? "async " : "") + "function () {\n" + code + "\n}).call(undefined); }");
const code = (spec.setup ?? "") + "\n" + spec.code;
// Tests that throw by themselves cannot be counted: one such statement stands for a check.
if (/\bthrow\b/.test(code)) checks++;
try {
  run = wrap(code, false);
} catch (error) {
  try { run = wrap(code, true); } catch { verdict({ passed: false, why: "tests", message: String(error.message) }); realExit(0); }
}
const fail = (error) => {
  if (error instanceof ProgramEnded) verdict({ passed: false, why: "ended" });
  else if (error instanceof NeedsLive) verdict({ passed: false, why: "live", message: error.message });
  else {
    const name = String(error && error.name);
    const why = remoteErrors.has(error) ? (name === "KeyError" ? "missing" : "error") : name === "ReferenceError" ? "missing" : "assertion";
    verdict({ passed: false, why, error: name, message: String(error && error.message).slice(0, 2000) });
  }
  realExit(0);
};
process.on("unhandledRejection", fail);
process.on("uncaughtException", fail);
let isDone = false;
// Timers and promises of the tests come to their end before the verdict does.
process.on("beforeExit", () => {
  verdict(isDone ? { passed: true, counts: [checks, checks], calls } : { passed: false, why: "tests", message: "they wait for a promise that never settles" });
  realExit(0);
});
Promise.resolve().then(() => run(scope)).then(() => { isDone = true; }, fail);
`;
