"""The solved labs are built from the reference, and what students get holds nothing of it."""

import pytest

from grading.demo import fingerprint, submissions
from grading.lab import Lab
from grading.marking import grade
from grading.release import ARCHIVE, archive_of, chosen, pack
from grading.solved import body, fill, solved, write_solved
from tests.grading import tiny
from tests.grading.tiny_solutions.lab_tiny import reference

STUB = "def f(x):\n    '''Doc.'''\n    ### BEGIN SOLUTION\n    raise NotImplementedError\n    ### END SOLUTION"


def test_a_body_is_all_but_signature_and_docstring_with_its_comments():
    assert body(reference, "center").splitlines() == [
        "    middle = np.mean(x, axis=axis, keepdims=True)  # SECRET-CENTER", "    return x - middle"]


def test_a_function_that_the_reference_lacks_is_named():
    with pytest.raises(ValueError, match="expected a function 'nothing'"):
        body(reference, "nothing")


def test_the_stub_is_replaced_at_its_own_indentation():
    assert fill(STUB, "  y = x\n  return y") == "def f(x):\n    '''Doc.'''\n    y = x\n    return y"


def test_a_solution_cell_without_a_region_is_refused():
    with pytest.raises(ValueError, match="expected a region"):
        fill("def f(x): pass", "return x")


def test_the_solved_notebook_keeps_its_hidden_checks(lab):
    assert "hidden_checks" in tiny.cell(solved(lab), "center-checks").source


def test_solved_notebooks_are_written_once(tmp_path):
    tiny.write(tmp_path)
    path, = write_solved(tmp_path, tmp_path / "solved", tiny.SOLUTIONS)
    before = path.stat().st_mtime_ns, path.read_bytes()
    write_solved(tmp_path, tmp_path / "solved", tiny.SOLUTIONS)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_what_a_lab_loads_lies_beside_its_solved_notebook(tmp_path):
    tiny.write(tmp_path)
    (tmp_path / "labs" / tiny.NAME / "data.txt").write_text("1")
    path, = write_solved(tmp_path, tmp_path / "solved", tiny.SOLUTIONS)
    assert (path.parent / "data.txt").read_text() == "1"


def test_the_archive_is_the_same_bytes_for_the_same_content(tmp_path, lab):
    wheel = tmp_path / "coursekit-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    (tmp_path / "release" / "lab").mkdir(parents=True)
    (tmp_path / "release" / "lab" / "lab.ipynb").write_text("{}")
    one, two = (pack(tmp_path / "release", [tmp_path / "release" / "lab"], wheel).read_bytes() for _ in range(2))
    assert one == two


@pytest.mark.parametrize("wanted, labs", [([], ["a", "b", "c"]), (["c", "a"], ["a", "c"])], ids=["none", "some"])
def test_those_labs_are_released_that_are_named_and_all_where_none_is(wanted, labs):
    assert chosen(["a", "b", "c"], wanted) == labs


def test_a_lab_that_there_is_not_is_named_before_anything_is_released():
    with pytest.raises(ValueError, match=r"expected some of \['lab0_a'\], got lab9"):
        chosen(["lab0_a"], ["lab9"])


def test_the_archive_of_some_labs_says_which_and_replaces_no_other():
    assert archive_of(["lab0_a", "lab2_c"]) == "lab0-lab2.zip" != ARCHIVE


@pytest.mark.parametrize("student, points", [
    ("blank", (0, 0, 0)),
    ("broken-file", (0, 0, None)),
    ("correct", (2, 4, None)),
    ("named-mistake", (0, 4, None)),
    ("rearranged-cells", (2, 4, None)),
])
def test_the_demonstration_class_earns_what_its_names_say(lab, rooms, student, points):
    assert tiny.points(grade(submissions(lab)[student], lab, rooms=rooms)) == points


def test_a_changed_lab_changes_the_fingerprint_of_the_demonstration(tmp_path):
    tiny.write(tmp_path)
    before = fingerprint(tmp_path)
    (tmp_path / "labs" / tiny.NAME / "data.txt").write_text("1")
    assert fingerprint(tmp_path) != before


def test_an_unknown_lab_is_named_with_those_there_are(tmp_path):
    tiny.write(tmp_path)
    with pytest.raises(ValueError, match=r"expected one of \['lab_tiny'\], got 'lab99'"):
        Lab.read(tmp_path / "labs", "lab99")
