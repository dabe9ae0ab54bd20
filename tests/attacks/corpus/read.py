"""Secrets, shown in the attack's own outputs."""

from tests.attacks.attack import SPILL, WALK, cells

ATTACKS = cells(first={
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
