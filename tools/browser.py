"""What a reader's browser gets of Python, beside the pages, and how the pages know of it."""

import shutil
from pathlib import Path

WHEELS = Path("_static", "wheels")


def setup(app):
    """Called by Sphinx, since _config.yml lists this module as an extension."""
    app.connect("config-inited", name_wheel)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def name_wheel(app, config):
    """Tell the template of the pages which wheel `ship` will put on the site; before `make release` there is none."""
    wheel = released_wheel(app.srcdir)
    config.html_context["coursekit_wheel"] = (WHEELS / wheel.name).as_posix() if wheel else ""


def ship(root, site):
    """Put on the built site the wheel of coursekit that students get, and the data files that cells of pages open.

    Called by tools.book when Sphinx has passed. Returns the wheel's path. Raises FileNotFoundError where `root`/release
    holds none.
    """
    wheel = released_wheel(root)
    if wheel is None:
        raise FileNotFoundError("release/ holds no wheel of coursekit: run `make release` first")
    (site / WHEELS).mkdir(parents=True, exist_ok=True)
    shutil.copytree(Path(root, "chapters", "data"), site / "chapters" / "data", dirs_exist_ok=True)
    return Path(shutil.copy(wheel, site / WHEELS))


def released_wheel(root):
    """The one wheel of `root`/release; None where there is none."""
    return next(Path(root, "release").glob("coursekit-*.whl"), None)
