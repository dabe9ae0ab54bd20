"""Trained parameters. Seeded code in the course's repository made each of them.

Small ones travel with the package. A large one would be fetched by every reader of every page: it is a file of the lab
that needs it, and stands beside that lab's notebook.
"""

from importlib.resources import files
from pathlib import Path

import numpy as np


def load(name):
    """Return the arrays of the artifact `name`, by name and read-only.

    It is the package's, or else the file NAME.npz beside the notebook. Arrays called "about.…" say how it was
    made: seed, steps, quality reached, hash of the code that made it.
    Raises ValueError for a name that neither has, with the known ones, and where others come from.
    """
    known, beside = known_artifacts(), Path(f"{name}.npz")
    if name not in known and not beside.is_file():
        raise ValueError(f"artifact: expected one of {sorted(known)}, or a file {beside} beside the notebook, where "
                         f"attention-labs.zip has it, got {name!r}")
    with known.get(name, beside).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = dict(archive)
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def known_artifacts():
    """The files of the package's artifacts, by the names that `load` takes."""
    folder = files("coursekit") / "data"
    return {file.name.removesuffix(".npz"): file for file in folder.iterdir() if file.name.endswith(".npz")}
