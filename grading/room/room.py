"""The exam room from outside: `Rooms` starts the sandbox and its fork server, `ExamRoom` asks one room two things.

`ExamRoom.run(source)` runs a cell, `ExamRoom.call(function, args, kwargs)` calls a function of the notebook, as it was
when `ExamRoom.keep(name)` kept a copy of it; within `ExamRoom.again` some earlier functions are lent (lending.py). None
of these ever raises for what the student did. A cell that has to be stopped takes its process with it: the cells before
it are run again in a fresh room, so that the rest of the notebook keeps what it earns.
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
from grading.apart import printable
from grading.room import wire
from grading.room.lending import Lender
from grading.room.limits import Limits
from grading.room.outputs import clean, stream
from grading.room.sandbox import PACKAGES, ROOM, SCRATCH, command, environment, furniture, refusal

LAST_WORDS = 1.0  # seconds that a room gets beyond a limit of its own, before it is stopped
MISSING = 20      # failed statements of a cell that are told
SAID = 200        # characters of what one raised
SPARE = "spare"   # what the copy of a copy is called, among their names
RETRIES = 5       # how often a room is made again for the cells of a notebook, and for each judgement of an exercise
TYPES = {name for name, item in vars(builtins).items() if isinstance(item, type)}
TYPES |= {"function", "generator", "module", "NoneType", "Figure", "Axes", "ndarray of dtype object"}


class Rooms:
    """A sandbox with a fork server in it, started when the first room is opened. One room is open at a time.

    sandbox   False: no wall at all, for machines that cannot have one and instructors who trust their class
    packages  distributions that cells may import, with all that these need

    lender answers what a room may ask for, outside of the sandbox.

    Raises SandboxError where the machine cannot do it.
    """

    def __init__(self, limits=None, sandbox=True, packages=PACKAGES):
        self.limits, self.sandbox, self.packages = limits or Limits(), sandbox, packages
        self._keeper = self._channel = self._why = self._folder = None
        self.lender = Lender()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self, files=()):
        """A room with these files ({relative path: bytes}): `with rooms.open(files) as room`."""
        return ExamRoom(self, dict(files))

    def close(self):
        """End the sandbox and all that is in it, and the lender."""
        self.lender.close()
        if self._keeper is not None:
            self._channel.connection.close()  # it hears that, and goes
            try:
                self._keeper.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._keeper.pid, signal.SIGKILL)
                self._keeper.wait()
            self._keeper.stderr.close()
            self._keeper = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def start(self):
        """Start the sandbox, if it is not there yet. Raises SandboxError."""
        if self._keeper is None:
            self._start()

    def enter(self, files):
        """A channel to a fresh room, and the names of files that it could not take. Called by ExamRoom."""
        self.start()
        try:
            return self._open(files)
        except wire.WireError:  # somebody has ended the sandbox: another one will do
            self.close()
            self._start()
            return self._open(files)

    def _open(self, files):
        ours, theirs = socket.socketpair()
        channel = wire.Channel(ours)
        try:
            with theirs:
                self._channel.send({"do": "open", "limits": dataclasses.asdict(self.limits)}, self.limits.start)
                self._channel.send_socket(theirs)
            contents = {"files": list(files), "blobs": list(files.values())}
            channel.send({"do": "furnish", **contents}, self.limits.start)
            refused = channel.receive(self.limits.start).get("refused", [])
        except (wire.WireError, wire.TooLarge):
            ours.close()
            raise
        return channel, refused

    def end(self, pid):
        """End a process of the room. Without a sandbox nobody can tell which is which, and it goes on."""
        self._tell({"do": "end", "pid": pid})

    def look(self):
        """Have the room looked at now, not some time later. Returns whether it is within its limits; else it ends."""
        self._tell({"do": "look"})
        self._why = self._hear().get("ended")
        return self._why is None

    def leave(self):
        """End the room. Returns why it had ended: "closed" if it had not."""
        self._tell({"do": "close"})  # to a room that has ended, this says nothing
        why, self._why = self._why or self._hear()["ended"], None
        return why

    def _hear(self):
        try:
            return self._channel.receive(self.limits.start)
        except wire.WireError:
            self.close()
            return {"ended": "exited"}

    def _tell(self, request):
        try:
            self._channel.send(request, LAST_WORDS)
        except wire.WireError:
            pass  # the keeper has gone, which `leave` finds out

    def _start(self):
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
        # the keeper removes it, also if this process is killed; and this one, also if the keeper is
        folder = self._folder = tempfile.mkdtemp(prefix="exam-room-")
        for source, target in furniture(self.packages):
            place = Path(folder + target)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(source)
        return [sys.executable, "-S", "-P"], folder + ROOM, folder


@dataclass
class Ran:
    """What came of a cell.

    outputs  what it showed, as nbformat outputs
    ok       whether it ended without an exception
    read     whether it is Python, or was not looked at
    missing  [(line, what was raised)] of its statements that failed for something that is not in the room
    stopped  why it was stopped, if it was
    """

    outputs: list = field(default_factory=list)
    ok: bool = False
    read: bool = True
    missing: list = field(default_factory=list)
    stopped: str | None = None


@dataclass(frozen=True)
class Copy:
    """The notebook as it was at one moment, asleep: a process of the room with a channel of its own."""

    channel: wire.Channel
    pid: int  # what the room says of it


class ExamRoom:
    """One notebook's room: first its cells are run, then the copies that were kept on the way are asked.

    closed   why no more cells are run, as a sentence; None while they are
    refused  names of files that the room could not be given
    """

    def __init__(self, rooms, files):
        self.closed = None
        self._rooms, self._files, self._limits = rooms, files, rooms.limits
        self._channel, self._ended, self._left, self._retries = None, None, rooms.limits.output, RETRIES
        self._done = []        # what the notebook is made of so far: ("run", cell) or ("keep", name)
        self._at = 0           # how much of that this room has done; less than all of it only once checks have begun
        self._copies = {}      # {name: Copy}
        self._checking = None  # the name of the copy that answers calls
        self._loan = None      # what the copy may ask for
        self._asked = self._late = False

    def __enter__(self):
        self._enter()
        self._deadline = time.monotonic() + self._limits.notebook
        return self

    def __exit__(self, *_):
        self._leave()

    def run(self, source, home=False):
        """Run a cell, `home` in the notebook's folder. Returns `Ran`; a room that is closed runs nothing."""
        if not self.closed and time.monotonic() > self._deadline:
            self.closed = f"the notebook ran for more than {self._limits.notebook:g} seconds"
        if not self._is_open():
            return Ran([stream(f"Not run: {self.closed}.\n")])
        cell = {"source": source, "home": home}
        reply = self._run(cell)
        if reply is None:
            return Ran([stream(f"Stopped: {self._ended}.\n")], stopped=self._ended)
        self._note("run", cell)
        outputs, used = clean(reply.get("outputs"), self._limits, self._left)
        self._left -= used
        return Ran(outputs, reply.get("ok") is True, reply.get("read") is not False, _missing(reply.get("missing")))

    def keep(self, name):
        """Keep a copy of the notebook as it is now, for `check(name)`. Asleep, it knows nothing of any check."""
        if not self._is_open():
            return
        if self._keep(name):
            self._note("keep", name)
        elif self._done:
            self._done.pop()  # the cell that broke the line; it is not run again

    @contextmanager
    def check(self, name=None, twice=False):
        """Calls within are answered by the copy of this name, or by one made now. Yields None, or why there is none.

        twice  keep a copy of that copy, which `again` is going to need

        The first check ends the time for cells, and begins as much time for checks. From there on nothing that the
        notebook shows is kept: so nothing that a student will read has been near what a check passes.
        """
        self._late, self._retries = False, RETRIES
        if not self._asked:
            self._asked, self._deadline = True, time.monotonic() + self._limits.notebook
            if self._channel is not None and not self._rooms.look():  # or it would be ended in the middle of a call
                self._leave()
        if name is None:
            name = len(self._done)
            self.keep(name)
        self._checking = name
        why = self._wake(name)
        if twice and why is None and not self._keep_from(self._copies[name].channel, SPARE):
            self._drop(name)  # nobody knows what state it is in
        self._tidy()
        try:
            yield why
        finally:
            self._checking = None
            self._drop(name)
            self._drop(SPARE)

    @contextmanager
    def again(self, loan):
        """Calls within are answered by a copy that was never called, to which the names of the `Loan` are lent.

        Within a check that is to be made `twice`.
        """
        self._drop(self._checking)
        if SPARE in self._copies:
            self._copies[self._checking] = self._copies.pop(SPARE)
        self._loan, self._retries = loan, RETRIES
        self._wake(self._checking)
        self._tidy()
        try:
            yield
        finally:
            self._loan = None

    def call(self, function, args, kwargs, most=None):
        """Call a function of the notebook. Returns a `Reply`, also when it crashed, hung, or sent nonsense.

        most  the bytes that it may hold at one time: more is a MemoryError; None if any
        """
        if self._checking not in self._copies and self._wake(self._checking):
            return Reply(error="Crash")
        copy = self._copies[self._checking]
        seconds = min(self._limits.call / 10 if self._late else self._limits.call, self._time_left())
        request = {"do": "call", "function": function, "seconds": seconds, "most": most, "blobs": []}
        request["arguments"] = wire.pack((args, kwargs), request["blobs"])
        try:
            return self._reply(self._hear_out(copy.channel, request, seconds), args)
        except wire.WireError as error:
            late = isinstance(error, wire.TooLate)
            self._late = self._late or late
            if late:
                self._rooms.end(copy.pid)
            self._drop(self._checking)
            return Reply(error="TimeLimit" if late else "Crash")

    def _hear_out(self, channel, request, seconds):
        """The reply to a call. What the notebook asks for meanwhile is answered, and takes none of its time."""
        deadline = time.monotonic() + seconds
        reply = _ask(channel, request, seconds)
        while self._loan and "ask" in reply:
            start = time.monotonic()
            self._rooms.lender.start()
            answer = self._loan.answer(reply, self._rooms.lender.ask)
            deadline += time.monotonic() - start
            reply = _ask(channel, answer, deadline - time.monotonic())
        return reply

    def _wake(self, name):
        """See that a copy answers. Returns None, or why there is none that does.

        If it is gone, by an earlier call or with the whole room, the notebook is run again as far as there.
        """
        why = self._greet(name)
        if why is None or ("keep", name) not in self._done:
            return why
        if self._channel is None or self._at > self._done.index(("keep", name)):
            self._leave()
            why = self._come_back(name)
        else:
            why = self._go_on(name)
        return why or self._greet(name)

    def _greet(self, name):
        try:
            lent = list(self._loan.names) if self._loan else []
            _ask(self._copies[name].channel, {"do": "greet", "lent": lent}, LAST_WORDS)
        except KeyError:
            return self.closed or self._ended or "it had to be stopped"
        except wire.WireError:
            self._drop(name)
            return "it ended the notebook's process, or its line to the grader"

    def _tidy(self):
        """Have the scratch folder as it was after the last cell, whatever an earlier check left in it."""
        if self._channel is not None and self._at == len(self._done):
            try:
                _ask(self._channel, {"do": "tidy"}, min(self._limits.call, self._time_left()))
            except wire.WireError:
                self._leave()  # the next call makes a room anew

    def _reply(self, reply, args):
        error, blobs = reply.get("error"), reply["blobs"]
        if error is not None:
            made_up = not isinstance(error, str) or error not in wire.ERRORS
            error = "Exception" if made_up else error
            self._late = self._late or error == "TimeLimit"
        value = known(wire.unpack(reply.get("value"), blobs))
        after = wire.unpack(reply["arguments"], blobs) if "arguments" in reply else args
        if not isinstance(after, tuple) or len(after) != len(args):
            raise wire.WireError("arguments: expected as many as there were")
        said = reply.get("said") if error and isinstance(reply.get("said"), str) else ""
        return Reply(None if error else value, error, changed_arguments(args, after), said=said[:wire.SAID_LIMIT])

    def _run(self, cell):
        """The room's reply to a cell; None if it had to be stopped, `_ended` saying why."""
        seconds = min(self._limits.cell, self._time_left())
        try:
            return _ask(self._channel, {"do": "run", **cell, "seconds": seconds}, seconds)
        except wire.TooLarge:
            self._ended = "it is too large"
            return None
        except wire.WireError as error:
            self._leave(late=isinstance(error, wire.TooLate))
            return None

    def _keep(self, name):
        """Have the room make a copy. Returns whether it did."""
        kept = self._keep_from(self._channel, name)
        if not kept:
            self._leave()
        return kept

    def _keep_from(self, channel, name):
        """Have the process that answers on this channel make a copy of itself. Returns whether it did."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                channel.send({"do": "keep"}, LAST_WORDS)
                channel.send_socket(theirs)
            seconds = min(self._limits.start, self._time_left() + LAST_WORDS)
            pid = channel.receive(seconds, wire.WORD_LIMIT).get("pid")
            if type(pid) is not int:
                raise wire.WireError("pid: expected a number")
            self._copies[name] = Copy(wire.Channel(ours), pid)
            return True
        except wire.WireError:
            ours.close()
            return False

    def _drop(self, name):
        if name in self._copies:
            self._copies.pop(name).channel.connection.close()  # it hears that, and goes

    def _time_left(self):
        return max(0.01, self._deadline - time.monotonic())

    def _enter(self):
        self._channel, self.refused = self._rooms.enter(self._files)

    def _leave(self, late=False):
        """End the room, if there is one, and note why."""
        for name in list(self._copies):
            self._drop(name)
        if self._channel is not None:
            why = self._rooms.leave()
            self._ended = self._reason("late" if late and why == "closed" else why)
            self._channel.connection.close()
            self._channel = None

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

    def _is_open(self):
        """Is there a room for more cells? If it was brought down, it is made again."""
        if not self.closed and self._channel is None:
            self.closed = self._come_back()
        return not self.closed

    def _note(self, what, subject):
        self._done.append((what, subject))
        self._at = len(self._done)

    def _come_back(self, name=None):
        """Make another room and do there what had been done, up to the copy of this name, or all of it.

        Returns None, or why that cannot be.
        """
        if not self._retries:
            return f"the notebook had to be stopped too often; the last time, {self._ended}"
        self._retries, self._at = self._retries - 1, 0
        self._enter()
        return self._go_on(name)

    def _go_on(self, name):
        for what, subject in self._done[self._at:]:
            done = self._run(subject) is not None if what == "run" else self._keep(subject)
            if not done:
                self._done = self._done[:self._at]
                return f"run once more, the notebook had to be stopped earlier than before: {self._ended}"
            self._at += 1
            if (what, subject) == ("keep", name):
                break
        return None


def _ask(channel, request, seconds):
    channel.send(request, LAST_WORDS)
    return channel.receive(seconds + LAST_WORDS, wire.REPLY_LIMIT)


def _missing(said):
    """What a reply says of failed statements, each in one line, as far as it is well-formed."""
    pairs = said[:MISSING] if isinstance(said, list) else []
    return [(pair[0], printable(" ".join(pair[1].split())[:SAID])) for pair in pairs
            if isinstance(pair, list) and list(map(type, pair)) == [int, str]]


def known(value):
    """Rename a stand-in whose type has a made-up name, which could carry the hidden input out."""
    if isinstance(value, wire.Unsupported) and type(value).__name__ not in TYPES:
        return wire.unsupported("object")
    if isinstance(value, tuple | list):
        return type(value)(map(known, value))
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return value
