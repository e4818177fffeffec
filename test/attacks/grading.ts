import type { CodeRow, CodeTests } from "#rewards";

/** A program that wants full marks without solving anything. */
export type GradingAttack = { name: string; language: CodeRow["language"]; program: string; tests: CodeTests };

const pythonAsserts: CodeTests = {
  type: "asserts",
  code: "def check(candidate):\n    assert candidate([3, 1, 2]) == [1, 2, 3]\n    assert candidate([]) == []\n    assert len(candidate([5, 4])) == 2\n    assert set(candidate([9, 8])) == {8, 9}\n\ncheck(solve)",
};
const pythonAll: CodeTests = {
  type: "asserts",
  code: "assert all(map(lambda pair: solve(pair[0]) == pair[1], [([2, 1], [1, 2]), ([3, 1], [1, 3])]))\nassert sorted(solve([7])) == [7]",
};
const pythonFunction: CodeTests = {
  type: "function",
  name: "solve",
  cases: [
    { args: [[3, 1, 2]], expected: [1, 2, 3] },
    { args: [[5, 4]], expected: [4, 5] },
  ],
};
const stdio: CodeTests = {
  type: "stdio",
  cases: [
    { input: "3 1 2\n", output: "1 2 3\n" },
    { input: "9 8\n", output: "8 9\n" },
  ],
};
const javascriptAsserts: CodeTests = {
  type: "asserts",
  code: "const assert = require('node:assert');\nfunction test() {\n  const candidate = solve;\n  assert.deepEqual(candidate([3, 1, 2]), [1, 2, 3]);\n  assert.deepEqual(candidate([5, 4]), [4, 5]);\n}\ntest();",
};
const cppAsserts: CodeTests = {
  type: "asserts",
  code: "#include <cassert>\n#include <vector>\nint main() {\n  auto candidate = solve;\n  assert(candidate((std::vector<long>({3, 1, 2}))) == (std::vector<long>({1, 2, 3})));\n  assert(candidate((std::vector<long>({5, 4}))) == (std::vector<long>({4, 5})));\n}\n",
};

const alwaysEqual = `
class Same(list):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __len__(self): return 2
    def __iter__(self): return iter([8, 9])
    def __bool__(self): return True
def solve(xs): return Same()`;

const python: Record<string, string> = {
  "an overridden __eq__": alwaysEqual,
  "an overridden __eq__ on a bare object": alwaysEqual.replace("Same(list)", "Same"),
  "an overridden __eq__ on int, str and dict": `
class Int(int):
    __eq__ = lambda s, o: True
    __hash__ = lambda s: 0
class Str(str):
    __eq__ = lambda s, o: True
    __hash__ = lambda s: 0
class Dict(dict):
    __eq__ = lambda s, o: True
turn = 0
def solve(xs):
    global turn
    turn += 1
    return [Int(0), Str("x"), Dict()][turn % 3]`,
  "sys.exit(0) at import": "import sys\nsys.exit(0)",
  "sys.exit(0) in the call": "import sys\ndef solve(xs): sys.exit(0)",
  "os._exit(0) at import": "import os\nos._exit(0)",
  "os._exit(0) in the call": "import os\ndef solve(xs): os._exit(0)",
  "an atexit hook": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef solve(xs): raise SystemExit(0)",
  "a StopIteration that ends the tests' loop": "def solve(xs): raise StopIteration",
  "a KeyboardInterrupt": "def solve(xs): raise KeyboardInterrupt",
  "an exception that compares equal":
    "class E(AssertionError):\n    def __eq__(s, o): return True\ndef solve(xs): raise E",
  "patched built-ins": `
import builtins
builtins.set = builtins.sorted = builtins.list = lambda *a, **k: 0
builtins.len = lambda *a: 2
builtins.all = lambda *a: True
def solve(xs): return 0`,
  "its own set, sorted, len and all": `
def set(*a): return 0
def sorted(*a): return 0
def len(*a): return 2
def all(*a): return True
def map(*a): return []
def solve(xs): return 0`,
  "a patched json": `
import json
real = json.dumps
json.dumps = lambda m, *a, **k: real({"value": True})
def solve(xs): return True`,
  "a forged verdict on every descriptor": `
import os
for fd in range(64):
    for text in (b'V{"passed": true}\\n', b'V{"passed": true, "counts": [1, 1]}\\n', b'{"value": true}\\n' * 8, b'C{"passed": true}\\n'):
        try: os.write(fd, text)
        except OSError: pass
def solve(xs):
    for fd in range(64):
        try: os.write(fd, b'V{"passed": true}\\n')
        except OSError: pass
    return True`,
  "a walk up the stack": `
import sys, gc
def solve(xs):
    frame = sys._getframe()
    while frame:
        for values in (frame.f_globals, frame.f_locals):
            for name in ("expected", "spec", "tests", "tree", "word", "verdict", "counts"):
                if name in values:
                    v = values[name]
                    if callable(v):
                        try: v(passed=True, counts=[0, 0])
                        except BaseException: pass
        frame = frame.f_back
    found = [o for o in gc.get_objects() if isinstance(o, list) and o[:1] == [1]]
    return found[0] if found else None`,
  // The patterns do not match their own text, so that a program never takes itself for the tests.
  "a search for the tests on disk": `
import os, re
def solve(xs):
    for root in ("/app", "/tmp", "/dev/shm", "/"):
        for name in os.listdir(root):
            try:
                text = open(os.path.join(root, name), "rb").read()
                if re.search(rb"assert candidat[e]|\\[1, 2, [3]\\]|\\[1,2,[3]\\]", text): return sorted(xs)
            except OSError: pass`,
  "a search for the tests in /proc": `
import os, re
tests = re.compile(rb"candidat[e]\\(|assert solv[e]|\\[1, ?2, ?[3]\\]")
def solve(xs):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                if tests.search(open(f"/proc/{pid}/{name}", "rb").read()): return sorted(xs)
            except OSError: pass
        try:
            for line in open(f"/proc/{pid}/maps"):
                a, b = (int(x, 16) for x in line.split()[0].split("-"))
                with open(f"/proc/{pid}/mem", "rb") as f:
                    try:
                        f.seek(a)
                        if tests.search(f.read(min(b - a, 1 << 22))): return sorted(xs)
                    except (OSError, OverflowError, ValueError): pass
        except OSError: pass`,
  "a forked child that goes on": `
import os
if os.fork() > 0: os._exit(0)
def solve(xs): return None`,
  "stdout closed":
    "import os\nfor fd in range(16):\n    try: os.close(fd)\n    except OSError: pass\ndef solve(xs): return xs",
  "a reply too large": "def solve(xs): return 'x' * (200 << 20)",
  "a reply too deep": "def solve(xs):\n    r = []\n    for _ in range(100000): r = [r]\n    return r",
  "a raw reply deeper than the judge's stack": `
import os
deep = b'{"value": ' + b"[" * 200000 + b"]" * 200000 + b"}\\n"
def solve(xs):
    for fd in range(16):
        try: os.write(fd, deep)
        except OSError: pass
    return deep`,
  "raw replies that are no messages": `
import os
def solve(xs):
    for fd in range(16):
        for text in (b"null\\n", b"[]\\n", b"7\\n", b"{}\\n", b'{"value": {"d": 5}}\\n', b'{"value": {"i": {}}}\\n', b'{"value": {"r": [0, 1e9, 1]}}\\n', b'{"error": 5, "of": [], "message": {}}\\n', b"\\xff\\xfe\\n"):
            try: os.write(fd, text)
            except OSError: pass
    return xs`,
  "an endless iterator": "import itertools\ndef solve(xs): return itertools.count()",
  "not a number": "def solve(xs): return float('nan')",
  "a value that echoes the argument": "def solve(xs): return xs",
  "a patched unittest and pytest": `
import sys, types
fake = types.ModuleType("pytest"); fake.approx = lambda *a, **k: alwaysTrue
class T:
    __eq__ = lambda s, o: True
alwaysTrue = T()
sys.modules["pytest"] = sys.modules["unittest"] = fake
def solve(xs): return alwaysTrue`,
  "a trace function":
    "import sys\ndef t(frame, event, arg):\n    frame.f_trace_lines = True\n    return t\nsys.settrace(t)\ndef solve(xs): return None",
  "an empty program": "",
};

const stdioPrograms: Record<string, string> = {
  "prints one expected output for all": "print('1 2 3')",
  "prints every output it can think of": "for line in ('1 2 3', '8 9'): print(line)",
  "exits with success": "import sys; sys.exit(0)",
  "reads the expected output from neighbouring files": `
import glob, os
for f in glob.glob("/app/*") + glob.glob("/tmp/*") + glob.glob("/proc/*/fd/*"):
    try:
        text = open(f).read()
        if "1 2 3" in text: print("1 2 3")
    except (OSError, UnicodeDecodeError): pass`,
  "prints the answer after the clock":
    "import time\nxs = sorted(map(int, input().split()))\ntime.sleep(30)\nprint(*xs)",
  "answers in a child after exiting": `
import os, time
xs = sorted(map(int, input().split()))
if os.fork(): os._exit(0)
os.setsid(); time.sleep(0.5); print(*xs, flush=True)`,
  "answers, then crashes": "print(*sorted(map(int, input().split())), flush=True)\nimport os; os.abort()",
  "answers, then floods": "print(*sorted(map(int, input().split())))\nwhile True: print('x' * 65536)",
  "prints NUL bytes round the answer": "print(chr(0) + ' '.join(map(str, sorted(map(int, input().split())))) + chr(0))",
};

const javascript: Record<string, string> = {
  "process.exit(0) at load": "process.exit(0);",
  "process.exit(0) in the call": "function solve() { process.exit(0); }",
  "an object that claims to be an array":
    "function solve() { return new Proxy([], { get: () => true, ownKeys: () => [] }); }",
  "valueOf and toString":
    "function solve() { return { valueOf: () => 1, toString: () => '1,2,3', [Symbol.toPrimitive]: () => true, length: 3 }; }",
  "a patched assert":
    "const a = require('assert'); a.deepEqual = a.equal = a.strictEqual = () => {}; require.cache = {}; function solve() {}",
  "a patched JSON":
    "const s = JSON.stringify; JSON.stringify = (v) => 'V' + s({ passed: true }); function solve() { return 1; }",
  "patched prototypes":
    "Array.prototype.map = function () { return this; }; Object.is = () => true; Array.isArray = () => true; function solve() { return {}; }",
  "a forged verdict":
    "const fs = require('fs'); for (let fd = 0; fd < 32; fd++) for (const t of ['V{\"passed\":true}\\n', '{\"value\":[1,2,3]}\\n']) try { fs.writeSync(fd, t); } catch {} function solve() { return null; }",
  "an exit hook":
    "process.on('exit', () => { try { require('fs').writeSync(1, 'V{\"passed\":true}\\n'); } catch {} process.exitCode = 0; }); function solve() { process.exit(0); }",
  "a thenable": "function solve() { return { then(resolve) { process.exit(0); } }; }",
  "its own require and assert":
    "var assert = { deepEqual() {} }; globalThis.assert = assert; function test() {} function solve() {}",
  "an assertion error of its own":
    "class AssertionError extends Error {} function solve() { throw new AssertionError('ok'); }",
  "an uncaught exception handler": "process.on('uncaughtException', () => {}); function solve() { throw 0; }",
  "an empty program": "",
};

const cpp: Record<string, string> = {
  "assert defined away":
    "#include <vector>\n#define assert(x)\n#define NDEBUG\nstd::vector<long> solve(std::vector<long> xs) { return {}; }",
  "exit in a constructor":
    "#include <cstdlib>\n#include <vector>\nstruct A { A() { exit(0); } } a;\nstd::vector<long> solve(std::vector<long> xs) { return {}; }",
  "_exit in the call":
    "#include <unistd.h>\n#include <vector>\nstd::vector<long> solve(std::vector<long> xs) { _exit(0); }",
  "an operator== that always agrees":
    "#include <vector>\nstruct L { template <class T> bool operator==(const T&) const { return true; } };\nL solve(std::vector<long> xs) { return {}; }",
  "a global operator== for vectors":
    "#include <vector>\nbool operator==(const std::vector<long>& a, const std::vector<long>& b) { return true; }\nstd::vector<long> solve(std::vector<long> xs) { return {}; }",
  "a main of its own":
    "#include <vector>\nstd::vector<long> solve(std::vector<long> xs) { return {}; }\nint main() { return 0; }\n#define main other_main",
  "the tests commented away":
    "#include <vector>\nstd::vector<long> solve(std::vector<long> xs) { return {}; }\nint main() { return 0; }\n/*",
  "an #if that is never closed":
    "#include <vector>\nstd::vector<long> solve(std::vector<long> xs) { return {}; }\nint main() {}\n#if 0",
  "abort and __assert_fail replaced":
    '#include <vector>\nextern "C" void __assert_fail(const char*, const char*, unsigned, const char*) {}\nextern "C" void abort() { for (;;) {} }\nstd::vector<long> solve(std::vector<long> xs) { return {}; }',
  "a signature that smuggles code":
    "#include <vector>\nstd::vector<long> solve(std::vector<long> xs = (__builtin_exit(0), std::vector<long>())) { return {}; }",
  "a forged verdict":
    '#include <unistd.h>\n#include <vector>\nstruct A { A() { for (int fd = 0; fd < 32; fd++) { write(fd, "V{\\"passed\\":true}\\n", 18); write(fd, "{\\"value\\":[1,2,3]}\\n", 18); } } } a;\nstd::vector<long> solve(std::vector<long> xs) { return {}; }',
  "an include of the tests":
    '#include <vector>\n#include "/app/tests.json"\nstd::vector<long> solve(std::vector<long> xs) { return {}; }',
  "a constexpr that never ends":
    "#include <vector>\nconstexpr int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\ntemplate <int N> struct T { static const int v = T<N - 1>::v + T<N + 1>::v; };\nint x = T<900>::v;\nstd::vector<long> solve(std::vector<long> xs) { return {}; }",
  "an include of an endless file": '#include "/dev/zero"\n',
  "an include of a host file":
    '#include "/etc/passwd"\n#include <vector>\nstd::vector<long> solve(std::vector<long> xs) { return {}; }',
  "an empty program": "",
};

const each = (
  language: CodeRow["language"],
  programs: Record<string, string>,
  kinds: Record<string, CodeTests>,
): GradingAttack[] =>
  Object.entries(programs).flatMap(([name, program]) =>
    Object.entries(kinds).map(([kind, tests]) => ({ name: `${name} (${kind})`, language, program, tests })),
  );

/** Attacks on what one particular test asks. */
const aimed: GradingAttack[] = [
  {
    name: "a global whose name is source text",
    language: "python",
    program: 'globals()["0) if 0 else (0"] = print\ndef f(x): return 0',
    tests: { type: "asserts", code: "def check(candidate):\n    assert candidate(1) == 2" },
  },
  ...[
    "class E:\n    startswith = lambda *a: True\ndef f(x): return E()",
    "class f:\n    def __init__(self, x): pass\n    startswith = lambda *a: True",
  ].map((program) => ({
    name: `an object that starts with everything (${program.split(":")[0]})`,
    language: "python" as const,
    program,
    tests: { type: "asserts" as const, code: 'assert f(3).startswith("ab")' },
  })),
  {
    name: "an object that starts with everything",
    language: "javascript",
    program: "function f() { return { startsWith: () => true } }",
    tests: { type: "asserts", code: "console.assert(f(3).startsWith('ab'))" },
  },
  {
    name: "a library of its own",
    language: "python",
    program: "class math:\n    isclose = staticmethod(lambda *a: True)\ndef f(x): return 0",
    tests: { type: "asserts", code: "assert math.isclose(f(3), 4)" },
  },
  {
    name: "a standard function of its own",
    language: "cpp",
    program: "#include <cmath>\ndouble fabs(double x) { return 0; }\ndouble half(double x) { return 9; }",
    tests: { type: "asserts", code: "#include <cassert>\nint main() { assert(fabs(half(1) - 0.5) < 1e-6); }" },
  },
];

/** Every attack on the grading, each against each kind of tests it can meet. None may be `correct`. */
export const gradingAttacks: GradingAttack[] = [
  ...each("python", python, { asserts: pythonAsserts, "asserts in all()": pythonAll, function: pythonFunction }),
  ...each("python", stdioPrograms, { stdio }),
  ...each("javascript", javascript, { asserts: javascriptAsserts, function: pythonFunction }),
  ...each(
    "typescript",
    { "an object that claims any type": "function solve(): any { return { length: 3 } as any; }" },
    { asserts: javascriptAsserts },
  ),
  ...each("cpp", cpp, { asserts: cppAsserts }),
  ...aimed,
];
