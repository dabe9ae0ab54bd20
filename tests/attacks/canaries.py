"""What must stay secret and unharmed, and what a graded notebook gives away of it."""

import hashlib
import re
import secrets
import socket
import threading

from grading.checking import random_for
from tests.grading import tiny


class Canaries:
    """Secrets in the places where a course keeps its own; as a context, they also listen on a port.

    secrets    {what it is: the text that must not be read}
    neighbour  the notebook that the honest neighbour hands in, as bytes
    heard      grows with each connection to `port`

    course is the folder of a course, home that of the instructor: `plant` writes into both.
    """

    def __init__(self, course, home, lab):
        words = ("gradebook", "neighbour", "references", "environment", "home")
        self.secrets = {word: f"CANARY-{word}-{secrets.token_hex(8)}" for word in words}
        self.course, self.home = course, home
        self.neighbour = tiny.to_bytes(tiny.filled(lab, why=self.secrets["neighbour"], first=PROBE))
        self.heard = []

    def plant(self):
        """Write them, but for what is there already, and note how it all is before any attack."""
        for path, content in (
            (self.course / "gradebook.db", self.secrets["gradebook"].encode()),
            (self.course / "submitted" / "neighbour" / tiny.NAME / f"{tiny.NAME}.ipynb", self.neighbour),
            (self.course / "solutions" / "reference.py", f'"""{self.secrets["references"]}"""'.encode()),
            (self.home / ".netrc", self.secrets["home"].encode()),
            (self.home / ".ssh" / "id_rsa", self.secrets["home"].encode()),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(content)
        self._before = self._state()

    @property
    def environment(self):
        """What the grader's environment holds."""
        return {"HOME": str(self.home), "GRADING_TOKEN": self.secrets["environment"]}

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _listen(self):
        while True:
            try:
                self._server.accept()[0].close()
            except OSError:
                return  # closed
            self.heard.append("network")

    def harmed(self):
        """The files that were changed, made or removed."""
        now = self._state()
        return sorted(name for name in {**self._before, **now} if now.get(name) != self._before.get(name))

    def _state(self):
        files = [path for top in (self.course, self.home) for path in sorted(top.rglob("*")) if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def read_in(self, text):
        """What was read, by a text that a student gets back: names of secrets, "hidden inputs", "hidden checks"."""
        marks = {**{word: [secret] for word, secret in self.secrets.items()}, "hidden inputs": hidden_inputs()}
        found = {word for word, texts in marks.items() if any(mark in text for mark in texts)}
        return sorted(found | {what for what, texts in GIVEN_AWAY.items() if any(mark in text for mark in texts)})


# What gives the course's own secrets away, as a text that a student gets back would show them.
GIVEN_AWAY = {"references": ("SECRET-CENTER", "SECRET-SPREAD"), "hidden checks": ("hidden_checks(", "SECRET-HIDDEN")}


def hidden_inputs():
    """What the inputs of the hidden checks look like in print: the first digits of each number, with and without point.

    Only where they are the same for everybody, without a seed.
    """
    drawn = [random_for(tiny.NAME, exercise).normal(size=shape)
             for exercise, shape in (("center", (4, 3)), ("spread", (5, 2)))]
    numbers = [f"{abs(number):.9f}" for array in drawn for number in array.ravel()]
    return [number[:8] for number in numbers] + [number.replace(".", "").lstrip("0")[:6] for number in numbers]


# The neighbour looks around, and shows what it sees: nothing of it may differ from one day to another.
PROBE = """
import builtins, fcntl, os, sys
import numpy as np
print(sorted(os.listdir(".")), sorted(os.listdir("/tmp")), sorted(os.listdir(os.path.expanduser("~"))))
print(sorted(os.environ), hasattr(builtins, "poisoned"), sorted(name for name in sys.modules if "poison" in name))
for number in range(64):
    try:
        print(number, fcntl.fcntl(number, fcntl.F_GETFL), os.lseek(number, 0, os.SEEK_CUR))
    except OSError:
        pass
print(np.mean(np.arange(5)), np.random.rand(), np.get_printoptions()["precision"], np.geterr(), len(os.listdir("/dev")))
"""


def shown(notebook):
    """All that a graded notebook shows besides the cells' sources, as one text."""
    return "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", []))


def broken_walls(notebook):
    """What attacks say that they caught: lines of printed text, since a traceback may hold the words as source."""
    printed = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    return sorted(set(re.findall(r"^CAUGHT (.*)", "\n".join(printed), re.MULTILINE)))


def markup(notebook):
    """What a notebook shows that a browser might execute: outputs that are neither text, nor PNG, nor the verdicts."""
    bundles = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return sorted({kind for data in bundles for kind, text in data.items() if kind not in ("text/plain", "image/png")
                   and not (str(text).startswith('<div class="verdicts">') and "<script" not in text)})
