"""Build the book so that a red build stays red: `python -m tools.book [--fresh]`, called by make book and make test.

Sphinx and jupyter-cache each remember more than is safe here: with -W a second run after a failed one passes, since the
page that warned is not read again, and a page keeps its old output after a module that it imports has changed. So a
build is trusted only while a record of what it was made of says that nothing has changed since, and every other build
reads all pages anew. Only the outputs of executed cells are kept, and only while the code that they ran is the same.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools import browser, lite, notebooks, trim

PAGES = ("_config.yml", "_toc.yml", "index.md", "references.bib", "chapters", "_static", "_templates", "release",
         "tools", "pyproject.toml")  # the labs as students get them, and what puts more than Sphinx's pages on the site
CODE = ("coursekit", "requirements.lock")  # what the cells run: a change here executes every chapter again


def build(root, fresh=False):
    """Build the book of the folder `root` into _build/html, with warnings as errors.

    fresh  build from nothing, whatever the record says

    Returns True where the book is now built from the tree as it stands; False, with Sphinx's log printed, where not.
    """
    start, now, last = time.monotonic(), fingerprint(root), _record(root)
    if now == last and not fresh:
        print("book: unchanged since it was last built")
        return True
    keep_outputs = not fresh and last is not None and last["code"] == now["code"]
    _clear(root, keep_outputs)
    how = "all pages, with the kept outputs of unchanged cells" if keep_outputs else "from nothing"
    print(f"book: building {how}", flush=True)
    if not _sphinx(root):
        return False
    complete(root, Path(root, "_build", "html"))
    _record_path(root).write_text(json.dumps(now))
    print(f"book: built in {time.monotonic() - start:.0f} s: {Path('_build/html/index.html')}")
    return True


def complete(root, site):
    """Put beside Sphinx's pages what a reader opens from them, and take away what nobody reads."""
    trim.trim(site)
    notebooks.publish(root, site)
    if Path(root, "release").is_dir():
        lite.build(root, site, browser.ship(root, site))


def is_current(root):
    """Was _build/html built, without a warning, from the tree as it stands? Asked by the tests before they read it."""
    return fingerprint(root) == _record(root)


def fingerprint(root):
    """What the book of `root` is made of, as two hashes: `pages`, and the `code` that their cells run."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"pages": _hash(root, PAGES), "code": f"python-{python}-{_hash(root, CODE)}"}


def _hash(root, names):
    digest = hashlib.sha256()
    for path in sorted(path for name in names for path in _files(Path(root, name))):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _files(path):
    """The file, or all files below the folder, that `path` names; none where there is nothing."""
    found = path.rglob("*") if path.is_dir() else [path]
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]


def _record_path(root):
    return Path(root, "_build", "built-from.json")


def _record(root):
    """The fingerprint of the last build if it passed, else None."""
    path = _record_path(root)
    return json.loads(path.read_text()) if path.exists() else None


def _clear(root, keep_outputs):
    """Remove what earlier builds left, the record first, so that a build that is interrupted counts as failed."""
    _record_path(root).unlink(missing_ok=True)
    for path in Path(root, "_build").glob("*"):
        if path.name == ".jupyter_cache" and keep_outputs:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _sphinx(root):
    """Run Jupyter Book over every page of `root`; where it fails, print its log. Returns whether it passed."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")  # the one of this environment
    command = [jupyter_book, "build", ".", "--all", "-W", "-n", "--keep-going"]
    environment = {**os.environ, "PYTHONPATH": str(Path(root).resolve())}  # cells import this root's modules
    log = Path(root, "_build", "book.log")
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as file:
        result = subprocess.run(command, cwd=root, env=environment, stdout=file, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        _show_failure(root, log.read_text(errors="replace"))
    return result.returncode == 0


def _show_failure(root, log):
    """Print Sphinx's log, the tracebacks of cells, and, where the eye falls, the warnings once more."""
    tracebacks = [path.read_text(errors="replace") for path in sorted(Path(root, "_build").rglob("*.err.log"))]
    warnings = [line for line in log.splitlines() if "WARNING:" in line or "ERROR:" in line]
    print(log, *tracebacks, "book: the build failed, and any warning fails it:", *warnings, sep="\n")


def main():
    parser = argparse.ArgumentParser(description="Build the book into _build/html; any warning fails the build.")
    parser.add_argument("--fresh", action="store_true", help="build from nothing, even if nothing has changed")
    sys.exit(not build(Path.cwd(), parser.parse_args().fresh))


if __name__ == "__main__":
    main()
