"""Turn chapters into notebooks, the same bytes every time: `python -m tools.notebooks`, called by `make notebooks`.

nbval runs notebooks only, and chapters are text. The notebooks are written to build/chapters/ and never committed; the
measurements in chapters/data that their cells read go with them.
"""

import shutil
from pathlib import Path

import jupytext
import nbformat

METADATA = {  # of every notebook of the course
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def write_chapters(root):
    """Write every chapter of the folder `root` that holds code as build/chapters/NAME.ipynb, and remove all others.

    Returns the paths that were written.
    """
    target = Path(root, "build", "chapters")
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.ipynb"):
        old.unlink()
    chapters = [Path(root, "index.md"), *sorted(Path(root, "chapters").glob("*.md"))]
    notebooks = {target / f"{path.stem}.ipynb": chapter_notebook(path.read_text(encoding="utf-8")) for path in chapters}
    with_code = {path: notebook for path, notebook in notebooks.items() if has_code(notebook)}
    for path, notebook in with_code.items():
        nbformat.write(notebook, path)
    shutil.rmtree(target / "data", ignore_errors=True)
    if Path(root, "chapters", "data").is_dir():
        shutil.copytree(Path(root, "chapters", "data"), target / "data")
    return list(with_code)


def chapter_notebook(text):
    """The notebook of a chapter's MyST `text`, with cells named by their position and no trace of jupytext."""
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first format that has cell ids
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:03d}"
    return notebook


def has_code(notebook):
    return any(cell.cell_type == "code" for cell in notebook.cells)


def main():
    written = write_chapters(Path.cwd())
    print(f"notebooks: {len(written)} chapters written to build/chapters")


if __name__ == "__main__":
    main()
