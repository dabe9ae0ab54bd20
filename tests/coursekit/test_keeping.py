"""Functions kept from one lab for the next."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest

from coursekit import keep, keeping, kept
from coursekit.keeping import FILE


@pytest.fixture(autouse=True)
def labs(tmp_path, monkeypatch):
    """The folders of two labs, side by side; we stand in the first. Returns the folder above them."""
    for name in ("lab00_first", "lab01_second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "lab00_first")
    monkeypatch.setattr(keeping, "given_here", set())  # as in a new process
    return tmp_path


def double(x):
    return 2 * np.asarray(x)


def fourfold(x):
    return double(double(x))


ENDINGS = ["s", "t"]
PATTERN = re.compile(f"'(?:{'|'.join(ENDINGS)})")


def twice(found):
    return 2 * found


def endings(text):
    return twice(PATTERN.findall(text))


def elsewhere(x):
    return missing(x)  # noqa: F821 (as if it stood in another cell)


def given_double(x):
    raise AssertionError("the given one was used")


given_double.__name__ = "double"


def test_a_kept_function_is_used_in_the_next_lab(labs, monkeypatch):
    keep(double)
    monkeypatch.chdir(labs / "lab01_second")
    np.testing.assert_array_equal(kept(given_double)([1, 2]), [2, 4])


def test_without_a_kept_one_the_given_one_is_used(capsys):
    assert kept(double) is double
    where = "my_attention.py, in the folder above this one"
    assert capsys.readouterr().out == f"double: the one given here (you kept none of your own in {where})\n"


def test_it_is_said_where_the_file_stands_and_no_path_of_the_machine(labs, monkeypatch, capsys):
    keep(double)
    monkeypatch.chdir(labs)
    kept(given_double)
    said = capsys.readouterr().out
    assert said == ("kept double in my_attention.py, in the folder above this one\n"
                    "double: yours, from my_attention.py, beside this notebook\n")


def test_what_a_lab_gave_is_kept_for_those_that_call_it_and_never_called_yours(labs, monkeypatch, capsys):
    keep(kept(double), fourfold)
    monkeypatch.chdir(labs / "lab01_second")
    np.testing.assert_array_equal(kept(fourfold)([3]), [12])
    assert kept(given_double) is given_double and "double: the one given here" in capsys.readouterr().out


def test_what_a_lab_gave_does_not_take_the_place_of_ones_own(labs, capsys):
    own = "def double(x):\n    return -x\n"
    (labs / FILE).write_text(own)
    keep(kept(double, np.ones(2)), fourfold)
    assert own in (labs / FILE).read_text() and kept(fourfold)(3) == 3
    assert "not kept: double: given here, and my_attention.py has one of your own" in capsys.readouterr().out


def test_ones_own_takes_the_place_of_what_a_lab_gave(labs):
    (labs / FILE).write_text("def double(x):\n    return -x\n\n\nGIVEN_BY_LABS = ['double']\n")
    keep(double, fourfold)
    np.testing.assert_array_equal(kept(given_double)([1, 2]), [2, 4])
    assert (labs / FILE).read_text().count("def double") == 1


@pytest.mark.parametrize(("body", "problem"), [("return 3 * x", "answers a small example otherwise"),
                                               ("return x / [1, 2, 3]", "raises ValueError on a small example"),
                                               ("return {'double': 2 * x}", "answers a small example otherwise")])
def test_a_kept_function_that_answers_an_example_otherwise_is_named_and_not_taken(labs, capsys, body, problem):
    (labs / FILE).write_text(f"def double(x):\n    {body}\n")
    assert kept(double, np.array([1.0, 2.0])) is double
    assert problem in capsys.readouterr().out


@pytest.mark.parametrize("pair", ["2 * x, {'x': x, 'more': 3}", "[x + x, {'x': x + 1e-12}]"])
def test_a_kept_function_that_answers_an_example_alike_is_taken_whatever_its_form(labs, pair):
    def doubled(x):
        return 2 * x, {"x": x}

    (labs / FILE).write_text(f"def doubled(x):\n    return {pair}\n")
    assert kept(doubled, np.ones(3)) is not doubled


def test_keeping_again_replaces_the_old_and_leaves_the_others(labs):
    keep(double, fourfold)

    def double_anew(x):
        return x + x

    (labs / FILE).write_text((labs / FILE).read_text().replace("return 2 * np.asarray(x)", "return -1"))
    keep(double)
    assert (labs / FILE).read_text().count("def ") == 2
    np.testing.assert_array_equal(kept(fourfold)([3]), [12])


def letters(text):
    return Counter(unicodedata.category(character)[0] for character in text)


def test_what_a_function_uses_of_a_module_is_imported_in_the_file_once(labs):
    keep(letters)
    keep(double, letters)
    assert kept(letters)("ab1") == {"L": 2, "N": 1}
    assert (labs / FILE).read_text().count("from collections import Counter") == 1


def test_a_function_inside_another_is_kept_without_its_indentation():
    def inner(x):
        import math

        return [math.sqrt(each) for each in x]

    keep(inner)
    assert kept(inner)([4]) == [2]


@pytest.mark.parametrize("what", ["double", 3, lambda x: x, np.sum, print],
                         ids=["text", "number", "lambda", "of NumPy", "built in"])
def test_what_is_no_function_of_your_own_is_refused_in_one_line(what, labs):
    with pytest.raises(ValueError, match=r"^expected a function that was defined with def, got .+$"):
        keep(what)
    assert not (labs / FILE).exists()


def test_a_function_without_a_source_is_refused(labs):
    namespace = {}
    exec("def typed(x): return x", namespace)
    with pytest.raises(ValueError, match="typed: its source is not there; run the cell that defines it again"):
        keep(namespace["typed"])
    assert not (labs / FILE).exists()


def stub(x):
    raise NotImplementedError


def calls_stub(x):
    return double(stub(x))


def test_what_is_not_written_yet_is_named_with_what_calls_it_and_the_others_are_kept(labs, capsys):
    keep(calls_stub, stub, double)
    said = capsys.readouterr().out
    assert "kept double in" in said and "not kept: calls_stub, stub: not written yet, or calling one" in said
    assert (labs / FILE).read_text().count("def ") == 1


def test_where_nothing_is_written_yet_no_file_is_made(labs, capsys):
    keep(stub)
    assert "not kept: stub" in capsys.readouterr().out and not (labs / FILE).exists()


def test_what_calls_a_function_that_was_kept_before_is_kept_though_that_one_is_a_stub_again(labs):
    (labs / FILE).write_text("def stub(x):\n    return x\n")
    keep(double, calls_stub, stub)
    assert kept(calls_stub)(3) == 6


def test_a_function_may_check_its_shapes_as_the_references_do():
    def checked(x):
        return expect(x=(x, "N X"))  # noqa: F821 (the file imports it)

    keep(checked)
    assert kept(checked)(np.zeros((2, 3))) == {"N": 2, "X": 3}


def test_what_a_function_uses_of_its_cell_is_kept_with_it(labs, capsys):
    keep(endings)
    assert capsys.readouterr().out.endswith(", in the folder above this one, with ENDINGS, PATTERN, twice\n")
    assert kept(endings)("it's, don't") == ["'s", "'t"] * 2
    keep(double)
    assert kept(endings)("he'd") == []


def test_what_a_function_uses_of_another_cell_is_refused(labs):
    with pytest.raises(ValueError, match=r"elsewhere uses missing\. Move what that is into elsewhere or its cell"):
        keep(elsewhere)
    assert not (labs / FILE).exists()


@pytest.mark.parametrize("text, message", [("def double(x:", "line 1 is not Python"), ("def double(x): pass\n1 / 0",
                                           "ZeroDivisionError")])
def test_a_file_that_does_not_run_is_named(labs, text, message):
    (labs / FILE).write_text(text)
    with pytest.raises(ValueError, match=rf"my_attention\.py: {message}.*; mend it or delete the file"):
        kept(double)
