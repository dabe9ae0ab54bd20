"""Which of several notebooks that somebody handed in is the lab's, with the answers."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grading.lab import solution
from grading.repair import repair


@dataclass(frozen=True)
class Choice:
    """The notebook to be graded, None if there is none, the files beside it, and what is to be said about it."""

    notebook: bytes | None = None
    files: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)
    notices: list = field(default_factory=list)


def choose(notebooks, files, lab):
    """The one with answers; where several have some, the one with the lab's exact name, else that with the most.

    notebooks  {path: bytes}, those first whose name and place are as expected
    files      {path: bytes}: the other files that were handed in
    """
    if not notebooks:
        return Choice(files=dict(files))
    name, problems, notices = next(iter(notebooks)), [], []
    if len(notebooks) > 1:
        name, problems, notices = _best(notebooks, lab)
    elif not is_exact(name, lab.name) or "/" in name:
        notices = [f"There is no {lab.name + '.ipynb'!r}: {name!r} was graded."]
    return Choice(notebooks[name], beside(name, files), problems, notices)


def is_exact(path, lab):
    """Has a notebook the lab's own name, wherever it lies?"""
    return PurePosixPath(path).name.lower() == f"{lab}.ipynb".lower()


def beside(name, files):
    """The files by the paths at which the notebook of this name finds them; those of folders above stand beside it."""
    above = [f"{folder}/" for folder in PurePosixPath(name).parents if str(folder) != "."]  # the nearest first
    nearest_last = sorted(files, key=lambda path: sum(map(path.startswith, above)))
    return {_without(above, path): files[path] for path in nearest_last}


def _without(folders, path):
    return next((path.removeprefix(folder) for folder in folders if path.startswith(folder)), path)


def _best(notebooks, lab):
    """(name, problems, notices) of the one to be graded among several."""
    answers = {name: _answers(content, lab) for name, content in notebooks.items()}
    filled = [name for name, count in answers.items() if count] or list(answers)[:1]
    exact = [name for name in filled if is_exact(name, lab.name)]
    best = exact[0] if exact else max(filled, key=answers.get)
    others = [name for name in notebooks if name != best]
    used = [name for name in others if not is_exact(name, lab.name) and _is_used(name, notebooks[best])]
    rivals = [name for name in others if name in filled and name not in used]
    rest = [name for name in others if name not in (*used, *rivals)]
    problems = [f"{name!r} is a notebook that {best!r} imports: no notebook can be imported where labs are graded."
                for name in used]
    problems += [f"Answers stand in {best!r}, which was graded, and in {_listed(rivals)}."] if rivals else []
    return best, problems, [f"{best!r} was graded. No answers stand in {_listed(rest)}."] if rest else []


def _answers(content, lab):
    """How many answers a notebook holds."""
    repaired = repair(content, lab)
    return sum(map(solution, lab.skeleton.cells)) - len(repaired.blank)


def _is_used(name, notebook):
    """Does a notebook import the one of this name?"""
    stem = re.escape(PurePosixPath(name).stem).encode()
    return bool(re.search(rb"\b(import|from|%run)\s+[\\\"']*" + stem + rb"\b", notebook))


def _listed(names):
    return " and ".join(map(repr, names))
