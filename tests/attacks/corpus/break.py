"""Ends: of the process, of its parents, of everything in sight. What was earned before stays."""

import textwrap

from tests.attacks.attack import Attack, at_the_end, cells

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
ATTACKS = at_the_end(ENDS)
ATTACKS += [  # who ends the parent of a call ends the notebook too, with what it has yet to earn
    Attack(f"in the middle of a call, {aim}", exact="parent" not in aim and "everything that" not in aim,
           answers={"center": "def center(x, axis=0):\n" + textwrap.indent(text.lstrip("\n"), "    ")})
    for aim, text in ENDS.items()]
ATTACKS += cells(exact=False, first={
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
