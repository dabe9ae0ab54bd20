"""The exam room from outside: starts the process that runs a student's cells, and asks it two things.

`ExamRoom.run(source)` runs a cell, `ExamRoom.call(function, args, kwargs)` calls a function of the notebook. Neither
ever raises for what the student did: a room that had to be closed answers every later request by saying so.

The process is apart, but not yet walled in: the sandbox goes around `ExamRoom._start`.
"""

import base64
import builtins
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

from coursekit.verdicts import Reply, changed_arguments
from grading.room import wire

HERE = Path(__file__).parent
NEEDED = ("numpy", "IPython", "matplotlib", "matplotlib_inline")  # what a cell may import, besides coursekit
LAST_WORDS = 2.0  # seconds that a room gets beyond a limit of its own, before it is killed
ERRORS = {name for name, item in vars(builtins).items() if isinstance(item, type) and issubclass(item, BaseException)}
ERRORS |= {"LinAlgError", "AxisError", "TimeLimit", "Crash", "TooLarge"}
TYPES = {name for name, item in vars(builtins).items() if isinstance(item, type)}
TYPES |= {"function", "generator", "module", "NoneType", "Figure", "Axes", "ndarray of dtype object"}


@dataclass(frozen=True)
class Limits:
    """Seconds of wall time: to start the room, for one cell, for one call of a function."""

    start: float = 60.0
    cell: float = 60.0
    call: float = 20.0


@dataclass
class Ran:
    """What a cell showed, as nbformat outputs, and whether it ended without an exception."""

    outputs: list = field(default_factory=list)
    ok: bool = False


class ExamRoom:
    """One student's room, from the first cell to the last: `with ExamRoom(files) as room: ...`.

    files   {relative path: bytes}, put into the folder that the cells run in
    closed  why the room can answer no more, as a sentence; None while it can
    """

    def __init__(self, files=(), limits=None):
        self.files, self.limits, self.closed = dict(files), limits or Limits(), None
        self._checking = False

    def __enter__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="exam-room-"))
        self._start()
        return self

    def __exit__(self, *_):
        self._close("the notebook is finished")
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, source):
        """Run a cell. Returns `Ran`; a room that is closed runs nothing."""
        reply = self._ask({"do": "run", "source": source, "seconds": self.limits.cell}, self.limits.cell)
        if self.closed:
            return Ran([stream(f"Not finished: {self.closed}.\n")])
        return Ran(clean(reply.get("outputs")), reply.get("ok") is True)

    @contextmanager
    def check(self):
        """Calls within are made in a copy of the room that is thrown away: nothing of their inputs stays behind."""
        try:
            yield
        finally:
            if self._checking:
                self._checking = False
                self._tell({"do": "done"})

    def call(self, function, args, kwargs):
        """Call a function of the notebook. Returns a `Reply`, also when it crashed, hung, or sent nonsense."""
        request = {"do": "call", "function": function, "seconds": self.limits.call, "blobs": []}
        request["arguments"] = wire.pack((args, kwargs), request["blobs"])
        if not self._checking:
            self._tell({"do": "check"})
            self._checking = True
        reply = self._ask(request, self.limits.call)
        try:
            return self._reply(reply, args)
        except wire.WireError as error:
            self._close(f"the room sent what is no answer ({error})")
            return Reply(error="Crash")

    def _reply(self, reply, args):
        error, blobs = reply.get("error"), reply["blobs"]
        if error is not None:
            # a copy that died is gone, so the next call needs another
            self._checking = self._checking and error not in ("Crash", "TimeLimit")
            error = error if error in ERRORS else "Exception"  # a made-up name could carry the hidden input out
        value = known(wire.unpack(reply.get("value"), blobs))
        after = wire.unpack(reply["arguments"], blobs) if "arguments" in reply else args
        if not isinstance(after, tuple) or len(after) != len(args):
            raise wire.WireError("arguments: expected as many as there were")
        return Reply(None if error else value, error, changed_arguments(args, after))

    def _tell(self, request, seconds=LAST_WORDS):
        if not self.closed:
            try:
                self._channel.send(request, seconds)
            except wire.WireError as error:
                self._close(f"the room was closed ({error})")

    def _ask(self, request, seconds):
        self._tell(request)
        if self.closed:
            return {"error": "Crash", "blobs": []}
        try:
            return self._channel.receive(seconds + LAST_WORDS)
        except wire.WireError as error:
            self._close(f"the notebook's process was stopped here ({error})")
            return {"error": "Crash", "blobs": []}

    def _start(self):
        work, library = self._folder / "work", self._folder / "library"
        fill(work, self.files)
        furnish(library)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-P", str(library / "inside.py"), str(theirs.fileno())],  # -S: no .pth file
                cwd=work, env=environment(self._folder), pass_fds=[theirs.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        self._channel = wire.Channel(ours)
        if not self._ask({"do": "run", "source": "", "seconds": self.limits.start}, self.limits.start).get("ok"):
            raise RuntimeError(f"the exam room did not start: {self.closed}; is one of {', '.join(NEEDED)} broken?")

    def _close(self, why):
        if self.closed:
            return
        self.closed = why
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session: what it forked goes too
        except ProcessLookupError:
            pass
        self._process.wait()
        self._channel.connection.close()


def fill(folder, files):
    """Write helper files into the folder that cells run in."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def furnish(library):
    """Put what the room needs of this repository, and nothing else, where it can import it."""
    library.mkdir()
    for name in ("inside.py", "wire.py"):
        shutil.copy2(HERE / name, library)
    coursekit = Path(importlib.util.find_spec("coursekit").origin).parent
    shutil.copytree(coursekit, library / "coursekit")  # with its bytecode: it need not be compiled each time
    cache = library / "matplotlib"
    cache.mkdir()
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):  # making it anew takes a second
        shutil.copy2(fonts, cache)


def environment(folder):
    """What the room's process sees of the environment: nothing that is secret, and nothing that differs by machine."""
    (folder / "home").mkdir()
    packages = {str(Path(importlib.util.find_spec(name).origin).parent.parent) for name in NEEDED}
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        "IPYTHONDIR": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join([str(folder / "library"), *sorted(packages)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # graded again, a notebook behaves the same
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(folder / "library" / "matplotlib"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def clean(outputs):
    """Rebuild outputs that came from the room as well-formed nbformat outputs; drop whatever is not."""
    outputs = outputs if isinstance(outputs, list) else []
    return [good for good in map(_clean_one, outputs) if good is not None]


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def _clean_one(output):
    try:
        kind = output["output_type"]
        if kind == "stream":
            return stream(plain(output["text"]), "stderr" if output["name"] == "stderr" else "stdout")
        if kind == "error":
            lines = [plain(line) for line in output["traceback"]]
            return {"output_type": kind, "ename": plain(output["ename"]), "evalue": plain(output["evalue"]),
                    "traceback": lines}
        if kind in ("display_data", "execute_result"):
            data = {"text/plain": plain(output["data"]["text/plain"])}
            if is_png(output["data"].get("image/png")):
                data["image/png"] = output["data"]["image/png"]
            number = {"execution_count": int(output["execution_count"])} if kind == "execute_result" else {}
            return {"output_type": kind, "data": data, "metadata": {}, **number}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def plain(text):
    """Text that can be written as UTF-8: lone surrogates replaced."""
    return text.encode("utf-8", "replace").decode()


def is_png(text):
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9+/=\n]+", text):
        return False
    try:
        return base64.b64decode(text[:16]).startswith(b"\x89PNG")
    except ValueError:
        return False


def known(value):
    """Rename a stand-in whose type has a made-up name, which could carry the hidden input out."""
    if isinstance(value, wire.Unsupported) and type(value).__name__ not in TYPES:
        return wire.unsupported("object")
    if isinstance(value, tuple | list):
        return type(value)(map(known, value))
    return value
