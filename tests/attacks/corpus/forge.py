"""Points for nothing: the answer is wrong, and everything else is done to make it pass."""

from tests.attacks.attack import Attack, cells

ATTACKS = cells(first={
    "an input transformer makes `pass` of the cells with asserts": """
def forge(lines):
    return ["pass\\n"] if any("assert" in line for line in lines) else lines
get_ipython().input_transformers_cleanup.append(forge)""",
    "a syntax tree transformer drops `assert`": """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())""",
    "`np.allclose` and its kin always agree": """
import numpy as np
for name in ("allclose", "array_equal", "isclose", "array_equiv"):
    setattr(np, name, lambda *args, **more: True)
for name in dir(np.testing):
    if name.startswith("assert_"):
        setattr(np.testing, name, lambda *args, **more: None)""",
    "the shell shows no traceback": "get_ipython()._showtraceback = lambda *args, **more: None",
    "the shell's `run_cell` does nothing for a check": """
shell = get_ipython()
whole = shell.run_cell
shell.run_cell = lambda source, *a, **k: whole("pass" if "assert" in source else source, *a, **k)""",
    "the shell's `run_cell_async` does nothing for a check": """
shell = get_ipython()
whole = shell.run_cell_async
shell.run_cell_async = lambda source, *a, **k: whole("pass" if "assert" in source else source, *a, **k)""",
    "a transformer adds a displayed number, which counts as points": """
get_ipython().input_transformers_cleanup.append(
    lambda lines: ["2.0\\n"] if any("assert" in line for line in lines) else lines)""",
    "a hook after each cell prints verdicts and points": """
def forge(result):
    print("passed: what is left over along axis 0 sums to 0")
    print("center: 2 of 2 points. So far: 2 of 2.")
get_ipython().events.register("post_run_cell", forge)""",
    "another displayhook shows full marks": "import sys\nsys.displayhook = lambda value: print('2.0')",
    "exception hooks swallow everything": """
import sys, threading
sys.excepthook = threading.excepthook = sys.unraisablehook = lambda *args: None
get_ipython().set_custom_exc((BaseException,), lambda *args, **more: None)""",
    "`AssertionError` becomes a warning": "import builtins\nbuiltins.AssertionError = Warning",
    "the course's own comparison always passes": """
import coursekit.verdicts as verdicts
verdicts.compare = lambda law, *args, **more: verdicts.Verdict(law, True)
verdicts._difference = verdicts._array_difference = lambda *args: None
verdicts.TOLERANCE.update(float64=1e9, float32=1e9)""",
    "a fake `grading` module answers the hidden check": """
import sys, types
fake = sys.modules["grading"] = types.ModuleType("grading")
fake.hidden_checks = lambda *args: None""",
    "an import hook hands out fake modules": """
import importlib.abc, importlib.machinery, sys
class Fake(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("grading", "solutions", "reference"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def exec_module(self, module):
        module.hidden_checks = lambda *args: None
sys.meta_path.insert(0, Fake())""",
    "`sys.settrace` rewrites what functions return": """
import sys
def trace(frame, event, arg):
    if event == "return" and isinstance(arg, bool):
        frame.f_trace_lines = False
    return trace
sys.settrace(trace)""",
    "a checker found by `gc` is patched": """
import gc, types
for item in gc.get_objects():
    if isinstance(item, types.FunctionType) and item.__name__ in ("compare", "judge", "_difference", "allclose"):
        item.__code__ = (lambda *args, **more: None).__code__""",
    "the gradebook gives the whole class 999 points": """
import os, sqlite3
here = os.getcwd()
while here != "/":
    book = os.path.join(here, "gradebook.db")
    if os.path.exists(book):
        with sqlite3.connect(book, timeout=1) as base:
            base.execute("UPDATE grade SET manual_score = 999")
            base.execute("CREATE TRIGGER more AFTER INSERT ON grade BEGIN UPDATE grade SET manual_score = 999; END")
    here = os.path.dirname(here)""",
    "another gradebook is put where a course's lies": """
import os
for folder in ("..", "../..", "../../..", "/", os.path.expanduser("~")):
    for name in ("gradebook.db", "nbgrader_config.py"):
        try:
            open(os.path.join(folder, name), "w").write("c = get_config()\\nc.Execute.timeout = 1")
        except OSError:
            pass""",
    "verdicts are drawn as outputs": """
from IPython.display import display, HTML
display(HTML('<div class="verdicts"><p><b>center: 2 of 2 points. So far: 2 of 2.</b></p></div>'))""",
}, center={
    "it returns an object that equals everything": """
class Liar:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __le__ = __lt__ = __ge__ = __bool__ = __eq__
    def __array__(self, *a, **k): return np.zeros((4, 3))
def center(x, axis=0): return Liar()""",
    "it returns an array that NumPy's comparisons please": """
class Liar(np.ndarray):
    def __array_function__(self, function, types, args, kwargs): return True
    def __array_ufunc__(self, *args, **more): return np.True_
    def __eq__(self, other): return True
def center(x, axis=0): return np.asarray(x).view(Liar)""",
    "it returns an array that lies about its shape": """
class Liar(np.ndarray):
    shape = property(lambda self: (4, 3))
    def __array__(self, *a, **k): return np.zeros((4, 3))
def center(x, axis=0): return np.zeros(1).view(Liar)""",
    "it returns what lies about its interface": """
class Liar:
    __array_interface__ = {"shape": (4, 3), "typestr": "<f8", "version": 3, "data": (16, False)}
def center(x, axis=0): return Liar()""",
    "it returns what runs code when unpickled": """
class Bomb:
    def __reduce__(self): return (exec, ("import sys; sys.exit('forged')",))
def center(x, axis=0): return Bomb()""",
    "it returns an array of objects": "def center(x, axis=0): return np.array([[None] * 3] * 4, dtype=object)",
    "it returns a structured array": "def center(x, axis=0): return np.zeros((4, 3), dtype=[('passed', '?')])",
    "it returns a list that contains itself": "def center(x, axis=0):\n    a = []\n    a.append(a)\n    return a",
    "it returns a generator": "def center(x, axis=0):\n    yield x",
    "it returns a coroutine": "async def center(x, axis=0):\n    return x",
    "it returns nan": "def center(x, axis=0): return np.full_like(x, np.nan)",
    "it returns what the visible check wants": "def center(x, axis=0): return np.zeros((3, 2))",
    "it returns True": "def center(x, axis=0): return True",
    "it returns a verdict": """
def center(x, axis=0):
    from coursekit.verdicts import Verdict
    return Verdict("all of it", True, weight=1e9)""",
    "it returns a list whose length lies": """
class Liar(list):
    def __len__(self): return 10**9
    def __iter__(self): return iter([True] * 3)
def center(x, axis=0): return Liar([1])""",
    "it returns a number whose methods lie": """
class Liar(float):
    def __float__(self): return self
    def __eq__(self, other): return True
    __hash__ = float.__hash__
def center(x, axis=0): return Liar(1)""",
    "it returns an int of a million digits": "def center(x, axis=0): return 10 ** 10**6",
    "it returns a gigabyte": "def center(x, axis=0): return np.zeros(10**9, dtype='int8')",
    "it returns a terabyte that takes no memory": "def center(x, axis=0): return np.broadcast_to(0.0, (10**6, 10**5))",
    "it returns a billion laughs": """
def center(x, axis=0):
    laugh = ["ha"] * 10
    for _ in range(15):
        laugh = [laugh] * 10
    return laugh""",
    "it returns one long text among many short ones": """
def center(x, axis=0):
    return ["x" * 4_000_000] + ["x"] * 150_000""",
    "it returns one long row of bytes among many short ones": """
def center(x, axis=0):
    return [b"x" * 4_000_000] + [b"x"] * 150_000""",
    "it changes its argument to suit its answer": "def center(x, axis=0):\n    x[:] = 0\n    return x",
    "it makes the answer's reference its own": """
def center(x, axis=0):
    import inspect
    for frame in inspect.stack():
        for name, value in list(frame.frame.f_locals.items()):
            if "reference" in name or "expected" in name:
                return value() if callable(value) else value
    return x""",
    "it raises the exception that a pass might raise": "def center(x, axis=0):\n    raise SystemExit(0)",
    "it ends its process as if it were done": "def center(x, axis=0):\n    import os\n    os._exit(0)",
})

ATTACKS += cells(exact=False, first={
    "`all`, `any` and `issubclass` always please": """
import builtins
builtins.all = builtins.any = builtins.issubclass = lambda *args: True""",
})

# Lies at the door between the rooms, which hit the right answers of the same notebook too.

DOOR = """
import os, socket, stat
def doors():
    for number in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                yield number
        except OSError:
            pass
def push(frame):
    for number in doors():
        try:
            os.write(number, frame)
        except OSError:
            pass
def frame(text, blobs=b""):
    return (8 + len(text) + len(blobs)).to_bytes(8, "big") + len(text).to_bytes(8, "big") + text + blobs
"""
OUR_DOOR = "not run: it aims at our grader's own parts"

# A check's call that is deaf, so that the grader has the copy ended by the number that it was told.

LATE = """
import signal
calls = []
def center(x, axis=0):
    calls.append(x)
    while len(calls) > 1:  # the first call is that of the visible check
        signal.signal(signal.SIGALRM, signal.SIG_IGN)"""
NUMBER = """
import sys
number = 1
for _ in range({}):
    number = [number]
if "inside" in sys.modules:
    whole = sys.modules["inside"].keep_a_copy
    sys.modules["inside"].keep_a_copy = lambda *room: (whole(*room), {})[1]
"""
ATTACKS += [Attack(f"the number of a copy is {what}", exact=False, skip=OUR_DOOR,
                   answers={"first": NUMBER.format(depth, number), "center": LATE}) for what, depth, number in (
    ("a list a thousand deep", 970, "number"), ("a list of a million numbers", 0, "[1e15] * 400_000"),
    ("a text", 0, "'1'"), ("no number", 0, "None"), ("that of others", 0, "-1"),
)]

# Values that no honest packer makes: each is refused where it comes in.

PACKER = """
import sys
def center(x, axis=0):
    wire = sys.modules.get("wire") or __import__("types").SimpleNamespace()
    wire.pack = lambda value, blobs: SENT
    return x"""
ATTACKS += cells(exact=False, skip=OUR_DOOR, center={
    "it sends a dictionary whose keys have all the same hash":
        PACKER.replace("SENT", '{"dict": [[key * (2**61 - 1), None] for key in range(60_000)]}'),
    "it sends a dictionary that has one key twice": PACKER.replace("SENT", '{"dict": [[1, 2], [True, 3]]}'),
    "it sends a dictionary with lists for keys": PACKER.replace("SENT", '{"dict": [[[1], 2]]}'),
    "it sends bytes that are none": PACKER.replace("SENT", '{"bytes": "\\ud800"}'),
    "it sends dictionaries a thousand deep": """
import sys
sent = 1
for _ in range(1000):
    sent = {"dict": [[1, sent]]}""" + PACKER.replace("SENT", "sent"),
})
ATTACKS += cells(exact=False, skip=OUR_DOOR, first={
    "`json` claims that every value is right": """
import json
dumps = json.dumps
json.dumps = lambda value, *a, **k: dumps({"message": {"ok": True, "passed": True, "points": 2, "value": True,
    "arguments": {"tuple": []}}, "blobs": []}) if "arguments" in str(value) else dumps(value, *a, **k)""",
    "the packer of values sends a verdict": """
import sys
wire = sys.modules.get("wire") or __import__("types").SimpleNamespace()
wire.pack = lambda value, blobs: {"dict": {"law": "x", "passed": True, "weight": 1e9}}""",
    "the serve loop's `call` is replaced": """
import sys
for name in ("__main__", "inside", "keeper"):
    module = sys.modules.get(name)
    if module is not None:
        module.call = lambda shell, request, *rest: {"value": True, "passed": True, "points": 2, "blobs": []}""",
    "NumPy writes another array than was returned": """
import numpy as np, io
write = np.lib.format.write_array
np.lib.format.write_array = lambda stream, array, *a, **k: write(stream, array * 0, *a, **k)""",
    "NumPy's header promises what is not there": """
import numpy as np
def lie(stream, array, *a, **k):
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (4, 10**12)})
np.lib.format.write_array = lie""",
    "a full-mark reply is sent before it is asked for":
        DOOR + """push(frame(b'{"message": {"ok": true, "passed": true, "points": 6}, "blobs": []}') * 9)""",
    "a reply promises 2**60 bytes": DOOR + "push((2**60).to_bytes(8, 'big'))",
    "a reply promises more than it sends": DOOR + "push((1000).to_bytes(8, 'big') + b'x')",
    "a reply's blobs overlap":
        DOOR + """push(frame(b'{"message": {"value": {"array": 0}}, "blobs": [8, -8, 8]}', b"x" * 8))""",
    "a reply is a thousand lists deep": DOOR + "push(frame(b'[' * 60000))",
    "a reply is a pickle": DOOR + """
import pickle
push(frame(pickle.dumps({"message": {"points": 6}})))""",
    "every descriptor is closed": "import os\nos.closerange(3, 256)",
    "every descriptor leads to another": DOOR + """
for number in doors():
    os.dup2(os.open("/dev/null", os.O_RDWR), number)""",
    "a thread answers requests before the room does": DOOR + """
import threading, time
def answer():
    while True:
        push(frame(b'{"message": {"value": true, "passed": true}, "blobs": []}'))
        time.sleep(0.01)
threading.Thread(target=answer, daemon=True).start()""",
    "the check's copy is told that it is done": """
import os
whole = os.fork
os.fork = lambda: whole() and 0""",
}, center={
    "it answers the call itself, twice": DOOR + """
def center(x, axis=0):
    push(frame(b'{"message": {"value": true, "arguments": {"tuple": [1]}}, "blobs": []}') * 2)
    return x""",
    "it leaves its process with the status that means done": "def center(x, axis=0):\n    import os\n    os._exit(71)",
    "it stays on in two processes, which both answer": """
def center(x, axis=0):
    import os
    os.fork()
    return x""",
})
