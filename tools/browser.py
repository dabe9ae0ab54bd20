"""What a reader's browser gets of Python, beside the pages: called by tools.book when Sphinx has passed."""

import shutil
from pathlib import Path

WHEELS = Path("_static", "wheels")


def ship(root, site):
    """Put on the built site the wheel of coursekit that students get, and the data files that cells of pages open.

    Returns the wheel's path. Raises FileNotFoundError where `root`/release holds none.
    """
    wheel = next(Path(root, "release").glob("coursekit-*.whl"), None)
    if wheel is None:
        raise FileNotFoundError("release/ holds no wheel of coursekit: run `make release` first")
    (site / WHEELS).mkdir(parents=True, exist_ok=True)
    shutil.copytree(Path(root, "chapters", "data"), site / "chapters" / "data", dirs_exist_ok=True)
    return Path(shutil.copy(wheel, site / WHEELS))
