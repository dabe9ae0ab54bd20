"""How an artifact is written: the same bytes from the same arrays, with the hash of the code that made them."""

import hashlib
import inspect
from zipfile import ZipFile, ZipInfo

import numpy as np


def save(path, arrays):
    """Write a dictionary of arrays as an .npz that `np.load` reads.

    np.savez stamps each member with the time of day; here the time is always that of the first zip file, 1980.
    Nothing is compressed, since what a compressor writes depends on its version.
    """
    with ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else it says on which system it was written
            with archive.open(member, "w") as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def hash_of(modules):
    """The SHA-256 of the source text of `modules`, in their order."""
    return hashlib.sha256("".join(inspect.getsource(module) for module in modules).encode()).hexdigest()
