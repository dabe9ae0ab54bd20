"""The exam room: what a cell may do, what it shows, and that the room survives it."""

import numpy as np
import pytest

from grading.room import room as rooms
from grading.room.room import ExamRoom, Limits


@pytest.fixture(scope="module")
def room():
    with ExamRoom({"data/numbers.txt": b"1 2 3"}, Limits(cell=2, call=1)) as room:
        yield room


def texts(ran):
    return [output.get("text") or output.get("ename") or output["data"]["text/plain"] for output in ran.outputs]


@pytest.mark.parametrize("source, expected", [
    ("1 + 2", ["3"]),
    ("print('a'); print('b')", ["a\nb\n"]),
    ("import sys; print('x', file=sys.stderr); display(4); 5", ["x\n", "4", "5"]),
    ("1 + 2;", []),
    ("x = 1", []),
    ("1 / 0", ["ZeroDivisionError"]),
    ("1 +", ["SyntaxError"]),
    ("open('data/numbers.txt').read()", ["'1 2 3'"]),
    ("import asyncio\nawait asyncio.sleep(0, 7)", ["7"]),
    ("from IPython.display import HTML\nHTML('<script>')", ["<IPython.core.display.HTML object>"]),
    ("input()", ["EOFError"]),
    ("import os; [k for k in os.environ if 'TOKEN' in k]", ["[]"]),
    ("get_ipython().history_manager.enabled", ["False"]),
])
def test_a_cell_shows_what_jupyter_shows(room, source, expected):
    assert texts(room.run(source)) == expected


@pytest.mark.parametrize("source", ["%timeit -n 1 -r 1 1", "%matplotlib inline", "%time 1", "%%capture\nprint(1)"])
def test_magics_work(room, source):
    assert room.run(source).ok


@pytest.mark.parametrize("last", ["", "\nplt.show()", "\n5"])
def test_a_figure_is_shown_as_png(room, last):
    ran = room.run("import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot([1, 2]);" + last)
    assert any("image/png" in output.get("data", {}) for output in ran.outputs)


@pytest.mark.parametrize("module", ["solutions", "grading", "tests.grading", "nbgrader_config"])
def test_nothing_of_the_repository_but_coursekit_can_be_imported(room, module):
    assert texts(room.run(f"import coursekit\nimport {module}")) == ["ModuleNotFoundError"]


def test_a_cell_over_its_time_is_interrupted_and_what_it_defined_stays(room):
    assert texts(room.run("kept = 6\nwhile True: pass")) == ["TimeLimit"]
    assert texts(room.run("kept")) == ["6"]


def test_a_traceback_through_coursekit_does_not_show_where_the_room_lies(room):
    ran = room.run("from coursekit.verdicts import changed_arguments\nchanged_arguments(1, 2)")
    assert "coursekit/verdicts.py" in str(ran.outputs) and "exam-room" not in str(ran.outputs)


def test_exit_ends_neither_the_room_nor_the_notebook(room):
    room.run("exit()")
    room.run("raise SystemExit")
    assert texts(room.run("8")) == ["8"]


def test_output_is_cut(room):
    ran = room.run("for _ in range(300): print('x' * 1000); display(1)")
    assert len(ran.outputs) <= 101 and len(str(ran.outputs)) < 200_000


def test_what_a_call_prints_stores_or_draws_never_reaches_a_later_cell(room):
    room.run("seen = []\ndef leak(x):\n    seen.append(x); print(x); plt.plot(x); return x")
    with room.check():
        assert room.call("leak", ([1, 2],), {}).value == [1, 2]
    assert texts(room.run("seen")) == ["[]"]


@pytest.mark.parametrize("body, error", [
    ("raise KeyError('hidden')", "KeyError"),
    ("import os; os._exit(0)", "Crash"),
    ("import os; os.kill(os.getpid(), 11)", "Crash"),
    ("raise SystemExit", "SystemExit"),
    ("return f(x)", "RecursionError"),
    ("return 'a' * 10**8", "TooLarge"),
    ("class Hidden123(Exception): pass\n    raise Hidden123", "Exception"),
    ("while True:\n        try: pass\n        except BaseException: pass", "TimeLimit"),
])
def test_a_call_that_goes_wrong_is_an_answer_and_the_next_one_is_answered(room, body, error):
    room.run(f"def f(x):\n    {body}\ndef good(x): return x + 1")
    with room.check():
        assert room.call("f", (1,), {}).error == error
        assert room.call("good", (1,), {}).value == 2


def test_a_name_that_is_not_there_is_a_name_error(room):
    with room.check():
        assert room.call("nowhere", (), {}).error == "NameError"


def test_an_argument_changed_in_place_is_seen(room):
    room.run("def grow(x, y):\n    y += 1\n    return y")
    with room.check():
        assert room.call("grow", (np.zeros(3), np.zeros(2)), {}).changed == (2,)


def test_the_name_of_a_made_up_type_does_not_cross(room):
    room.run("def odd():\n    class Hidden123: pass\n    return Hidden123()")
    with room.check():
        assert type(room.call("odd", (), {}).value).__name__ == "object"


@pytest.mark.parametrize("source", [
    "import os; os._exit(0)",
    "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "import gc, socket\n[s.close() for s in gc.get_objects() if isinstance(s, socket.socket)]",
    "import gc, socket\n[s.sendall(bytes(100)) for s in gc.get_objects() if isinstance(s, socket.socket)]",
])
def test_a_room_that_is_destroyed_says_so_and_answers_no_more(source):
    with ExamRoom(limits=Limits(cell=0.5)) as room:
        room.run(source)
        room.run("1")
        assert "Not finished" in texts(room.run("1"))[0]
        assert room.call("f", (), {}).error == "Crash"


def test_the_room_leaves_no_process_and_no_file_behind():
    with ExamRoom() as room:
        room.run("import subprocess; child = subprocess.Popen(['sleep', '60'])")
        pid = int(texts(room.run("child.pid"))[0])
    assert not room._folder.exists()
    assert not rooms.Path(f"/proc/{pid}").exists() or "Z" in rooms.Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize("output", [
    {"output_type": "display_data", "data": {"text/plain": "x", "text/html": "<script>"}},
    {"output_type": "display_data", "data": {"text/plain": "x", "image/png": '"><script>'}},
    {"output_type": "stream", "name": "<script>", "text": "x"},
    {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["x"], "html": "<script>"},
])
def test_no_markup_comes_out_of_the_room(output):
    assert "script" not in str(rooms.clean([output]))


@pytest.mark.parametrize("outputs", [None, 5, ["x"], [{}], [{"output_type": "stream"}], [{"output_type": []}]])
def test_malformed_outputs_are_dropped(outputs):
    assert rooms.clean(outputs) == []
