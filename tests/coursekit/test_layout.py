"""Who may import whom in `coursekit`, and that it loads without matplotlib."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import coursekit

ROOT = Path(coursekit.__file__).parent
MODULES = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
DRAWS = {"coursekit.plot", "coursekit.touch"}
ABOVE = {  # what a room may not import
    "tasks": ("layers", "models", "trainers"),
    "layers": ("tasks", "models", "trainers"),
    "models": ("trainers",),
    "trainers": (),
}


def imports(path):
    """All that a module imports, wherever in it, by full name."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom)
                    for alias in node.names}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_of_the_course_but_coursekit_is_imported(module):
    found = {name.split(".")[0] for name in imports(MODULES[module])}
    assert not found & {"grading", "solutions", "tools", "tests"}
    assert found <= {*sys.stdlib_module_names, "numpy", "matplotlib", "coursekit", "IPython"}


@pytest.mark.parametrize("room", ABOVE)
def test_a_room_imports_none_above_it_and_no_check(room):
    forbidden = tuple(f"coursekit.{other}" for other in (*ABOVE[room], "check"))
    for module in (name for name in MODULES if name.startswith(f"coursekit.{room}")):
        assert not [name for name in imports(MODULES[module]) if name.startswith(forbidden)], module


def test_nothing_but_what_draws_imports_matplotlib():
    assert {module for module, path in MODULES.items() if any("matplotlib" in name for name in imports(path))} == DRAWS


def test_all_that_does_not_draw_loads_without_matplotlib():
    names = [name.removesuffix(".__init__") for name in MODULES if name not in DRAWS]
    blocked = f"import sys; sys.modules['matplotlib'] = None\nfor name in {names}: __import__(name)"
    ended = subprocess.run([sys.executable, "-c", blocked], cwd=ROOT.parent, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
