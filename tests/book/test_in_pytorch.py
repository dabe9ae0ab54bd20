"""The page that sets the book beside PyTorch: every snippet runs, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests import needs

PAGE = Path(__file__).parents[2] / "chapters" / "in_pytorch.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets():
    """[(code, what the page says it prints)], in the order of the page; the output is None where none is shown."""
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    outputs = [text if kind == "text" else None for kind, text in [*blocks[1:], ("python", "")]]
    return [(code, output) for (kind, code), output in zip(blocks, outputs, strict=True) if kind == "python"]


@pytest.fixture(scope="module")
def printed():
    """What each snippet prints. They share one namespace, as they would share a session of the reader."""
    import torch

    dtype, namespace, found = torch.get_default_dtype(), {"__name__": "page"}, []
    try:
        for code, _ in snippets():
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(code, PAGE.name, "exec"), namespace)
            found.append(out.getvalue())
    finally:
        torch.set_default_dtype(dtype)
    return found


@needs.torch
@pytest.mark.parametrize("i", range(len(snippets())))
def test_a_snippet_prints_what_the_page_says(printed, i):
    code, said = snippets()[i]
    assert printed[i] == (said or ""), code


def test_the_page_has_a_snippet_for_each_building_block():
    named = ["nn.Linear", "tanh", "scaled_dot_product_attention", "is_causal", "MultiheadAttention", "LayerNorm",
             "GELU", "nn.Embedding", "TransformerEncoderLayer", "TransformerDecoderLayer", "cross_entropy",
             "optim.Adam"]
    code = "\n".join(code for code, _ in snippets())
    assert [name for name in named if name not in code] == []


def test_only_the_first_snippet_prints_nothing():
    assert [i for i, (_, said) in enumerate(snippets()) if not said] == [0]
