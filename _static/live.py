"""Runs the cells of a page inside Pyodide: `run` is called by live-worker.mjs, once for each cell, in one namespace.

What a cell puts out goes to `send(kind, text)`; kinds: stdout, stderr, html, svg, png (base64), markdown, plain, error.
It stands in for IPython, which would take seconds more to load: IPython.display is here, with what chapters use of it.
"""

import array
import base64
import io
import os
import sys
import time
import traceback
import types
import wave
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pyodide.code import eval_code

import __main__

if version("matplotlib") == "3.8.4":  # Pyodide ships it with a list of fonts that another version made, and refuses:
    _fonts = Path(find_spec("matplotlib").origin).with_name("fontlist.json")  # to build a new one takes seconds
    _fonts.write_text(_fonts.read_text().replace('"_version": 390', '"_version": 330'))

os.environ["MPLBACKEND"] = "agg"  # draws into memory; Pyodide's own wants the page
import matplotlib.pyplot as plt

LIMIT = 100_000  # characters that one cell may print, or one value show: a loop must not fill the page
MOST = 200       # values and pictures that one cell may show
REPRS = ("html", "png", "svg", "markdown")  # what a value may offer, as _repr_html_ and so on; the first counts
sends = []  # where the running cell's outputs go


class Stream(io.TextIOBase):
    """What a cell prints, sent line by line."""

    def __init__(self, kind, send):
        self.kind, self.send, self.held, self.room = kind, send, "", LIMIT

    def write(self, text):
        self.held += text
        if "\n" in text or len(self.held) > 8192:
            self.flush()
        return len(text)

    def flush(self):
        text, self.held = self.held[: max(self.room, 0)], ""
        if text:
            self.send(self.kind, text)
            self.room -= len(text)
            if self.room <= 0:
                self.send("stderr", f"\nMore than {LIMIT} characters: the rest is left out.\n")


class Shown:
    """A string that says how it wants to be shown."""

    def __init__(self, data):
        self.data = data


class HTML(Shown):
    def _repr_html_(self):
        return self.data


class Markdown(Shown):
    def _repr_markdown_(self):
        return self.data


class Audio:
    """A sound with a player: samples and how many there are in a second, made as loud as they can be, as by IPython."""

    def __init__(self, data, rate):
        self.data, self.rate = data, rate

    def _repr_html_(self):
        loudest, stream = max(map(abs, self.data), default=0) or 1, io.BytesIO()
        with wave.open(stream, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(self.rate)
            sound.writeframes(array.array("h", [round(32767 * x / loudest) for x in map(float, self.data)]).tobytes())
        content = base64.b64encode(stream.getvalue()).decode()
        return f'<audio controls src="data:audio/wav;base64,{content}"></audio>'


def display(*values):
    """Show each value, in the richest way that it offers."""
    sys.stdout.flush()
    sys.stderr.flush()
    for value in values:
        sends[-1](*_represented(value))


def _represented(value):
    """The kind and the text in which `value` is shown."""
    if isinstance(value, plt.Figure):
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=value.dpi, bbox_inches="tight")  # as the book's own figures are
        return "png", base64.b64encode(picture.getvalue()).decode()
    for kind in REPRS:
        offer = None if isinstance(value, type) else getattr(value, f"_repr_{kind}_", None)
        found = offer() if offer else None
        if found is not None:
            return kind, base64.b64encode(found).decode() if isinstance(found, bytes) else found
    text = repr(value)
    return "plain", text if len(text) <= LIMIT else f"{text[:LIMIT]} … and {len(text) - LIMIT} characters more"


def limited(send):
    """`send` for what a cell displays, which falls silent after the MOST first."""
    left = MOST

    def send_or_not(kind, text):
        nonlocal left
        left -= 1
        if left >= 0:
            send(kind, text)
        elif left == -1:
            send("stderr", f"More than {MOST} outputs: the rest is left out.\n")

    return send_or_not


def show_figures(*args, **kwargs):
    """Show every open figure and close it: plt.show(), and the end of every cell."""
    for number in plt.get_fignums():
        display(plt.figure(number))
    plt.close("all")


def run(source, name, send):
    """Run a cell. `name` is what a traceback calls it. Returns whether it ran to its end."""
    sends[:] = [limited(send)]
    with redirect_stdout(Stream("stdout", send)) as out, redirect_stderr(Stream("stderr", send)) as err:
        try:
            value = eval_code(source, __main__.__dict__, filename=name)
            if value is not None:
                display(value)
            show_figures()
            return True
        except BaseException as error:  # exit() too: it must not end the worker
            out.flush()
            err.flush()
            send("error", short_traceback(error)[-LIMIT:])
            return False
        finally:
            out.flush()
            err.flush()
            plt.close("all")


def short_traceback(error):
    """The error with the lines of cells alone; what lies between them, in libraries, says little to a reader."""
    short = traceback.TracebackException.from_exception(error, compact=True)
    each = short
    while each:
        each.stack = traceback.StackSummary.from_list(
            [frame for frame in each.stack if frame.filename.startswith("cell ")])
        each = each.__cause__ or each.__context__
    return "".join(short.format())


def _ever_later(clock):
    """The clock of a browser moves in steps of 0.1 or 1 ms; two readings of this one always differ."""
    last = 0.0

    def perf_counter():
        nonlocal last
        last = max(clock(), last + 1e-6)
        return last

    return perf_counter


def _stand_in_for_ipython():
    display_module = types.ModuleType("IPython.display")
    display_module.__dict__.update(display=display, Audio=Audio, HTML=HTML, Markdown=Markdown)
    package = types.ModuleType("IPython")
    package.display, package.get_ipython = display_module, lambda: None  # Matplotlib asks for it
    sys.modules.update({"IPython": package, "IPython.display": display_module})
    __main__.display = display  # as in a notebook


_stand_in_for_ipython()
plt.show = show_figures
time.perf_counter = _ever_later(time.perf_counter)  # a chapter divides by what lies between two
