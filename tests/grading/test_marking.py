"""Marks are what the answers earn: hostile notebooks get no more, honest but awkward ones no less."""

import io
from dataclasses import replace

import numpy as np
import pytest
from nbformat import v4

from coursekit.moved import NOW
from coursekit.verdicts import Verdict
from grading import checking
from grading.course import table
from grading.marking import grade
from grading.room.limits import Limits
from grading.room.room import ExamRoom, Ran, Rooms
from grading.showing import WORDS, _what_is_wrong
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


def test_a_blank_answer_is_asked_once_and_a_written_one_in_each_case(graded, monkeypatch):
    asked, call = [], ExamRoom.call
    monkeypatch.setattr(ExamRoom, "call", lambda room, name, *given: asked.append(name) or call(room, name, *given))
    assert points(graded(center=None)) == (0, 4, None)
    assert asked.count("center") == 1 < asked.count("spread")


def test_a_mistake_in_one_exercise_costs_nothing_in_the_other(graded):
    assert points(graded(center=WRONG)) == (0, 4, None)


@pytest.mark.parametrize("file", ["my_attention.py", "../my_attention.py"])
def test_a_function_that_was_kept_from_an_earlier_lab_is_the_given_one_handed_in_or_not(graded, file):
    first = f"open('{file}', 'a').write('def center(x, axis=0): return x')\nfrom coursekit import kept"
    result = graded({"my_attention.py": b"def center(x, axis=0): return x"}, center=f"{CENTER}\ncenter = kept(center)",
                    first=first)
    assert points(result) == (2, 4, None) and "center: the one given here" in shown(result)


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


SETUP = ["import pandas as pd", "from google.colab import drive; drive.mount('/content')", "%matplotlib widget",
         "import os; os.chdir('/nowhere')", "!pip install pandas", "rows = open('rows.csv').read()"]


@pytest.mark.parametrize("line", SETUP)
def test_a_line_of_a_set_up_cell_that_cannot_be_run_costs_nothing_that_stands_below_it(lab, regraded, line):
    notebook = tiny.filled(lab, center="def center(x, axis=0):\n    return x - mean(x, axis)")
    notebook.cells[1].source = f"{line}\nimport numpy as np\ndef mean(x, axis): return np.mean(x, axis, keepdims=True)"
    result = regraded(notebook)
    assert points(result) == (2, 4, None) and not result.problems


def test_what_a_notebook_misses_is_a_notice_with_the_line_and_what_it_is(graded):
    result = graded(first="x = 1\nimport pandas as pd\nimport scipy")
    assert result.problems == [] and result.notices == [
        "Cell 1, 'import pandas as pd' (and 1 more): this is not there where labs are graded (ModuleNotFoundError: "
        "No module named 'pandas'). What stands below it was run."]


def test_what_a_notebook_raises_is_said_in_one_line_that_moves_no_cursor(graded):
    (said,) = graded(first="raise ImportError('gone\\x1b[2J\\u202e\\n\\n# 6 of 6 points')").notices
    assert said.isprintable() and "# 6 of 6 points). What stands below" in said


def test_what_the_room_says_of_a_cell_that_is_no_python_is_said_so_too():
    error = {"output_type": "error", "evalue": "gone\x1b[2J\n\n# 6 of 6 points" + "x" * 5000}
    said = _what_is_wrong(Ran([error]))
    assert said.isprintable() and len(said) <= WORDS


def test_no_row_of_the_summary_makes_another_one():
    assert table([("ada", "1 of 6", ["gone\x1b[2J\nbob  6 of 6"])]).splitlines() == [
        "ada  1 of 6  gone\ufffd[2J\ufffdbob  6 of 6"]


def test_what_a_notebook_misses_is_a_problem_where_it_may_have_cost_points(graded):
    result = graded(first="import pandas as pd", center="def center(x, axis=0):\n    return pd.DataFrame(x)")
    assert points(result) == (0, 4, None) and "'import pandas as pd'" in result.problems[0]


def test_a_cell_that_goes_elsewhere_leaves_the_labs_own_their_files(lab, rooms):
    cells = [v4.new_code_cell("print(open('data.txt').read())"), *lab.skeleton.cells]
    with_data = replace(lab, skeleton=v4.new_notebook(cells=cells), files={"data.txt": b"DATA"})
    notebook = tiny.filled(with_data, first="import os; os.chdir('/')")
    assert "DATA" in shown(grade(tiny.to_bytes(notebook), with_data, rooms=rooms))


ODD = {
    "a fence": f"```python\n{CENTER}\n```",
    "no-break spaces": CENTER.replace("    ", "\u00a0 \u00a0 "),
    "a zero-width space": CENTER.replace("(x", "(\u200bx", 1),
    "a dash": CENTER.replace(" - ", " – "),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_answer_with_signs_of_no_keyboard_for_code_is_run_as_it_was_meant_and_that_is_said(graded, odd):
    result = graded(center=ODD[odd])
    assert points(result) == (2, 4, None) and result.problems == []
    assert len(result.notices) == 1 and "Cell 2 is not Python as it stands: it was run with" in result.notices[0]
    assert tiny.cell(result.notebook, "center").source == ODD[odd]


def test_signs_in_texts_of_an_answer_that_is_python_stay_as_they_are(graded):
    result = graded(first="print('```', '“a” – b')")
    assert "``` “a” – b" in shown(result) and result.notices == []


def test_an_answer_that_is_no_python_is_told_the_line_and_the_message(graded):
    result = graded(center="x = 1\ndef center(x, axis=0)\n    return x - np.mean(x)")
    verdicts = result.marks["center-checks"].judgement.verdicts
    assert points(result)[:2] == (0, 4) and "NameError" not in str(verdicts)
    assert (verdicts[0].law, verdicts[0].hint) == ("the answer can be read as Python", "line 2: expected ':'")


@pytest.mark.parametrize("place", range(-1, 11))
@pytest.mark.parametrize("stub", [True, False], ids=["with the stub", "without the stub"])
def test_an_answer_earns_its_points_wherever_it_stands(lab, regraded, place, stub):
    notebook = tiny.filled(lab, center=None)
    notebook.cells.insert(place + 1, v4.new_code_cell(f"import numpy as np\n{CENTER}"))
    if not stub:
        notebook.cells.remove(tiny.cell(notebook, "center"))
    assert points(regraded(notebook)) == (2, 4, None)


def test_an_answer_further_down_than_its_check_may_use_what_stands_above_it_there(lab, regraded):
    helper = v4.new_code_cell("def mean(x, axis): return np.mean(x, axis=axis, keepdims=True)")
    notebook = tiny.filled(lab, center=None)
    notebook.cells += [helper, v4.new_code_cell("def center(x, axis=0):\n    return x - mean(x, axis)")]
    result = regraded(notebook)
    assert points(result) == (2, 4, None) and "center" not in result.blank and result.problems == []


def test_a_function_that_is_redefined_further_down_is_judged_as_it_was_where_it_stood(lab, regraded):
    notebook = tiny.filled(lab)
    notebook.cells.append(v4.new_code_cell(WRONG))
    assert points(regraded(notebook)) == (2, 4, None)


@pytest.mark.parametrize("name", ["center-checks", "spread-checks"])
@pytest.mark.parametrize("kind", ["cell_id", "id"])
def test_no_cell_of_a_students_takes_the_place_of_a_check(lab, regraded, name, kind):
    notebook = tiny.filled(lab, center=WRONG, spread="def spread(x): return 0")
    metadata = {kind: name, "answers": "center"}
    notebook["cells"] = [*notebook.cells, {"cell_type": "code", "source": "print('passed')", "metadata": metadata}]
    assert points(regraded(notebook))[:2] == (0, 0)


def test_a_written_answer_in_a_cell_of_its_own_waits_for_a_person(lab, regraded):
    notebook = tiny.filled(lab, why=None)
    notebook.cells.append(v4.new_markdown_cell("It is what is left."))
    result = regraded(notebook)
    assert points(result) == (2, 4, None) and tiny.cell(result.notebook, "why").source == "It is what is left."


@pytest.mark.parametrize("submission, files, waits", [
    (b"PK\3\4 not a notebook", {}, True), (None, {"essay.pages": b"x"}, True), (None, {}, False), (b"", {}, False)])
def test_where_no_notebook_can_be_read_a_person_looks_for_written_answers(regraded, submission, files, waits):
    assert points(regraded(submission, files)) == (0, 0, None if waits else 0)


def test_a_loop_without_end_is_named_in_what_was_handed_in_and_where_its_exercise_is_judged(graded):
    result = graded(center=f"{CENTER}\nwhile True: pass")
    assert points(result) == (2, 4, None) and "cell 2 runs to its end" in shown(result)
    assert result.problems == ["Cell 2 was interrupted, as it ran for too long: is there a loop that does not end?"]


def test_helper_files_that_were_given_are_a_notice_and_the_labs_own_are_none(lab, rooms):
    with_data = replace(lab, files={"data.txt": b"1"})
    files = {"data.txt": b"changed", "mine.py": b"", "yours.py": b""}
    result = grade(tiny.to_bytes(tiny.filled(lab)), with_data, files, rooms=rooms)
    assert result.notices == ["Given to the notebook as helper files: 'mine.py', 'yours.py'."] and not result.problems


def test_equal_work_has_one_hash_whatever_was_shown_stamped_or_handed_in_with_it(lab, regraded):
    notebook = tiny.filled(lab)
    notebook.cells[1].outputs = [v4.new_output("stream", text="x")]
    notebook.metadata["more"], notebook.cells[1].id = 1, "other"
    one, two = regraded(tiny.filled(lab)), regraded(notebook, {"a.py": b""})
    assert one.work == two.work != regraded(tiny.filled(lab, why="No.")).work


def test_a_written_answer_has_a_hash_of_its_own_that_no_other_cell_changes(lab, regraded):
    one, two = regraded(tiny.filled(lab)), regraded(tiny.filled(lab, center=WRONG))
    assert one.texts["why"] == two.texts["why"] and one.texts["center-checks"] != two.texts["center-checks"]
    assert one.texts != regraded(tiny.filled(lab, why="Another.")).texts


def test_answers_may_call_what_a_student_defined_in_a_given_cell(lab, regraded):
    notebook = tiny.filled(lab, center="def center(x, axis=0):\n    return x - mean(x, axis)")
    notebook.cells[1].source += "\ndef mean(x, axis): return np.mean(x, axis=axis, keepdims=True)"
    assert points(regraded(notebook)) == (2, 4, None)


def test_a_notebook_loads_the_artifact_that_stands_beside_it(graded):
    file = io.BytesIO()
    np.savez(file, W=np.arange(3))
    first = "from coursekit import load\nload('large')['W']"
    assert "array([0, 1, 2])" in shown(graded(files={"large.npz": file.getvalue()}, first=first))
