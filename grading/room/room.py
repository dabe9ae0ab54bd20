"""The exam room from outside: `Rooms` starts the sandbox and its fork server, `ExamRoom` asks one room two things.

`ExamRoom.run(source)` runs a cell, `ExamRoom.call(function, args, kwargs)` calls a function of the notebook. Neither
ever raises for what the student did. A cell that has to be stopped takes its process with it: the cells before it are
run again in a fresh room, so that the rest of the notebook keeps what it earns.
"""

import builtins
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.verdicts import Reply, changed_arguments
from grading.room import wire
from grading.room.limits import Limits
from grading.room.outputs import clean, stream
from grading.room.sandbox import PACKAGES, ROOM, SCRATCH, command, environment, furniture, refusal

LAST_WORDS = 1.0  # seconds that a room gets beyond a limit of its own, before it is stopped
RETRIES = 5       # how often a room is made again for the rest of a notebook
ERRORS = {name for name, item in vars(builtins).items() if isinstance(item, type) and issubclass(item, BaseException)}
ERRORS |= {"LinAlgError", "AxisError", "TimeLimit", "Crash", "TooLarge"}
TYPES = {name for name, item in vars(builtins).items() if isinstance(item, type)}
TYPES |= {"function", "generator", "module", "NoneType", "Figure", "Axes", "ndarray of dtype object"}


class Rooms:
    """A sandbox with a fork server in it, started when the first room is opened. One room is open at a time.

    sandbox   False: no wall at all, for machines that cannot have one and instructors who trust their class
    packages  distributions that cells may import, with all that these need

    Raises SandboxError where the machine cannot do it.
    """

    def __init__(self, limits=None, sandbox=True, packages=PACKAGES):
        self.limits, self.sandbox, self.packages = limits or Limits(), sandbox, packages
        self._keeper = self._channel = self._folder = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self, files=(), shown=True):
        """A room with these files ({relative path: bytes}): `with rooms.open(files) as room`.

        shown  False if nobody will see what the cells show: then figures and tracebacks are not worked out
        """
        return ExamRoom(self, dict(files), shown)

    def close(self):
        """End the sandbox and all that is in it."""
        if self._keeper is not None:
            self._channel.connection.close()  # it hears that, and goes
            try:
                self._keeper.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._keeper.pid, signal.SIGKILL)
                self._keeper.wait()
            self._keeper.stderr.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._keeper = None

    def start(self):
        """Start the sandbox, if it is not there yet. Raises SandboxError."""
        if self._keeper is None:
            self._start()

    def enter(self, files, shown):
        """A channel to a fresh room, and the names of files that it could not take. Called by ExamRoom."""
        self.start()
        try:
            return self._open(files, shown)
        except wire.WireError:  # somebody has ended the sandbox: another one will do
            self.close()
            self._start()
            return self._open(files, shown)

    def _open(self, files, shown):
        ours, theirs = socket.socketpair()
        channel = wire.Channel(ours)
        try:
            with theirs:
                self._channel.send({"do": "open", "limits": dataclasses.asdict(self.limits)}, self.limits.start)
                self._channel.send_socket(theirs)
            contents = {"files": list(files), "blobs": list(files.values())}
            channel.send({"do": "furnish", "shown": shown, **contents}, self.limits.start)
            refused = channel.receive(self.limits.start).get("refused", [])
        except (wire.WireError, wire.TooLarge):
            ours.close()
            raise
        return channel, refused

    def calm(self):
        """Stop all processes of the room but its main one. Without a sandbox nobody can tell which these are."""
        self._tell({"do": "calm"})

    def leave(self):
        """End the room. Returns why it had ended: "closed" if it had not."""
        self._tell({"do": "close"})
        try:
            return self._channel.receive(self.limits.start)["ended"]
        except wire.WireError:
            self.close()
            return "exited"

    def _tell(self, request):
        try:
            self._channel.send(request, LAST_WORDS)
        except wire.WireError:
            pass  # the keeper has gone, which `leave` finds out

    def _start(self):
        self._folder = tempfile.mkdtemp(prefix="exam-room-")
        python, room, scratch = self._walled() if self.sandbox else self._unwalled()
        ours, theirs = socket.socketpair()
        with theirs:
            mode = "walled" if self.sandbox else "open"
            self._keeper = subprocess.Popen(
                [*python, f"{room}/keeper.py", str(theirs.fileno()), mode], env=environment(room, scratch),
                pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            )
        self._channel = wire.Channel(ours)
        try:
            self._channel.receive(self.limits.start)
        except wire.WireError as error:
            os.killpg(self._keeper.pid, signal.SIGKILL)
            said = self._keeper.stderr.read()
            self.close()
            raise refusal(said or str(error)) from error

    def _walled(self):
        return command(self.packages), ROOM, SCRATCH

    def _unwalled(self):
        for source, target in furniture(self.packages):
            place = Path(self._folder + target)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(source)
        return [sys.executable, "-S", "-P"], self._folder + ROOM, self._folder


@dataclass
class Ran:
    """What a cell showed, as nbformat outputs; whether it ended without an exception; why it was stopped, if so."""

    outputs: list = field(default_factory=list)
    ok: bool = False
    stopped: str | None = None


class ExamRoom:
    """One notebook's room, from the first cell to the last.

    closed   why the room can answer no more, as a sentence; None while it can
    refused  names of files that it could not be given
    """

    def __init__(self, rooms, files, shown):
        self.closed = None
        self._rooms, self._files, self._shown, self._limits = rooms, files, shown, rooms.limits
        self._channel, self._ended, self._done, self._left = None, None, [], rooms.limits.output
        self._checking, self._late, self._retries = False, False, RETRIES

    def __enter__(self):
        self._deadline = time.monotonic() + self._limits.notebook
        self._enter()
        return self

    def __exit__(self, *_):
        self._leave()

    def run(self, source):
        """Run a cell. Returns `Ran`; a room that is closed runs nothing."""
        self._return()
        if self.closed:
            return Ran([stream(f"Not run: {self.closed}.\n")])
        reply = self._run(source)
        if reply is None:
            return Ran([stream(f"Stopped: {self._ended}.\n")], stopped=self._ended)
        self._done.append(source)
        outputs, used = clean(reply.get("outputs"), self._limits, self._left)
        self._left -= used
        return Ran(outputs, reply.get("ok") is True)

    @contextmanager
    def check(self):
        """Calls within are made in a copy of the room that is thrown away: nothing that they do stays behind."""
        self._return()
        self._late = False
        try:
            yield
        finally:
            if self._checking:
                self._checking = False
                self._sign_of_life()

    def call(self, function, args, kwargs):
        """Call a function of the notebook. Returns a `Reply`, also when it crashed, hung, or sent nonsense."""
        if self._channel is None:
            return Reply(error="Crash")  # an earlier call of this check brought the whole room down
        seconds = min(self._limits.call / 10 if self._late else self._limits.call, self._time_left())
        request = {"do": "call", "function": function, "seconds": seconds, "blobs": []}
        request["arguments"] = wire.pack((args, kwargs), request["blobs"])
        try:
            if not self._checking:
                self._channel.send({"do": "check"}, LAST_WORDS)
                self._checking = True
            return self._reply(self._ask_twice(request, seconds), args)
        except wire.WireError:
            self._leave()
            return Reply(error="Crash")

    def _ask_twice(self, request, seconds):
        """The answer to a call; that of the main process if the copy had to be stopped from outside."""
        try:
            return self._ask(request, seconds)
        except wire.TooLate:
            self._rooms.calm()
            self._channel.receive(LAST_WORDS)
            return {"error": "TimeLimit", "blobs": []}

    def _reply(self, reply, args):
        error, blobs = reply.get("error"), reply["blobs"]
        if error is not None:
            made_up = not isinstance(error, str) or error not in ERRORS  # it could carry the hidden input out
            error = "Exception" if made_up else error
            self._checking = self._checking and error not in ("Crash", "TimeLimit")  # the copy is gone
            self._late = self._late or error == "TimeLimit"
        value = known(wire.unpack(reply.get("value"), blobs))
        after = wire.unpack(reply["arguments"], blobs) if "arguments" in reply else args
        if not isinstance(after, tuple) or len(after) != len(args):
            raise wire.WireError("arguments: expected as many as there were")
        return Reply(None if error else value, error, changed_arguments(args, after))

    def _run(self, source):
        """The room's reply to a cell; None if it had to be stopped, `_ended` saying why."""
        seconds = min(self._limits.cell, self._time_left())
        try:
            return self._ask({"do": "run", "source": source, "seconds": seconds}, seconds)
        except wire.TooLarge:
            self._ended = "it is too large"
            return None
        except wire.WireError as error:
            self._leave(late=isinstance(error, wire.TooLate))
            return None

    def _ask(self, request, seconds):
        self._channel.send(request, LAST_WORDS)
        return self._channel.receive(seconds + LAST_WORDS, wire.REPLY_LIMIT)

    def _sign_of_life(self):
        """End a check. If that has brought down the main process, it is not the next cell's doing."""
        try:
            self._ask({"do": "done"}, LAST_WORDS)
        except wire.WireError:
            self._leave()

    def _time_left(self):
        return max(0.01, self._deadline - time.monotonic())

    def _enter(self):
        self._channel, self.refused = self._rooms.enter(self._files, self._shown)

    def _leave(self, late=False):
        """End the room, if there is one, and note why."""
        if self._channel is not None:
            why = self._rooms.leave()
            self._ended = self._reason("late" if late and why == "closed" else why)
            self._channel.connection.close()
            self._channel, self._checking = None, False

    def _reason(self, why):
        limits = self._limits
        return {
            "cpu": f"it used more than {limits.cpu:g} seconds of processor time",
            "memory": f"it used more than {limits.memory // 2**20} MB of memory",
            "processes": f"it had more than {limits.processes} processes and threads at once",
            "files": f"it had more than {limits.files} files open at once",
            "hidden": "it hid a process from the grader",
            "late": f"it ran for more than {min(limits.cell, limits.notebook):g} seconds, deaf to an interrupt",
        }.get(why, "it ended the notebook's process, or its line to the grader")

    def _return(self):
        """If the room was brought down, make another and run again what had been done before, if there is time."""
        if not self.closed and time.monotonic() > self._deadline:
            self._leave()
            self.closed = f"the notebook ran for more than {self._limits.notebook:g} seconds"
        if self.closed or self._channel is not None:
            return
        done, self._done = self._done, []
        if not self._retries:
            self.closed = f"the notebook had to be stopped too often; the last time, {self._ended}"
        else:
            self._retries -= 1
            self._enter()
            for source in done:
                if self._run(source) is None:
                    self.closed = f"run once more, the notebook had to be stopped earlier than before: {self._ended}"
                    return
                self._done.append(source)


def known(value):
    """Rename a stand-in whose type has a made-up name, which could carry the hidden input out."""
    if isinstance(value, wire.Unsupported) and type(value).__name__ not in TYPES:
        return wire.unsupported("object")
    if isinstance(value, tuple | list):
        return type(value)(map(known, value))
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return value
