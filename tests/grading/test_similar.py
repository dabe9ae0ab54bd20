"""Near copies: found in disguise, not found where many write alike, and shown safely."""

import re
import shutil

import pytest

from grading.fingerprints import LIMIT, names_given, names_made, of_code, of_text
from grading.lab import Lab
from grading.likeness import near_copies
from grading.similar import KINDS, Compared, Work
from tests.grading import copies, tiny
from tests.grading.classes import ROOT, Class

LABS = ROOT / "labs"
CODE = """def center(x, axis=0):
    total = np.sum(x, axis=axis, keepdims=True)
    count = x.shape[axis]
    return x - total / count"""
LONG = "\n".join(f"    a{i} = np.{name}(x + {i}, axis={i})\n    b{i} = a{i} @ x.T - np.{name}(a{i}) * {i}.5"
                 for i, name in enumerate(["exp", "tanh", "sin", "cos", "sqrt", "log", "abs", "sinh"], 3))
ESSAY = ("What is left when the mean has been taken away is how far each of the numbers lies from it, and so the "
         "spread no longer depends on where the numbers lie.")


def prints(source):
    """All fingerprints of one cell of code."""
    return {each for passage in of_code(source, names_made([source])) for each in passage.prints}


# Fingerprints.


@pytest.mark.parametrize("disguise", [copies.renamed, copies.reordered, copies.retyped])
def test_a_disguise_leaves_the_fingerprints(disguise):
    assert disguise(CODE) != CODE and prints(disguise(CODE)) == prints(CODE)


@pytest.mark.parametrize("old, new", [("sum", "mean"), ("True", "False"), ("x - total", "x + total"), ("/", "*")])
def test_other_code_has_other_fingerprints(old, new):
    assert prints(CODE.replace(old, new)) != prints(CODE)


def test_names_that_the_lab_gives_stay_what_they_are():
    given = names_given(["import numpy as np\nfrom math import pi", "def softmax(x):\n    y = x"])
    assert given == {"np", "pi", "softmax"} and names_made(["np = y = softmax = 1"], given) == {"y"}


@pytest.mark.parametrize("source", [
    "def f(x:\n    return x", "x = '''", "%matplotlib inline\nx = 1", "\x00", "\ud800", "(" * 9000, "-" * 9000 + "1",
    "a." * 9000, "if 1:\n  x\n y", "0777", "x = '\\d'"], ids=lambda source: repr(source[:12]))
def test_what_is_no_python_is_read_as_far_as_it_goes(source):
    assert isinstance(prints(source), set)


def test_of_an_answer_without_end_only_its_start_is_read():
    assert prints("x = 1\n" * LIMIT + "y = 2") == prints(("x = 1\n" * LIMIT)[:LIMIT])


def test_words_have_the_same_fingerprints_whatever_their_case_stops_and_lines():
    other = ESSAY.upper().replace(", ", "\n").replace(".", "!")
    assert of_text(other)[0].prints == of_text(ESSAY)[0].prints


# Who is listed.


@pytest.fixture(scope="module")
def compared():
    """Compare answers to a lab: [(place, place)], the most alike first."""
    def compare(name, people, kind=0):
        lab = Lab.read(LABS, name)
        works = [Work(str(place), answers) for place, answers in enumerate(people)]
        return [(pair.one, pair.other) for pair in Compared(KINDS[kind], works, lab).pairs]
    return compare


@pytest.mark.parametrize("lab, seed", [
    ("lab01_additive_attention", 1), ("lab01_additive_attention", 2), ("lab01_additive_attention", 3),
    ("lab06_multi_head", 1), ("lab09_block", 1)])
def test_of_300_answers_three_disguised_copies_come_first_and_at_most_five_others(compared, lab, seed):
    people, planted = copies.class_of(lab, 300, seed)
    found = compared(lab, people)
    assert sorted(found[:3]) == sorted(planted) and len(found) <= 8


def test_what_the_lab_gives_makes_nobody_alike(compared):
    name = "lab01_additive_attention"
    given = max((text for text in Lab.read(LABS, name).cells if "hidden" not in text), key=len)
    own = "def softmax(x, axis=0):\n    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)"
    assert compared(name, [{"softmax": given}] * 2) == [] and compared(name, [{"softmax": own}] * 2) == [(0, 1)]


def test_those_come_first_whose_texts_were_made_to_differ(compared):
    people = [{"softmax": CODE}, {"softmax": CODE}, {"softmax": copies.renamed(CODE)}]
    assert compared("lab01_additive_attention", people)[2] == (0, 1)


def likeness(*works, in_class=None):
    """Pairs among works with these fingerprints of one answer."""
    pairs = near_copies([{"": set(work)} for work in works], in_class or [True] * len(works))
    return [(pair.one, pair.other) for pair in pairs]


def others(count, start=1000):
    """Works that are like nobody's."""
    return [range(place, place + 20) for place in range(start, start + 20 * count, 20)]


def test_what_at_most_a_tenth_of_the_class_shares_is_listed_and_what_more_share_is_not():
    assert len(likeness(*[range(20)] * 5, *others(45))) == 10
    assert likeness(*[range(20)] * 6, *others(44)) == []


def test_what_a_tenth_shares_is_not_made_rare_by_earlier_years():
    assert likeness(*[range(20)] * 6, *others(200), in_class=[True] * 50 + [False] * 156) == []


def test_two_of_earlier_years_are_no_pair_and_one_of_them_and_one_of_the_class_are():
    assert likeness(range(20), range(20), range(20), *others(7), in_class=[True, *[False] * 9]) == [(0, 1), (0, 2)]


def test_two_are_a_pair_by_one_long_answer_that_nobody_else_has():
    works = [{"a": set(range(20)), "b": {100}, "c": {200}}, {"a": set(range(20)), "b": {101}, "c": {201}}]
    assert len(near_copies(works, [True] * 2)) == 1
    assert near_copies([*works, {"a": set(range(16))}], [True] * 3) == []
    assert near_copies([{**each, "a": set(range(9))} for each in works], [True] * 2) == []


def test_nobody_is_alike_who_has_answered_nothing():
    assert likeness((), (), range(20)) == [] and near_copies([], []) == []


# The command.


@pytest.fixture
def course(given_out, tmp_path, lab):
    """Ada and Ben have the same long answer, in disguise, Cleo another one."""
    course = Class.new(given_out, tmp_path / "course", lab)
    source = f"def spread(x):\n{LONG}\n    return b3"
    course.hand_in("ada", spread=source, why=ESSAY)
    course.hand_in("ben", spread=copies.retyped(copies.renamed(source)), why=ESSAY.upper())
    course.hand_in("cleo", spread="def spread(x):\n    return x.std(0)")
    return course


def page(course, *options):
    """(how the command ended, the page)."""
    done = course.run("similar", tiny.NAME, *options)
    return done, (course.folder / f"similar-{tiny.NAME}.html").read_text(encoding="utf-8")


def test_code_and_written_answers_that_are_alike_are_shown_side_by_side(course):
    done, text = page(course)
    assert done.out.count("ada, ben") == 2 and "cleo" not in done.out
    assert "a3 = np.exp(x + 3, axis=3)</mark>" in text and "my_a3= np.exp( my_x + 3,axis=3)  # so</mark>" in text
    assert "never a verdict" in text


def test_the_page_is_escaped_and_asks_nobody_for_anything(course):
    course.hand_in("ben", spread=f"def spread(x):\n{LONG}\n    return b3  # <script>alert(1)</script>")
    course.hand_in("<b>", spread=f"def spread(x):\n{LONG}\n    return b3")
    _, text = page(course)
    assert "<script" not in text and "&lt;script&gt;" in text and "<b>" not in text.replace("<b>Something", "")
    assert re.search(r"https?:|//|url\(|@import|\bsrc=|\bon\w+=|<(iframe|link|form|img)", text) is None
    assert "default-src 'none'" in text


@pytest.mark.parametrize("folder", ["", "submitted"])
def test_answers_of_an_earlier_class_are_compared_too(course, tmp_path, folder):
    shutil.copytree(course.folder, tmp_path / "earlier")
    shutil.rmtree(course.folder / "submitted" / "ben"), shutil.rmtree(tmp_path / "earlier" / "submitted" / "ada")
    done, _ = page(course, "--earlier", tmp_path / "earlier" / folder)
    assert "ada, ben (earlier)" in done.out and "2 submissions, 2 of earlier years" in done.out


def test_a_folder_of_notebooks_is_compared_too(course, tmp_path):
    shutil.copytree(course.folder / "submitted" / "ben" / tiny.NAME, tmp_path / "old")
    (tmp_path / "old" / f"{tiny.NAME}.ipynb").rename(tmp_path / "old" / "x (1).ipynb")
    assert "x (1).ipynb (earlier)" in page(course, "--earlier", tmp_path / "old")[0].out


def test_a_folder_without_notebooks_is_refused_in_one_sentence(course, tmp_path):
    done = course.run("similar", tiny.NAME, "--earlier", tmp_path / "nothing")
    assert done.status == 1 and done.err.count("\n") == 1 and "expected notebooks" in done.err


def test_an_answer_in_a_cell_of_the_students_own_is_compared_too(course, lab):
    notebook = tiny.filled(lab, spread=None, last=f"def spread(x):\n{LONG}\n    return b3")
    course.hand_in("ben", notebook=tiny.to_bytes(notebook))
    assert "ada, ben" in page(course)[0].out


def test_what_is_no_notebook_stops_nobody(course):
    course.hand_in("broken", notebook=b"{"), course.hand_in("empty", notebook=b"")
    assert page(course)[0].out.count("ada, ben") == 2
