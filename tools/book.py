"""Build the book so that a red build stays red: `python -m tools.book [--fresh]`, called by make book and make test.

Sphinx and jupyter-cache each remember more than is safe here: with -W a second run after a failed one passes, since the
page that warned is not read again, and a page keeps its old output after a module that it imports has changed. So a
build is trusted only while a record of what it was made of says that nothing has changed since, and every other build
reads all pages anew. Only the outputs of executed cells are kept, page by page, and only after a build that passed and
while all that they come from is the same: the code that the page's cells reach, what they read, the pins and Python.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_cache import get_cache

from coursekit.sources import Sources
from tools import browser, lite, notebooks, trim

MADE_OF = ("_config.yml", "_toc.yml", "index.md", "references.bib", "chapters", "_static", "_templates", "release",
           "tools", "pyproject.toml", "coursekit", "requirements.lock")  # release: the labs as students get them

# What a cell prints is sent when it has ended: sent every 0.2 seconds, as usual, a busy machine tears it in two. And it
# imports this root's modules, wherever the page stands: ipykernel takes the folder that it starts in off the path.
KERNEL = """import sys
get_config().IPKernelApp.exec_lines = ['__import__("sys").stdout.flush_interval = 3600']
sys.path.insert(0, {root!r})
"""


def build(root, fresh=False):
    """Build the book of the folder `root` into _build/html, with warnings as errors.

    fresh  build from nothing, whatever the record says

    Returns True where the book is now built from the tree as it stands; False, with Sphinx's log printed, where not.
    """
    start, now, last = time.monotonic(), fingerprint(root), _record(root)
    if now == last and not fresh:
        print("book: unchanged since it was last built")
        return True
    known = {} if fresh or last is None else last.get("outputs", {})  # older records have none
    kept = {page for page, made_by in now["outputs"].items() if known.get(page) == made_by}
    _clear(root, kept)
    print(f"book: building all pages, with the outputs that {len(kept)} of {len(now['outputs'])} kept", flush=True)
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
    """What the book of `root` is made of: the hash of all `files`, and {page: hash of what makes its `outputs`}."""
    sources, pages = Sources(root), [Path(root, "index.md"), *sorted(Path(root, "chapters").glob("*.md"))]
    outputs = {page.relative_to(root).as_posix(): _made_by(root, page, sources) for page in pages}
    return {"files": _hash(root, MADE_OF), "outputs": outputs}


def _made_by(root, page, sources):
    """The hash of what the cells of a page reach and of all data beside it, and the pins and the Python that run it."""
    notebook = notebooks.chapter_notebook(page.read_text(encoding="utf-8"))
    code = sources.hash_of_cells(*(cell.source for cell in notebook.cells if cell.cell_type == "code"))
    python, data = f"{sys.version_info.major}.{sys.version_info.minor}", page.relative_to(root).parent / "data"
    return f"python-{python}-{_hash(root, [data, 'requirements.lock'])}-{code}"


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


def _clear(root, kept):
    """Remove what earlier builds left but for the outputs of the pages in `kept`.

    The record goes first, so that a build that is interrupted counts as failed.
    """
    _record_path(root).unlink(missing_ok=True)
    for path in Path(root, "_build").glob("*"):
        if path.name == ".jupyter_cache" and kept:
            _forget_all_but(path, {str(Path(root, page).resolve()) for page in kept})
        else:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _forget_all_but(folder, kept):
    """Remove from jupyter-cache's `folder`, which knows outputs by the cells alone, those of pages not in `kept`."""
    cache = get_cache(folder)
    for record in cache.list_cache_records():
        if record.uri not in kept:
            cache.remove_cache(record.pk)


def _sphinx(root):
    """Run Jupyter Book over every page of `root`; where it fails, print its log. Returns whether it passed."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")  # the one of this environment
    command = [jupyter_book, "build", ".", "--all", "-W", "-n", "--keep-going"]
    log = Path(root, "_build", "book.log")
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as file, tempfile.TemporaryDirectory() as ipython:
        profile = Path(ipython, "profile_default")
        profile.mkdir()
        (profile / "ipython_kernel_config.py").write_text(KERNEL.format(root=str(Path(root).resolve())))
        environment = {**os.environ, "IPYTHONDIR": ipython}
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
