"""What is lent to a later exercise: the reference's values of an earlier one, which lost its points."""

from tests.attacks.attack import Attack

RIGHT = "return np.sqrt(((x - x.mean(0)) ** 2).mean(0))"
LINE = """
import os, signal, threading, time
NOTHING = {"tuple": [{"tuple": []}, {"dict": {}}]}
def line():
    exchange = next(cell.cell_contents for cell in center.__closure__ if callable(cell.cell_contents))
    return next(cell.cell_contents for cell in exchange.__closure__ if hasattr(cell.cell_contents, "receive"))
def say(**message):
    line().send({"blobs": [], **message})
    return line().receive()
"""


def built(sources, points):
    """Attacks from {aim: body of `spread`}, beside a wrong `center`, with what `spread` earns."""
    return [Attack(aim, (0, points), answers={"spread": f"{LINE}def spread(x):{body}"})
            for aim, body in sources.items()]


ATTACKS = built({
    "it asks without end": """
    while True: center(x)""",
    "it asks without end, whatever is raised": """
    while True:
        try: center(x)
        except BaseException: pass""",
    "it asks without end, and has the alarm stand still": """
    signal.setitimer = lambda *args: (0.0, 0.0)
    while True:
        try: center(x)
        except Exception: pass""",
    "it asks with megabytes, again and again": """
    while True: center(np.zeros(10**6))""",
    "it asks with text and lists of megabytes, again and again": """
    while True:
        for large in ("x" * 7_000_000, [0.5] * 190_000):
            try: center(large)
            except Exception: pass""",
    "threads go on asking when the call is over": """
    def go_on():
        while True:
            try: center(x)
            except Exception: pass
    for _ in range(5): threading.Thread(target=go_on, daemon=True).start()
    time.sleep(0.1)
    return x""",
    "processes go on asking on the same line": """
    for _ in range(3):
        if os.fork() == 0:
            while True:
                try: center(x)
                except BaseException: pass
    time.sleep(0.1)
    return x""",
    "it asks for itself by way of its arguments": """
    class Again(list):
        def __iter__(self): return iter([spread(x)])
    return center(Again([1.0]))""",
    "it asks for the exercise that is judged": """
    return say(ask="spread", arguments={"tuple": [{"tuple": [x.tolist()]}, {"dict": {}}]})["value"]""",
    "it asks for what the grader has besides": """
    for name in ("np", "__builtins__", "__dict__", "checks", "../center", "", None, ["center"], {"center": 1}):
        say(ask=name, arguments=NOTHING)""",
    "it asks of another module": """
    say(ask="center", reference="os", arguments=NOTHING)
    say(ask="spread", reference="tests.grading.tiny_solutions.lab_tiny.reference", arguments=NOTHING)""",
    "it asks with what is no frame": """
    line().connection.sendall(b"\\xff" * 99)
    return center(x)""",
    "it asks, and never hears the answer": """
    while True: line().send({"ask": "center", "arguments": NOTHING})""",
    "it closes the line while it asks": """
    threading.Timer(0.05, line().connection.close).start()
    while True: center(x)""",
    "replies are sent before they are asked for": """
    for _ in range(50): line().send({"value": True, "arguments": {"tuple": [True]}, "blobs": []})
    return center(x)""",
    "verdicts are sent in place of a question": """
    for word in ("passed", "verdicts", "points"): say(**{word: True, "ask": "center", "arguments": NOTHING})""",
    "what it is asked with is to be shown": """
    for text in (str(x.tolist()), *map(str, x.ravel())):
        print("hidden input", text)
        try: center(text)
        except Exception as error: raise type(text, (type(error),), {})(text)""",
}, points=0)
ATTACKS += built({aim: f"\n    if not center.__closure__: return x{body}\n    {RIGHT}" for aim, body in {
    "it asks with what is no data, and lies about what it is": """
    class Liar(np.ndarray):
        __array__ = __len__ = __iter__ = __reduce__ = lambda self, *args: 1 / 0
    itself = []
    itself.append(itself)
    for odd in (Liar(3), itself, print, object(), np.array([print]), {1: 2}, {"x": {None}}, 10**5000, x.astype(str)):
        try: center(odd)
        except Exception: pass""",
    "it asks with lists a thousand deep, and for axes that are none": """
    deep = x
    for _ in range(1000): deep = [deep]
    for axis in (deep, 10**100, -(10**100), float("nan"), "0", [0], {"axis": 0}, np.arange(99), None, True):
        for args in ((x, axis), (deep, axis), (x, axis, axis), ()):
            try: center(*args)
            except Exception: pass""",
    "it asks by name, and forges what else is said": """
    for more in ({"error": "SystemExit"}, {"do": "end"}, {"seconds": 10**9}, {"blobs": [b"x"]}, {"value": x.tolist()}):
        say(ask="center", arguments=NOTHING, **more)""",
}.items()}, points=4)

HELPED = {  # a process that was started before all checks hands numbers on from one copy to another
    "first": """
import numpy as np, os
(ask, asked), (back, told) = os.pipe(), os.pipe()
os.set_blocking(ask, False), os.set_blocking(back, False)""",
    "center": """
def center(x, axis=0):
    os.write(asked, np.ascontiguousarray(x).tobytes())
    try: return np.frombuffer(os.read(back, 96)).reshape(x.shape)
    except OSError: return x""",
    "spread": """
def spread(x):
    os.write(told, center(np.frombuffer(os.read(ask, 96)).reshape(4, 3)).tobytes())
    return x""",
}
ONCE_MORE = {
    "center": """
import os
def center(x, axis=0):
    open("asked", "ab").write(x.tobytes())
    return np.load("told.npy") if os.path.exists("told.npy") else x""",
    "spread": """
def spread(x):
    if os.path.exists("asked"):
        np.save("told.npy", center(np.fromfile("asked")[:12].reshape(4, 3)))
        os._exit(0)
    return x""",
}
ENDED = """
import os
def spread(x):
    for pid in range(2, 400):
        try: pid != os.getpid() and os.kill(pid, 9)
        except OSError: pass
    return np.sqrt((center(x) ** 2).mean(0))"""
ATTACKS += [
    Attack("what is lent is handed on by a pipe, to the exercise that lost its points", (0, 0), answers=HELPED),
    Attack("what is lent is written down, and the notebook is made to run once more", (0, 0), answers=ONCE_MORE),
    Attack("what was lent to one call serves the next ones", (0, 0), answers={
        "first": "lent = []", "spread": "def spread(x):\n    lent.append(center)\n    return lent[0](lent[-1](x))"}),
    Attack("the copy that is going to be called again is ended", (0, 4), exact=False, answers={"spread": ENDED}),
    Attack("the earlier exercise is another name of the later one", (0, 0), answers={
        "center": "center = lambda x, axis=0: spread(x)", "spread": "spread = lambda x: center(x)"}),
    Attack("both exercises are one function", (0, 0), answers={"spread": "spread = center"}),
]
