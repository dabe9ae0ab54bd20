"""The exam room from inside: the process that runs a student's cells. Forked by keeper.py for each notebook.

It answers one request after the other on its socket:

    {"do": "furnish", "files": [name ...]} and a blob for each name  ->  {"refused": [name ...]}
    {"do": "run", "source": ..., "seconds": ..., "home": bool}       ->  {"outputs": [...], "ok": bool, "read": bool,
                                                                          "missing": [[line, what] ...]}
    {"do": "keep"} and a socket for the copy                         ->  {"pid": number}
    {"do": "tidy"}                                                   ->  {"ok": True}

"home" has a cell run in the notebook's folder, wherever an earlier one has gone to. "read" says whether it is Python at
all; "missing" lists its statements that failed for something that is not here. What stands below such a one is run.

A copy is this process as it is at that moment, made by fork, and asleep until the notebook has been run to its end.
What a function stores or breaks while it is called never meets a later cell, nor, in memory, another check. Before each
check the scratch folder is made "tidy": what it was after the last cell. (Pipes of an earlier cell, and memory that it
shares, are the same for all copies, which are one student's.) It answers on its own socket:

    {"do": "call", "function": ..., "arguments": packed (args, kwargs), "seconds": ..., "most": bytes or None}
                                 ->  {"value": packed} or {"error": name, "said": text}, {"arguments": packed}
    {"do": "keep"} and a socket for a copy of it  ->  {"pid": number}
    {"do": "greet", "lent": [name ...]}           ->  {"ok": True}

What is "lent" are earlier functions of the notebook. From there on these names ask the marking room, while a call runs:

    {"ask": name, "arguments": packed (args, kwargs)}  ->  {"value": packed} or {"error": name}

Nothing here is to be trusted once a student's cell has run: it shares the process. keeper.py, this file, lockdown.py,
calls.py and wire.py are all of the grader that the sandbox holds.
"""

import base64
import importlib
import os
import pkgutil
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import types
from contextlib import contextmanager, nullcontext, suppress

import numpy as np
import wire
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import print_figure
from IPython.utils.text import SList
from traitlets import Type
from traitlets.config import Config

import coursekit
from coursekit import memory
from coursekit.artifacts import known_artifacts, load
from coursekit.moved import NOW

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # cut from tracebacks: it says nothing to a student
NOTEBOOK = os.path.join(os.environ["TMPDIR"], "notebook")   # the folder that the cells run in
TEXT_LIMIT = 100_000       # characters of text that one cell may show
CUT = f"\n[cut after {TEXT_LIMIT} characters]\n"
IMAGE_LIMIT = 3 * 2**20    # characters of base64 that one cell may show
OUTPUT_LIMIT = 100         # outputs of one cell
CONTROL = re.compile("(\r|\n|\b|\x1b\\[[0-2]?K)")  # what moves a terminal's cursor, or clears its line

# What a notebook misses that was written elsewhere: a package, a file, a program, a prompt, an extension.
NOT_HERE = (ImportError, OSError, EOFError, subprocess.SubprocessError, UsageError)
FOLLOWS = (NameError, AttributeError)  # from a name that one of these should have brought, or from another version


INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")  # magics that would run commands


class TimeLimit(KeyboardInterrupt):
    """Raised in a cell that runs for too long; not an Exception, so that `except Exception` does not swallow it."""


class Printed:
    """What a cell prints on one stream, as a terminal shows it: of a progress bar only the last state."""

    def __init__(self, name):
        self.name, self.waiting, self.waits = name, [], 0
        self.lines, self.line, self.at, self.size = [], "", 0, 0

    def write(self, text):
        self.waiting.append(text)
        self.waits += len(text)

    def settle(self):
        """Take in what was written. (For each write by itself that would take a progress bar longer than its work.)

        Returns by how many characters it has grown.
        """
        before = self.size
        for part in CONTROL.split("".join(self.waiting)):
            self._write(part)
        self.waiting, self.waits = [], 0
        self.size = sum(map(len, self.lines)) + len(self.line)
        return self.size - before

    def _write(self, part):
        if part == "\n":
            self.lines.append(self.line + part)
            self.line, self.at = "", 0
        elif part == "\r":
            self.at = 0
        elif part == "\b":
            self.at = max(0, self.at - 1)
        elif part[:1] == "\x1b" and CONTROL.fullmatch(part):
            self.line = self.line[:self.at]
        else:
            self.line = self.line[:self.at] + part + self.line[self.at + len(part):]
            self.at += len(part)

    def cut(self, count):
        """Take off as many characters, and say so."""
        self.lines, self.line = ["".join([*self.lines, self.line])[:-count] + CUT], ""

    def output(self):
        return {"output_type": "stream", "name": self.name, "text": "".join(self.lines) + self.line}


class Recorder:
    """The outputs of one cell, in order, cut at the limits."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.shown, self.text, self.image, self.printed = [], 0, 0, None

    @property
    def outputs(self):
        self._settle()
        outputs = [one.output() if isinstance(one, Printed) else one for one in self.shown]
        return [output for output in outputs if output.get("text") != ""]

    def stream(self, name, text):
        if self.text > TEXT_LIMIT:
            return
        if self.printed is None or self.printed.name != name:
            printed = Printed(name)
            self._append(printed)
            self.printed = printed
        self.printed.write(text)
        if self.printed.waits > TEXT_LIMIT:
            self._settle(self.printed)

    def _settle(self, go_on_with=None):
        """Take in what was printed last, within the limit."""
        if self.printed is not None:
            self.text += self.printed.settle()
            if self.text > TEXT_LIMIT:
                self.printed.cut(self.text - TEXT_LIMIT)
            self.printed = go_on_with

    def data(self, kind, data, **more):
        """A displayed value: plain text and PNG only, since other kinds could carry a script into the feedback."""
        kept = {"text/plain": self._cut(str(data.get("text/plain", "")))}
        image = data.get("image/png")
        if image:
            image = base64.b64encode(image).decode() if isinstance(image, bytes) else str(image)
            self.image += len(image)
            if self.image <= IMAGE_LIMIT:
                kept["image/png"] = image
        self._append({"output_type": kind, "data": kept, "metadata": {}, **more})

    def error(self, name, value, lines):
        text = self._cut("\n".join(map(str, lines)).replace(HERE, ""))
        self._append({"output_type": "error", "ename": name, "evalue": value[:1000], "traceback": text.split("\n")})

    def _append(self, output):
        self._settle()
        if len(self.shown) < OUTPUT_LIMIT:
            self.shown.append(output)

    def _cut(self, text):
        self._settle()
        left, self.text = TEXT_LIMIT - self.text, self.text + len(text)
        if len(text) <= left:
            return text
        return text[:left] + CUT if left > 0 else ""


class Stream:
    """Stands in for sys.stdout and sys.stderr."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, recorder, name):
        self.recorder, self.name = recorder, name

    def write(self, text):
        self.recorder.stream(self.name, str(text))
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def isatty(self):
        return False

    def writable(self):
        return True


class Publisher(DisplayPublisher):
    """What `display(...)` shows, figures included."""

    def publish(self, data, metadata=None, **_):
        self.shell.recorder.data("display_data", data)

    def clear_output(self, wait=False):
        self.shell.recorder.clear()


class Hook(DisplayHook):
    """What the last expression of a cell shows."""

    def write_output_prompt(self):
        pass

    def quiet(self):
        """A semicolon at the end of the cell hides its value. (IPython would look in the history, which is off.)"""
        return self.semicolon_at_end_of_expression(self.shell.cell)

    def write_format_data(self, format_dict, md_dict=None):
        self.shell.recorder.data("execute_result", format_dict, execution_count=self.shell.execution_count)


class Shell(InteractiveShell):
    """IPython without a terminal, a kernel or a history: transformers, magics and await work as in Jupyter."""

    displayhook_class = Type(Hook)
    display_pub_class = Type(Publisher)

    def __init__(self, **options):
        self.recorder, self.cell, self.missing = Recorder(), "", []
        super().__init__(**options)

    async def run_code(self, code_obj, result=None, *, async_=False):
        """Called for each statement of a cell. Returns whether those below it are not to be run."""
        if not await super().run_code(code_obj, result, async_=async_):
            return False
        error = result.error_in_exec if result else None
        if isinstance(error, NOT_HERE):
            self.missing.append([line_of(error, code_obj), f"{type(error).__name__}: {error}"])
        return not isinstance(error, NOT_HERE + FOLLOWS)

    def _showtraceback(self, etype, evalue, stb):
        own = [frame for frame in stb if __file__ not in frame]  # the interrupt's frame is none of the student's
        self.recorder.error(etype.__name__, str(evalue), own)

    def show_usage_error(self, exc):
        """Called for a magic that is not there: an error as any other, not a line on standard error."""
        self.recorder.error("UsageError", str(exc), [f"UsageError: {exc}"])

    def enable_matplotlib(self, gui=None):
        """Called by `%matplotlib widget` and its like: there are no windows, figures are shown inline."""
        return super().enable_matplotlib("inline")

    def enable_gui(self, gui=None):
        """Called by that, and by `%gui`."""

    def system(self, command):
        """Called by `!command` and `%pip`: there is nothing here to run."""
        print("Not run: there are no commands where a notebook is graded.")
        self.user_ns["_exit_code"] = 0

    def getoutput(self, command, split=True, depth=0):
        """Called by `name = !command`."""
        self.system(command)
        return SList() if split else ""

    def ask_exit(self):
        """Called by `exit()`: the next cell is run all the same, as a check may need it."""


def line_of(error, code):
    """The line at which a statement raised, counted from 1; 0 if nobody knows."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return trace.tb_lineno if trace else 0


def make_shell():
    """The shell of the keeper, loaded with all that notebooks use, so that a fork of it has nothing left to load."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"  # the feedback is text
    shell = Shell.instance(config=config)
    shell.InteractiveTB.set_mode("Plain")  # one with colours and context takes as long as ten cells
    for installer in INSTALLERS:
        shell.register_magic_function(shell.system, magic_name=installer)
    sys.path.insert(0, "")  # as in Jupyter: modules beside the notebook can be imported
    for module in pkgutil.walk_packages(coursekit.__path__, "coursekit."):
        importlib.import_module(module.name)
    open_doors()
    coursekit.keeping.TAKES_OWN = False
    from coursekit import plot  # only now: pyplot looks for the shell, to show figures in its outputs

    picture(plot.alignment([[1, 0], [0, 1]], "ab", "ab", title="$x$").figure)
    plot.plt.close("all")
    load(known_artifacts().popitem()[0])  # the first time loads what reads such files
    shell.display_formatter.formatters["image/png"].for_type(plot.plt.Figure, picture)
    plot.plt.uninstall_repl_displayhook()  # it would draw each figure once for nobody, before it is shown
    sys.stdout, sys.stderr = Stream(shell.recorder, "stdout"), Stream(shell.recorder, "stderr")
    run(shell, "import numpy as np\nnp.zeros(3).reshape(2)", seconds=60)  # loads what makes tracebacks
    shell.reset()
    np.random.seed(0)  # graded again, a notebook that draws without a seed draws the same
    return shell


def open_doors():
    """Let a notebook of an earlier release import modules by their old names: nobody can change it any more."""
    for old, new in NOW.items():
        door = types.ModuleType(f"coursekit.{old}")
        for name in new.split():
            vars(door).update(vars(importlib.import_module(f"coursekit.{name}")))
        sys.modules[f"coursekit.{old}"] = door
        setattr(coursekit, old, door)


def picture(figure):
    """A figure as PNG, cut to what is drawn as in Jupyter. One that says that all of it fits is drawn as it is, which
    saves a second drawing to measure it."""
    fits = not any(axes.get_in_layout() for axes in figure.axes)
    quickly = {"compress_level": 3}  # a fifth larger than by default
    return print_figure(figure, bbox_inches=None if fits else "tight", pil_kwargs=quickly)


def serve(channel, shell):
    """Answer requests until the marking room hangs up."""
    random.seed(0)  # as in make_shell; Python draws a new seed at every fork
    scratch = Scratch()
    while True:
        request = channel.receive()
        if request["do"] == "run":
            channel.send(run(shell, request["source"], request["seconds"], request["home"]))
        elif request["do"] == "keep":
            channel.send({"pid": keep_a_copy(channel, shell)})
        elif request["do"] == "tidy":
            with suppress(OSError, RecursionError, MemoryError):  # of what a student can make of a folder
                scratch.tidy()
            channel.send({"ok": True})
        elif request["do"] == "furnish":
            files = zip(request["files"], request["blobs"], strict=True)
            channel.send({"refused": furnish(files)})


def furnish(files):
    """Make the folder that the cells run in, with its files ((name, bytes) pairs).

    Returns the names of those that cannot be: where one is a folder of another, or there is no space left.
    """
    refused = []
    for name in ("notebook", "home"):
        folder = os.path.join(os.environ["TMPDIR"], name)
        shutil.rmtree(folder, ignore_errors=True)  # where there is no sandbox, it is that of the one before
        os.mkdir(folder)
    os.chdir(NOTEBOOK)
    for name, content in files:
        try:
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "wb") as file:
                file.write(content)
        except (OSError, ValueError):
            refused.append(name)
    return refused


class Scratch:
    """What lies in the scratch folder after the last cell. Each check finds it so, whatever an earlier one left there.

    kept  {path: (what changes with every change of it, its bytes or where it links to, None for a folder)}
    """

    kept = None

    def tidy(self):
        """Keep what is there, when it is called for the first time; then bring it back."""
        if self.kept is None:
            self.kept = {path: (mark, content_of(path)) for path, mark in lying_there()}
            return
        for path, mark in reversed(list(lying_there())):  # what lies in a folder comes before it
            if path not in self.kept or self.kept[path][0] != mark and self.kept[path][1] is not None:
                with suppress(OSError):
                    os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
        for path, (_, content) in list(self.kept.items()):
            if not os.path.lexists(path):
                with suppress(OSError):
                    put(path, content)
                    self.kept[path] = mark_of(path), content


def lying_there():
    """(path, mark) of all in the scratch folder, a folder before what lies in it. No link is followed."""
    for place, folders, files in os.walk(os.environ["TMPDIR"]):
        for name in [*folders, *files]:
            with suppress(OSError):
                open_up(path := os.path.join(place, name))
                yield path, mark_of(path)


def open_up(path):
    """See that a folder or a file can be looked into, whatever its mode was."""
    mode = os.lstat(path).st_mode
    wanted = 0o700 if stat.S_ISDIR(mode) else 0o400 if stat.S_ISREG(mode) else 0
    if mode & wanted != wanted:
        os.chmod(path, stat.S_IMODE(mode) | wanted)


def mark_of(path):
    found = os.lstat(path)
    return found.st_ino, found.st_ctime_ns


def content_of(path):
    if os.path.islink(path):
        return os.readlink(path)
    if os.path.isfile(path) and os.access(path, os.R_OK):
        with open(path, "rb") as file:
            return file.read()
    return None


def put(path, content):
    """A folder, a link or a file, as `content_of` found it."""
    if content is None:
        os.mkdir(path)
    elif isinstance(content, str):
        os.symlink(content, path)
    else:
        with open(path, "wb") as file:
            file.write(content)


def run(shell, source, seconds, home=False):
    """Run a cell as Jupyter does. An interrupt at the time limit leaves what was defined before it.

    home  in the notebook's folder
    """
    shell.recorder.clear()
    shell.cell, shell.missing, ok, read = source, [], False, True
    try:
        with at_most(seconds, "this cell"), at_home() if home else nullcontext():
            result = shell.run_cell(source, store_history=False)
            ok, read = result.success, result.error_before_exec is None
    except BaseException as error:  # whatever a student's hook raises out of IPython, the room stays open
        shell.recorder.error(type(error).__name__, str(error), [repr(error)])
    shell.execution_count += 1
    return {"outputs": shell.recorder.outputs, "ok": bool(ok), "read": bool(read), "missing": shell.missing}


@contextmanager
def at_home():
    """Run what is within in the notebook's folder, and go back to where a cell has gone to."""
    try:
        away = os.getcwd()
    except OSError:  # it is gone
        away = NOTEBOOK
    with suppress(OSError):
        os.chdir(NOTEBOOK)
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(away)


@contextmanager
def at_most(seconds, what):
    """Interrupt what runs within when the time is over."""
    def interrupt(*_):
        raise TimeLimit(f"{what} ran for more than {seconds:g} seconds and was interrupted")

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def without_alarm():
    """Stop the clock of `at_most` for what runs within: to end that half-way would leave half a frame on the line."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)


def keep_a_copy(channel, shell):
    """Make a copy of this process that answers calls on a socket of its own. Returns its number."""
    door = channel.receive_socket()
    copy = os.fork()
    if copy == 0:
        try:
            channel.connection.close()
            answer_calls(wire.Channel(door), shell)
        finally:
            os._exit(0)
    door.close()
    return copy


def answer_calls(channel, shell):
    """A copy's life, until the marking room hangs up."""
    while True:
        request = channel.receive()
        if request["do"] == "call":
            channel.send(call(shell, request))
        elif request["do"] == "keep":
            channel.send({"pid": keep_a_copy(channel, shell)})
        elif request["do"] == "greet":
            lend(channel, shell, request["lent"])
            channel.send({"ok": True})


def lend(channel, shell, names):
    """Bind these names to functions that ask the marking room. How long it takes is no time of the call's."""
    one_at_a_time = threading.Lock()

    def exchange(message):
        with one_at_a_time, without_alarm():
            channel.send(message)
            return channel.receive()

    shell.user_ns.update((name, wire.stand_in(name, exchange)) for name in names)


def call(shell, request):
    """Call a function of the notebook; what it printed and displayed is dropped."""
    args, kwargs = wire.unpack(request["arguments"], request["blobs"])
    reply, blobs = {}, []
    try:
        if request["function"] not in shell.user_ns:
            return {"error": "NameError"}
        with at_most(request["seconds"], "this call"):
            with memory.at_most(request["most"]):
                value = shell.user_ns[request["function"]](*args, **kwargs)
            reply["value"] = wire.pack(value, blobs)
    except wire.TooLarge:
        return {"error": "TooLarge"}
    except BaseException as error:  # SystemExit too: it is an answer like any other
        reply |= wire.raised(error)
    try:
        reply["arguments"] = wire.pack(tuple(args), blobs)
    except wire.TooLarge:
        return {"error": "TooLarge"}
    return {**reply, "blobs": blobs}
