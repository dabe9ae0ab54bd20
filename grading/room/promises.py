"""What the walls promise, each tried on this machine by code that breaks it if it can: `python -m grading doctor`."""

import platform
from dataclasses import replace
from pathlib import Path

from grading.room.calls import FORBIDDEN, MACHINES
from grading.room.limits import Limits
from grading.room.room import Rooms
from grading.room.sandbox import HERE, SandboxError, keep_out, readable

SMALL = Limits(cell=20.0, cpu=1.0, memory=256 * 2**20, processes=16, files=128, scratch=2**20)
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
FORKS = "import os, time\nfor _ in range(5):\n    if os.fork() == 0:\n        {}\n        time.sleep(9)\ntime.sleep(9)"

TRIALS = {  # {promise: (what a cell tries, what it says if the promise holds)}
    "it can write nowhere but into its scratch folder": ("""
for place in ("/", "/room", "/room/coursekit", "/room/packages/numpy", "/dev", "/usr/lib", "/proc"):
    try: print(open(place + "/x", "w"))
    except OSError: print(end=".")""", "......."),
    "it has no network, not even to this machine": ("import socket; socket.socket()", "PermissionError"),
    "it sees no process but its own": ("import os; print(os.getppid(), os.getpid(), os.listdir('/proc'))", "0 1 []"),
    "it has no powers, and can gain none": (LIBC + r"""
data = ctypes.create_string_buffer(24)
libc.capget(b"\x22\x05\x08\x20" + bytes(4), data)
print(data.raw == bytes(24), libc.prctl(39, 0, 0, 0, 0))""", "True 1"),
    "what it writes is limited": ("open('x', 'wb').write(bytes(2**22))", "OSError"),
    "its processor time is limited": (FORKS.format("while True: pass"), "processor time"),
    "its memory is limited": (FORKS.format("x = b'x' * 2**26"), "MB of memory"),
    "its processes are limited": ("import os\nwhile True: os.fork()", "processes and threads"),
    "its open files are limited": (FORKS.format("x = [open('/dev/null') for _ in range(30)]"), "files open"),
}
CALLS = LIBC + "print({{(libc.syscall(n, -1, -1, -1, -1, -1, -1), ctypes.get_errno()) for n in {}}})"
DESCRIPTORS = """import os
for n in range(99):
    try: print(os.lseek(n, 0, os.SEEK_CUR), os.lseek(n, 7, os.SEEK_SET))
    except OSError: pass"""


def kept(folder):
    """(promise, None or what was found instead) for each. Raises SandboxError where student code cannot be shut in.

    folder  where the instructor is: a class's, perhaps
    """
    yield "the course and this folder lie where it cannot read", _within(HERE.parents[1], folder)
    with Rooms(replace(SMALL, cell=0.5)) as rooms:
        yield "its time is limited", _unlike(rooms, "import time; time.sleep(9)", "TimeLimit")
    with Rooms(SMALL) as rooms:
        seen = f"import os; print([*filter(os.path.exists, {_mine()})])"
        yield "it sees no file of yours", _unlike(rooms, seen, "[]")
        column = MACHINES[platform.machine()][0]
        numbers = [pair[column] for pair in FORBIDDEN.values() if pair[column] is not None]
        yield "system calls that reach for more are refused", _unlike(rooms, CALLS.format(numbers), "{(-1, 1)}")
        first = _says(rooms, DESCRIPTORS)
        yield "files that are open in every room tell the next one nothing", _unlike(rooms, DESCRIPTORS, first)
        for promise, (source, expected) in TRIALS.items():
            yield promise, _unlike(rooms, source, expected)


def _within(*folders):
    try:
        for folder in folders:
            keep_out(folder)
    except SandboxError as error:
        return str(error)


def _mine():
    """Files of the instructor and of the machine that must not be seen."""
    sources = [Path(source) for source in readable()]
    paths = [path for top in (Path.home(), Path("/etc"), HERE.parents[1]) for path in top.glob("*")]
    return [str(path) for path in paths if not any(source.is_relative_to(path) for source in sources)]


def _unlike(rooms, source, expected):
    """What a cell says in a room of its own, if that is something else."""
    said = _says(rooms, source)
    return None if said == expected or expected in said.partition("Stopped: ")[2] else said[:200] or "nothing was said"


def _says(rooms, source):
    with rooms.open() as room:
        return "".join(output.get("text", output.get("ename", "")) for output in room.run(source).outputs).strip()
