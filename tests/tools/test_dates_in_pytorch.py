"""What the page says of a whole model in PyTorch: how it is measured, and at night that it is so."""

import importlib.util
import re

import pytest

from tests import needs
from tools import dates_in_pytorch
from tools.dates_in_pytorch import (
    PAGE,
    STARTS,
    STEPS,
    TOGETHER,
    apart,
    learned,
    lines,
    lines_of_both,
    main,
    seconds_of_a_step,
    session,
)


@pytest.fixture(scope="module")
def page():
    with session() as (names, _):
        yield names


def test_comments_docstrings_and_blank_lines_are_no_lines_of_code():
    code = '"""What it does."""\n\n# why\nx = (1 +\n     2)\n\ndef f():\n    """Nothing."""\n'
    assert lines(code) == len(["x = 1 + 2", "def f():", "pass"])


def test_the_page_says_how_many_lines_of_code_each_has():
    said = re.search(r"^\| lines of code \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number in said.groups()] == pytest.approx(list(lines_of_both().values()), rel=0.05)


def test_without_pytorch_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main([]) == 0
    assert "PyTorch is not installed" in capsys.readouterr().out


@needs.torch
@pytest.mark.nightly
def test_a_run_of_two_steps_prints_a_line_for_all_that_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(dates_in_pytorch, "TESTED", 20)
    assert main(["--steps", "2", "--seeds", "0", "--repeats", "1"]) == 0
    said = capsys.readouterr().out
    assert [said.count(f"PyTorch, {start}:") for start in STARTS] == [1] * len(STARTS)
    assert re.search(r"a step, PyTorch: \d+ ms\nlines of code, NumPy: \d+\nlines of code, PyTorch: \d+\n$", said)


@needs.torch
@pytest.mark.nightly
@pytest.mark.parametrize("start", STARTS)
def test_from_each_start_it_learns_what_the_page_says(page, start):
    """Rounding differs from machine to machine, and with it a few dates in a hundred."""
    row = re.search(rf"^\| PyTorch, {re.escape(start)} \| ([\d.]+),", PAGE.read_text("utf-8"), re.MULTILINE)
    assert abs(learned(page, start, 0, STEPS)[1] - float(row[1])) < 5


@needs.torch
@pytest.mark.nightly
def test_from_our_start_fifty_steps_are_ours(page):
    assert apart(page, TOGETHER) < 1e-6


@needs.torch
@pytest.mark.nightly
def test_neither_is_twice_as_fast_as_the_other(page):
    numpy, pytorch = seconds_of_a_step(page, repeats=5).values()
    assert 0.5 < numpy / pytorch < 2
