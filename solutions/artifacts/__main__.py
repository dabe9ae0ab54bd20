"""Make artifacts anew: python -m solutions.artifacts [NAME ...] [--check | --stamp]

With OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1. Without names all of them, each by the module here of its name.

--check   train, compare with what is kept, and write nothing
--stamp   do not train: where the first gradients are those of the making, say that the code in the tree made the rest
          too. For code that was moved or rewritten without any change in a number; whoever stamps answers for that.
"""

import argparse
import sys

import numpy as np

import coursekit
from solutions.artifacts import makers
from solutions.artifacts.store import DATA, GRADIENTS, SOURCES, first_gradients, save, sources_hash, write


def make(name, module):
    """Train, and write what comes of it."""
    path, arrays = DATA / f"{name}.npz", module.make()
    save(path, arrays, module)
    facts = ", ".join(f"{key.removeprefix('about.')} {arrays[key]}" for key in arrays if key.startswith("about."))
    print(f"{path.name}: {path.stat().st_size} bytes, {facts}")
    return True


def check(name, module):
    """Train. Are all arrays those that are kept, to the last bit?"""
    kept, made = coursekit.load(name), module.make()
    names = kept.keys() - {SOURCES, GRADIENTS} | made.keys()
    other = [each for each in sorted(names) if _bits(kept.get(each)) != _bits(made.get(each))]
    print(f"{name}.npz: {'expected the arrays that are kept, got other ' if other else 'the same'}{', '.join(other)}")
    return not other


def stamp(name, module):
    """Take the hash anew if the first gradients are those of the making."""
    kept, found = coursekit.load(name), first_gradients(module)
    same = np.allclose(found, kept[GRADIENTS], rtol=1e-4, atol=0)  # another BLAS rounds otherwise
    how = "" if np.array_equal(found, kept[GRADIENTS]) else ", but for rounding"
    if same:
        write(DATA / f"{name}.npz", kept | {SOURCES: np.array(sources_hash(module))})
    print(f"{name}.npz: " + (f"stamped: its first gradients are those of its making{how}" if same else
                             f"expected the first gradients {kept[GRADIENTS]}, got {found}: train it again"))
    return same


def _bits(array):
    return None if array is None else (array.dtype, array.shape, array.tobytes())


def main():
    parser = argparse.ArgumentParser(prog="python -m solutions.artifacts", description="Make artifacts anew.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of those in coursekit/data; all without any")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_const", const=check, dest="do", help="train and compare; write nothing")
    how.add_argument("--stamp", action="store_const", const=stamp, dest="do", help="take the hash, do not train")
    given = parser.parse_args()
    if unknown := set(given.names) - makers().keys():
        parser.error(f"NAME: expected one of {', '.join(makers())}, got {', '.join(sorted(unknown))}")
    done = [(given.do or make)(name, makers()[name]) for name in given.names or makers()]
    sys.exit(not all(done))


if __name__ == "__main__":
    main()
