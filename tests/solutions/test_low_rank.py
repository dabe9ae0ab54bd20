"""What chapter 14 promises of corrections of low rank; `make gates` holds it, and that of rank 8, for five seeds."""

import re
from pathlib import Path

import jupytext
import matplotlib as mpl
import numpy as np
import pytest

from solutions.artifacts.low_rank import way

CHAPTER = Path(__file__).parents[2] / "chapters" / "14_real_weights.md"
SHOWN = re.compile(r"^```python\n(def whole\(.*?)^```\n.*?^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_one_row_and_one_column_go_most_of_the_way():
    assert 62 < way(seed=5, rank=1) < 100


@pytest.mark.nightly
def test_the_chapter_shows_as_text_what_the_whole_matrix_does(monkeypatch, capsys):
    """A browser would need more than a minute for it. The last digits differ from machine to machine."""
    monkeypatch.chdir(CHAPTER.parent)
    page, namespace = CHAPTER.read_text(encoding="utf-8"), {}
    (shown,) = SHOWN.finditer(page)
    with mpl.rc_context({"backend": "agg"}):
        for cell in jupytext.reads(page[:shown.start()], fmt="md:myst").cells:
            if cell.cell_type == "code":
                exec(cell.source, namespace)
    capsys.readouterr()
    exec(shown[1], namespace)
    printed, said = capsys.readouterr().out.splitlines(), shown[2].splitlines()
    assert [line[:24] for line in printed] == [line[:24] for line in said]
    np.testing.assert_allclose(*map(losses, (printed, said)), rtol=0.02)


def losses(lines):
    """The three losses of each line, (lines, 3)."""
    return np.array([re.findall(r"\d\.\d+", line[24:]) for line in lines], float)
