"""The commands of a page, as they stand there: found, and run one after the other as by a person with one shell.

A command is a line of a plain fence (three backticks, no language) that begins with one of PROGRAMS; a line that ends
in a backslash goes on in the next. Words of PLACEHOLDERS stand for something that the reader puts there.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.grading.classes import ROOT, Done

PROGRAMS = ("cd", "git", "jupyter", "make", "mkdir", "nbgrader", "pip", "python", "source")
LAB = "lab01_additive_attention"
PLACEHOLDERS = {"LAB": LAB, "FOLDER": "../class", "LIST": "../list.csv", "DOWNLOAD": "../download.zip",
                "STUDENT": "ada@example.org"}
FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)  # what stands behind it, and what is in it
SCRIPTS = ("alembic", "jupyter", "nbgrader")  # of the environment, that a reader calls or nbgrader does


def commands(text):
    """The commands of a page, in order, with placeholders filled in."""
    blocks = [block.replace("\\\n", " ") for language, block in FENCE.findall(text) if not language]
    lines = [" ".join(line.split()) for block in blocks for line in block.splitlines()]
    return [_filled(line) for line in lines if line.split(" ")[0] in PROGRAMS]


def _filled(line):
    return re.sub(r"\b[A-Z]{3,}\b", lambda word: PLACEHOLDERS.get(word[0], word[0]), line)


@dataclass
class Shell:
    """A shell that goes on where it was: its folder and variables are kept from one command to the next."""

    folder: Path
    kept: Path
    variables: dict

    @contextmanager
    def running(self, command):
        """A command that goes on until it is stopped: yields its process."""
        process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.variables, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def run(self, command):
        """Run a command. Returns Done."""
        script = f"set -e\n{command}\npwd >{self.kept}/folder\nenv -0 >{self.kept}/variables"
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=self.variables, capture_output=True,
                              text=True, timeout=300, check=False)
        with suppress(FileNotFoundError):
            self.folder = Path((self.kept / "folder").read_text().rstrip("\n"))
            pairs = (self.kept / "variables").read_text().split("\0")
            self.variables = dict(pair.split("=", 1) for pair in pairs if pair)
        return Done(done.returncode, done.stdout, done.stderr)


def checkout(folder, interpreter=sys.executable):
    """A checkout of this repository, with an environment of its own that leads to the packages of this one."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    _environment(folder, interpreter)
    return folder


def _environment(repository, interpreter):
    """Make .venv as `make venv` does, but with links in place of what takes minutes to install."""
    python = repository / ".venv" / "bin" / "python"
    subprocess.run([interpreter, "-m", "venv", "--without-pip", repository / ".venv"], check=True)
    packages = next((repository / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "linked.pth").write_text(f"{repository}\n{sysconfig.get_path('purelib')}\n")
    for name in SCRIPTS:
        _, rest = Path(sys.executable).with_name(name).read_text().split("\n", 1)
        python.with_name(name).write_text(f"#!{python}\n{rest}")
        python.with_name(name).chmod(0o755)
    kernels = Path("share", "jupyter", "kernels")
    shutil.copytree(Path(sys.prefix, kernels), repository / ".venv" / kernels)
    subprocess.run([python, "-m", "grading.configuration"], cwd=repository, check=True)


def shell(folder, kept):
    """A shell in a folder, as a person opens one who has no environment active, and no settings of Jupyter's."""
    kept.mkdir()
    path = [place for place in os.environ["PATH"].split(os.pathsep) if not Path(place).is_relative_to(sys.prefix)]
    variables = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    jupyter = {f"JUPYTER_{kind}_DIR": str(kept) for kind in ("CONFIG", "DATA", "RUNTIME")}
    return Shell(folder, kept, {**variables, **jupyter, "PATH": os.pathsep.join(path)})
