"""The functions that one lab keeps and a later one takes: all labs in order, in one folder, as a student does them.

Of each solved notebook the imports and the functions are run, and what keeps and takes; nothing that trains or draws.
"""

import ast
import runpy
from pathlib import Path

import nbformat
import pytest

from grading.lab import Lab
from grading.solved import solved
from tests.labs.judging import LABS, ROOT


def called(node, name):
    """The arguments, as names, of all calls of a function in this code."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call) and getattr(each.func, "id", None) == name]
    return [argument.id for call in calls for argument in call.args if isinstance(argument, ast.Name)]


def program(notebook):
    """The statements of a notebook that import and define, keep and take."""
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "code")
    statements = [node for source in sources for node in ast.parse(source).body]
    return [node for node in statements if called(node, "keep") or called(node, "kept") or
            isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)]


@pytest.fixture(scope="module")
def programs():
    return {name: program(solved(Lab.read(ROOT / "labs", name))) for name in LABS}


def names(programs, function):
    """{lab: the functions that it keeps, or takes}."""
    return {lab: [name for node in nodes for name in called(node, function)] for lab, nodes in programs.items()}


def test_each_lab_gets_what_it_takes_from_those_before_it(programs, tmp_path, monkeypatch, capsys):
    takes = names(programs, "kept")
    for lab, nodes in programs.items():
        (tmp_path / lab).mkdir()
        monkeypatch.chdir(tmp_path / lab)
        Path("lab.py").write_text("\n\n".join(map(ast.unparse, nodes)), encoding="utf-8")
        runpy.run_path("lab.py")
        said = capsys.readouterr().out
        assert [f"{name}: the one given here" for name in takes[lab] if f"{name}: yours" not in said] == [], lab
    kept = {name for each in names(programs, "keep").values() for name in each}
    assert runpy.run_path(str(tmp_path / "my_attention.py")).keys() >= kept


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_that_keeps_or_takes_functions_says_so_in_its_text(programs, lab):
    notebook = nbformat.read(ROOT / "labs" / lab / f"{lab}.ipynb", as_version=4)
    text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert ("my_attention.py" in text) == bool(names(programs, "keep")[lab])
    assert "kept" in text or not names(programs, "kept")[lab]
