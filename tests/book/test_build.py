"""A red build stays red, and a green one is of the tree as it stands."""

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


@pytest.fixture
def tiny(root, tmp_path):
    """A book of one page, which imports a coursekit of its own."""
    (tmp_path / "pyproject.toml").write_bytes((root / "pyproject.toml").read_bytes())
    (tmp_path / "chapters" / "data").mkdir(parents=True)
    (tmp_path / "coursekit").mkdir()
    (tmp_path / "coursekit" / "__init__.py").write_text("SAYS = 'one'\n")
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "index.md").write_text(FRONT_MATTER + CELL)
    return tmp_path


def page(root):
    return (root / "_build" / "html" / "index.html").read_text()


def test_the_built_book_is_of_the_tree_as_it_stands(root):
    assert book.is_current(root), "the book in _build/html is missing, failed or old: run `make book`"


def test_a_changed_module_executes_the_page_again(tiny):
    assert book.build(tiny)
    (tiny / "coursekit" / "__init__.py").write_text("SAYS = 'two'\n")
    assert not book.is_current(tiny)
    assert book.build(tiny)
    assert "the module says two" in page(tiny)


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
