"""Files and settings that would meet the next student, or the instructor."""

from tests.attacks.attack import CALL, NO_WALL, WALK, cells

ATTACKS = cells(first={
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
ATTACKS += cells(skip=NO_WALL, first={
    "files that every room has open are moved on, and their flags changed": """
import fcntl, os
for number in range(64):
    try:
        fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
        os.lseek(number, 77, os.SEEK_SET)
    except OSError:
        pass""",
    "locks, leases and hints are left on files of the machine": """
import fcntl, os
file, folder = os.open(os.__file__, os.O_RDONLY), os.open(os.path.dirname(os.__file__), os.O_RDONLY)
for what, act in {
    "a lock": lambda: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "a lock of records": lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB),
    "a lease": lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    "a watch": lambda: fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS),
    "a hint": lambda: fcntl.fcntl(file, 1036, bytes([2, 0, 0, 0, 0, 0, 0, 0])),
}.items():
    try:
        act()
        print("CAUGHT", what)
    except OSError:
        pass""",
    "files of the machine are put into its memory, and taken out": CALL + """
file = os.open(os.__file__, os.O_RDONLY)
try:
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    print("CAUGHT the machine's memory")
except OSError:
    pass
if libc.readahead(file, ctypes.c_long(0), 4096) == 0:
    print("CAUGHT the machine's memory")""",
})
