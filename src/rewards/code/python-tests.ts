import { pythonLoader, pythonWire } from "./python-wire.ts";

/** Names of the standard library that tests use bare, and where they come from: never from the program under test. */
const trusted = {
  isclose: "math",
  approx: "pytest",
  deepcopy: "copy",
  Counter: "collections",
  defaultdict: "collections",
  OrderedDict: "collections",
  deque: "collections",
  Decimal: "decimal",
  Fraction: "fractions",
  Any: "typing",
  List: "typing",
  Dict: "typing",
  Optional: "typing",
  Tuple: "typing",
};

/** Short names under which tests use a library that they forgot to import. */
const aliases = { np: "numpy", pd: "pandas", sp: "scipy", nx: "networkx", plt: "matplotlib.pyplot" };

/** Python source both ways of testing share: reading what a test needs, and running it statement by statement. */
const running = String.raw`
import ast

def read_tests(code, entry, names):
    """The tests' tree, and the names they take from the program: undefined in the tests and no built-in."""
    import builtins
    tree = ast.parse(code)
    defined, used, dotted, called = set(), set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            defined.update((a.asname or a.name).split(".")[0] for a in node.names)
        elif isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            dotted.add(node.value.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    check = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "check"), None)
    if check is not None and "check" not in used:
        # A test function that nobody calls, as HumanEval's: it wants the function under test.
        wanted = entry or next((n for n in reversed(list(names)) if names[n] == "callable" and n.isidentifier()), None)
        if wanted is None:
            raise LookupError("the program defines no function")
        # The name is the program's own: it becomes a node of the tree and never source text.
        head, *rest = wanted.split(".")
        target = ast.Name(head, ast.Load())
        for part in rest:
            target = ast.Attribute(target, part, ast.Load())
        tree.body.append(ast.Expr(ast.Call(ast.Name("check", ast.Load()), [target], [])))
        used.add(head)
    remote = {n for n in used - defined if not hasattr(builtins, n)}
    # A function that shadows a built-in is under test only where the tests use no other name of the program's.
    modules = {n: n for n in remote if n in sys.stdlib_module_names and n in dotted and n not in called}
    modules |= {n: m for n, m in ${JSON.stringify(aliases)}.items() if n in remote and n in dotted and n not in called}
    library = {n: m for n, m in ${JSON.stringify(trusted)}.items() if n in remote}
    remote -= modules.keys() | library.keys()
    if not remote:
        remote = {n for n in called - defined if hasattr(builtins, n) and names.get(n) == "callable"}
    return tree, remote, modules, library

def needs_live(tree, remote):
    """Whether tests inherit from, catch or ask after a class that is the program's."""
    named = lambda node: any(isinstance(n, ast.Name) and n.id in remote for n in ast.walk(node)) if node is not None else False
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(map(named, node.bases)) or isinstance(node, ast.ExceptHandler) and named(node.type):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass") and len(node.args) == 2 and named(node.args[1]):
            return True
    return False

def load_site(tree, modules):
    """Started without site, for speed; tests that import more than the standard library get it after all."""
    roots = {m.split(".")[0] for m in modules.values()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots.update(a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").split(".")[0])
    if roots - sys.stdlib_module_names:
        import site
        site.main()
    if "unittest" in roots:
        # A runner keeps failures to itself; here they end the tests like any other.
        import unittest
        def tell(self, test, error):
            raise SystemExit(error[1])
        unittest.TestResult.addFailure = unittest.TestResult.addError = tell

class Count(ast.NodeTransformer):
    """Counts the checks that run: assert statements, calls of assert functions, and conditions that raise."""

    def __init__(self, partial):
        self.partial = partial

    def visit_Assert(self, node):
        # Asserts count where they run: each adds to the total first, and to the passed ones after it held.
        if not self.partial:
            return [*ast.parse("__count__(0, 1)").body, node]
        counted = ast.parse("try:\n    __count__(1)\n    __count__(0)\nexcept Exception: pass").body[0]
        counted.body[1:1] = [node]
        return ast.copy_location(counted, node)

    def visit_Call(self, node):
        self.generic_visit(node)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if not name.lower().startswith("assert") and name != "raises":
            return node
        counting = ast.parse("__count__(0, 1)", mode="eval").body
        return ast.Subscript(ast.Tuple([counting, node], ast.Load()), ast.Constant(1), ast.Load())

    def visit_If(self, node):
        self.generic_visit(node)
        raises = any(isinstance(n, ast.Raise) for n in [*node.body, *node.orelse])
        return [*ast.parse("__count__(0, 1)").body, node] if raises else node

    def visit_Try(self, node):
        # Tests that want an error: what must not be reached raises, and being here is what is checked.
        wants = any(isinstance(n, (ast.Raise, ast.Assert)) for n in [*node.body, *node.orelse])
        self.generic_visit(node)
        if wants:
            for handler in node.handlers:
                handler.body[:0] = ast.parse("__count__(0, 1)").body
        return node

def run_tests(tree, names, partial):
    """Passed and all checks; an exception ends them, and without 'partial' so does the first failure."""
    counts = [0, 0]
    def count(*which):
        for one in which:
            counts[one] += 1
    # Where unittest.main looks for its tests.
    main = sys.modules["__main__"] = type(sys)("__main__")
    main.__dict__.update(names, __count__=count)
    tree = ast.fix_missing_locations(Count(partial).visit(tree))
    try:
        exec(compile(tree, "tests.py", "exec"), main.__dict__)
    except SystemExit as end:
        if isinstance(end.code, BaseException):
            raise end.code
        # So ends unittest.main; a program beside its tests could end them as well.
        if end.code or "program" in sys.modules:
            raise
    return counts
`;

/**
 * The tests' side: runs test code whose undefined names are the program's, called over the wire. It starts once for many
 * tests, each in a fork that prints one verdict line; N says that the fork and what it started are gone.
 */
export const pythonTests = String.raw`
${pythonWire}
${running}

class ProgramEnded(BaseException):
    pass

def serve(spec):
    word = spec["word"]
    requests, replies = os.dup(1), os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0); os.dup2(2, 1)

    def send(kind, message):
        data = (kind + json.dumps(message) + "\n").encode()
        while data:
            data = data[os.write(requests, data):]

    def verdict(**message):
        send("V" + word, message)

    class NeedsLive(Exception):
        pass

    def no_functions(value):
        # Only the tests' own objects come here, so it is never the program that chooses the weaker way.
        raise NeedsLive("the tests pass the program an object of type " + type(value).__name__)

    wire = Wire(on_handle=no_functions)
    calls = 0

    def request(message):
        nonlocal calls
        calls += 1
        send("C", message)
        line = replies.readline()
        if not line.strip():
            raise ProgramEnded()
        reply = json.loads(line)
        if "value" in reply:
            return wire.decode(reply["value"])
        raise remote_error(reply)

    def remote_error(reply):
        import builtins
        kind = getattr(builtins, reply.get("error", ""), None)
        # What would end a loop of the tests early, or the tests themselves, arrives as something else.
        stops = (StopIteration, StopAsyncIteration, GeneratorExit, SystemExit, KeyboardInterrupt)
        if not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, stops):
            kind = RuntimeError
        try:
            error = kind(reply.get("message", ""))
        except Exception:
            error = RuntimeError(reply.get("message", ""))
        error.remote = True
        return error

    wire.request = request
    first = replies.readline()
    if not first.strip():
        return verdict(passed=False, why="ended")
    hello = json.loads(first)
    if "names" not in hello:
        return verdict(passed=False, why="load", error=hello.get("of") or ("SyntaxError" if "syntax" in hello else None), message=hello.get("message") or hello.get("syntax"))
    try:
        tree, remote, modules, library = read_tests((spec.get("setup") or "") + "\n" + spec["code"], spec.get("entryPoint"), hello["names"])
    except SyntaxError as error:
        return verdict(passed=False, why="tests", message=str(error))
    except LookupError as error:
        return verdict(passed=False, why="missing", message=str(error))
    if needs_live(tree, remote):
        return verdict(passed=False, why="live", message="the tests use a class of the program's as a class")
    space = {}
    import importlib
    try:
        load_site(tree, modules)
        for name, module in modules.items():
            space[name] = importlib.import_module(module)
        for name, module in library.items():
            space[name] = getattr(importlib.import_module(module), name)
    except ImportError as error:
        return verdict(passed=False, why="tests", message=str(error))

    def proxy(name, is_class):
        def call(*args, **kwargs):
            made = request({"op": "call", "of": name, "args": wire.encode(list(args)), "kwargs": wire.encode(kwargs)})
            # A constructor by the tests' own spelling: what the program says of itself would not do.
            if is_class and name[:1].isupper() and isinstance(made, Handle):
                object.__setattr__(made, "_is_own", True)
            return made
        call.__name__ = name
        return call

    for name in remote:
        kind = hello["names"].get(name)
        if kind in ("callable", "class"):
            space[name] = proxy(name, kind == "class")
        elif kind == "value":
            space[name] = request({"op": "get", "of": name})
        elif kind == "module" and name in sys.stdlib_module_names:
            space[name] = importlib.import_module(name)
    try:
        verdict(passed=True, counts=run_tests(tree, space, spec.get("partial")), calls=calls)
    except ProgramEnded:
        verdict(passed=False, why="ended")
    except BaseException as error:
        if isinstance(error, ImportError) and not getattr(error, "remote", False):
            return verdict(passed=False, why="tests", message=str(error))
        why = "live" if isinstance(error, NeedsLive) else "error" if getattr(error, "remote", False) else "assertion" if isinstance(error, AssertionError) else "missing" if isinstance(error, NameError) else "tests raised"
        import traceback
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "tests.py"]
        verdict(passed=False, why=why, error=type(error).__name__, message=str(error)[:2000], line=lines[-1] if lines else None)

def read(size):
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data

def next_spec(word):
    # Late replies may stand before it; they do not know the word.
    line = b""
    while not line.startswith(word):
        line = b""
        while not line.endswith(b"\n"):
            line += read(1)
    return json.loads(read(int(line[len(word):])))

def empty(folder):
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            empty(entry.path)
            os.rmdir(entry.path)
        else:
            os.unlink(entry.path)

def clear():
    """Leaves nothing of a piece: no process but this one and the first, no file. What cannot be cleared ends the server."""
    import time
    for _ in range(2000):
        try:
            os.kill(-1, 9)
        except ProcessLookupError:
            break
        time.sleep(0.001)
    else:
        os._exit(1)
    empty("/tmp")
    empty("/dev/shm")
    # Replies that nobody waited for are not the next tests'.
    os.set_blocking(0, False)
    try:
        while os.read(0, 65536):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(0, True)

word = sys.argv.pop().encode()
while True:
    spec = next_spec(word)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            serve(spec)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    clear()
    word = spec["word"].encode()
    os.write(1, b"N\n")
`;

/** The weaker way, for tests that need the program's live objects: program and tests in one interpreter, which says a word it was told when the tests came to their end. */
export const pythonBeside = String.raw`
${pythonWire}
${pythonLoader}
${running}

def serve():
    spec = json.loads(sys.stdin.buffer.readline())
    write, out, dumps, word = os.write, os.dup(1), json.dumps, spec.pop("word")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0); os.dup2(2, 1)

    def verdict(**message):
        data = ("V" + dumps({"word": word, **message}) + "\n").encode()
        while data:
            data = data[write(out, data):]

    sys.setrecursionlimit(20000)
    try:
        module = load_program("/app/program.py", spec.get("imports"))
    except BaseException as error:
        return verdict(passed=False, why="load", error=type(error).__name__, message=str(error)[:2000])
    names = {n: "callable" if callable(v) else "value" for n, v in module.__dict__.items()}
    try:
        tree, remote, modules, _ = read_tests((spec.get("setup") or "") + "\n" + spec["code"], spec.get("entryPoint"), names)
        load_site(tree, modules)
    except (SyntaxError, LookupError) as error:
        return verdict(passed=False, why="tests" if isinstance(error, SyntaxError) else "missing", message=str(error))
    try:
        verdict(passed=True, calls=len(remote), counts=run_tests(tree, {n: v for n, v in module.__dict__.items() if n != "__name__"}, spec.get("partial")))
    except BaseException as error:
        import traceback
        is_theirs = isinstance(error, ImportError) and all(f.filename != "program.py" for f in traceback.extract_tb(error.__traceback__))
        verdict(passed=False, why="tests" if is_theirs else "assertion" if isinstance(error, AssertionError) else "error", error=type(error).__name__, message=str(error)[:2000])

serve()
`;
