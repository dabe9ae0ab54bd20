"""The wall: what student code cannot see, reach, or use more of than it is given."""

import errno
import os
import platform
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from grading.room import calls, sandbox
from grading.room.limits import Limits
from grading.room.room import Rooms
from grading.settings import TwoRooms
from tests import needs
from tests.grading.conftest import QUICK

pytestmark = needs.bubblewrap
ROOT = Path(__file__).parents[2]
EXIT = {"x86_64": 60, "aarch64": 93}.get(platform.machine())  # number of the call that ends one thread
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"


@pytest.fixture
def room(rooms):
    with rooms.open({"data.txt": b"7"}) as room:
        yield room


@pytest.fixture(scope="module")
def patient():
    """A sandbox whose limits are the same but for time, so that on a busy machine too another one is met first."""
    with Rooms(replace(QUICK, cell=60.0, notebook=60.0)) as rooms:
        yield rooms


def says(room, source):
    """What a cell prints."""
    return "".join(output.get("text", output.get("ename", "")) for output in room.run(source).outputs).strip()


# What can be seen


def test_the_file_system_holds_the_interpreter_its_packages_and_coursekit(room):
    assert says(room, "import os; print(sorted(os.listdir('/room')))") == str(
        ["calls.py", "coursekit", "inside.py", "keeper.py", "lockdown.py", "packages", "wire.py"])


@pytest.mark.parametrize("place", [ROOT, ROOT / "solutions", ROOT / "grading", ROOT / "tests", Path.home() / ".ssh",
                                   "/home", "/var", "/run", "/sys", "/bin", "/usr/bin", "/etc/passwd", "/etc/hostname"])
def test_nothing_else_of_the_machine_is_there(room, place):
    assert says(room, f"import os; print(os.path.exists({str(place)!r}))") == "False"


@pytest.mark.parametrize("module", ["solutions", "grading", "nbgrader", "nbconvert", "pytest", "dask"])
def test_packages_that_no_notebook_needs_cannot_be_imported(room, module):
    assert says(room, f"import {module}") == "ModuleNotFoundError"


def test_a_package_that_the_instructor_adds_can_be_imported_beside_what_the_labs_need():
    settings = TwoRooms(packages=["tornado"])
    with Rooms(QUICK, packages=settings.all_packages()) as rooms, rooms.open() as room:
        assert says(room, "import tornado, numpy; print(1)") == "1"


def test_the_packages_of_a_course_that_names_none_are_those_of_earlier_releases():
    assert TwoRooms().all_packages() == TwoRooms(packages=["numpy"]).all_packages() == sandbox.PACKAGES


@pytest.mark.parametrize("name", ["no_such_package", "No.Such-Package"])
def test_a_package_that_is_not_installed_is_named(name):
    with pytest.raises(sandbox.SandboxError, match=f"TwoRooms.packages: expected what is installed .* got '{name}'"):
        Rooms(QUICK, packages=(*sandbox.PACKAGES, name)).start()


def test_the_environment_holds_nothing_of_the_graders(room, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    with Rooms(QUICK) as rooms, rooms.open() as room:
        names = says(room, "import os; print(*sorted(os.environ))").split()
    assert set(names) <= {*sandbox.ENVIRONMENT, "TMPDIR", "HOME", "IPYTHONDIR", "MPLCONFIGDIR", "PYTHONPATH", "PWD",
                          "COLUMNS", "LINES", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "PAGER", "GIT_PAGER"}


def test_there_is_no_standard_input_and_no_line_to_anybody_but_the_marking_room(room):
    assert says(room, "import sys; print(sys.stdin.read() == '')") == "True"
    source = """import os, stat
def kind(number):
    try: return stat.S_IFMT(os.fstat(number).st_mode)
    except OSError: return None
print(*[number for number in range(99) if kind(number) in (stat.S_IFSOCK, stat.S_IFIFO, stat.S_IFDIR)])"""
    assert len(says(room, source).split()) == 1


def test_no_process_but_its_own_can_be_seen(room):
    assert says(room, "import os; print(os.getppid(), os.getpid(), os.listdir('/proc'))") == "0 1 []"


@pytest.mark.parametrize("number", [1, -1])
def test_signals_reach_nobody_outside(rooms, number):
    with rooms.open() as room:
        says(room, f"import os\nfor signal in (15, 19, 9): os.kill({number}, signal)")
    with rooms.open() as room:
        assert says(room, "print(2)") == "2"


def test_the_network_reaches_nobody_not_even_this_machine(room):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert says(room, f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)") == "PermissionError"
    assert says(room, "import socket; socket.getaddrinfo('example.org', 80)") == "gaierror"


@pytest.mark.parametrize("namespace", ["net", "pid", "ipc", "uts", "user", "mnt"])
def test_the_outer_wall_stands_by_itself(namespace):
    """What a notebook tries, the inner one refuses already."""
    asked = [*sandbox.command(), "-c", f"import os; print(os.readlink('/proc/self/ns/{namespace}'))"]
    environment = sandbox.environment(sandbox.ROOM, sandbox.SCRATCH)
    said = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert said.startswith(f"{namespace}:[") and said != os.readlink(f"/proc/self/ns/{namespace}")


# What can be changed


@pytest.mark.parametrize("place", ["/", "/room", "/room/coursekit", "/room/packages/numpy", "/dev", "/usr", "/proc",
                                   "/lib"])
def test_nothing_but_the_scratch_space_can_be_written_to(room, place):
    assert says(room, f"open({place + '/x'!r}, 'w')") in ("OSError", "PermissionError", "FileNotFoundError")


@pytest.mark.parametrize("change", ["utime('/dev/null')", "chmod('/dev/urandom', 0o666)", "chown('/dev/null', -1, -1)"])
def test_a_device_of_the_machine_cannot_be_changed(room, change):
    assert says(room, f"import os; os.{change}") == "OSError"


def test_work_is_spread_over_processes_as_anywhere(room):
    pool = "multiprocessing.get_context('fork').Pool(2)"
    assert says(room, f"import multiprocessing\nwith {pool} as pool: print(pool.map(abs, [-1, -2]))") == "[1, 2]"


def test_the_cells_find_the_files_that_came_with_the_notebook_and_can_write_beside_them(room):
    assert says(room, "with open('more.txt', 'w') as file: file.write('8')") == ""
    assert says(room, "print(open('data.txt').read(), open('more.txt').read())") == "7 8"


# Power


def test_a_cell_has_no_capabilities_and_no_new_privileges(room):
    header = "import struct\ndata = ctypes.create_string_buffer(24)\n"
    ask = "print(libc.capget(struct.pack('Ii', 0x20080522, 0), data), data.raw == bytes(24))"
    assert says(room, LIBC + header + ask) == "0 True"
    assert says(room, LIBC + "print(libc.prctl(39, 0, 0, 0, 0))") == "1"  # no new privileges
    assert says(room, LIBC + "print(max(libc.prctl(23, n, 0, 0, 0) for n in range(40)))") == "0"  # the bounding set


@pytest.mark.parametrize("call", [
    "unshare(0x10000000)", "unshare(0x20000)", "setns(0, 0)", "mount(b'none', b'/tmp', b'tmpfs', 0, 0)",
    "umount2(b'/proc', 2)", "chroot(b'/tmp')", "ptrace(16, 1, 0, 0)", "memfd_create(b'x', 0)",
    "syscall(56, 0x10000011)", "shmget(0, 4096, 0o1600)", "mmap(0, 4096, 3, 0x40022, -1, 0)", "madvise(0, 0, 21)",
    "fcntl(0, 1031, 4096)", "fcntl(0, 1024, 1)", "ioctl(0, 0x5412, b'x')", "prctl(4, 0, 0, 0, 0)",
    "prctl(78, 1, 2, 0, 0)", "prctl(41, 0, 0, 0, 0)", "syscall(56, 0x10900)", "syscall(436, 99, 99, 2)",
])
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_system_calls_that_reach_for_power_are_refused(room, call):
    assert says(room, LIBC + f"print(libc.{call}, ctypes.get_errno())") == "-1 1"


def test_every_call_that_is_forbidden_is_refused_and_every_unknown_one_is_not_there(room):
    column = calls.MACHINES[platform.machine()][0]
    forbidden = [numbers[column] for numbers in calls.FORBIDDEN.values() if numbers[column] is not None]
    known = {*calls.NEW.values(), calls.ONLY["close_range"][0][column]}
    unknown = [number for number in range(400, 500) if number not in known]
    tried = "for n in {}: print(libc.syscall(n, -1, -1, -1, -1, -1, -1), ctypes.get_errno())"
    assert set(says(room, LIBC + tried.format(forbidden)).split("\n")) == {"-1 1"}
    assert set(says(room, LIBC + tried.format(unknown)).split("\n")) == {"-1 38"}


@pytest.mark.parametrize("source", [
    "import fcntl; fcntl.flock(os.open(os.__file__, 0), fcntl.LOCK_SH)",
    "import fcntl; fcntl.lockf(os.open(os.__file__, 0), fcntl.LOCK_SH)",
    "import fcntl; fcntl.fcntl(os.open(os.__file__, 0), fcntl.F_NOTIFY, 1)",
    "import socket; socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)",
    "import socket; socket.send_fds(socket.socketpair()[0], [b'x'], [0])",
    "os.posix_fadvise(os.open(os.__file__, 0), 0, 0, os.POSIX_FADV_DONTNEED)",
])
def test_what_would_tell_another_room_or_hold_memory_unseen_is_refused(room, source):
    assert says(room, f"import os\n{source}") == "PermissionError"


@pytest.mark.parametrize("source", [
    "import shutil; open('a', 'w').write('x' * 10**6); shutil.copy('a', 'b'); print(len(open('b').read()))",
    "import multiprocessing as m\nwith m.Manager() as manager: print(manager.list([10**6])[0])",
    "import sqlite3; print(sqlite3.connect(':memory:').execute('select 1000000').fetchone()[0])",
    "import mmap; m = mmap.mmap(-1, 10**6, mmap.MAP_PRIVATE); m.madvise(mmap.MADV_DONTNEED); print(len(m))",
    "import os; p = os.pipe(); os.set_blocking(p[0], False); os.write(p[1], b'1000000'); print(int(os.read(p[0], 9)))",
    "import tempfile, numpy as np; print(np.memmap(tempfile.TemporaryFile(), shape=10**6).size)",
    "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'print(10**6)']).decode())",
    "import threading as t; u = t.Thread(target=print, args=(10**6,), name='u'); u.start(); u.join()",
])
def test_what_a_notebook_may_well_do_works(room, source):
    assert says(room, source) == "1000000"


def test_clone3_is_not_there_so_that_its_flags_need_not_be_seen(room):
    assert says(room, LIBC + "print(libc.syscall(435, 0, 0), ctypes.get_errno())") == "-1 38"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32-bit calls are those of x86")
def test_a_system_call_of_another_kind_ends_the_process(room):
    assert room.run(LIBC + "libc.syscall(0x40000000 + 39)").stopped


def test_threads_and_processes_work_all_the_same(room):
    source = "import threading, os\nt = threading.Thread(target=print, args=(4,)); t.start(); t.join()\n"
    assert says(room, source + "child = os.fork() or os._exit(3)\nprint(os.waitpid(child, 0)[1] >> 8)") == "4\n3"


@pytest.mark.parametrize("header", ["x86_64-linux-gnu/asm/unistd_64.h", "asm-generic/unistd.h"])
def test_the_numbers_of_system_calls_are_those_of_the_kernels_headers(header):
    path = Path("/usr/include", header)
    if not path.exists():
        pytest.skip("needs the kernel's headers: apt-get install linux-libc-dev")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text()))
    ours = {**calls.FORBIDDEN, "clone": calls.CLONE, "mmap": calls.MMAP}
    ours |= {name: numbers for name, (numbers, *_) in calls.ONLY.items()}
    here = {name: numbers["generic" in header] for name, numbers in ours.items()}
    here |= {name: number for name, number in calls.NEW.items() if name in known}  # the headers may be older
    assert {name: str(number) for name, number in here.items() if number is not None}.items() <= known.items()
    assert not [name for name, number in here.items() if number is None and name in known]


def answer(machine, number, *arguments):
    """What the filter of a machine says to a call: it is run here, step by step, as that machine's kernel would."""
    program, at, value = calls.filter_program(machine), 0, 0
    data = {0: number, 4: calls.MACHINES[machine][1], **{16 + 8 * i: argument for i, argument in enumerate(arguments)}}
    while program[at][0] != calls.RETURN:
        code, yes, no, operand = program[at]
        if code in (calls.LOAD, calls.AND):
            value, holds = data[operand] if code == calls.LOAD else value & operand, False
        else:
            holds = {calls.IS: value == operand, calls.IS_AT_LEAST: value >= operand}.get(code, bool(value & operand))
        at += 1 + (yes if holds else no)
    return program[at][3]


@pytest.mark.parametrize("machine", calls.MACHINES)
def test_the_filter_says_the_same_on_every_machine(machine):
    column, _, last = calls.MACHINES[machine]
    refused, absent = calls.REFUSE | errno.EPERM, calls.REFUSE | errno.ENOSYS
    forbidden = {numbers[column] for numbers in calls.FORBIDDEN.values()} - {None}
    asked = {numbers[column] for numbers, *_ in calls.ONLY.values()} | {calls.CLONE[column], calls.MMAP[column]}
    for number in {*range(600)} - asked:
        allowed = number <= last or number in calls.NEW.values()
        assert answer(machine, number) == (refused if number in forbidden else calls.ALLOW if allowed else absent)


@pytest.mark.parametrize("machine", calls.MACHINES)
@pytest.mark.parametrize("call", calls.ONLY)
def test_the_filter_lets_a_call_have_the_arguments_that_are_named_and_no_others(machine, call):
    numbers, which, values = calls.ONLY[call]
    said = [answer(machine, numbers[calls.MACHINES[machine][0]], *[7_777] * which, value) for value in (*values, 7_777)]
    assert said == [*[calls.ALLOW] * len(values), calls.REFUSE | errno.EPERM]


@pytest.mark.parametrize("machine", calls.MACHINES)
@pytest.mark.parametrize("call, flags, allowed", [
    ("CLONE", 0x3D0F00, True), ("CLONE", 17, True), ("CLONE", 0x10900, False), ("CLONE", 0x20011, False),
    ("CLONE", 0x10000011, False), ("MMAP", 0x22, True), ("MMAP", 0x1, True), ("MMAP", 0x21, False),
    ("MMAP", 0x40022, False), ("MMAP", 0x23, False),
])
def test_the_filter_looks_at_flags(machine, call, flags, allowed):
    number = getattr(calls, call)[calls.MACHINES[machine][0]]
    said = answer(machine, number, *([0, 0, 0] if call == "MMAP" else []), flags)
    assert said == (calls.ALLOW if allowed else calls.REFUSE | errno.EPERM)


# What is left for the next room


DESCRIPTORS = "import fcntl, os\nfor n in range(99):\n    try: {}\n    except OSError: pass"
STATE = "print(n, os.fstat(n).st_mode, fcntl.fcntl(n, fcntl.F_GETFL), os.lseek(n, 0, os.SEEK_CUR))"
CHANGE = "fcntl.fcntl(n, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND); os.lseek(n, 7, os.SEEK_SET)"


def test_the_files_that_every_room_has_open_are_opened_for_each_anew(rooms):
    with rooms.open() as room:
        before = says(room, DESCRIPTORS.format(STATE))
        says(room, DESCRIPTORS.format(CHANGE))
        assert says(room, DESCRIPTORS.format(STATE)) != before
    with rooms.open() as room:
        assert says(room, DESCRIPTORS.format(STATE)) == before


def test_matplotlib_goes_on_to_read_from_the_fonts_that_it_has_open(room):
    ran = room.run("import matplotlib.pyplot as plt\nplt.title('ÄÖÜ \u0416 $\\\\Omega$')\nplt.show()")
    assert "image/png" in ran.outputs[0]["data"]


# Limits: each is kept for all processes of the submission together


BUSY = "import os\nfor _ in range({n}):\n    if os.fork() == 0:\n        {work}\nimport time; time.sleep(9)"


@pytest.mark.parametrize("source, why", [
    pytest.param("while True: os.fork()", "32 processes", id="fork bomb"),
    pytest.param("import threading, time\nthreading.stack_size(2**16)\nfor _ in range(99):\n"
                 "    threading.Thread(target=time.sleep, args=(9,)).start()\ntime.sleep(9)",
                 "32 processes", id="threads"),
    pytest.param(BUSY.format(n=8, work="x = b'x' * 2**27; import time; time.sleep(9)"), "512 MB", id="many processes"),
    pytest.param(BUSY.format(n=8, work="kept = [open('/dev/null') for _ in range(100)]; import time; time.sleep(9)"),
                 "files open", id="open files"),
])
def test_what_is_over_a_limit_is_stopped_and_the_reason_named(patient, source, why):
    with patient.open() as room:
        assert why in room.run("import os\n" + source).stopped
        assert says(room, "print(3)") == "3"


def test_processor_time_is_counted_over_all_processes():
    with Rooms(Limits(cell=60, cpu=1)) as rooms, rooms.open() as room:
        ran = room.run(BUSY.format(n=4, work="while True: pass").replace("sleep(9)", "sleep(59)"))
        assert "1 seconds of processor time" in ran.stopped


@pytest.mark.parametrize("seconds", [0.3, 0.01])
def test_processor_time_of_children_that_nobody_waits_for_is_counted(seconds):
    work = f"t = time.process_time()\n        while time.process_time() - t < {seconds}: pass\n        os._exit(0)"
    unwaited = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nend = time.monotonic() + 9\n" \
        f"while time.monotonic() < end:\n    if os.fork() == 0:\n        {work}\n    time.sleep({seconds})"
    with Rooms(Limits(cell=60, cpu=1)) as rooms, rooms.open() as room:
        assert "1 seconds of processor time" in room.run(unwaited).stopped


MAP = LIBC + """
import time
libc.mmap.restype = ctypes.c_void_p
def at(place, size, protection):
    return libc.mmap(ctypes.c_void_p(place), ctypes.c_size_t(size), protection, 0x22, -1, ctypes.c_size_t(0))
"""
FAR = MAP + """
for n in range(5):
    if os.fork() == 0:
        for n in range(40000): ctypes.string_at(at(2**44 + n * 2**21, 4096, 1), 1)
        break
time.sleep(60)"""
MANY = MAP + """
start = at(0, 2**27, 0)
for place in range(start, start + 2**27, 8192):
    libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(4096), 3)
    ctypes.memset(place, 1, 1)
for n in range(24):
    if os.fork(): break
time.sleep(60)"""


@pytest.mark.parametrize("source", [FAR, MANY], ids=["page tables", "mappings of forks of forks"])
def test_what_the_kernel_holds_to_map_memory_is_counted(patient, source):
    with patient.open() as room:
        assert "512 MB of memory" in room.run(source).stopped


def test_of_memory_that_is_given_back_nothing_stays_in_a_huge_page(room):
    assert says(room, LIBC + "print(libc.prctl(42, 0, 0, 0, 0))") == "1"  # they are off


HEADLESS = LIBC + "import threading, time\ndef late():\n    time.sleep(0.3)\n    {work}\n    time.sleep(60)\n" \
    f"if os.fork() == 0:\n    threading.Thread(target=late).start()\n    libc.syscall({EXIT}, 0)\ntime.sleep(60)"


@pytest.mark.parametrize("work, why", [
    ("x = [b'x' * 2**20 for _ in range(700)]", "512 MB"),
    ("x = [open('/dev/null') for _ in range(240)]; os.fork(); os.fork()", "files open"),
])
def test_a_process_whose_first_thread_has_ended_does_not_hide_what_it_uses(patient, work, why):
    with patient.open() as room:
        assert why in room.run(HEADLESS.replace("{work}", work)).stopped


@pytest.mark.parametrize("source", [
    "import mmap; mmap.mmap(-1, 2**20)",
    LIBC + "if libc.prctl(4, 0, 0, 0, 0): raise PermissionError",
])
def test_there_is_no_memory_and_no_process_that_the_supervisor_cannot_see(room, source):
    assert says(room, source) == "PermissionError"


@pytest.mark.parametrize("source", ["b'x' * 2**31", "import numpy as np; np.ones(2**28)"])
def test_one_huge_array_is_a_memory_error(room, source):
    assert says(room, source) in ("MemoryError", "_ArrayMemoryError")


@pytest.mark.parametrize("source, error", [
    ("open('big', 'wb').write(bytes(2**24))", "OSError"),
    ("for n in range(9999): open(str(n), 'w').close()", "OSError"),
    ("kept = [open('/dev/null') for _ in range(999)]", "OSError"),
])
def test_disk_and_descriptors_run_out_as_they_do_anywhere(room, source, error):
    assert says(room, source) == error


# Where there can be no wall


def test_this_machine_can_shut_student_code_in():
    assert sandbox.doctor() == []


def test_without_bubblewrap_the_refusal_says_what_to_install_and_how_to_go_on_without(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(sandbox.SandboxError, match=r"install the package bubblewrap.*--unsafe-no-sandbox"):
        sandbox.program()


@pytest.mark.parametrize("place", [Path("/usr/lib"), Path(os.__file__).parent, ROOT / "coursekit"],
                         ids=["the system", "the interpreter", "coursekit"])
def test_a_course_where_student_code_can_read_is_refused(place):
    with pytest.raises(sandbox.SandboxError, match="which student code can read: move it elsewhere"):
        sandbox.keep_out(place / "course")


def test_what_lies_beside_the_interpreter_cannot_be_read(room):
    sandbox.keep_out(Path(sys.base_prefix, "share"))
    assert says(room, f"import os; print('share' in os.listdir({sys.base_prefix!r}))") == "False"


def test_another_system_than_linux_is_told_so(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert "needs Linux" in sandbox.doctor()[0]


def test_a_wall_that_does_not_stand_stops_grading_and_names_the_setting(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sandbox, "program", lambda: str(fake))
    with Rooms(QUICK) as rooms, pytest.raises(sandbox.SandboxError, match="No permissions"):
        rooms.open().__enter__()
    assert "No permissions" in sandbox.doctor()[0]


def test_knowingly_without_a_sandbox_cells_run_and_time_is_limited():
    with Rooms(QUICK, sandbox=False) as rooms:
        for _ in range(2):
            with rooms.open({"a.txt": b"5"}) as room:
                assert says(room, "print(open('a.txt').read())") == "5"
                assert room.run("import os; os._exit(0)").stopped and says(room, "print(6)") == "6"


def test_a_room_can_be_opened_from_a_thread():
    answers = []
    def grade():
        with Rooms(QUICK) as rooms, rooms.open() as room:
            answers.append(says(room, "print(4)"))
    thread = threading.Thread(target=grade)
    thread.start()
    thread.join()
    assert answers == ["4"]
