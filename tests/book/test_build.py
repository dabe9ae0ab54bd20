"""A red build stays red, and a green one is of the tree as it stands."""

import re

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
from uuid import uuid4
from coursekit import ELSE
print("run", uuid4())
```
"""


@pytest.fixture
def tiny(root, tmp_path):
    """A book of two pages, which import a coursekit of its own, each another name of it."""
    (tmp_path / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    (tmp_path / "chapters" / "data").mkdir(parents=True)
    (tmp_path / "coursekit").mkdir()
    (tmp_path / "coursekit" / "__init__.py").write_text("SAYS = 'one'\nELSE = 1\n")
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: chapters/other}]\n")
    (tmp_path / "index.md").write_text(FRONT_MATTER + CELL)
    (tmp_path / "chapters" / "other.md").write_text(FRONT_MATTER + RUN)
    return tmp_path


def page(root):
    return (root / "_build" / "html" / "index.html").read_text()


def run_of(root):
    """What the other page printed when it was executed."""
    return re.search("run [0-9a-f-]{36}", (root / "_build" / "html" / "chapters" / "other.html").read_text())[0]


def test_the_built_book_is_of_the_tree_as_it_stands(root):
    assert book.is_current(root), "the book in _build/html is missing, failed or old: run `make book`"


def test_changed_code_executes_the_pages_again_that_reach_it_and_no_others(tiny):
    assert book.build(tiny)
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
    assert book.build(tiny)
    with (tiny / "index.md").open("a") as file:
        file.write("\nA second thought.\n")
    assert book.build(tiny)
    assert "A second thought." in page(tiny) and "the module says one" in page(tiny)


def test_an_unchanged_book_is_not_built_again(tiny, capsys):
    assert book.build(tiny)
    before = (tiny / "_build" / "html" / "index.html").stat().st_mtime_ns
    assert book.build(tiny)
    assert "unchanged" in capsys.readouterr().out
    assert (tiny / "_build" / "html" / "index.html").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "broken",
    ["[a link](nowhere.md)", "{ref}`nowhere`", "```{code-cell} python\nnowhere\n```"],
    ids=["link", "reference", "cell"],
)
def test_a_broken_page_fails_the_build_however_often_it_is_run(tiny, capsys, broken):
    (tiny / "index.md").write_text(FRONT_MATTER + broken)
    for _ in range(2):
        assert not book.build(tiny)
        assert "nowhere" in capsys.readouterr().out  # the log is shown
        assert not book.is_current(tiny)
