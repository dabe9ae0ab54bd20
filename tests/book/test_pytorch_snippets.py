"""PyTorch code that a chapter shows as text, with its output: what is printed there is what PyTorch prints."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests import needs

CHAPTERS = Path(__file__).parents[2] / "chapters"
SHOWN = re.compile(r"^```python\n(import torch\n.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets():
    """(code, output) of every cell of PyTorch that stands as text in a chapter, named by chapter and number."""
    for path in sorted(CHAPTERS.glob("[0-9]*.md")):
        for number, found in enumerate(SHOWN.findall(path.read_text(encoding="utf-8")), start=1):
            yield pytest.param(*found, id=f"{path.stem}-{number}")


@needs.torch
@pytest.mark.parametrize(("code", "output"), list(snippets()))
def test_what_the_chapter_prints_is_what_pytorch_prints(code, output):
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(code, "snippet", "exec"), {})
    assert printed.getvalue() == output


def test_every_piece_of_pytorch_has_its_output():
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(CHAPTERS.glob("[0-9]*.md")))
    assert len(SHOWN.findall(text)) == text.count("```python\nimport torch\n") >= 3
