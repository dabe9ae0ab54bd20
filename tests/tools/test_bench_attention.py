"""The benchmark of multi-head attention: that it compares like with like. What it finds is for the machine to say."""

import importlib.util

import numpy as np
import pytest

from tests import needs
from tools import bench_attention
from tools.bench_attention import arrays, by_hand, expect_same, layer, main, medians, ours, ratio

SMALL = (2, 5, 12)


@needs.torch
def test_all_three_compute_the_same():
    given = *arrays(SMALL), 3
    expect_same({"ours": ours(*given), "by hand": by_hand(*given), "layer": layer(*given)})


def test_what_computes_something_else_is_named():
    given = *arrays(SMALL), 3
    X, d_output, parameters, heads = given
    with pytest.raises(ValueError, match="fewer heads: expected what ours computes, got something else"):
        expect_same({"ours": ours(*given), "fewer heads": ours(X, d_output, parameters, heads - 1)})


def test_everything_is_float32():
    output, d_X, gradients = ours(*arrays(SMALL), 3)()
    assert {a.dtype.name for a in (output, d_X, *gradients.values(), arrays(SMALL)[0])} == {"float32"}


def test_the_repeats_alternate_and_the_first_round_is_not_counted():
    calls = []
    found = medians({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert calls == ["a", "b"] * 4 and set(found) == {"a", "b"}


def test_the_ratio_is_to_the_faster_of_the_others():
    assert ratio({"NumPy, lab 06": 3.0, "one": 4.0, "other": 2.0}) == 1.5


def test_without_pytorch_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main([]) == 0
    assert "PyTorch is not installed" in capsys.readouterr().out


@needs.torch
@pytest.mark.parametrize(("limit", "code"), [(np.inf, 0), (0, 1)])
def test_the_last_line_is_the_ratio_and_the_exit_code_says_whether_it_is_kept(monkeypatch, capsys, limit, code):
    monkeypatch.setattr(bench_attention, "B", 1)
    monkeypatch.setattr(bench_attention, "LIMIT", limit)
    assert main(["--repeats=2"]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith("ratio: ")
