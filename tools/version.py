"""The version of the package coursekit, which changes whenever the package does.

pip leaves a package alone that has the version which it is asked for: two releases that differ must not share one. And
a wheel that a requirements file names replaces any other version, newer or older. pyproject.toml tells the build to
ask here; so this needs Python alone.
"""

import hashlib
from pathlib import Path

EDITION = "0.1.0"  # of the course, as CITATION.cff has it too
PARTS = ("coursekit", "pyproject.toml", "LICENSE", "LICENSE-TEXT")  # what a wheel is made of


def version(root=Path(__file__).parents[1]):
    """The edition, and a number that stands for the content: "0.1.0.post2871539113".

    The same tree gives the same number. (A local version, 0.1.0+ab29c1, would do as well for pip; but some hosts of
    files take the + in an address for a blank.)
    """
    digest = hashlib.sha256()
    for path in _files(root):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return f"{EDITION}.post{int(digest.hexdigest()[:8], 16)}"


def _files(root):
    """The files of PARTS, without what Python and Jupyter leave beside them."""
    left = {"__pycache__", ".ipynb_checkpoints"}
    paths = [root / part for part in PARTS]
    paths += [path for folder in paths for path in folder.rglob("*") if folder.is_dir()]
    return sorted(path for path in paths if path.is_file() and path.parent.name not in left)
