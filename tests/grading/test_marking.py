"""Marks are what the answers earn: hostile notebooks get no more, honest but awkward ones no less."""

import io

import numpy as np
import pytest

from coursekit.moved import NOW
from coursekit.verdicts import Verdict
from grading import checking
from grading.marking import grade
from grading.room.limits import Limits
from grading.room.room import Rooms
from tests.grading import tiny
from tests.grading.tiny import CENTER, SPREAD, points, shown
from tests.grading.tiny_solutions.lab_tiny import checks

WRONG = "def center(x, axis=0):\n    return x"
TRANSFORMER = "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"
NO_ASSERT = """import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())"""


def test_a_right_submission_earns_all_points_and_waits_for_the_written_one(graded):
    assert points(graded()) == (2, 4, None)


def test_a_blank_submission_earns_nothing_and_waits_for_nobody(graded):
    assert points(graded(center=None, spread=None, why=None)) == (0, 0, 0)


def test_a_mistake_in_one_exercise_costs_nothing_in_the_other(graded):
    assert points(graded(center=WRONG)) == (0, 4, None)


@pytest.mark.parametrize("first", [
    pytest.param(NO_ASSERT, id="asserts dropped from the syntax tree"),
    pytest.param("2.0", id="a displayed number"),
    pytest.param("print('center: 2 of 2 points')", id="printed verdicts"),
    pytest.param("import builtins; builtins.AssertionError = Warning", id="another AssertionError"),
    pytest.param("import numpy as np; np.allclose = lambda *a, **k: True; np.array_equal = np.allclose", id="numpy"),
    pytest.param("import coursekit.verdicts as v; v.compare = lambda law, *_: v.Verdict(law, True)", id="verdicts"),
    pytest.param("import sys; sys.displayhook = print; sys.excepthook = print", id="hooks"),
    pytest.param("get_ipython().run_cell = lambda *a, **k: None", id="run_cell replaced"),
])
def test_tricks_on_the_room_earn_nothing(graded, first):
    assert points(graded(center=WRONG, first=first))[0] == 0


def test_an_input_transformer_that_empties_the_cells_leaves_nothing_defined(graded):
    assert points(graded(center=WRONG, first=TRANSFORMER))[:2] == (0, 0)


@pytest.mark.parametrize("body", [
    "return Liar()",
    "return np.zeros(1).view(Array)",
    "return set()",
    "return 'everything passed'",
    "return [[1], [2, 3]]",
    "return None",
    "return np.full_like(x, np.nan)",
    "return np.zeros(10**9, dtype='int8')",
    "return {'value': x}",
    "return (x, x)",
    "return x.astype(object)",
    "return np.array(['a'])",
    "return np.datetime64('2020')",
    "return 10**5000",
    "return center(x, axis)",  # with the default left out, CPython 3.13.0 never notices that it recurses
    "if len(x) > 3: import os; os._exit(0)",
    "raise SystemExit",
    "while True: pass",
])
def test_what_is_no_right_answer_earns_nothing_and_costs_the_next_exercise_nothing(graded, body):
    liars = "class Liar:\n    __eq__ = lambda *a: True\nclass Array(np.ndarray):\n    __eq__ = lambda *a: True\n"
    assert points(graded(center=f"{liars}def center(x, axis=0):\n    {body}"))[:2] == (0, 4)


def test_a_right_answer_that_changes_its_argument_earns_nothing(graded):
    assert points(graded(center="def center(x, axis=0):\n    x -= x.mean(axis, keepdims=True)\n    return x"))[0] == 0


@pytest.mark.parametrize("last, where", [
    ("import os; os._exit(0)", "after"),
    ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", "after"),
])
def test_a_room_destroyed_at_the_end_costs_nothing_that_was_earned(graded, last, where):
    assert points(graded(last=last))[:2] == (2, 4)


@pytest.mark.parametrize("trap", [
    "import os; os._exit(0)",
    "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    "kept = [bytearray(2**26) for _ in range(9)]\nimport time\ntime.sleep(1)",  # 576 MB: not yet a MemoryError
])
def test_a_cell_that_has_to_be_stopped_costs_its_own_exercise_and_is_named(graded, trap):
    result = graded(center=trap)
    assert points(result) == (0, 4, None) and "cell 2 runs to its end" in shown(result)


def test_a_cell_too_large_to_be_sent_costs_its_own_exercise(regraded, lab):
    notebook = tiny.to_bytes(tiny.filled(lab, center="LARGE")).replace(b"LARGE", b"\xff" * (15 * 2**20))
    assert points(regraded(notebook))[1] == 4


def test_a_notebook_of_very_many_cells_is_read_as_far_as_the_limit(regraded, lab):
    notebook = tiny.filled(lab)
    notebook["cells"] += [{"cell_type": "code", "source": "", "metadata": {}}] * 9999
    assert "only the first 2000" in " ".join(regraded(notebook).problems)


def test_a_notebook_that_is_out_of_time_keeps_what_it_has_earned(lab, rooms):
    slow = tiny.filled(lab, spread=f"import time; time.sleep(2.5)\n{SPREAD}")
    with Rooms(Limits(notebook=2)) as hurried:
        result = grade(tiny.to_bytes(slow), lab, rooms=hurried)
    assert points(result) == (2, 0, None) and "ran for more than 2 seconds" in shown(result)


@pytest.mark.parametrize("source", ["exit()", "raise SystemExit", "while True: pass", "1 / 0", "x = (", "quit"])
def test_a_cell_that_goes_wrong_costs_the_exercises_nothing(graded, source):
    assert points(graded(first=source)) == (2, 4, None)


@pytest.mark.parametrize("first", [
    "import warnings, sys; warnings.warn('careful'); print('note', file=sys.stderr)",
    "7",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])",
    "%timeit -n 1 -r 1 1 + 1",
    "print('x' * 10**6)",
    "Größe = 'ä' * 3; Größe",
    "cache = {}",
    "!true",
    "def helper(x):\n    return x\n" + "\n".join(f"y{i} = {i}" for i in range(3000)),
    "import my_attention\nmy_attention.softmax",
])
def test_honest_but_awkward_cells_cost_nothing(lab, regraded, first):
    result = regraded(tiny.filled(lab, first=first), files={"my_attention.py": b"softmax = 3"})
    assert points(result) == (2, 4, None)


@pytest.mark.parametrize("answer", [
    "def center(x, axis=0):\n    print(x)\n    np.log(0)\n    return x - x.mean(axis, keepdims=True)",
    "def center(x, axis=0):\n    return (x - x.mean(axis, keepdims=True)).astype('float32')",
    "def center(x, axis=0):\n    return (x - x.mean(axis, keepdims=True)).tolist()",
    "center = lambda x, axis=0: np.asfortranarray(x - np.expand_dims(x.mean(axis), axis))",
    "seen = []\ndef center(x, axis=0):\n    seen.append(1)\n    return x - x.mean(axis, keepdims=True)",
    "class C:\n    def __call__(self, x, axis=0):\n        return x - x.mean(axis, keepdims=True)\ncenter = C()",
    CENTER + "\ncenter(np.ones((2, 2)))\n3.5",
])
def test_right_answers_written_otherwise_keep_all(graded, answer):
    assert points(graded(center=answer)) == (2, 4, None)


def test_a_visible_part_that_raises_does_not_stop_the_hidden_one(graded):
    result = graded(spread=SPREAD.replace(":\n", ":\n    assert len(x) != 3\n"))  # the visible input has 3 rows
    assert points(result) == (2, 4, None) and "AssertionError" in shown(result)


def test_the_same_submission_earns_the_same_again(graded):
    one, two = graded(center=WRONG), graded(center=WRONG)
    assert one.marks == two.marks and one.problems == two.problems


def test_the_feedback_names_law_hint_and_mistake(graded):
    text = shown(graded(center="def center(x, axis=0):\n    return x - x.mean()"))
    for part in ("along axis 1 sums to 0", "is it the mean of each slice?", "You took the mean of the whole array"):
        assert part in text


def test_the_graded_notebook_holds_no_solution_input_or_expected_value(graded):
    leak = "if len(x) == 4:\n        print('LE' + 'AK')\n        raise ValueError('LE' + 'AK')"
    result = graded(center=f"def center(x, axis=0):\n    {leak}")
    assert "SECRET-CENTER" not in str(result.notebook) and "LEAK" not in str(result.notebook)


def test_hidden_inputs_cannot_be_kept_for_a_later_cell(graded):
    keep = "kept = []\ndef center(x, axis=0):\n    kept.append(x)\n    return x"
    assert "KEPT 1" in shown(graded(center=keep, last="print('KEPT', len(kept))"))  # the visible call's alone


def test_the_hidden_region_is_not_in_the_graded_notebook(graded):
    assert "hidden_checks" not in str(graded().notebook)


def test_the_scheme_stands_where_only_staff_see_it(graded):
    cells = [cell for cell in graded().notebook.cells if "SECRET-SCHEME" in cell.source]
    assert [cell.metadata.get("staff_only") for cell in cells] == [True]


def test_points_are_the_share_of_the_laws_that_hold_to_a_hundredth(graded, monkeypatch):
    monkeypatch.setattr(checks, "center", lambda student, rng: [Verdict(str(i), i > 0) for i in range(3)])
    assert points(graded()) == (1.33, 4, None)


def test_a_check_that_fails_takes_no_points_and_its_traceback_is_not_shown(graded, monkeypatch):
    monkeypatch.setattr(checks, "center", lambda student, rng: 1 / 0)
    result = graded()
    assert points(result) == (None, 4, None) and "ZeroDivisionError" in result.marks["center-checks"].fault
    assert "ZeroDivisionError" not in shown(result) and "fault is the course's" in shown(result)


def test_a_long_cell_is_not_run_nor_is_what_needs_it_an_error(graded):
    text = shown(graded())
    assert "this cell takes long" in text and "NameError" not in text


def test_a_tag_that_a_student_adds_changes_nothing(lab, regraded):
    notebook = tiny.filled(lab)
    for cell in notebook.cells:
        cell.metadata["tags"] = ["long"]
    assert points(regraded(notebook)) == (2, 4, None)


def test_a_figure_of_the_students_is_in_the_graded_notebook(graded):
    assert "image/png" in shown(graded(first="import matplotlib.pyplot as plt\nplt.plot([1, 2]);"))


def test_the_random_numbers_of_a_check_do_not_depend_on_the_one_before():
    one, other = (checking.random_for("lab", name).random() for name in ("center", "spread"))
    assert one != other and one == checking.random_for("lab", "center").random()


def test_modules_can_be_imported_by_names_of_an_earlier_release(graded):
    lines = [f"import coursekit.{old}\nfrom coursekit import {old}\nfrom coursekit.{old} import *" for old in NOW]
    assert "Error" not in shown(graded(first="\n".join([*lines, "SOURCE, TARGET, Transformer, DateTrainer"])))


def test_an_error_in_a_changed_given_cell_costs_nothing(lab, regraded):
    notebook = tiny.filled(lab)
    notebook.cells[1].source = "import nothing_of_this_name"
    assert points(regraded(notebook)) == (2, 4, None)


def test_answers_may_call_what_a_student_defined_in_a_given_cell(lab, regraded):
    notebook = tiny.filled(lab, center="def center(x, axis=0):\n    return x - mean(x, axis)")
    notebook.cells[1].source += "\ndef mean(x, axis): return np.mean(x, axis=axis, keepdims=True)"
    assert points(regraded(notebook)) == (2, 4, None)


def test_a_notebook_loads_the_artifact_that_stands_beside_it(graded):
    file = io.BytesIO()
    np.savez(file, W=np.arange(3))
    first = "from coursekit import load\nload('large')['W']"
    assert "array([0, 1, 2])" in shown(graded(files={"large.npz": file.getvalue()}, first=first))
