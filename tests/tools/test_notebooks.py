"""Chapters become notebooks that nbval can run, the same bytes every time."""

import nbformat
import pytest

from tools.notebooks import write_chapters

CHAPTER = """---
file_format: mystnb
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# A chapter

```{code-cell} python
:tags: [raises-exception]
1 / 0
```
"""


@pytest.fixture
def written(tmp_path):
    """The notebooks of a folder with one chapter that holds code, and an index that holds none."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01_one.md").write_text(CHAPTER)
    (tmp_path / "index.md").write_text("# Words only\n")
    return write_chapters(tmp_path)


def test_chapters_with_code_become_notebooks_and_others_do_not(written):
    assert [path.name for path in written] == ["01_one.ipynb"]


def test_a_chapter_gives_the_same_bytes_every_time(written, tmp_path):
    first = written[0].read_bytes()
    assert write_chapters(tmp_path)[0].read_bytes() == first


def test_a_chapter_becomes_a_valid_notebook_that_keeps_its_tags(written):
    notebook = nbformat.read(written[0], as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-000", "cell-001"]
    assert notebook.cells[1].metadata == {"tags": ["raises-exception"]}


def test_a_notebook_holds_no_trace_of_jupytext(written):
    assert "jupytext" not in written[0].read_text()


def test_the_notebook_of_a_chapter_that_is_gone_goes_too(written, tmp_path):
    (tmp_path / "chapters" / "01_one.md").unlink()
    assert write_chapters(tmp_path) == []
    assert not written[0].exists()


def test_the_data_of_the_chapters_stand_beside_the_notebooks(tmp_path):
    (tmp_path / "index.md").write_text("# Words only\n")
    (tmp_path / "chapters" / "data").mkdir(parents=True)
    (tmp_path / "chapters" / "data" / "measured.json").write_text("{}")
    write_chapters(tmp_path)
    assert (tmp_path / "build" / "chapters" / "data" / "measured.json").read_text() == "{}"
