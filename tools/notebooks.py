"""Chapters and released labs as notebooks, the same bytes every time.

`python -m tools.notebooks`, called by `make notebooks`, writes what nbval runs to build/chapters; tools.book puts what
readers download into the site; `python -m tools.notebooks --branch FOLDER`, called when the course is published, fills
the folder of the branch from which Colab opens them. None of it is committed to the branch of the sources.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

import jupytext
import nbformat
import yaml

from tools.browser import released_wheel

METADATA = {  # of every notebook of the course
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
COMPARED = "nbval-check-output"  # nbval's tag for a cell whose outputs must be those that the notebook holds
BRANCH = "notebooks"  # the header's link to Colab names it too: _templates/article-header-buttons.html
REQUIREMENTS = "requirements.txt"  # on that branch: where the course's package is


def write_chapters(root):
    """Write every chapter of the folder `root` that holds code as build/chapters/NAME.ipynb, and remove all others.

    They hold what the built book shows, for nbval to compare. The measurements that their cells read, chapters/data,
    go with them. Returns the paths that were written. Raises ValueError where the book was built from other cells.
    """
    target, notebooks = Path(root, "build", "chapters"), chapters(root)
    shutil.rmtree(target, ignore_errors=True)
    for name, notebook in notebooks.items():
        executed = next(Path(root, "_build", "jupyter_execute").rglob(f"{name}.ipynb"), None)
        if executed:
            take_outputs(name, notebook, nbformat.read(executed, as_version=4))
    return write(notebooks, target, Path(root, "chapters", "data"))


def take_outputs(name, notebook, executed):
    """Give the cells of a chapter's notebook the outputs of the executed one.

    nbval is to compare them, but for two kinds: those of a cell that measures time, and those of one that draws, since
    nbval runs it without the history by which a semicolon at the end keeps a value from being shown.
    """
    cells, done = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, executed))
    if [cell.source.strip() for cell in cells] != [cell.source.strip() for cell in done]:
        raise ValueError(f"{name}: the book was built from other cells: run make book")
    for cell, other in zip(cells, done, strict=True):
        cell.outputs, cell.execution_count = other.outputs, other.execution_count
        draws = any("image/png" in output.get("data", {}) for output in other.outputs)
        if not draws and "perf_counter" not in cell.source:
            cell.metadata.tags = [*cell.metadata.get("tags", []), COMPARED]


def publish(root, site):
    """Put every chapter with code and every released lab into the folder `site`, as notebooks/NAME.ipynb.

    Called by tools.book when Sphinx has made the site. Without release/ there are chapters only.
    """
    write(chapters(root) | labs(root), Path(site, "notebooks"))


def write_branch(root, target, address):
    """Fill the folder `target` with notebooks that run where nothing but Jupyter, NumPy and Matplotlib is installed.

    address  where the files of `target` will be found, a URL: the first cell of each notebook takes the course's
             package and the chapter's measurements from there
    """
    wheel = released_wheel(root)
    notebooks = chapters(root) | labs(root)
    for notebook in notebooks.values():
        notebook.cells.insert(0, first_cell(notebook, Path(root, "chapters", "data"), address))
    write(notebooks, target, Path(root, "chapters", "data"))
    shutil.copy(wheel, target)
    # A copy that a reader has saved asks for this name, whatever version the wheel has by then.
    Path(target, REQUIREMENTS).write_text(f"{address}/{wheel.name}\n", encoding="utf-8")


def chapters(root):
    """Name -> notebook of each page of the book that holds code."""
    paths = [Path(root, "index.md"), *sorted(Path(root, "chapters").glob("*.md"))]
    notebooks = {path.stem: chapter_notebook(path.read_text(encoding="utf-8")) for path in paths}
    return {name: notebook for name, notebook in notebooks.items() if has_code(notebook)}


def labs(root):
    """Name -> notebook of each lab as students get it."""
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(Path(root, "release").glob("lab*/*.ipynb"))}


def write(notebooks, target, data=None):
    """Write the notebooks, by name, to the folder `target`, the folder `data` beside them. Returns the paths."""
    target.mkdir(parents=True, exist_ok=True)
    if data and data.is_dir():
        shutil.copytree(data, target / "data", dirs_exist_ok=True)
    paths = [target / f"{name}.ipynb" for name in notebooks]
    for path, notebook in zip(paths, notebooks.values(), strict=True):
        nbformat.write(notebook, path)
    return paths


def chapter_notebook(text):
    """The notebook of a chapter's MyST `text`, with cells named by their position and no trace of jupytext."""
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first format that has cell ids
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:03d}"
    return notebook


def first_cell(notebook, data, address):
    """The cell that installs the course's package, and fetches those files of the folder `data` that are read."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    read = [path.name for path in sorted(data.glob("*")) if f"data/{path.name}" in code]
    lines = ["# Only where this notebook runs without the course: what its cells import and read",
             f"%pip install --quiet --requirement {address}/{REQUIREMENTS}",
             *(f"!curl --silent --show-error --create-dirs -o data/{name} {address}/data/{name}" for name in read)]
    metadata = {"tags": ["colab-setup"]}
    return nbformat.v4.new_code_cell("\n".join(lines), id="colab-setup", metadata=metadata)


def has_code(notebook):
    return any(cell.cell_type == "code" for cell in notebook.cells)


def raw_address(root):
    """Where GitHub serves the branch of the repository that _config.yml names, or else that a workflow runs in.

    Raises SystemExit where neither is one on GitHub.
    """
    config = yaml.safe_load(Path(root, "_config.yml").read_text(encoding="utf-8"))
    url = config["sphinx"]["config"]["html_theme_options"]["repository_url"].rstrip("/")
    url = url or f"https://github.com/{os.environ.get('GITHUB_REPOSITORY', '')}".rstrip("/")
    if not re.fullmatch(r"https://github\.com/[^/]+/[^/]+", url):
        sys.exit("notebooks: _config.yml, repository_url: expected https://github.com/OWNER/REPO")
    return f"{url.replace('https://github.com', 'https://raw.githubusercontent.com')}/{BRANCH}"


def main():
    parser = argparse.ArgumentParser(description="Write the chapters as notebooks to build/chapters.")
    parser.add_argument("--branch", type=Path, metavar="FOLDER", help="write chapters and labs for Colab there instead")
    target = parser.parse_args().branch
    if target:
        write_branch(Path.cwd(), target, raw_address(Path.cwd()))
    else:
        print(f"notebooks: {len(write_chapters(Path.cwd()))} chapters written to build/chapters")


if __name__ == "__main__":
    main()
