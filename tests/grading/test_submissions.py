"""What is read of the folder that a student handed in."""

import os

import pytest

from grading.submissions import HELPER_LIMIT, fingerprint, read_submission


def test_helper_files_are_given_and_listed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "numbers.txt").write_bytes(b"1 2")
    _, files, problems = read_submission(tmp_path, "lab")
    assert files == {"data/numbers.txt": b"1 2"}
    assert problems == ["Helper file 'data/numbers.txt': given to the notebook."]


def test_links_pipes_and_large_files_are_refused_and_listed(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(HELPER_LIMIT + 1))
    _, files, problems = read_submission(tmp_path, "lab")
    assert files == {} and sum("refused" in problem for problem in problems) == 3


def test_too_many_helper_files_are_refused(tmp_path):
    for number in range(60):
        (tmp_path / f"{number}.txt").write_bytes(b"")
    assert len(read_submission(tmp_path, "lab")[1]) == 50


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo, os.mkdir])
def test_a_notebook_that_is_no_regular_file_is_refused(tmp_path, make):
    make(tmp_path / "lab.ipynb")
    submission, _, problems = read_submission(tmp_path, "lab")
    assert submission is None and "no regular file" in problems[0]


def test_of_two_notebooks_of_other_names_none_is_graded(tmp_path):
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / name).write_bytes(b"{}")
    submission, _, problems = read_submission(tmp_path, "lab")
    assert submission is None and "None was graded" in problems[0]


def test_the_fingerprint_tells_any_two_submissions_apart():
    handed_in = [(None, {}), (b"", {}), (b"a", {}), (b"a", {"b": b""}), (b"a", {"b": b"c"}), (b"a", {"bc": b""})]
    assert len({fingerprint(*one) for one in handed_in}) == len(handed_in)
