"""Time."""

from tests.attacks.attack import Attack, at_the_end, cells, cells_before
from tests.grading import tiny

ATTACKS = at_the_end({
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
ATTACKS += [
    Attack("a call without end", answers={"center": "def center(x, axis=0):\n    while True: pass"}),
    Attack("a call that sleeps and cannot be interrupted", answers={"center": """
def center(x, axis=0):
    import signal, time
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(10**6)"""}),
    Attack("every call just under its limit", (2, 4), False, {"center": f"{tiny.CENTER}\nwhole = center\n" """
def center(x, axis=0):
    import time
    time.sleep(0.9)
    return whole(x, axis)"""}),
    Attack("a thousand cells, each just under its limit", (2, 4), False, edit=lambda notebook: cells_before(
        notebook, ["import time\ntime.sleep(0.9)"] * 1000), answers={"center": tiny.CENTER}),
    Attack("three thousand cells", (2, 4), False, edit=lambda notebook: cells_before(notebook, ["1"] * 3000),
           answers={"center": tiny.CENTER}),
    *cells(exact=False, first={
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
