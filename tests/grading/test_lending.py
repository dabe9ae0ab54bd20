"""An earlier exercise that lost points is lent to later ones: values, counted, and never to itself."""

import time
from dataclasses import replace

import numpy as np
import pytest

from grading import hidden_checks
from grading.checking import judge, lost_before
from grading.room import lending, wire
from grading.room.lending import Lender, Loan
from grading.room.room import Rooms
from grading.student import LocalStudent
from tests.grading import tiny
from tests.grading.conftest import QUICK
from tests.grading.tiny import points, shown
from tests.grading.tiny_solutions.lab_tiny import reference

BUILT = "def spread(x):\n    return np.sqrt((center(x) ** 2).mean(0))"
LENT = "judged with the course's own center in place of yours"
WRONG = "def center(x, axis=0):\n    {}"
X = np.arange(6.0).reshape(3, 2)


def local(lost=("center",), **functions):
    """The judgement of `spread` in this process, with functions that are given as text."""
    namespace = {"np": np}
    exec("\n".join(functions.values()), namespace)
    return judge(tiny.NAME, "spread", LocalStudent(namespace), tiny.SOLUTIONS, lost=lost)


@pytest.fixture
def loan():
    return Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)


@pytest.fixture
def center(loan):
    """The function that stands in for `center` in this process."""
    return wire.stand_in("center", loan.answer)


@pytest.fixture(scope="module")
def lender():
    lender = Lender()
    yield lender
    lender.close()


# What it is for


@pytest.mark.parametrize("body", [
    "return x",
    "raise NotImplementedError",
    "return x - x.mean(axis",
    "x -= x.mean(axis, keepdims=True)\n    return x",
    "return np.zeros(10**9, dtype='int8')",
    "return Figure",
    "while True: pass",
    "import os; os._exit(0)",
])
def test_whatever_is_wrong_with_an_earlier_answer_costs_what_is_built_on_it_nothing(graded, body):
    result = graded(center=WRONG.format(body), spread=BUILT)
    assert points(result) == (0, 4, None) and LENT in shown(result)


def test_an_earlier_exercise_that_is_left_out_costs_what_is_built_on_it_nothing(graded):
    assert points(graded(center=None, spread=BUILT)) == points(graded(center="", spread=BUILT)) == (0, 4, None)


@pytest.mark.parametrize("body", ["return x", "raise ValueError", "x -= 1\n    return x"])
def test_the_local_room_does_the_same(body):
    judgement = local(center=WRONG.format(body), spread=BUILT)
    assert judgement.share == 1 and LENT in judgement.verdicts[0].law


def test_where_an_instructor_opens_a_lab_it_is_found_out_what_lost_points():
    namespace = {"np": np}
    exec(f"{WRONG.format('return x')}\n{BUILT}", namespace)
    assert lost_before(tiny.NAME, "spread", namespace, tiny.SOLUTIONS) == ["center"]
    assert hidden_checks(tiny.NAME, "spread", namespace, tiny.SOLUTIONS) is None


def test_a_notebook_that_was_judged_in_this_process_has_its_own_functions_again():
    namespace = {"np": np, "spread": lambda x: center(x)}
    with LocalStudent(namespace)._lent(Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)):
        assert "center" in namespace
    assert set(namespace) == {"np", "spread"}


def test_where_a_later_exercise_asks_for_nothing_that_was_lent_its_own_judgement_stands(graded):
    assert LENT not in shown(graded(center=WRONG.format("return x"), spread="def spread(x):\n    return x"))


def test_an_answer_that_uses_more_of_an_earlier_one_than_the_reference_has_keeps_its_points(graded):
    center = "def center(x, axis=0, factor=1):\n    return factor * (x - x.mean(0))"
    assert points(graded(center=center, spread=BUILT.replace("center(x)", "center(x, factor=1)"))) == (1, 4, None)


def test_of_two_judgements_alike_the_one_counts_that_says_what_is_wrong_with_this_exercise():
    judgement = local(center=WRONG.format("raise NotImplementedError"), spread=BUILT.replace("np.sqrt", ""))
    assert judgement.share == 0 and judgement.mistake == "You forgot the square root."


def test_no_exercise_is_judged_by_what_the_reference_makes_of_it(graded):
    assert points(graded(center="center = None", spread="spread = center"))[:2] == (0, 0)
    assert local(("center",), spread="def spread(x):\n    return spread(x)").share == 0


# What may be asked


@pytest.mark.parametrize("name", ["spread", "np", "__name__", None, ["center"], "Center"])
def test_what_is_not_lent_cannot_be_asked_for(loan, name):
    with pytest.raises(wire.WireError):
        loan.answer({"ask": name, "arguments": {"tuple": [{"tuple": []}, {"dict": {}}]}, "blobs": []})


def test_a_value_is_the_references_and_the_arguments_stay(center):
    x = X.copy()
    np.testing.assert_array_equal(center(x, axis=1), reference.center(X, axis=1))
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("arguments, kind", [
    ((X, 7), np.exceptions.AxisError),
    ((), TypeError),
    ((print,), TypeError),
    ((X.astype(object),), TypeError),
    (({"a": [np]},), TypeError),
    ((np.zeros(2**21),), ValueError),
])
def test_what_the_reference_raises_is_raised_in_the_notebook_without_its_text(center, arguments, kind):
    with pytest.raises(kind) as raised:
        center(*arguments)
    assert type(raised.value) is kind and str(raised.value).startswith("center")


@pytest.mark.parametrize("arguments", [None, 5, [], {"tuple": []}, {"tuple": [1, 2]}, {"array": 0}, {"x": 1}])
def test_forged_arguments_are_an_error_of_the_notebook(loan, arguments):
    assert "error" in loan.answer({"ask": "center", "arguments": arguments, "blobs": []})


@pytest.mark.parametrize("limit, most", [("ASKS", 1), ("BYTES", 500), ("SECONDS", -1)])
def test_who_asks_for_too_much_is_refused(monkeypatch, limit, most):
    monkeypatch.setattr(lending, limit, most)
    center = wire.stand_in("center", Loan(tiny.NAME, ["center"], tiny.SOLUTIONS).answer)
    with pytest.raises(RuntimeError):
        [center(X) for _ in range(3)]


def test_after_an_answer_that_broke_the_process_nothing_more_is_lent(loan):
    request = {"ask": "center", "arguments": wire.pack(((X,), {}), blobs := []), "blobs": blobs}
    assert "value" in loan.answer(request) and loan.answer(request, lambda *_: None) == {"error": "RuntimeError"}
    assert loan.answer(request) == {"error": "RuntimeError"}


# The process in which the references answer


def ask(lender, name, *args, lab="lab05_scaled_dot_product", seconds=20.0):
    blobs = []
    packed = wire.pack((args, {}), blobs)
    request = {"ask": name, "arguments": packed, "blobs": blobs, "reference": f"solutions.{lab}.reference"}
    return lender.ask(request, seconds)


def test_an_answer_that_would_take_all_memory_is_an_error(lender):
    assert ask(lender, "causal_mask", 10**6, 10**6) == {"error": "MemoryError", "blobs": []}


def test_an_answer_that_is_too_large_to_cross_is_an_error(lender):
    assert ask(lender, "causal_mask", 10**4, 10**4)["error"] == "ValueError"


@pytest.mark.parametrize("name, args", [
    ("count_pairs", ([list(range(9000))], [10**3990])), ("decode", ([0] * 6000, {0: b"\0" * 1000})),
], ids=["digits", "signs"])
def test_an_answer_that_is_too_large_only_as_json_is_an_error_too_and_ends_nothing(lender, name, args):
    assert ask(lender, name, *args, lab="lab12_tokens")["error"] == "ValueError" and lender._process.poll() is None


def test_an_answer_that_takes_too_long_is_an_error_and_the_next_one_comes(lender):
    assert ask(lender, "greedy", np.full((5, 5), -1.0), 10**9, lab="lab11_decoding", seconds=0.2) is None
    assert "value" in ask(lender, "causal_mask", 2, 2)


def test_a_process_that_has_gone_is_replaced(lender):
    lender.start()
    lender._process.kill(), lender._process.wait()
    assert "value" in ask(lender, "causal_mask", 2, 2)


# In the exam room


@pytest.fixture
def asked(rooms):
    """Call a function `f` of a notebook to which `center` is lent."""
    def call(source, *args):
        with rooms.open() as room:
            room.run(f"import numpy as np\n{source}")
            with room.check(twice=True), room.again(Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)):
                return room.call("f", args, {})
    return call


def test_a_copy_asks_as_often_as_it_needs_and_from_any_thread(asked):
    source = ("from concurrent.futures import ThreadPoolExecutor\n"
              "def f(x):\n    with ThreadPoolExecutor(8) as pool:\n        return sum(pool.map(center, [x] * 100))")
    np.testing.assert_allclose(asked(source, X).value, 100 * reference.center(X))


def test_a_copy_that_asks_without_end_is_stopped_in_time(asked):
    start = time.monotonic()
    assert asked("def f(x):\n    while True:\n        try: center(x)\n        except RuntimeError: pass", X).error
    assert time.monotonic() - start < 3 * QUICK.call + lending.SECONDS


def test_what_was_called_before_is_not_there_when_a_copy_is_called_again(rooms):
    with rooms.open() as room:
        room.run("seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)")
        with room.check(twice=True):
            assert [room.call("f", (1,), {}).value for _ in range(2)] == [1, 2]
            with room.again(Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)):
                assert room.call("f", (1,), {}).value == 1


def test_an_earlier_answer_that_ends_the_process_is_lent_however_often_it_did(rooms):
    with rooms.open() as room:
        room.run("import os\ndef center(x): os._exit(0)\ndef f(): return center([1.0, 3.0])")
        with room.check(twice=True):
            assert {room.call("f", (), {}).error for _ in range(9)} == {"Crash"}
            with room.again(Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)):
                np.testing.assert_array_equal(room.call("f", (), {}).value, [-1, 1])


def test_a_copy_that_is_gone_is_made_again_with_what_was_lent(rooms):
    with rooms.open() as room:
        room.run("def f(x):\n    if x: import os; os._exit(0)\n    return center([1.0, 3.0])")
        with room.check(twice=True), room.again(Loan(tiny.NAME, ["center"], tiny.SOLUTIONS)):
            assert room.call("f", (1,), {}).error == "Crash"
            np.testing.assert_array_equal(room.call("f", (0,), {}).value, [-1, 1])


@pytest.mark.parametrize("how", [
    "inside.Scratch.tidy = dawdle",
    "os.register_at_fork(after_in_child=lambda: setattr(inside, 'keep_a_copy', dawdle))",
])
def test_a_notebook_that_dawdles_before_it_is_called_has_no_more_than_the_time_of_its_checks(how, rooms, monkeypatch):
    monkeypatch.setattr(rooms, "limits", replace(QUICK, call=4.0, notebook=0.1))
    with rooms.open() as room:
        room.run("import os, sys, time\ninside = sys.modules.get('inside') or sys.modules['__main__']\n"
                 f"def dawdle(*_): time.sleep(2)\n{how}")
        room.keep("f")
        start = time.monotonic()
        with room.check("f", twice=True):
            assert time.monotonic() - start < 1.8


def test_nothing_can_be_asked_where_nothing_is_lent(rooms):
    with rooms.open() as room:
        room.run("import gc\ndef f():\n    line = next(o for o in gc.get_objects() if type(o).__name__ == 'Channel')\n"
                 "    line.send({'ask': 'center', 'arguments': None})\n    return 5")
        with room.check():
            assert room.call("f", (), {}).value is None


def test_the_lender_ends_with_the_rooms():
    with Rooms(QUICK) as rooms:
        rooms.lender.start()
        process = rooms.lender._process
    assert process.poll() is not None
