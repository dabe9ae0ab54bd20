"""A red build stays red, and a green one is of the tree as it stands."""

import re
import shutil

import pytest

from tools import book

CONFIG = """
title: A tiny book
execute:
  execute_notebooks: cache
"""

FRONT_MATTER = """---
file_format: mystnb
kernelspec: {display_name: Python 3, name: python3}
---
# A page

"""

CELL = """```{code-cell} python
from coursekit import SAYS
print("the module says", SAYS)
```
"""

RUN = """```{code-cell} python
from time import sleep
from uuid import uuid4
from coursekit import ELSE
print("run", uuid4(), end=" ")
sleep(0.5)
print("and more")
```
"""
BROKEN = {"link": "[a link](nowhere.md)", "reference": "{ref}`nowhere`", "cell": "```{code-cell} python\nnowhere\n```",
          "hidden": "```{code-cell} python\n:tags: [hide-input, hide-output]\nassert False\n```"}


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """A book of two pages, which import a coursekit of its own, each another name of it, built once."""
    folder = tmp_path_factory.mktemp("book")
    shutil.copy(root / "pyproject.toml", folder)
    (folder / "chapters" / "data").mkdir(parents=True)
    (folder / "coursekit").mkdir()
    (folder / "coursekit" / "__init__.py").write_text("SAYS = 'one'\nELSE = 1\n")
    (folder / "_config.yml").write_text(CONFIG)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: chapters/other}]\n")
    (folder / "index.md").write_text(FRONT_MATTER + CELL)
    (folder / "chapters" / "other.md").write_text(FRONT_MATTER + RUN)
    assert book.build(folder)
    return folder


@pytest.fixture
def tiny(built, tmp_path):
    """A copy of it, for one test to change."""
    return shutil.copytree(built, tmp_path, dirs_exist_ok=True)


def page(root):
    return (root / "_build" / "html" / "index.html").read_text()


def run_of(root):
    """What the other page printed when it was executed."""
    return re.search("run [0-9a-f-]{36}", (root / "_build" / "html" / "chapters" / "other.html").read_text())[0]


def test_what_a_cell_prints_is_one_output_however_long_it_takes(built):
    assert f"{run_of(built)} and more" in (built / "_build" / "html" / "chapters" / "other.html").read_text()


def test_the_built_book_is_of_the_tree_as_it_stands(root):
    assert book.is_current(root), "the book in _build/html is missing, failed or old: run `make book`"


def test_changed_code_executes_the_pages_again_that_reach_it_and_no_others(tiny):
    assert book.build(tiny, fresh=True)  # outputs are kept for the place at which they were made
    before = run_of(tiny)
    (tiny / "coursekit" / "__init__.py").write_text("SAYS = 'two'\nELSE = 1\n")
    assert not book.is_current(tiny)
    assert book.build(tiny)
    assert "the module says two" in page(tiny) and run_of(tiny) == before


@pytest.mark.parametrize(("name", "pages"), [
    ("requirements.lock", {"index.md", "chapters/other.md"}),
    ("chapters/data/measured.json", {"chapters/other.md"}),
    ("coursekit/unused.py", set()),
])
def test_pins_and_data_beside_a_page_execute_it_again(tiny, name, pages):
    before = book.fingerprint(tiny)["outputs"]
    (tiny / name).write_text("changed = 1")
    after = book.fingerprint(tiny)["outputs"]
    assert {each for each in after if after[each] != before[each]} == pages


def test_a_changed_page_is_built_again(tiny):
    with (tiny / "index.md").open("a") as file:
        file.write("\nA second thought.\n")
    assert book.build(tiny)
    assert "A second thought." in page(tiny) and "the module says one" in page(tiny)


def test_an_unchanged_book_is_not_built_again(tiny, capsys):
    before = (tiny / "_build" / "html" / "index.html").stat().st_mtime_ns
    assert book.build(tiny)
    assert "unchanged" in capsys.readouterr().out
    assert (tiny / "_build" / "html" / "index.html").stat().st_mtime_ns == before


def test_every_broken_page_fails_the_build_however_often_it_is_run(tiny, capsys):
    (tiny / "_toc.yml").write_text(f"format: jb-book\nroot: index\nchapters: {[{'file': name} for name in BROKEN]}\n")
    for name, text in BROKEN.items():
        (tiny / f"{name}.md").write_text(FRONT_MATTER + text)
    for _ in range(2):
        assert not book.build(tiny)
        fatal = capsys.readouterr().out.partition("any warning fails it:")[2]  # the log's end
        assert [name for name in BROKEN if f"{name}.md" not in fatal] == []
        assert not book.is_current(tiny)
