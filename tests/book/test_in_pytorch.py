"""The page that sets the book beside PyTorch: every snippet runs, and prints what the page says."""

import ast

import pytest

from tests import needs
from tools.dates_in_pytorch import session, snippets


@pytest.fixture(scope="module")
def printed():
    """What each snippet prints. They share one namespace, as they would share a session of the reader."""
    with session() as (_, found):
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


def test_only_the_first_snippet_and_those_that_define_something_print_nothing():
    silent = [ast.parse(code).body[-1] for code, said in snippets()[1:] if not said]
    assert [ast.unparse(last) for last in silent if not isinstance(last, ast.FunctionDef | ast.ClassDef)] == []


def test_no_cell_is_longer_than_a_screen_or_wider_than_a_page():
    code = [code.splitlines() for code, _ in snippets()]
    assert max(map(len, code)) <= 25 and max(len(line) for lines in code for line in lines) <= 80
