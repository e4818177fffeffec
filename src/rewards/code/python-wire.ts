/**
 * Python source of the wire: plain data as JSON, one message a line. What is not plain data crosses as a handle, whose
 * methods can be called but which is equal to nothing. Both sides of a split test carry this text.
 */
export const pythonWire = String.raw`
import sys, os, json

_plain_types = (bool, int, float, str, type(None))

class Wire:
    """Encodes and decodes values; on the program's side it keeps the objects behind the handles it gave out."""

    def __init__(self, on_handle=None):
        self.objects = {}
        self.on_handle = on_handle

    def encode(self, value, depth=0):
        if depth > 200:
            raise ValueError("value nested deeper than 200 levels")
        inner = lambda items: [self.encode(item, depth + 1) for item in items]
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, int):
            number = int.__int__(value)
            return number if -(1 << 53) < number < (1 << 53) else {"i": hex(number)}
        if isinstance(value, float):
            return {"f": float.__repr__(value)}
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, list):
            return inner(list.__iter__(value))
        if isinstance(value, tuple):
            return {"t": inner(tuple.__iter__(value))}
        if isinstance(value, dict):
            return {"d": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in dict.items(value)]}
        if isinstance(value, set):
            return {"s": inner(set.__iter__(value))}
        if isinstance(value, frozenset):
            return {"z": inner(frozenset.__iter__(value))}
        if isinstance(value, (bytes, bytearray)):
            return {"b": bytes(value).hex(), "m": isinstance(value, bytearray)}
        if isinstance(value, complex):
            return {"c": [float.__repr__(value.real), float.__repr__(value.imag)]}
        if isinstance(value, range):
            return {"r": [value.start, value.stop, value.step]}
        module, name = kind.__module__, kind.__name__
        if module == "builtins" and name in ("dict_keys", "dict_values", "dict_items"):
            return {"v": [name, inner(value)]}
        if module in ("builtins", "itertools") and hasattr(kind, "__next__") or name == "generator":
            items = []
            for item in value:
                items.append(item)
                if len(items) > 1000000:
                    raise ValueError("iterator of more than a million items")
            return {"g": inner(items)}
        if module == "collections" and name == "deque":
            return {"q": inner(value)}
        if module == "decimal" and name == "Decimal" or module == "fractions" and name == "Fraction":
            return {"x": [module, name, str(value)]}
        if module == "numpy":
            return self.encode(value.tolist(), depth + 1)
        if isinstance(value, Handle):
            return {"h": object.__getattribute__(value, "_handle")}
        if self.on_handle is not None:
            return self.on_handle(value)
        number = len(self.objects) + 1
        self.objects[number] = value
        return {"h": number}

    def decode(self, data):
        if isinstance(data, list):
            return [self.decode(item) for item in data]
        if not isinstance(data, dict):
            return data
        ((tag, body),) = list(data.items())[:1]
        if tag == "i":
            return int(body, 16)
        if tag == "f":
            return float(body)
        if tag == "t":
            return tuple(self.decode(item) for item in body)
        if tag == "d":
            return {self.decode(k): self.decode(v) for k, v in body}
        if tag == "s":
            return {self.decode(item) for item in body}
        if tag == "z":
            return frozenset(self.decode(item) for item in body)
        if tag == "b":
            return bytearray.fromhex(body) if data.get("m") else bytes.fromhex(body)
        if tag == "c":
            return complex(float(body[0]), float(body[1]))
        if tag == "r":
            return range(*body)
        if tag == "v":
            items = [self.decode(item) for item in body[1]]
            if body[0] == "dict_keys":
                return dict.fromkeys(items).keys()
            return dict(items).items() if body[0] == "dict_items" else dict(enumerate(items)).values()
        if tag == "g":
            return iter([self.decode(item) for item in body])
        if tag == "q":
            import collections
            return collections.deque(self.decode(item) for item in body)
        if tag == "x" and body[:2] == ["decimal", "Decimal"]:
            import decimal
            return decimal.Decimal(body[2])
        if tag == "x" and body[:2] == ["fractions", "Fraction"]:
            import fractions
            return fractions.Fraction(body[2])
        if tag == "h":
            return self.objects[body] if body in self.objects else Handle(self, body)
        raise ValueError("not a message of ours: " + tag)

_plain_names = {n for t in (str, bytes, int, float, list, dict, set) for n in dir(t)} | {"all", "any", "empty", "equals"}

class Handle:
    """Stands for an object of the other side. It has no opinion about equality, truth or order: those must be plain data."""

    def __init__(self, wire, handle):
        object.__setattr__(self, "_wire", wire)
        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "_is_own", False)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        # Where tests want a text, an object whose startswith says yes to everything is none.
        if name in _plain_names and not object.__getattribute__(self, "_is_own"):
            self._refuse()
        wire = object.__getattribute__(self, "_wire")
        return wire.request({"op": "get", "of": {"h": object.__getattribute__(self, "_handle")}, "name": name})

    def __setattr__(self, name, value):
        wire = object.__getattribute__(self, "_wire")
        wire.request({"op": "set", "of": {"h": object.__getattribute__(self, "_handle")}, "name": name, "value": wire.encode(value)})

    def __call__(self, *args, **kwargs):
        wire = object.__getattribute__(self, "_wire")
        return wire.request({"op": "call", "of": {"h": object.__getattribute__(self, "_handle")}, "args": wire.encode(list(args)), "kwargs": wire.encode(kwargs)})

    def __iter__(self):
        wire = object.__getattribute__(self, "_wire")
        return iter(wire.request({"op": "iter", "of": {"h": object.__getattribute__(self, "_handle")}}))

    def __len__(self):
        wire = object.__getattribute__(self, "_wire")
        return wire.request({"op": "len", "of": {"h": object.__getattribute__(self, "_handle")}})

    def __getitem__(self, key):
        wire = object.__getattribute__(self, "_wire")
        return wire.request({"op": "item", "of": {"h": object.__getattribute__(self, "_handle")}, "key": wire.encode(key)})

    def _refuse(self, *others):
        raise AssertionError("the program returned an object where the tests compare; only plain data is compared")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = _refuse

    def __hash__(self):
        return hash(object.__getattribute__(self, "_handle"))
`;

/** Names that programs written for online judges use without importing them, found in these modules in this order. */
const judgeModules = [
  "typing",
  "collections",
  "itertools",
  "functools",
  "heapq",
  "bisect",
  "math",
  "operator",
  "string",
];

/** Python source that loads a program as a module: judges' usual imports stand in for names it uses and never defines. */
export const pythonLoader = String.raw`
def load_program(path, imports):
    import builtins, types
    with open(path, "rb") as f:
        source = f.read()
    module = types.ModuleType("program")
    sys.modules["program"] = module
    names = module.__dict__
    # Started without site, for speed; a program that imports more than the standard library gets it after all.
    import re
    wanted = set(re.findall(r"^\s*(?:import|from)\s+(\w+)", source.decode("utf-8", "replace"), re.M))
    if wanted - sys.stdlib_module_names:
        import site
        site.main()
    for name in ("exit", "quit"):
        setattr(builtins, name, sys.exit)
    code = compile(source, "program.py", "exec", dont_inherit=True)
    used, defined, queue = set(), set(), [code]
    while queue:
        part = queue.pop()
        used.update(part.co_names)
        queue.extend(c for c in part.co_consts if isinstance(c, types.CodeType))
    missing = {n for n in used if not hasattr(builtins, n)}
    if imports:
        try:
            exec(compile(imports, "imports.py", "exec"), names)
        except Exception:
            pass
    if missing:
        import importlib
        for module_name in ${JSON.stringify([...judgeModules, "random"])}:
            # 'List' in a signature needs typing; a program that only says 'len' needs none of these.
            if module_name in missing and module_name not in names:
                names[module_name] = importlib.import_module(module_name)
            if missing & _judge_names(module_name):
                found = importlib.import_module(module_name)
                for name in missing & _judge_names(module_name):
                    if name not in names and hasattr(found, name):
                        names[name] = getattr(found, name)
    exec(code, names)
    return module

def _judge_names(module_name):
    return {
        "typing": {"List", "Dict", "Set", "Tuple", "Optional", "Union", "Any", "Callable", "Iterable", "Iterator", "Generator", "Sequence", "Mapping", "Deque", "DefaultDict", "NamedTuple", "TypeVar"},
        "collections": {"Counter", "defaultdict", "deque", "OrderedDict", "namedtuple", "ChainMap"},
        "itertools": {"accumulate", "chain", "combinations", "combinations_with_replacement", "count", "cycle", "groupby", "islice", "pairwise", "permutations", "product", "repeat", "starmap", "takewhile", "zip_longest"},
        "functools": {"cache", "lru_cache", "reduce", "cmp_to_key", "partial"},
        "heapq": {"heapify", "heappush", "heappop", "heappushpop", "heapreplace", "nlargest", "nsmallest", "merge"},
        "bisect": {"bisect", "bisect_left", "bisect_right", "insort", "insort_left", "insort_right"},
        "math": {"inf", "nan", "pi", "gcd", "lcm", "comb", "perm", "factorial", "sqrt", "isqrt", "ceil", "floor", "log", "log2", "log10", "prod", "hypot"},
        "operator": {"itemgetter", "attrgetter", "mul", "xor", "or_", "and_"},
        "string": {"ascii_lowercase", "ascii_uppercase", "ascii_letters", "digits"},
        "random": {"randint", "choice", "shuffle"},
    }.get(module_name, set())
`;

/** The program's side: loads it, then answers calls with plain data. Its own prints go to standard error. */
export const pythonProgram = String.raw`
${pythonWire}
${pythonLoader}

def serve():
    # The channel moves to private descriptors; what the program prints goes to standard error, what it reads is empty.
    replies, requests = os.dup(1), os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0); os.dup2(2, 1)
    source = os.fdopen(requests, "rb")
    wire = Wire()

    def reply(message):
        data = (json.dumps(message) + "\n").encode()
        while data:
            data = data[os.write(replies, data):]

    def failure(error):
        name = next((c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"), "Exception")
        try:
            text = str(error)[:2000]
        except BaseException:
            text = ""
        return {"error": name, "of": type(error).__name__, "message": text}

    sys.setrecursionlimit(20000)
    try:
        module = load_program("/app/program.py", os.path.exists("/app/imports.py") and open("/app/imports.py").read())
    except SyntaxError as error:
        reply({"syntax": str(error)})
        return
    except BaseException as error:
        reply(failure(error))
        return
    names = {}
    for name, value in list(module.__dict__.items()):
        if not name.startswith("__"):
            names[name] = "module" if isinstance(value, type(sys)) else "class" if isinstance(value, type) else "callable" if callable(value) else "value"
    reply({"names": names})

    def find(path):
        head, *rest = path.split(".")
        if head not in module.__dict__ and not rest and isinstance(module.__dict__.get("Solution"), type):
            return getattr(module.__dict__["Solution"](), path)
        value = module.__dict__[head]
        for name in rest:
            value = value() if isinstance(value, type) and not isinstance(value.__dict__.get(name), (staticmethod, classmethod)) else value
            value = getattr(value, name)
        return value

    for line in source:
        try:
            message = json.loads(line)
            op, of = message["op"], message["of"]
            target = find(of) if isinstance(of, str) else wire.decode(of)
            if op == "call":
                args, kwargs = wire.decode(message["args"]), wire.decode(message["kwargs"])
                result = target(*args, **kwargs)
            elif op == "get":
                result = getattr(target, message["name"]) if "name" in message else target
            elif op == "set":
                setattr(target, message["name"], wire.decode(message["value"]))
                result = None
            elif op == "iter":
                result = list(target)
            elif op == "len":
                result = len(target)
            elif op == "item":
                result = target[wire.decode(message["key"])]
            reply({"value": wire.encode(result)})
        except BaseException as error:
            reply(failure(error))

serve()
`;
