"""The bench measures what it says, on work that was really done."""

import re
import time

import nbformat
import pytest

from grading.lab import Lab, meta
from tests.grading import tiny
from tests.needs import bubblewrap
from tools import bench
from tools.bench import Timing, expect_right, growth, made_up_class, ratio, timed


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    tiny.write(root)
    return Lab.read(root / "labs", tiny.NAME, tiny.SOLUTIONS)


def texts(submissions):
    return [nbformat.writes(one.notebook) for one in submissions]


def answer(submission, exercise):
    return next(cell.source for cell in submission.notebook.cells if meta(cell).get("grade_id") == exercise)


@bubblewrap
@pytest.mark.nightly
def test_a_tiny_run_prints_a_ratio(capsys):
    """Nightly, since it waits for five starts of nbgrader and of the grader, which other tests prove to work."""
    bench.main(["--submissions", "2", "--sample", "1"])
    said = capsys.readouterr().out
    assert re.search(r"autograde +1 +1 ", said) and re.search(r"grading grade +2 +2 ", said)
    assert re.search(r"\nratio: \d+\.\d\n$", said)


@bubblewrap
@pytest.mark.nightly
def test_a_run_with_feedback_prints_a_ratio_too(capsys):
    bench.main(["--submissions", "2", "--feedback"])
    assert re.search(r"\ngrade --feedback +2 .*\nratio: \d+\.\d\n$", capsys.readouterr().out)


def test_a_class_is_the_same_each_time_and_no_two_notebooks_are(lab):
    one, other = texts(made_up_class(lab, 8)), texts(made_up_class(lab, 8))
    assert one == other and len(set(one)) == 8


def test_four_in_a_row_are_solved_half_solved_mistaken_and_blank(lab):
    solved, half, mistaken, blank = made_up_class(lab, 4)
    assert solved.certain == {"center-checks": 2.0, "spread-checks": 4.0, "why": None}
    assert half.certain == {"center-checks": 2.0, "spread-checks": 0.0, "why": None}
    assert blank.certain == {"center-checks": 0.0, "spread-checks": 0.0, "why": 0.0}
    assert "center = center_over_everything" in answer(mistaken, "center") and mistaken.certain == {}


def test_a_mistake_that_needs_the_reference_is_not_handed_in(lab):
    assert {mistake.__name__ for _, mistake in bench.own_mistakes(lab)} == {"center_over_everything"}


@pytest.mark.parametrize("got", [{"a": 1.0, "b": None}, {"a": None, "b": None}, {"a": 2.0, "b": 0.0}])
def test_a_grader_that_gives_other_marks_is_not_timed(got):
    right = bench.Submission("anna", None, {"a": 2.0, "b": None})
    expect_right("it", {"anna": {"a": 2.0, "b": None}}, [right])
    with pytest.raises(ValueError, match="it: anna, "):
        expect_right("it", {"anna": got}, [right])


def test_time_and_memory_are_those_of_the_command(tmp_path):
    (tmp_path / "heavy.py").write_text("import time\nheld = bytearray(200 * 2**20)\ntime.sleep(0.5)")
    start = time.perf_counter()
    seconds, memory = timed(["heavy"], tmp_path)
    assert 0.5 < seconds <= time.perf_counter() - start and memory > 200 * 2**20


def test_a_command_that_fails_is_an_error_with_what_it_said(tmp_path):
    (tmp_path / "broken.py").write_text("raise SystemExit('no disk')")
    with pytest.raises(RuntimeError, match="no disk"):
        timed(["broken"], tmp_path)


def test_the_ratio_is_of_submissions_a_second_and_growth_of_totals():
    slow, fast = Timing("", 10, 1, 20.0, 100), Timing("", 200, 2, 10.0, 150)
    assert (ratio(slow, fast), growth(slow, fast)) == ("ratio: 40.0", "ten times the class: memory x 1.50, time x 0.5")
