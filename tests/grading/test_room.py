"""The exam room: what a cell may do, what it shows, and that the room survives it."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grading.room.limits import Limits
from grading.room.outputs import clean
from grading.room.room import Rooms
from grading.student import reply_of
from tests.grading.conftest import QUICK

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def room():
    """One room that all tests share which leave it as it was: one notebook for as long as this file takes."""
    with Rooms(replace(QUICK, notebook=600.0)) as rooms, rooms.open({"data/numbers.txt": b"1 2 3"}) as room:
        yield room


@pytest.fixture
def fresh(rooms):
    """A room of the test's own."""
    with rooms.open() as room:
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


def test_a_cell_over_its_time_is_interrupted_and_what_it_defined_stays(fresh):
    assert texts(fresh.run("kept = 6\nwhile True: pass")) == ["TimeLimit"]
    assert texts(fresh.run("kept")) == ["6"]


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
    room.run("import matplotlib.pyplot as plt\nseen = []\n"
             "def leak(x):\n    seen.append(x); print(x); plt.plot(x); return x")
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
    ("class Hidden123(ValueError): pass\n    raise Hidden123", "ValueError"),
    ("while True:\n        try: pass\n        except BaseException: pass", "TimeLimit"),
])
def test_a_call_that_goes_wrong_is_an_answer_and_the_next_one_is_answered(room, body, error):
    room.run(f"def f(x):\n    {body}\ndef good(x): return x + 1")
    with room.check():
        assert room.call("f", (1,), {}).error == error
        assert room.call("good", (1,), {}).value == 2


@pytest.mark.parametrize(("error", "said"), [
    ("ValueError('expected 4, got ' + x)", "expected 4, got 6"), ("ValueError(x * 9999)", "6" * 1000),
    ("type('Odd', (ValueError,), {'__str__': lambda self: 1 / 0})()", ""), ("KeyError", ""),
])
def test_what_an_exception_says_crosses_for_a_check_to_look_into(room, error, said):
    room.run(f"def f(x): raise {error}")
    with room.check():
        assert room.call("f", ("6",), {}).said == said
    assert reply_of(lambda x: exec(f"raise {error}", {"x": x}), ("6",), {}).said == said


@pytest.mark.parametrize(("most", "error"), [(None, None), (10**5, None), (10**4, "MemoryError")])
def test_a_call_may_hold_no_more_memory_than_the_check_says(room, most, error):
    room.run("import numpy as np\ndef f(n): return float(np.zeros(n).sum())")
    with room.check():
        assert room.call("f", (5000,), {}, most).error == error
    assert reply_of(lambda n: float(np.zeros(n).sum()), (5000,), {}, most).error == error


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


@pytest.mark.parametrize("reply", [
    "{'type': 'a\\0b'}", "{'array': 0}", "{'array': [0]}", "{'scalar': -1}", "{'dict': []}", "{'tuple': 3}",
    "[[[]] * 500] * 500", "'x' * 9**8", "{'dict': [[1, 2], [1, 3]]}", "{'dict': [[[], 1]]}", "{'bytes': 'no base64'}",
])
def test_a_forged_reply_is_an_answer_and_no_fault_of_the_check(fresh, reply):
    fresh.run(f"import wire\nwire._Packer.pack = lambda *_: {reply}\ndef f(x): return x")
    with fresh.check():
        fresh.call("f", (2.0,), {})
    assert texts(fresh.run("3")) == ["3"]


@pytest.mark.parametrize("number", ["[1]", "None", "'1'", "True", "1.5", "[1e15] * 10**6"])
def test_a_copy_that_has_no_number_is_none(fresh, number):
    fresh.run("import inside\nwhole = inside.keep_a_copy\ndef f(): return 1\n"
              f"inside.keep_a_copy = lambda *room: (whole(*room), {number})[1]")
    with fresh.check() as missing:
        assert "its line to the grader" in missing and fresh.call("f", (), {}).error == "Crash"


def test_a_number_that_comes_back_as_an_array_has_changed(fresh):
    fresh.run("import wire, numpy as np\npack = wire.pack\ndef f(x, y): return 1\n"
              "wire.pack = lambda v, blobs: pack((np.ones(2),) * len(v) if isinstance(v, tuple) else v, blobs)")
    with fresh.check():
        assert fresh.call("f", (2.0, [np.zeros(2)]), {}).changed == (1, 2)


def test_a_check_that_brings_the_room_down_costs_the_next_cell_nothing(fresh):
    fresh.run("import os, signal\nkept = 4\ndef f():\n    for s in gc.get_objects():\n"
              "        if isinstance(s, socket.socket): s.shutdown(2)\nimport gc, socket")
    with fresh.check():
        fresh.call("f", (), {})
    ran = fresh.run("kept")
    assert ran.stopped is None and texts(ran) == ["4"]


@pytest.mark.parametrize("command", ["!ls", "%pip install numpy", "names = !ls"])
def test_a_command_is_not_run_and_what_follows_is(room, command):
    assert "7" in " ".join(texts(room.run(f"{command}\n3 + 4")))


@pytest.mark.parametrize("line, what", [
    ("import pandas as pd", "No module named 'pandas'"),
    ("from google.colab import drive; drive.mount('/content')", "No module named 'google'"),
    ("import os; os.chdir('/content/drive/MyDrive')", "No such file or directory: '/content/drive/MyDrive'"),
    ("rows = open('rows.csv').read()", "rows.csv"),
    ("name = input('your name: ')", "EOF"),
    ("%load_ext tensorboard", "No module named 'tensorboard'"),
    ("%nowhere", "`%nowhere` not found"),
    ("import subprocess, sys; subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'pandas'])", "pip"),
])
def test_a_line_that_misses_something_is_named_and_those_below_it_are_run(room, line, what):
    ran = room.run(f"kept = 1\n{line}\nkept = 2\nkept")
    assert [where for where, _ in ran.missing] == [2] and what in ran.missing[0][1] and texts(ran)[-1] == "2"


def test_a_name_that_a_missing_package_would_have_brought_stops_nothing(room):
    ran = room.run("import pandas as pd\npd.set_option('x', 1)\npd.DataFrame\n3")
    assert len(ran.missing) == 1 and texts(ran)[-1] == "3"


@pytest.mark.parametrize("line", ["1 / 0", "assert False", "raise NotImplementedError", "raise KeyboardInterrupt"])
def test_an_exception_that_would_be_raised_anywhere_ends_its_cell_as_in_jupyter(room, line):
    room.run("kept = 1")
    ran = room.run(f"{line}\nkept = 2")
    assert ran.missing == [] and texts(room.run("kept")) == ["1"]


def test_an_interrupt_at_the_time_limit_ends_the_cell_whatever_was_missing_before(fresh):
    assert texts(fresh.run("import pandas\nwhile True: pass\nprint(3)")) == ["ModuleNotFoundError", "TimeLimit"]


@pytest.mark.parametrize("said", ["5", "[5]", "[[1]]", "[[1, 2]]", "[[True, 'x']]", "[['x', 1]]", "[[1, 'x', 2]]"])
def test_malformed_news_of_what_is_missing_is_dropped(fresh, said):
    fresh.run(f"import inside\nreal = inside.run\ninside.run = lambda *a: dict(real(*a), missing={said})")
    assert fresh.run("1").missing == []


@pytest.mark.parametrize("backend", ["widget", "notebook", "qt", "inline"])
def test_a_figure_is_shown_whatever_window_it_was_made_for(fresh, backend):
    ran = fresh.run(f"%matplotlib {backend}\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert ran.ok and any("image/png" in output.get("data", {}) for output in ran.outputs)


def test_a_cell_says_whether_it_is_python(room):
    assert room.run("1").read and room.run("1 / 0").read and not room.run("def f(:").read


@pytest.mark.parametrize("printed, shown", [
    (r"\r 1%\r 20%\r 100%", " 100%"),
    (r"loading\rdone", "doneing"),
    (r"loading\r\x1b[Kdone", "done"),
    (r"12\b\b\b34", "34"),
    (r"one\r\ntwo", "one\ntwo"),
])
def test_what_is_written_over_is_gone_as_in_a_terminal(room, printed, shown):
    assert texts(room.run(f"print('{printed}', end='')")) == [shown]


def test_a_progress_bar_hides_nothing_that_is_printed_after_it(room):
    ran = room.run("for i in range(10**5): print(f'\\r{i}', end='')\nprint('\\nmean: 3')")
    assert texts(ran) == ["99999\nmean: 3\n"]


def test_a_cell_that_went_elsewhere_takes_no_later_one_with_it_that_is_to_run_at_home(room):
    room.run("import os; os.makedirs('far/away', exist_ok=True); os.chdir('far/away')")
    assert texts(room.run("open('data/numbers.txt').read()", home=True)) == ["'1 2 3'"]
    assert texts(room.run("os.getcwd()[-8:]")) == ["'far/away'"]
    room.run("os.chdir('../..')")


def test_a_folder_that_is_gone_keeps_no_cell_from_running(fresh):
    fresh.run("import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')")
    assert texts(fresh.run("3", home=True)) == ["3"]


def test_a_file_that_cannot_be_there_is_named_and_the_others_are(rooms):
    with rooms.open({"a": b"1", "a/b": b"2", "c": b"3", "nul\0": b"4"}) as room:
        assert sorted(room.refused) == ["a/b", "nul\0"]
        assert texts(room.run("import os; sorted(os.listdir())")) == ["['a', 'c']"]


DEAF = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"


@pytest.mark.parametrize("source", [
    "import os; os._exit(0)",
    DEAF,
    "import gc, socket\n[s.close() for s in gc.get_objects() if isinstance(s, socket.socket)]",
    "import gc, socket\n[s.sendall(bytes(100)) for s in gc.get_objects() if isinstance(s, socket.socket)]",
    "import os; os.abort()",
    "import ctypes; ctypes.string_at(0)",
])
def test_a_cell_that_destroys_the_room_is_left_out_and_the_others_stand(fresh, source):
    fresh.run("before = 1")
    stopped = fresh.run(source)
    ran = fresh.run("before")  # one that broke the line may be noticed only here
    assert (stopped.stopped or ran.stopped) and texts(fresh.run("before + 1")) == ["2"]


def test_a_notebook_that_destroys_every_room_is_given_up(fresh):
    for _ in range(8):
        fresh.run("import os; os._exit(0)")
    assert "too often" in fresh.closed and "Not run" in texts(fresh.run("1"))[0]
    with fresh.check():
        assert fresh.call("f", (), {}).error == "Crash"


def test_a_call_that_is_deaf_to_the_alarm_is_stopped_and_the_room_lives(fresh):
    fresh.run(f"def f():\n    {DEAF.replace(chr(10), chr(10) + '    ')}\nkept = 5")
    with fresh.check():
        assert fresh.call("f", (), {}).error == "TimeLimit"
    assert texts(fresh.run("kept")) == ["5"]


def test_after_a_call_that_was_late_the_next_ones_of_the_check_get_less_time(fresh):
    fresh.run("import time\ndef f(): time.sleep(0.3)\ndef g(): time.sleep(9)")
    with fresh.check():
        assert fresh.call("f", (), {}).error is None
        assert fresh.call("g", (), {}).error == "TimeLimit"
        assert fresh.call("f", (), {}).error == "TimeLimit"


def test_calls_that_end_the_process_take_no_later_check_with_them(fresh):
    fresh.run("import os\ndef f(): os._exit(0)\ndef g(): return 1")
    fresh.keep("f"), fresh.keep("g")
    with fresh.check("f"):
        assert {fresh.call("f", (), {}).error for _ in range(9)} == {"Crash"}
    with fresh.check("g"):
        assert fresh.call("g", (), {}).value == 1


def test_nothing_of_a_room_lives_on_in_the_next(rooms):
    left = "os.environ['TMPDIR'] + '/left'"
    with rooms.open() as room:
        room.run(f"import os, coursekit; open({left}, 'w').write('x'); coursekit.left = 1\n"
                 "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])")
    with rooms.open() as room:
        assert texts(room.run("import os, coursekit; os.listdir()")) == ["[]"]
        assert texts(room.run(f"hasattr(coursekit, 'left'), os.path.exists({left})")) == ["(False, False)"]


def test_a_sandbox_that_was_killed_is_replaced(rooms):
    with rooms.open() as room:
        room.run("1")
    rooms._keeper.kill()
    rooms._keeper.wait()
    with rooms.open() as room:
        assert texts(room.run("2")) == ["2"]


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_sandbox_leaves_no_process_and_no_file_behind(sandbox, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Rooms(QUICK, sandbox) as rooms, rooms.open() as room:
        room.run("import os; os.fork() or os.execv('/bin/sleep', ['sleep', '60'])")
        keeper = rooms._keeper.pid
    assert os.listdir(tmp_path) == [] and not os.path.exists(f"/proc/{keeper}")


KILLED = "import os, signal; from grading.room.room import Rooms; rooms = Rooms(sandbox={}); rooms.start(); " \
         "print(rooms._keeper.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_grader_that_is_killed_leaves_no_process_and_no_file_behind_either(sandbox, tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED.format(sandbox)], cwd=ROOT, stdout=subprocess.PIPE,
                            env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert gone(lambda: os.listdir(tmp_path) == [] and not os.path.exists(f"/proc/{int(killed.stdout)}"))


def gone(condition, seconds=10):
    """Does the condition come to hold within so many seconds?"""
    return any(condition() or time.sleep(0.05) for _ in range(int(seconds / 0.05)))


PNG = "iVBORw0KGgo="


def cleaned(outputs):
    return clean(outputs, Limits(cell_output=1000), left=100_000)[0]


@pytest.mark.parametrize("output", [
    {"output_type": "display_data", "data": {"text/plain": "x", "text/html": "<script>"}},
    {"output_type": "display_data", "data": {"text/plain": "x", "image/png": '"><script>'}},
    {"output_type": "stream", "name": "<script>", "text": "x"},
    {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["x"], "html": "<script>"},
])
def test_no_markup_comes_out_of_the_room(output):
    assert "script" not in str(cleaned([output]))


@pytest.mark.parametrize("outputs", [None, 5, ["x"], [{}], [{"output_type": "stream"}], [{"output_type": []}]])
def test_malformed_outputs_are_dropped(outputs):
    assert cleaned(outputs) == []


def test_what_is_shown_beyond_the_limit_of_a_cell_is_cut_and_says_so():
    shown = cleaned([{"output_type": "stream", "name": "stdout", "text": "x" * 200} for _ in range(9)])
    assert "cut here" in shown[-1]["text"] and sum(len(output["text"]) for output in shown) < 1100


def test_no_cell_shows_more_than_a_number_of_outputs():
    assert len(cleaned([{"output_type": "stream", "name": "stdout", "text": ""}] * 9999)) < 300


def test_what_is_shown_beyond_the_limit_of_the_notebook_is_cut():
    picture = {"output_type": "display_data", "data": {"text/plain": "", "image/png": PNG + "A" * 10_000}}
    assert len(cleaned([picture] * 20)) == 10


# The scratch folder.


SCRATCH = """
import os
os.makedirs('made/below')
open('made/below/kept.txt', 'w').write('as it was')
os.symlink('made', 'link')
def leaves(what):
    before = [sorted(str(path) for path in __import__('pathlib').Path(os.environ['TMPDIR']).rglob('*')),
              open('made/below/kept.txt').read(), os.readlink('link')]
    exec(what)
    return before
"""


@pytest.mark.parametrize("what", [
    "open('new.txt', 'w'), open(os.environ['TMPDIR'] + '/new.txt', 'w')",
    "os.makedirs('new/folder'), open('new/folder/x', 'w')",
    "open('made/below/kept.txt', 'w').write('x')",
    "os.remove('made/below/kept.txt'), os.rmdir('made/below'), os.rmdir('made')",
    "os.remove('link'), os.symlink('/etc', 'link')",
], ids=["new files", "new folders", "changed", "removed", "another link"])
def test_each_check_finds_the_scratch_folder_as_the_last_cell_left_it(fresh, what):
    fresh.run(SCRATCH)
    found = []
    for _ in range(3):
        with fresh.check() as why:
            found.append((why, fresh.call("leaves", (what,), {}).value))
    assert found[0] == found[1] == found[2] and found[0][1] is not None


LOCKED = """
import os
os.mkdir('shut'), open('shut/seen', 'w').close(), os.chmod('shut', 0)
open('locked', 'w').close(), os.chmod('locked', 0)
def tells(name):
    os.chmod('shut', 0o700), os.path.exists(name) and os.chmod(name, 0o600)
    before = open(name).read()
    open(name, 'a').write('seen'), os.chmod(name, 0), os.chmod('shut', 0)
    return before
"""


@pytest.mark.parametrize("name", ["locked", "shut/seen"])
def test_what_nobody_may_read_carries_nothing_from_one_check_to_the_next(fresh, name):
    fresh.run(LOCKED)
    for _ in range(2):
        with fresh.check():
            assert fresh.call("tells", (name,), {}).value == ""


def test_no_folder_is_left_of_rooms_without_a_wall_whoever_ends_the_keeper(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Rooms(QUICK, sandbox=False) as rooms:
        rooms.start()
        rooms._keeper.kill()
    assert list(tmp_path.iterdir()) == []
