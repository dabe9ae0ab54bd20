"""Files that are no notebooks, and files beside the notebook."""

import json

from nbformat import v4

from tests.attacks.attack import Attack
from tests.grading import tiny

ATTACKS = [Attack(aim, (0, 0), edit=lambda notebook, content=content: content) for aim, content in (
    ("nothing is handed in", None),
    ("an empty file", b""),
    ("a file that is no text", bytes(range(256)) * 9),
    ("a file that ends in the middle", b'{"cells": [{"cell_type": "code", "source": "'),
    ("a file of `null`", b"null"),
    ("a file that is a number of ten thousand digits", b"1" * 10_000),
    ("a file of a million brackets", b"[" * 1_000_000),
    ("a notebook without cells", b'{"cells": [], "nbformat": 4}'),
    ("a notebook whose cells are an object", b'{"cells": {"0": {"source": "1"}}, "nbformat": 4}'),
    ("a notebook whose cells are deep lists", b'{"cells": [' + b"[" * 900 + b"]" * 900 + b'], "nbformat": 4}'),
    ("a file of 30 megabytes", b'{"cells": ["' + b"x" * 30_000_000 + b'"]}'),
    ("a page of HTML", b"<html><script>alert(1)</script></html>"),
    ("a pickle", b"\x80\x04cos\nsystem\n(S'true'\ntR."),
    ("another lab's notebook", json.dumps(v4.new_notebook(cells=[v4.new_code_cell("center = 2")])).encode()),
)]
ATTACKS += [
    Attack("text in UTF-16", edit=lambda notebook: json.dumps(notebook).encode("utf-16"), exact=False),
    Attack("keys that stand there twice", edit=lambda notebook: tiny.to_bytes(notebook)[:-1]
           + b', "cells": []}', honest=(0, 0)),
    *(Attack(f"a helper file called {name}", files={name: text.encode()}) for name, text in (
        ("numpy.py", "raise SystemExit"),
        ("wire.py", "def pack(value, blobs): return True"),
        ("inside.py", "def call(*args): return {'value': True}"),
        ("coursekit/verdicts.py", "compare = lambda *a, **k: True"),
        ("grading/__init__.py", "hidden_checks = lambda *args: None"),
        ("reference.py", "center = lambda x, axis=0: x"),
        ("tests/grading/tiny_solutions/lab_tiny/checks.py", "def center(student, rng):\n    yield True"),
        ("sitecustomize.py", "import builtins; builtins.AssertionError = Warning"),
        ("usercustomize.py", "import builtins; builtins.AssertionError = Warning"),
        ("json.py", "dumps = loads = lambda *a, **k: {}"),
        ("matplotlibrc", "backend: nonsense"),
        ("ipython_config.py", "c = get_config()\nc.InteractiveShellApp.exec_lines = ['1/0']"),
        ("nbgrader_config.py", "c = get_config()\nc.ClearSolutions.code_stub = {}"),
        ("kernel.json", "{}"),
    )),
]
