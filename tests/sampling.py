"""A sample of the slow tests: those that are many alike, and those that walk through all of grading or start Python.

A test that carries `@pytest.mark.sampled(KIND)` is one of many. `make test` runs of each kind what the change touches,
at most as many as MOST says, and if that is less than LEAST, others besides; both are drawn with the commit as the
seed. So a change of everything takes no longer than a person waits. `make test SAMPLE=all` and the nightly workflow run
everything, also the tests marked `nightly`. What a test is made of is told by `coursekit.sources`: the statements that
it reaches, and the files that no import names. A test is touched where this is not what it was at the base: the merge
base with main, or on main the parent; where the base is unknown, each is. A run of single files (`pytest tests/labs`)
is not sampled unless it is asked for by --sample.
"""

import hashlib
import io
import random
import subprocess
import tarfile
import tempfile
from pathlib import Path

import jupytext
import nbformat
import pytest

from coursekit.sources import Sources

ROOT = Path(__file__).parents[1]
# How many of a kind run, whatever a change touches: at least, and at most
LEAST = {"walk": 2, "python in a page": 3, "chapter": 3, "page": 6, "figure": 12, "lab": 3, "answer": 20, "attack": 100,
         "seed": 100, "mutant": 9}
MOST = {"walk": 20, "python in a page": 20, "chapter": 6, "page": 12, "figure": 24, "lab": 6, "answer": 40,
        "attack": 200, "seed": 600, "mutant": 60}
PINS = ("requirements.txt", "requirements.lock", "requirements-oracle.txt", "pyproject.toml")
BROWSER = ("_config.yml", "_static/live*", "_static/touch.js", "_templates/*")
ROOM = ("grading/room/*.py", "nbgrader_config.py")  # what runs in the sandbox is copied there, not imported


# What a test is made of, in the checkout `root`: text of which any difference counts


def chapter(sources, root, name):
    """A page whose cells run in a browser."""
    text = Path(root, "chapters", f"{name}.md").read_text("utf-8")
    cells = [cell.source for cell in jupytext.reads(text, "md:myst").cells if cell.cell_type == "code"]
    return {text, sources.hash_of_cells(*cells), *files(root, *BROWSER, "chapters/data/*")}


def walk(sources, root, _):
    """A class that is graded from its beginning to its end."""
    return files(root, "grading/**/*.py", "nbgrader_config.py", "Makefile", "chapters/teaching.md")


def python_in_a_page(sources, root, _):
    """What a page or a lab does to run Python, whatever it runs."""
    return files(root, *BROWSER, "tools/lite*", "coursekit/keeping.py")


def page(sources, root, name):
    """A page as it looks."""
    return chapter(sources, root, name) | files(root, "_static/*")


def figure(sources, root, kind):
    """A figure to touch."""
    return sources.of("coursekit.touch") | files(root, "_static/*", "chapters/*.md")


def lab(sources, root, name):
    """A lab that is solved in a browser, and graded."""
    notebook = nbformat.read(Path(root, "labs", name, f"{name}.ipynb"), as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return {sources.hash_of_cells(*cells), *seed(sources, root, name),
            *files(root, f"labs/{name}/**/*", "tools/lite.js", *BROWSER, *ROOM)}


def attack(sources, root, kind):
    """A hostile notebook, and all of its kind."""
    return {*sources.of(f"tests.attacks.corpus.{kind}"), *files(root, *ROOM)}


def seed(sources, root, name):
    """The answers to a lab, judged by its checks."""
    modules = [f"solutions.{name}.{part}" for part in ("checks", "mistakes", "reference")]
    return set().union(*map(sources.of, [*modules, f"coursekit.check.{name}", f"tests.labs.variants_{name}"]))


def answer(sources, root, name):
    """What a lab asks for, and all that is published, in which an answer to it may stand."""
    return seed(sources, root, name) | files(root, "coursekit/**/*.py", "chapters/*.md", "labs/*/*.ipynb")


def mutant(sources, root, name):
    """The mutants of a lab's references, its checks, and where the two are told apart."""
    own = files(root, f"tests/labs/inputs_{name}.py", f"tests/labs/survivors_{name}.py")
    return seed(sources, root, name) | own


KINDS = {  # kind: what is asked of its subject, and how the test's parameter names the subject
    "walk": (walk, lambda **_: "a class"),
    "python in a page": (python_in_a_page, lambda **_: "a page"),
    "chapter": (chapter, lambda name, **_: name),
    "page": (page, lambda name, **_: name),
    "figure": (figure, lambda kind, **_: kind),
    "lab": (lab, lambda lab, **_: lab),
    "answer": (answer, lambda lab, **_: lab),
    "attack": (attack, lambda attack, **_: attack.kind),
    "seed": (seed, lambda lab, **_: lab),
    "mutant": (mutant, lambda lab, **_: lab),
}


def files(root, *patterns):
    """Each file that a pattern names, as its place and the hash of what it holds."""
    paths = sorted({path for pattern in patterns for path in Path(root).glob(pattern) if path.is_file()})
    return {f"{path.relative_to(root)}: {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths}


class Tree:
    """A checkout, asked what its tests are made of."""

    def __init__(self, root):
        self.root, self.sources, self.known = Path(root), Sources(root), {}
        self.pins = files(self.root, *PINS)

    def made_of(self, kind, subject, module):
        """All that decides what a sampled test of `module` finds; None where there is no such thing here."""
        if (kind, subject, module) not in self.known:
            try:
                made = KINDS[kind][0](self.sources, self.root, subject) | self.sources.of(module) | self.pins
            except (OSError, ValueError, SyntaxError):
                made = None
            self.known[kind, subject, module] = made
        return self.known[kind, subject, module]


# What has changed


def git(*arguments, text=True):
    """What git says, or None where it knows no answer."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=text)
    return (done.stdout.strip() if text else done.stdout) if done.returncode == 0 else None


def base():
    """The commit that a change is compared with, or None where it is unknown."""
    head, main = git("rev-parse", "HEAD"), git("rev-parse", "origin/main") or git("rev-parse", "main")
    if head is None or main is None:
        return None
    merged = git("merge-base", "HEAD", main)
    return git("rev-parse", "HEAD^") if merged == head else merged


def checkout(commit, folder):
    """The files of a commit, in a folder."""
    archive = git("archive", "--format=tar", commit, text=False)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


# What is run


def is_whole(config):
    """Are all tests asked for, rather than some files of them?"""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (config.option.keyword or
                                                                             config.option.markexpr)


def choose(config, items):
    """Leave out what the sample leaves out, and note what was drawn in `config.sampled`."""
    for item in items:
        item.user_properties.append(("sampled", kind_of(item) or ""))
    wanted = config.option.sample
    if wanted == "all" or not (wanted or is_whole(config)):
        return
    start, drawn_with = base(), wanted or git("rev-parse", "HEAD") or "no commit"
    left, said = sample(items, start, random.Random(drawn_with))
    config.sampled = [f"seed {drawn_with}, against {start or 'nothing: the base is unknown'}", *said]
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


def sample(items, start, rng):
    """The items that are left out, and a line on each kind that was sampled."""
    left, said = {item for item in items if item.get_closest_marker("nightly")}, []
    with tempfile.TemporaryDirectory() as folder:
        if start:
            checkout(start, folder)
        now, then = Tree(ROOT), Tree(folder) if start else None
        for kind, least in LEAST.items():
            group = [item for item in items if kind_of(item) == kind and item not in left]
            touched = [item for item in group if then is None or is_touched(item, now, then)]
            others = [item for item in group if item not in touched]
            runs = rng.sample(touched, min(MOST[kind], len(touched)))
            drawn = rng.sample(others, min(max(least - len(runs), 0), len(others)))
            left |= set(group) - {*runs, *drawn}
            names = ", ".join(item.name for item in drawn) if len(drawn) < 10 else len(drawn)
            said.append(f"{kind}: {len(touched)} of {len(group)} touched, {len(runs)} of them run; "
                        f"drawn besides: {names or 'none'}")
    return left, said


def kind_of(item):
    marker = item.get_closest_marker("sampled")
    return marker and marker.args[0]


def is_touched(item, now, then):
    """Is the test, or something that it is made of, another than at the base?"""
    kind, module = kind_of(item), ".".join(item.path.relative_to(ROOT).with_suffix("").parts)
    params = item.callspec.params if hasattr(item, "callspec") else {}
    what = kind, KINDS[kind][1](**params), module
    made = now.made_of(*what)
    return made is None or made != then.made_of(*what)
