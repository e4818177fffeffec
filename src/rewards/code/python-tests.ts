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
        wanted = entry or next((n for n in reversed(list(names)) if names[n] == "callable"), None)
        if wanted is None:
            raise LookupError("the program defines no function")
        tree.body.append(ast.parse("check(" + wanted + ")").body[0])
        used.add(wanted)
    remote = {n for n in used - defined if not hasattr(builtins, n)}
    # A function that shadows a built-in is under test only where the tests use no other name of the program's.
    modules = {n for n in remote if n in sys.stdlib_module_names and n in dotted and n not in called}
    library = {n: m for n, m in ${JSON.stringify(trusted)}.items() if n in remote}
    remote -= modules | set(library)
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

def run_tests(tree, space, partial):
    """Passed and all assertions; an exception ends the counting, and without 'partial' so does the first failure."""
    counts = [0, 0]
    if partial:
        class Count(ast.NodeTransformer):
            def visit_Assert(self, node):
                counted = ast.parse("try:\n    __count__(1)\n    __count__(0)\nexcept Exception: pass").body[0]
                counted.body[1:1] = [node]
                return ast.copy_location(counted, node)
        tree = Count().visit(tree)
        # Asserts count where they run: each adds to the total first, and to the passed ones after it held.
        space["__count__"] = lambda which: counts.__setitem__(which, counts[which] + 1)
    ast.fix_missing_locations(tree)
    exec(compile(tree, "tests.py", "exec"), space)
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
    requests, replies = os.dup(1), os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0); os.dup2(2, 1)

    def send(kind, message):
        data = (kind + json.dumps(message) + "\n").encode()
        while data:
            data = data[os.write(requests, data):]

    def verdict(**message):
        send("V", message)

    class NeedsLive(Exception):
        pass

    def no_functions(value):
        # Only the tests' own objects come here, so it is never the program that chooses the weaker way.
        raise NeedsLive("the tests pass the program an object of type " + type(value).__name__)

    wire = Wire(on_handle=no_functions)

    def request(message):
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
    space = {"__name__": "__main__"}
    import importlib
    try:
        for name in modules:
            space[name] = importlib.import_module(name)
        for name, module in library.items():
            space[name] = getattr(importlib.import_module(module), name)
    except ImportError as error:
        return verdict(passed=False, why="tests", message=str(error))

    def proxy(name):
        def call(*args, **kwargs):
            return request({"op": "call", "of": name, "args": wire.encode(list(args)), "kwargs": wire.encode(kwargs)})
        call.__name__ = name
        return call

    for name in remote:
        kind = hello["names"].get(name)
        if kind in ("callable", "class"):
            space[name] = proxy(name)
        elif kind == "value":
            space[name] = request({"op": "get", "of": name})
        elif kind == "module" and name in sys.stdlib_module_names:
            space[name] = importlib.import_module(name)
    counts = None
    try:
        counts = run_tests(tree, space, spec.get("partial"))
        verdict(passed=True, counts=counts)
    except ProgramEnded:
        verdict(passed=False, why="ended")
    except BaseException as error:
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

while True:
    spec = json.loads(read(int(read(12))))
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            serve(spec)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    try:
        os.killpg(child, 9)
    except ProcessLookupError:
        pass
    # Replies that nobody waited for are not the next tests'.
    os.set_blocking(0, False)
    try:
        while os.read(0, 65536):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(0, True)
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
        tree, *_ = read_tests((spec.get("setup") or "") + "\n" + spec["code"], spec.get("entryPoint"), names)
    except (SyntaxError, LookupError) as error:
        return verdict(passed=False, why="tests" if isinstance(error, SyntaxError) else "missing", message=str(error))
    try:
        verdict(passed=True, counts=run_tests(tree, dict(module.__dict__, __name__="__main__"), spec.get("partial")))
    except BaseException as error:
        verdict(passed=False, why="assertion" if isinstance(error, AssertionError) else "error", error=type(error).__name__, message=str(error)[:2000])

serve()
`;
