"""How an artifact is written: the same bytes from the same arrays, with a stamp that says what made them.

The stamp is the hash of the code that was reached, and the sizes of the first gradients. The hash changes with any
line that may have a part in the numbers. Whoever moves such lines about can show by the gradients, in seconds, that the
code still does the same, and stamp the artifact anew without hours of training.
"""

from contextlib import suppress
from pathlib import Path
from unittest.mock import patch
from zipfile import ZipFile, ZipInfo

import numpy as np

from coursekit.optimiser import Adam
from coursekit.sources import Sources

ROOT = Path(__file__).parents[2]
DATA = ROOT / "coursekit" / "data"
SOURCES, GRADIENTS = "about.sources_sha256", "about.first_gradients"


def save(path, arrays, made_by):
    """Write what the module `made_by` made as an .npz that `np.load` reads, stamped with how it was made."""
    write(path, arrays | {SOURCES: np.array(sources_hash(made_by)), GRADIENTS: first_gradients(made_by)})


def sources_hash(module):
    """The hash of all the code that decides what a maker makes."""
    return _sources.hash_of(module.__name__, "make")


def first_gradients(module, steps=5):
    """The sums of |entry| of the first gradients by which a maker moves its first model, (steps,).

    (Not their lengths, which are 1 where they are clipped.) Data, first parameters, loss, gradient and the optimiser's
    step have a part in them; what comes after training, and other models of the same maker, have none.
    """
    sizes, step = [], Adam.step

    def counted(self, parameters, gradient, learning_rate):
        step(self, parameters, gradient, learning_rate)
        sizes.append(np.abs(gradient).sum(dtype=float))
        if len(sizes) == steps:
            raise _Enough

    with patch.object(Adam, "step", counted), suppress(_Enough):
        module.make()
    return np.array(sizes)


def write(path, arrays):
    """Write a dictionary of arrays as they are.

    np.savez stamps each member with the time of day; here the time is always that of the first zip file, 1980.
    Nothing is compressed, since what a compressor writes depends on its version.
    """
    with ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else it says on which system it was written
            with archive.open(member, "w") as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


class _Enough(Exception):
    """The first steps have been taken."""


_sources = Sources(ROOT)  # reads each file once
