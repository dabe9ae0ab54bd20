"""What a notebook may ask for: values of earlier exercises, lent to it while a later one is judged once more.

An earlier exercise that has lost points shall not cost them again where later ones call it. So in a copy of the
notebook its name is bound to a function that asks for the reference's value of the same arguments (`wire.stand_in`).
Values cross, as in any call, and never code. An exercise is lent only once its own points are counted, and never while
it is judged itself, so that nobody can be marked by what was lent.

    checking.py  judge: whether it is needed, and which of two judgements counts
    Loan         what one judgement may ask for: which names, how often, how much, how long
    answer       the reference's value, or the name of what it raises, which is the student's error as any other
    Lender       the process in which `answer` runs where a submission is graded: arguments that a student makes up may
                 take any time and memory, and no more than this process goes with them
"""

import importlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

from grading.room import wire
from grading.student import reply_of

ASKS = 10_000           # for one exercise: a gradient by differences takes some thousands
BYTES = 64 * 2**20      # of arguments and values, for one exercise
SECONDS = 10.0          # of asking, for one exercise
START = 60.0            # seconds for a process to start
MEMORY = 2**30          # bytes that the process may reserve
TOO_MUCH = "RuntimeError"  # what asking beyond these raises


class Loan:
    """What is lent for one judgement.

    names  the earlier exercises
    asked  those of them that were asked for
    """

    def __init__(self, lab, names, solutions="solutions"):
        self.names, self._reference, self.asked = tuple(names), f"{solutions}.{lab}.reference", set()
        self._asks, self._bytes, self._seconds = ASKS, BYTES, SECONDS

    def answer(self, message, ask=None):
        """The answer to a message of `wire.stand_in`, whoever sent it. Raises WireError for what is none.

        ask  `Lender.ask`; None to work it out in this process
        """
        if message.get("ask") not in self.names or "arguments" not in message:
            raise wire.WireError("ask: expected the name of an exercise that is lent")
        self.asked.add(message["ask"])
        self._asks, self._bytes = self._asks - 1, self._bytes - _size(message, "arguments")
        if min(self._asks, self._bytes, self._seconds) < 0:
            return {"error": TOO_MUCH}
        request = {name: message[name] for name in ("ask", "arguments", "blobs")} | {"reference": self._reference}
        start = time.monotonic()
        reply = ask(request, self._seconds) if ask else answer(request)
        self._seconds -= time.monotonic() - start
        if reply is None:
            self._asks = 0  # once is enough
            return {"error": TOO_MUCH}
        self._bytes -= _size(reply, "value")
        return reply


def _size(message, what):
    """Bytes of what is packed in a message."""
    return len(json.dumps(message.get(what))) + sum(map(len, message.get("blobs", ())))


def answer(request):
    """What a reference makes of packed arguments. They are copies: nothing that it did to them would be seen."""
    try:
        args, kwargs = wire.unpack(request["arguments"], request["blobs"])
        if _is_left_behind((args, kwargs)):
            return {"error": "TypeError"}
        function = getattr(importlib.import_module(request["reference"]), request["ask"])
        reply, blobs = reply_of(function, args, kwargs), []
        if reply.error:
            return {"error": reply.error}
        return {"value": wire.pack(reply.value, blobs), "blobs": blobs}
    except (wire.WireError, wire.TooLarge, TypeError, ValueError):  # forged, or too large to cross
        return {"error": "ValueError"}


def _is_left_behind(value):
    """Is something in it that did not cross, as a function does not?"""
    if isinstance(value, dict):
        return any(map(_is_left_behind, value.values()))
    return any(map(_is_left_behind, value)) if isinstance(value, tuple | list) else isinstance(value, wire.Unsupported)


class Lender:
    """Starts the process when it is first needed, and another one where that has broken."""

    def __init__(self):
        self._process = self._channel = None

    def ask(self, request, seconds):
        """What `answer` says; None if that takes longer, or ends the process."""
        self.start()
        try:
            self._channel.send({**request, "seconds": seconds}, seconds)
            return self._channel.receive(seconds)
        except (wire.WireError, wire.TooLarge):
            self.close()
            return None

    def close(self):
        """End the process."""
        if self._process is not None:
            self._channel.connection.close()
            self._process.kill()
            self._process.wait()
            self._process = None

    def start(self):
        """Start the process, if it is not there yet, whose time is nobody's. Raises OSError."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", f"from {__name__} import main; main()", str(theirs.fileno())],
                env=_environment(), pass_fds=[theirs.fileno()], start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._channel = wire.Channel(ours)
        try:
            self._channel.receive(START)
        except wire.WireError as error:
            self.close()
            raise OSError("the process that lends earlier answers does not start") from error


def _environment():
    """That of this process, with the places where it finds its modules, and one thread to reserve memory for."""
    places = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": places, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main():
    """Answer until the other side hangs up. An answer that takes too long ends the process, in C code too."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    channel = wire.Channel(socket.socket(fileno=int(sys.argv[1])))
    channel.send({"ready": True})
    with suppress(wire.WireError):
        while True:
            request = channel.receive()
            signal.setitimer(signal.ITIMER_REAL, request["seconds"])
            said = answer(request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            try:
                channel.send(said)
            except wire.TooLarge:  # text can take six times its size as JSON
                channel.send({"error": "ValueError"})
