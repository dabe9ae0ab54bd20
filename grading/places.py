"""Which of the lab's cells is which, in a notebook whose marks, ids and order may be lost."""

import itertools
import math
import re
from dataclasses import dataclass, field

from grading.lab import graded, landmarks, meta, solution

DEFINES = r"^(?:async\s+def|def|class)\s+{0}\b|^{0}\s*(?::[^=\n]+)?=(?!=)"  # at the start of a line


@dataclass(eq=False)
class Draft:
    """A cell as it was handed in, reduced to what matters.

    ids      what it is called by: Jupyter's id of it, or that of another program
    place    the skeleton's cell that it stands for; None for one of the student's own
    answers  the exercise that it answers, as one of the student's own
    """

    kind: str
    source: str
    ids: tuple = ()
    nbgrader: dict = field(default_factory=dict)
    attachments: dict = field(default_factory=dict)
    place: int | None = None
    answers: str = ""

    @property
    def grade_id(self):
        """What nbgrader calls it."""
        name = self.nbgrader.get("grade_id")
        return name if isinstance(name, str) else None


def other_lab(drafts, lab):
    """The name of the lab that this notebook is of, if it is another one; else None."""
    said = {line for draft in drafts if draft.kind == "markdown" for line in draft.source.strip().splitlines()[:1]}
    said |= {name for draft in drafts for name in (*draft.ids, draft.grade_id)}
    shared = {name: len(said & marks) for name, marks in lab.others.items()}
    best = max(shared, key=shared.get, default=None)
    return best if best and shared[best] > 2 * len(said & landmarks(lab.skeleton)) else None


def find_places(drafts, cells):
    """Say of each draft which of the lab's cells it is: by grade_id, id, text, and last by what it defines.

    Returns the names of the exercises that are answered in a cell of the student's own, which stays where it stands.
    """
    _by_name(drafts, cells)
    _by_text(drafts, cells)
    return [meta(cell)["grade_id"] for place, cell in enumerate(cells)
            if solution(cell) and cell.cell_type == "code" and not graded(cell)
            and _by_definition(drafts, place, cell)]


def _by_name(drafts, cells):
    by_grade_id = {meta(cell)["grade_id"]: place for place, cell in enumerate(cells) if meta(cell)}
    by_id = {cell.id: place for place, cell in enumerate(cells)}
    for draft in drafts:
        places = [by_grade_id.get(draft.grade_id), *map(by_id.get, draft.ids)]
        draft.place = next((place for place in places if place is not None), None)


def _by_text(drafts, cells):
    """Each text as often as the lab has it, in order. A further stub is one all the same: it would undo an answer."""
    taken = {draft.place for draft in drafts}
    free = {}
    for place, cell in enumerate(cells):
        free.setdefault(cell.source.strip(), []).extend([] if place in taken else [place])
    stubs = {cell.source.strip(): place for place, cell in enumerate(cells) if solution(cell) and not graded(cell)}
    for draft in drafts:
        text = draft.source.strip()
        if draft.place is None and text:
            draft.place = free[text].pop(0) if free.get(text) else stubs.get(text)


def _by_definition(drafts, place, cell):
    """Find the answer to an exercise where its own cell does not define it.

    A draft that stands between the same cells of the lab's takes the place. One that does not stays where it is, and is
    told what it answers: of several, the last before the lab's next cell.

    Returns whether it is one that stays.
    """
    name, stub = meta(cell)["grade_id"], cell.source.strip()
    defines = re.compile(DEFINES.format(re.escape(name)), re.MULTILINE)
    if any(defines.search(draft.source) and draft.source.strip() != stub for draft in drafts if draft.place == place):
        return False
    found = [(draft, *around) for draft, around in zip(drafts, _neighbours(drafts), strict=True)
             if draft.place is None and defines.search(draft.source)]
    here = [draft for draft, before, after in found if before <= place <= after]
    for draft in here:
        draft.place = place
    elsewhere = [(draft, before) for draft, before, _ in found if draft.kind == "code" and not here]
    if elsewhere:
        [draft for draft, before in elsewhere if before == elsewhere[0][1]][-1].answers = name
    return bool(elsewhere)


def _neighbours(drafts):
    """Of each draft the places of the lab's last cell before it, -1 if there is none, and of the next one after it."""
    placed = [draft.place for draft in drafts]
    before = itertools.accumulate([-1, *placed], lambda last, place: last if place is None else place)
    after = itertools.accumulate([math.inf, *reversed(placed)], lambda last, place: last if place is None else place)
    return list(zip(before, [*after][-2::-1], strict=False))  # as many as there are drafts
