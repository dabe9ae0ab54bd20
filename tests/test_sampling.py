"""What a change touches is told by what tests are made of; what it does not touch is drawn with a seed."""

import random
import shutil
import subprocess
from collections import Counter
from types import SimpleNamespace

import pytest

from tests import sampling, seconds

FOLDERS = ("coursekit", "solutions", "grading", "tools", "tests", "labs", "chapters", "_static", "_templates")
CHAPTERS, LABS = ("02_additive_attention", "07_multi_head", "10_the_transformer"), ("lab01_additive_attention",
                                                                                     "lab06_multi_head")
ALL = [*(("chapter", name, "tests.book.test_live_chapters") for name in CHAPTERS),
       *(("lab", name, "tests.book.test_lite_labs") for name in LABS),
       *(("seed", name, "tests.labs.test_answers") for name in LABS),
       *(("attack", kind, "tests.attacks.test_attacks") for kind in ("forge", "read"))]


@pytest.fixture(scope="module")
def copied(root, tmp_path_factory):
    """A copy of what the tests are made of, and this checkout's own account of it."""
    folder = tmp_path_factory.mktemp("copy")
    for name in FOLDERS:
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in [*sampling.PINS, "_config.yml", "nbgrader_config.py"]:
        shutil.copy(root / name, folder)
    return folder, sampling.Tree(root)


@pytest.fixture
def touched(copied):
    """What an edit of the copy touches: {(kind, subject)}. The edit is taken back."""
    folder, now = copied
    changed = {}

    def touched_by(place, old, new):
        path = folder / place
        text = changed.setdefault(path, path.read_text("utf-8"))
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        then = sampling.Tree(folder)
        return {what[:2] for what in ALL if now.made_of(*what) != then.made_of(*what)}

    yield touched_by
    for path, text in changed.items():
        path.write_text(text, "utf-8")


def test_everything_that_is_sampled_is_known_here(copied):
    assert [what for what in ALL if not copied[1].made_of(*what)] == []


def test_a_comment_touches_nothing(touched):
    assert touched("coursekit/models/transformer.py", "\nclass ", "\n# A remark.\nclass ") == set()


def test_a_chapter_s_text_touches_that_chapter(touched):
    assert touched("chapters/07_multi_head.md", "head", "mind") == {("chapter", "07_multi_head")}


def test_a_task_touches_the_chapter_and_the_lab_that_use_it(touched):
    found = touched("coursekit/tasks/senses.py", '"forest"', '"woods"')
    assert found == {("chapter", "07_multi_head"), ("lab", "lab06_multi_head")}


def test_a_mistake_touches_the_answers_of_its_lab(touched):
    found = touched("solutions/lab06_multi_head/reference.py", "reshape", "transpose")
    assert ("seed", "lab06_multi_head") in found and ("seed", "lab01_additive_attention") not in found


def test_what_runs_in_the_sandbox_touches_all_attacks_and_labs_and_no_chapter(touched):
    found = touched("grading/room/inside.py", "import", "import sys, ")
    assert found == {("attack", "forge"), ("attack", "read"), *(("lab", name) for name in LABS)}


def test_what_runs_cells_in_the_page_touches_every_chapter(touched):
    assert {("chapter", name) for name in CHAPTERS} <= touched("_static/live.py", "def run", "def  run")


def test_a_pin_touches_everything(touched):
    assert touched("requirements.lock", "numpy==", "numpy==1") == {what[:2] for what in ALL}


# What is drawn


class Item:
    """What `sample` asks of a test."""

    def __init__(self, kind, number):
        self.kind, self.number, self.name = kind, number, f"{kind}{number}"

    def get_closest_marker(self, name):
        return SimpleNamespace(args=(self.kind,)) if name == "sampled" else None


def items(kind, number):
    return [Item(kind, i) for i in range(number)]


@pytest.fixture
def touching(monkeypatch):
    """Say which numbers a change touches."""
    monkeypatch.setattr(sampling, "checkout", lambda commit, folder: None)
    monkeypatch.setattr(sampling, "Tree", lambda root: root)

    def say(*numbers):
        monkeypatch.setattr(sampling, "is_touched", lambda item, now, then: item.number in numbers)

    return say


def run_of(group, seed="a", start="base"):
    left, _ = sampling.sample(group, start, random.Random(seed))
    return [item.number for item in group if item not in left]


def test_a_change_that_touches_nothing_runs_the_least(touching):
    touching()
    assert len(run_of(items("chapter", 12))) == sampling.LEAST["chapter"]


def test_all_that_a_change_touches_runs(touching):
    touching(2, 5, 6, 7, 11)
    assert run_of(items("chapter", 12)) == [2, 5, 6, 7, 11]


@pytest.mark.parametrize("start", ["base", None])
def test_of_a_change_that_touches_everything_the_most_runs(touching, start):
    touching(*range(500))
    assert len(run_of(items("attack", 500), start=start)) == sampling.MOST["attack"]


def test_the_same_seed_draws_the_same_and_another_seed_others(touching):
    touching()
    assert run_of(items("lab", 12), "a") == run_of(items("lab", 12), "a") != run_of(items("lab", 12), "b")


def test_where_the_base_is_unknown_everything_counts_as_touched(touching):
    assert len(run_of(items("attack", 150), start=None)) == 150


# What a change is compared with


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two commits on main, and a branch with two more from the first."""
    monkeypatch.setattr(sampling, "ROOT", tmp_path)

    def git(*arguments):
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)
        return sampling.git("rev-parse", "HEAD")

    git("init", "--quiet", "--initial-branch=main")
    commits = [git("commit", "--quiet", "--allow-empty", "--message=first")]
    git("branch", "work")
    commits.append(git("commit", "--quiet", "--allow-empty", "--message=second"))
    return git, commits


def test_on_main_a_commit_is_compared_with_its_parent(repository):
    assert sampling.base() == repository[1][0]


def test_a_branch_is_compared_with_where_it_left_main(repository):
    git, commits = repository
    git("checkout", "--quiet", "work")
    git("commit", "--quiet", "--allow-empty", "--message=third")
    git("commit", "--quiet", "--allow-empty", "--message=fourth")
    assert sampling.base() == commits[0]


def test_without_a_parent_the_base_is_unknown(repository):
    repository[0]("checkout", "--quiet", "-B", "main", repository[1][0])
    assert sampling.base() is None


def test_seconds_of_what_is_sampled_count_as_if_the_least_had_run():
    spent, tests = Counter({"": 10.0, "lab": 60.0, "attack": 30.0}), Counter({"": 5, "lab": 12, "attack": 60})
    assert seconds.as_untouched(spent, tests, {"lab": 3, "attack": 100}) == 10 + 60 * 3 / 12 + 30


@pytest.mark.parametrize(("spent", "status"), [(1.0, pytest.ExitCode.OK), (1e6, pytest.ExitCode.TESTS_FAILED)])
def test_a_whole_run_that_takes_too_long_fails(root, monkeypatch, spent, status):
    monkeypatch.setattr(seconds, "is_whole", lambda config: True)
    clock = seconds.Clock(SimpleNamespace(rootpath=root, option=SimpleNamespace(sample=None)))
    clock.kinds[""], clock.tests[""], clock.loops = spent, 1, [0.1]
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    clock.pytest_sessionfinish(session)
    assert session.exitstatus == status
