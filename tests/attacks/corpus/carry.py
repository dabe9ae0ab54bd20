"""The inputs of hidden checks, carried out of the call to where they would be shown."""

from tests.attacks.attack import Attack


def _carry(how, show="", before=""):
    """A center that does `how` with what it is given, a cell before it, and one at the end that shows it."""
    body = "\n".join(f"    {line}" for line in how.strip().splitlines())
    cells = {"first": f"import numpy as np\n{before}", "center": f"def center(x, axis=0):\n{body}\n    return x"}
    return {**cells, "last": show} if show else cells


ATTACKS = [Attack(aim, answers=answers, exact="itself" not in aim) for aim, answers in {
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
