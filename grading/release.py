"""What students get: the released notebooks, and one archive of them with `coursekit` and how to install it."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from grading.lab import names

ARCHIVE = "attention-labs.zip"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold: the same files give the same archive
INSTALL = """\
Labs of the course From Bahdanau to Transformers
================================================

You need Python 3.11, 3.12 or 3.13. In the folder of this file, type

    python3 -m venv .venv
    . .venv/bin/activate
    pip install -r requirements.txt
    jupyter lab

and open the notebook of a lab, in the folder of its name. On Windows the first two lines are

    py -m venv .venv
    .venv\\Scripts\\activate

Another day, only the second and the last line are needed.
Hand in the notebook under the name that it has, in the way that your instructor has told you.
"""
REQUIREMENTS = """\
# what the labs need
jupyterlab>=4
nbgrader>=0.9.5
matplotlib>=3.8
numpy>=2
./{wheel}
"""


def write_release(root, wanted=()):
    """Make labs in release/ anew with `nbgrader generate_assignment`, and an archive of them. Returns its path.

    wanted  their names, so that a term can hand out lab by lab; all without one. Raises ValueError for an unknown one.

    The rows that nbgrader keeps of a release go to a gradebook that is thrown away: a course's own is made where that
    course is taught, by the same command without `--db`.
    """
    release, labs = root / "release", chosen(names(root / "labs"), wanted)
    with tempfile.TemporaryDirectory() as scratch:
        for lab in labs:
            database = f"--db=sqlite:///{scratch}/gradebook.db"
            run_nbgrader("generate_assignment", lab, "--force", database, f"--course-dir={root}", cwd=root)
        wheel = build_wheel(root, Path(scratch))
        return pack(release, [release / lab for lab in labs], wheel, archive_of(labs) if wanted else ARCHIVE)


def chosen(labs, wanted):
    """Those of the labs that are wanted, in order: all if none is named. Raises ValueError."""
    if unknown := sorted(set(wanted) - set(labs)):
        raise ValueError(f"lab: expected some of {labs}, got {', '.join(unknown)}")
    return [lab for lab in labs if not wanted or lab in wanted]


def archive_of(labs):
    """What the archive of some labs is called: "lab00-lab01.zip"."""
    return "-".join(lab.partition("_")[0] for lab in labs) + ".zip"


def run_nbgrader(*args, cwd, variables=None):
    """Run an nbgrader command. Raises RuntimeError with what it said if it fails.

    cwd        the repository, whose nbgrader_config.py it then reads, also for another --course-dir
    variables  of its environment, besides those of this one

    A command that is started from the shell loads nbgrader first, which takes longer than what it does here. So it is
    run in a fork of a process that has loaded it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nbgrader.apps"])
    with tempfile.TemporaryDirectory() as scratch:
        said = [Path(scratch, stream) for stream in ("stdout", "stderr")]
        child = context.Process(target=_nbgrader, args=(args, cwd, with_tools(variables), said))
        child.start()
        child.join()
        output, log = (path.read_text(encoding="utf-8") for path in said)
    if child.exitcode:
        raise RuntimeError(f"nbgrader {' '.join(args)} failed:\n{output}{log}")
    return output


def _nbgrader(args, cwd, environment, said):
    """What the fork does: the command, with its output to the two files `said`."""
    from nbgrader.apps import NbGraderApp

    for path, stream in zip(said, (sys.stdout, sys.stderr), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    os.chdir(cwd)
    os.environ.update(environment)
    NbGraderApp.launch_instance([*map(str, args)])


def with_tools(variables=None):
    """The environment with this Python's own bin/ first on PATH: nbgrader calls `alembic` by name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, **(variables or {}), "PATH": path}


def build_wheel(root, folder):
    """Build the wheel of `coursekit`, with nothing from the network."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir",
               str(folder), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    if done.returncode:
        raise RuntimeError(f"building the wheel failed:\n{done.stdout}{done.stderr}")
    return next(folder.glob("coursekit-*.whl"))


def pack(release, labs, wheel, name=ARCHIVE):
    """Write the students' archive, and the wheel beside it: always the same bytes for the same content."""
    for earlier in release.glob("coursekit-*.whl"):
        earlier.unlink()
    shutil.copy(wheel, release / wheel.name)
    entries = {"INSTALL.txt": INSTALL.encode(), "requirements.txt": REQUIREMENTS.format(wheel=wheel.name).encode(),
               wheel.name: wheel.read_bytes()}
    for folder in labs:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entries[path.relative_to(release).as_posix()] = path.read_bytes()
    archive = release / name
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(entries):
            info = zipfile.ZipInfo(f"attention-labs/{path}", EPOCH)
            info.external_attr = 0o644 << 16
            file.writestr(info, entries[path], zipfile.ZIP_DEFLATED)
    return archive
