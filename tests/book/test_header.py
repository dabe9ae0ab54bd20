"""The buttons above a page with cells: its notebook, and Colab where the book has a repository."""

import re
import shutil

import pytest
from bs4 import BeautifulSoup

from tools import book

OURS = "https://github.com/ada/attention/"
WORDS = "---\nfile_format: mystnb\n---\n# Words\n\nNo cells.\n"
CELLS = "---\nfile_format: mystnb\nkernelspec: {display_name: Python 3, name: python3}\n---\n# Cells\n\nA cell.\n\n" \
        "```{code-cell} python\nprint(1 + 1)\n```\n"
TOC = "format: jb-book\nroot: index\nchapters:\n  - file: chapters/01_cells\n"


def buttons(page):
    """Name and address of each link above the page, without the theme's own."""
    kinds = ("btn-download-notebook-button", "btn-colab-button")
    return {kind: [tag["href"] for tag in page.select(f".bd-header-article a.{kind}")] for kind in kinds}


def has_cells(page):
    return bool(page.select("div.cell"))


@pytest.fixture(scope="module", params=["", OURS], ids=["no repository", "a repository"])
def book_of(request, root, tmp_path_factory):
    """The repository that a book names, and its two pages, without cells and with; else it is configured as ours."""
    tiny = tmp_path_factory.mktemp("book")
    for name in ("_templates", "_static"):
        shutil.copytree(root / name, tiny / name)
    config, found = re.subn(r'repository_url: ".*"', f'repository_url: "{request.param}"',
                            (root / "_config.yml").read_text("utf-8"))
    assert found == 1
    files = {"_config.yml": config, "_toc.yml": TOC, "references.bib": "", "index.md": WORDS,
             "chapters/01_cells.md": CELLS}
    (tiny / "chapters").mkdir()
    for name, text in files.items():
        (tiny / name).write_text(text)
    assert book.build(tiny)
    return request.param, *(BeautifulSoup((tiny / "_build" / "html" / name).read_bytes(), "html.parser")
                            for name in ("index.html", "chapters/01_cells.html"))


def test_every_page_with_cells_and_no_other_can_be_had_as_a_notebook(pages):
    offered = {name for name, page in pages.items() if len(buttons(page)["btn-download-notebook-button"]) == 1}
    assert offered == {name for name, page in pages.items() if has_cells(page)}


def test_a_notebook_that_is_offered_is_there_and_is_that_page(site, pages):
    for name, page in pages.items():
        for address in buttons(page)["btn-download-notebook-button"]:
            notebook = ((site / name).parent / address).resolve()
            assert notebook == site.resolve() / "notebooks" / f"{(site / name).stem}.ipynb" and notebook.is_file()


def test_a_page_with_cells_opens_in_colab_where_the_book_has_a_repository(book_of):
    repository, words, cells = book_of
    assert buttons(words)["btn-colab-button"] == []
    assert buttons(cells)["btn-colab-button"] == (
        ["https://colab.research.google.com/github/ada/attention/blob/notebooks/01_cells.ipynb"] if repository else [])
