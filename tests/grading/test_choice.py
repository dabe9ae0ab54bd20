"""Of several notebooks that somebody handed in, the one with the answers is graded, and all of them are named."""

import pytest

from grading.choice import choose
from tests.grading import tiny

EXACT, COPY = f"{tiny.NAME}.ipynb", f"{tiny.NAME} (1).ipynb"


@pytest.fixture
def texts(lab):
    """A blank notebook, a solved one, and one that is solved otherwise."""
    solved = tiny.filled(lab), tiny.filled(lab, last="import helpers_nb")
    return {name: tiny.to_bytes(notebook) for name, notebook in zip(("blank", "solved", "other"),
                                                                    (lab.skeleton, *solved), strict=True)}


def said(choice):
    return " ".join([*choice.problems, *choice.notices])


@pytest.mark.parametrize("names, chosen, problems", [
    ({EXACT: "solved", COPY: "blank"}, "solved", 0),
    ({EXACT: "blank", COPY: "solved"}, "solved", 0),
    ({EXACT: "solved", COPY: "other"}, "solved", 1),
    ({EXACT: "blank", COPY: "blank"}, "blank", 0),
    ({"a.ipynb": "blank", "b.ipynb": "solved"}, "solved", 0),
    ({"a.ipynb": "solved", "b.ipynb": "other"}, "solved", 1),
    ({f"deep/{EXACT}": "solved", "b.ipynb": "other"}, "solved", 1),
])
def test_the_notebook_with_answers_is_graded_and_both_are_named(lab, texts, names, chosen, problems):
    choice = choose({name: texts[kind] for name, kind in names.items()}, {}, lab)
    assert choice.notebook == texts[chosen] and len(choice.problems) == problems
    assert all(name in said(choice) for name in names)


def test_the_labs_own_name_alone_is_nobodys_news(lab, texts):
    choice = choose({EXACT: texts["solved"]}, {}, lab)
    assert choice.notebook == texts["solved"] and said(choice) == ""


def test_another_name_alone_is_graded_and_told(lab, texts):
    choice = choose({f"sub/{EXACT}": texts["solved"]}, {"sub/data.txt": b"1", "top.txt": b"2"}, lab)
    assert choice.notebook == texts["solved"] and f"'sub/{EXACT}' was graded" in said(choice)
    assert choice.files == {"data.txt": b"1", "top.txt": b"2"}


def test_a_notebook_that_the_first_imports_is_named_as_such(lab, texts):
    choice = choose({EXACT: texts["other"], "helpers_nb.ipynb": texts["solved"]}, {}, lab)
    assert choice.notebook == texts["other"] and "'helpers_nb.ipynb' is a notebook that" in choice.problems[0]


def test_a_notebook_finds_the_files_of_its_own_folder_and_of_those_above(lab):
    files = {"a/b/data/x": b"1", "a/mine.py": b"far", "a/b/mine.py": b"near", "a/up.py": b"2", "c/d": b"3", "e": b"4"}
    assert choose({f"a/b/{EXACT}": b"{}"}, files, lab).files == {
        "data/x": b"1", "mine.py": b"near", "up.py": b"2", "c/d": b"3", "e": b"4"}


def test_where_there_is_no_notebook_there_is_none_to_choose(lab):
    choice = choose({}, {"a.py": b""}, lab)
    assert (choice.notebook, choice.files, said(choice)) == (None, {"a.py": b""}, "")
