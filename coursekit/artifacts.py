"""Trained parameters that travel with the package. Seeded code in the course's repository made each of them."""

from importlib.resources import files

import numpy as np


def load(name):
    """Return the arrays of the artifact `name`, by name and read-only.

    Those called "about.…" say how it was made: seed, steps, quality reached, hash of the code that made it.
    Raises ValueError for an unknown name, listing the known ones.
    """
    known = known_artifacts()
    if name not in known:
        raise ValueError(f"artifact: expected one of {sorted(known)}, got {name!r}")
    with known[name].open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = dict(archive)
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def known_artifacts():
    """The files of the package's artifacts, by the names that `load` takes."""
    folder = files("coursekit") / "data"
    return {file.name.removesuffix(".npz"): file for file in folder.iterdir() if file.name.endswith(".npz")}
