"""Honest work that looks odd, {what is odd about it: the cells}, loses nothing under the limits that a course has.

A `FIRST` cell stands before right answers, a `LAST` one after them; the others are right answers written otherwise.
"""

import pytest

from grading.marking import grade
from grading.room.room import Rooms
from tests import needs
from tests.grading import tiny

pytestmark = needs.bubblewrap

FIRST = {
    "warnings": "import warnings, sys\nwarnings.warn('careful')\nprint('note', file=sys.stderr)",
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')",
    "a megabyte of prints": "print('x' * 10**6)",
    "a hundred thousand lines of prints": "for i in range(10**5): print(i)",
    "a progress bar": "import sys\nfor i in range(500): sys.stdout.write(f'\\r{i / 5} %'); sys.stdout.flush()",
    "a displayed number": "7.5",
    "points in its own words": "print('center: 0 of 2 points')",
    "Unicode": """
Größe = 'ä☃𝔘' * 3
print(Größe)
π = 3
π""",
    "half a surrogate pair": "print('\\ud800')",
    "colours and carriage returns": "print('\\x1b[31mred\\x1b[0m\\r\\n\\a')",
    "a cell of five thousand lines": "\n".join(f"y{i} = {i}" for i in range(5000)),
    "a line of a hundred thousand characters": f"text = '{'x' * 100_000}'",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "thirty plots": "import matplotlib.pyplot as plt\nfor _ in range(30): plt.figure(); plt.plot([1])\nplt.show()",
    "a matplotlib magic": "%matplotlib inline\nimport matplotlib.pyplot as plt",
    "magics for time": "%timeit -n 1 -r 1 1 + 1\n%time 2 + 2",
    "captured output": "%%capture said\nprint(1)",
    "a command of the shell": "!true\nfiles = !ls",
    "automatic reloading": "%load_ext autoreload\n%autoreload 2",
    "help": "import numpy as np\nhelp(np.mean)\n?np.mean",
    "an exception": "1 / 0",
    "an error of syntax": "x = (",
    "an assertion that fails": "assert False, 'to do'",
    "an exit": "exit()",
    "a prompt": "name = input('your name: ')",
    "an interrupt": "raise KeyboardInterrupt",
    "await": "import asyncio\nawait asyncio.sleep(0.01)\nasyncio.get_event_loop()",
    "its own event loop": """
import asyncio, threading
t = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)))
t.start(); t.join()""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool: print(sum(pool.map(abs, range(99))))""",
    "processes": """
from multiprocessing import get_context
with get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, -2]))""",
    "a subprocess": "import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', 'print(1)']))",
    "a file of its own": "open('notes.txt', 'w').write('x' * 10**5)\nprint(open('notes.txt').read()[:9])",
    "a temporary file": "import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b'1')",
    "another working directory": "import os, tempfile\nos.chdir(tempfile.mkdtemp())",
    "a hundred megabytes": "import numpy as np\nbig = np.ones(12_500_000)\nprint(big.sum())",
    "recursion": "def depth(n): return 0 if n == 0 else 1 + depth(n - 1)\ndepth(900)",
    "a recursion limit of its own": "import sys\nsys.setrecursionlimit(10_000)",
    "strict floating point": "import numpy as np\nnp.seterr(all='raise')",
    "its own print options": "import numpy as np\nnp.set_printoptions(precision=2, suppress=True)",
    "a seed and draws": "import numpy as np, random\nnp.random.seed(3); random.seed(3)\nprint(np.random.rand(2))",
    "logging": """
import logging
logging.basicConfig(level='DEBUG')
logging.debug('here')
logging.getLogger().info('x')""",
    "a collector that is off": "import gc\ngc.disable()",
    "an alarm of its own": """
import signal
signal.signal(signal.SIGALRM, lambda *a: None)
signal.alarm(1)
signal.alarm(0)""",
    "shadowed builtins": "sum = 0\nlist = []\nmax = min = id = type = input = str = len = None",
    "a namespace full of stars": "from math import *\nfrom numpy import *",
    "deleted names": """
import os
del os
del_me = 1
del del_me""",
    "a name like the grader's": "call = run = serve = main = wire = reply = request = shell = channel = None",
    "standard output put elsewhere": """
import io, sys
kept = sys.stdout
sys.stdout = io.StringIO()
print(1)""",
    "a print of its own": "def print(*args): pass",
    "half a second": "import time\ntime.sleep(0.5)",
    "a package that is not there": "import pandas as pd\nfrom tqdm import tqdm\nimport numpy as np",
    "Colab's drive": "from google.colab import drive\ndrive.mount('/content/drive')",
    "a folder that is not there": "import os\nos.chdir('/content/drive/MyDrive')",
    "a folder of its own": "import os\nos.makedirs('work')\nos.chdir('work')",
    "figures in widgets": "%matplotlib widget\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()",
    "figures in a window": "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\nplt.plot([1])",
    "packages that it installs": "%pip install pandas\n!pip install tqdm\n%conda install scipy",
    "another program's extension": "%load_ext tensorboard\n%tensorboard --logdir logs",
    "a bar of a million steps": "for i in range(10**6): print(f'\\r{i}', end='')",
    "another system": "import asyncio\nasyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())",
}
CENTER = {
    "Windows line ends": tiny.CENTER.replace("\n", "\r\n"),
    "tabs": tiny.CENTER.replace("    ", "\t"),
    "a plot in the middle of an answer": """
def center(x, axis=0):

    import matplotlib.pyplot as plt
    plt.imshow(x)
    plt.show()
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "a timed answer": "%%time\ndef center(x, axis=0):\n    return x - np.mean(x, axis=axis, keepdims=True)",
    "a slow answer": """
def center(x, axis=0):
    import time; time.sleep(0.2)
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "prints in an answer": "def center(x, axis=0):\n    print(x)\n    return x - np.mean(x, axis=axis, keepdims=True)",
    "a log of nothing in an answer": """
def center(x, axis=0):
    np.log(np.zeros(1))
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "state": """
seen = []
def center(x, axis=0):
    seen.append(x.copy())
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "a class": """
class Center:
    def __call__(self, x, axis=0):
        return x - x.mean(axis, keepdims=True)
center = Center()""",
    "a lambda in column order": "center = lambda x, axis=0: np.asfortranarray(x - np.expand_dims(x.mean(axis), axis))",
    "a decorator": """
import functools
def loud(f):
    @functools.wraps(f)
    def g(*a, **k): return f(*a, **k)
    return g
@loud
def center(x, axis=0):
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "hints of types": """
from __future__ import annotations
def center(x: np.ndarray, axis: int = 0):
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "single precision": "def center(x, axis=0):\n    return (x - x.mean(axis, keepdims=True)).astype('float32')",
    "lists": "def center(x, axis=0):\n    return (x - x.mean(axis, keepdims=True)).tolist()",
    "a view that is read-only": """
def center(x, axis=0):
    y = x - np.mean(x, axis=axis, keepdims=True)
    y.flags.writeable = False
    return y[::-1][::-1]""",
    "an answer in a fence": f"```python\n{tiny.CENTER}\n```",
    "an answer with no-break spaces": tiny.CENTER.replace("    ", "\u00a0" * 4),
    "an answer with a byte order mark": f"\ufeff{tiny.CENTER}",
    "an answer below an import that fails": f"import pandas as pd\n{tiny.CENTER}",
    "an answer defined twice": """
def center(x, axis=0):
    return x
def center(x, axis=0):
    return x - np.mean(x, axis=axis, keepdims=True)""",
    "an answer that ends in a call": """
def center(x, axis=0):
    return x - np.mean(x, axis=axis, keepdims=True)
center(np.ones((2, 2)))
3.5""",
}
SPREAD = {
    "loops": """
def spread(x):
    n, m = x.shape
    out = np.empty(m)
    for j in range(m):
        mean = sum(x[i, j] for i in range(n)) / n
        out[j] = (sum((x[i, j] - mean) ** 2 for i in range(n)) / n) ** 0.5
    return out""",
}
LAST = {
    "an exit at the end": "exit()",
}

AWKWARD = {"nothing": {}} | {oddity: {place: text} for place, group in (
    ("first", FIRST), ("center", CENTER), ("spread", SPREAD), ("last", LAST)) for oddity, text in group.items()}


@pytest.fixture(scope="module")
def roomy():
    """One sandbox with the limits that a course has."""
    with Rooms() as rooms:
        yield rooms


@pytest.mark.parametrize("oddity", AWKWARD)
def test_honest_but_awkward_work_loses_nothing(oddity, lab, roomy):
    submission = tiny.to_bytes(tiny.filled(lab, **AWKWARD[oddity]))
    assert tiny.points(grade(submission, lab, rooms=roomy)) == (2, 4, None)
