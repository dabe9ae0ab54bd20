"""Nothing that is published holds code of `solutions/`, nor a function that would do as an answer and is not named."""

import gzip
import importlib
import inspect
import json
import pkgutil
import re
import resource
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path

import jupytext
import matplotlib as mpl
import numpy as np
import pytest

import coursekit
from grading.checking import random_for
from grading.lab import Lab, graded, names, solution
from grading.student import LocalStudent
from tests import adapters
from tests.labs.mutation import TooLong, limited
from tests.leaks import leaks, squeeze, statements, texts

ROOT = Path(__file__).parents[1]
PUBLISHED = {"the site": "_build/html", "the release": "release", "the feedback": "build/demo/feedback"}
CHECKS = [(lab, exercise.removesuffix("-checks")) for lab in names(ROOT / "labs")
          for exercise in Lab.read(ROOT / "labs", lab).points if exercise.endswith("-checks")]


@cache
def secret_statements():
    """Those of the labs' solutions. (What trains artifacts is made of published code, and answers nothing.)"""
    return set().union(*map(statements, (ROOT / "solutions").glob("lab*")))


def files(place):
    found = [path for path in sorted((ROOT / place).rglob("*")) if path.is_file()]
    assert found, f"{place}: nothing there; run make test, which builds it first"
    return found


@cache
def handed_in(student):
    """A student's code: what they wrote themselves is no leak in their feedback."""
    submitted = (ROOT / "build/demo/submitted" / student).rglob("*.ipynb")
    notebooks = [text for text in (p.read_text(encoding="utf-8") for p in submitted) if text.startswith("{")]
    return squeeze("".join("".join(cell["source"]) for text in notebooks for cell in json.loads(text)["cells"]))


@pytest.mark.parametrize("place", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_nothing_published_holds_code_of_the_solutions(place):
    secrets = secret_statements()
    for path in files(place):
        own = handed_in(path.relative_to(ROOT / place).parts[0]) if "feedback" in place else ""
        found = {name: [leak for leak in leaks(secrets, text) if leak not in own] for name, text in texts(path)}
        assert not any(found.values()), {name: leak for name, leak in found.items() if leak}


@pytest.mark.parametrize("disguise", ["{}", "<pre><span>{}</span></pre>", "x = 1\n\n    {}  # as above"])
def test_a_leak_would_be_found(disguise, tmp_path):
    secrets = secret_statements()
    line = "return exponentials / exponentials.sum(axis=axis, keepdims=True)"
    assert squeeze(line) in secrets
    path = tmp_path / "page.html"
    path.write_text(disguise.format(line))
    assert leaks(secrets, texts(path)[0][1])


@pytest.mark.parametrize(("name", "content"), [
    ("all.json", json.dumps({"cells": ["return  x['a long name'] / total"]}).encode()),
    ("page.js.gz", gzip.compress(b'return x["a long name"]/total')),
], ids=["json", "gzip"])
def test_a_leak_that_is_wrapped_would_be_found(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert leaks({squeeze("return x['a long name'] / total")}, texts(tmp_path / name)[0][1])


def test_the_labs_in_the_browser_are_looked_into():
    found = [name for path in files("_build/html/lite") for name, _ in texts(path)]
    assert any(name.endswith("lab00_warm_up.ipynb") for name in found) and len(found) > 300


def test_an_archive_is_looked_into():
    found = [name for path in files("release") for name, _ in texts(path)]
    assert any(name.endswith(".whl/coursekit/tasks/dates.py") for name in found)
    assert not [name for name in found if "solutions" in name or "grading" in name]


@cache
def published_functions():
    """{name: function} of all that a reader can call: `coursekit`, and what the chapters' cells define; each once."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(coursekit.__path__, "coursekit.")]
    found = {f"{m.__name__}.{name}": f for m in [coursekit, *modules] for name, f in vars(m).items() if callable(f)}
    for path in sorted((ROOT / "chapters").glob("[0-9]*.md")):
        found |= {f"{path.stem}: {name}": function for name, function in run(path).items()}
    first = {id(function): name for name, function in reversed(found.items())}  # others have imported it from there
    return {name: found[name] for name in first.values()}


def run(chapter):
    """Run a chapter's cells, but for their asserts, some of which time things. Returns the functions they leave."""
    namespace = {"__name__": "chapter"}
    with mpl.rc_context({"backend": "agg"}), chdir(chapter.parent):  # beside which lies what its cells open
        for cell in jupytext.read(chapter, fmt="md:myst").cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, chapter.name, "exec", optimize=1), namespace)
        mpl.pyplot.close("all")
    return {name: value for name, value in namespace.items() if inspect.isfunction(value)}


def can_be_called_as(function, reference):
    """Could the function be given what the reference must be given? Most cannot, and need no judging."""
    needed = [each for each in inspect.signature(reference).parameters.values() if each.default is each.empty]
    try:
        inspect.signature(function).bind(*needed)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        pass
    return True


@contextmanager
def memory_for_one_answer():
    """Within, this process may take a gigabyte more: some functions, given another's arguments, would take all."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def full_points(lab, exercise, function):
    checks = importlib.import_module(f"solutions.{lab}.checks")
    reference = vars(importlib.import_module(f"solutions.{lab}.reference"))
    if not can_be_called_as(function, reference[exercise]):
        return False
    student = LocalStudent({**reference, exercise: function})
    try:
        with memory_for_one_answer(), limited():
            return all(verdict.passed for verdict in getattr(checks, exercise)(student, random_for(lab, exercise)))
    except TooLong:  # a trainer that took the size of a cache for that of a model
        return False


@pytest.mark.sampled("answer")
@pytest.mark.parametrize(("lab", "exercise"), CHECKS)
def test_no_published_function_earns_an_exercises_full_points(lab, exercise, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # some of them write a file
    answers = [name for name, function in published_functions().items() if full_points(lab, exercise, function)]
    assert answers == []


def test_the_search_for_answers_covers_kit_and_chapters():
    names_found = published_functions().keys()
    assert "coursekit.plot.alignment" in names_found and "02_additive_attention: words_recovered" in names_found


def test_an_answer_would_be_found():
    def softmax(x, axis=0):
        exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
        return exponentials / exponentials.sum(axis=axis, keepdims=True)

    assert full_points("lab01_additive_attention", "softmax", softmax)


# What a student has in hand all the same: a later lab shows what an earlier one asks for, and models need layers.


@cache
def given_functions(lab, folder):
    """{name: function} of what a released lab's own cells define, of those that run without an answer."""
    cells = [cell for cell in Lab.read(ROOT / "labs", lab).skeleton.cells if cell.cell_type == "code"]
    namespace, stubs = {"__name__": "given"}, {cell.metadata.nbgrader.grade_id for cell in cells if solution(cell)}
    with mpl.rc_context({"backend": "agg"}), chdir(folder):
        for cell in cells:
            if not graded(cell) and "long" not in cell.metadata.get("tags", []):
                try:
                    exec(cell.source, namespace)
                except Exception:
                    pass  # it needs an answer, which is not there
        mpl.pyplot.close("all")
    return {name: value for name, value in namespace.items()
            if inspect.isfunction(value) and value.__module__ == "given" and name not in stubs}


def share(lab, exercise, function):
    """The share of an exercise's points that a function earns; 0 if nothing of the first few verdicts holds."""
    checks = importlib.import_module(f"solutions.{lab}.checks")
    student = LocalStudent({**vars(importlib.import_module(f"solutions.{lab}.reference")), exercise: function})
    got, possible = 0.0, 0.0
    for verdict in getattr(checks, exercise)(student, random_for(lab, exercise)):
        got, possible = got + verdict.weight * verdict.passed, possible + verdict.weight
        if not got and possible > 3:
            break
    return got / possible


def in_hand(lab, exercise, folder):
    """{where it stands: points} of what earns at least half of an exercise: another lab, or coursekit."""
    functions = [("coursekit", vars(adapters)[exercise])] if exercise in vars(adapters) else []
    functions += [(other, function) for other in names(ROOT / "labs") if other != lab
                  for function in given_functions(other, folder).values()]
    found = {}
    for where, function in functions:
        found[where] = max(found.get(where, 0.0), share(lab, exercise, function))
    points = Lab.read(ROOT / "labs", lab).points[f"{exercise}-checks"]
    return {where.partition("_")[0]: round(points * part, 2) for where, part in found.items() if part >= 0.5}


def told():
    """What the page for instructors says of that: {(lab, exercise): {where: points}}."""
    text, found = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8"), {}
    row = re.compile(r"^\| (lab\d\d) \| `(\w+)` \| [\d.]+ \| `?(lab\d\d|coursekit)`? \| ([\d.]+) \|$", re.MULTILINE)
    for lab, exercise, where, points in row.findall(text):
        found.setdefault((lab, exercise), {})[where] = float(points)
    return found


@pytest.mark.sampled("answer")
@pytest.mark.parametrize(("lab", "exercise"), CHECKS)
def test_the_page_for_instructors_says_of_each_answer_where_a_student_has_it(lab, exercise, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    assert in_hand(lab, exercise, folder) == told().get((lab[:5], exercise), {})


def test_the_page_names_no_answer_that_no_lab_asks_for():
    assert told().keys() <= {(lab[:5], exercise) for lab, exercise in CHECKS}
