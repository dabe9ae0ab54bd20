"""What an attack is, and what attacks of more than one kind are made with."""

from dataclasses import dataclass, field

from nbformat import v4

from grading.room.limits import Limits
from tests.grading import tiny

NOTEBOOK = f"{tiny.NAME}.ipynb"
PORT = "@PORT@"  # in a source: the port on which the canary listens
NO_WALL = "not run: there is no wall, cells run with all that the instructor may do"
WRONG = "def center(x, axis=0):\n    return x"
SMALL = Limits(cell=1.0, call=1.0, notebook=4.0, cpu=4.0, memory=384 * 2**20, processes=32, files=128,
               scratch=16 * 2**20, cell_output=50_000, output=2**20)  # so that nothing takes long, or much


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    aim     what it does, a phrase; no two have the same
    honest  points for (center, spread) that its honest part earns
    exact   False where it destroys its own honest part, and so may earn less
    answers what stands in the cells: first, center, spread, last (see `tiny.filled`)
    edit    changes the notebook: a function of it that returns a notebook, bytes, or None for no file at all
    files   {path: bytes} that are handed in with it
    skip    why it is not tried on stock nbgrader, "" if it is
    kind    what it is after: the name of its module in `corpus`, which fills it in
    """

    aim: str
    honest: tuple = (0, 4)
    exact: bool = True
    answers: dict = field(default_factory=dict)
    edit: object = None
    files: dict = field(default_factory=dict)
    skip: str = ""
    kind: str = ""

    def __str__(self):
        return f"{self.kind}: {self.aim}"

    def submission(self, lab, port=0):
        """The notebook that is handed in, as bytes, or None."""
        answers = {name: text.replace(PORT, str(port)) for name, text in {"center": WRONG, **self.answers}.items()}
        notebook = tiny.filled(lab, **answers)
        handed_in = self.edit(notebook) if self.edit else notebook
        return handed_in if isinstance(handed_in, bytes | None) else tiny.to_bytes(handed_in)

    def folder(self, lab, port=0):
        """{path: bytes} of all that is handed in."""
        notebook = self.submission(lab, port)
        return dict(self.files) if notebook is None else {NOTEBOOK: notebook, **self.files}


def cells(first=(), center=(), last=(), **common):
    """Attacks from {aim: source of one cell}, by the cell that the source stands in.

    A `first` or `last` cell stands beside a wrong `center` and a right `spread`; a `center` is itself the attack.
    """
    places = (("first", first), ("center", center), ("last", last))
    return [Attack(aim, answers={place: text}, **common) for place, sources in places
            for aim, text in dict(sources).items()]


def at_the_end(sources, **common):
    """Attacks after all work is done, and done right: they earn all of it."""
    return [Attack(aim, (2, 4), answers={"center": tiny.CENTER, "last": text}, **common)
            for aim, text in sources.items()]


def cells_before(notebook, sources):
    """The notebook with more cells before its own."""
    notebook.cells[:0] = [v4.new_code_cell(source) for source in sources]
    return notebook


# `spill` prints every canary in a text, `slurp` those in a file, `walk` those in files whose path holds a word.

SPILL = r"""
import os, re, sys
def spill(text):
    found = set(re.findall(r"(?:CANARY|SEC[R]ET)-[\w-]+", text if isinstance(text, str) else str(text)))
    if found:
        print(*sorted(found))
def slurp(path, size=5_000_000):
    try:
        with open(path, "rb") as file:
            spill(file.read(size).decode("latin1"))
    except OSError:
        pass
"""
WALK = SPILL + """
import time
def walk(*wanted):
    end, here, tops = time.monotonic() + 0.5, os.getcwd(), [os.path.expanduser("~")]
    while here != "/":
        tops.append(here)
        here = os.path.dirname(here)
    for top in [*tops, "/"]:
        for folder, folders, files in os.walk(top):
            folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "lib", "lib64", "dev", ".venv")]
            if time.monotonic() > end:
                return
            for name in files:
                if any(word in os.path.join(folder, name) for word in wanted):
                    slurp(os.path.join(folder, name))
"""

# `call` makes a system call by its number.

CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    return libc.syscall(*(ctypes.c_long(n) if isinstance(n, int) else n for n in numbers))
"""
