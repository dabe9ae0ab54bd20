"""From whatever was handed in to a notebook that can be graded, and sentences that say what was wrong.

The result is always the lab's own skeleton. From the submission come only the text of the cells that a student fills
in, or may edit, and the student's own cells at their places. So no check cell, point, lock or output can be forged.

A given cell that imports or defines something is run as the lab has it, whatever became of it: answers and later cells
count on what it brings. Where a student changed it, or has it from an earlier release, that stands after it as a cell
of the student's own, so that what it says holds, as far as it can be run.

An answer counts wherever it stands: `places` says which cell is which, `prose` finds what was written.
"""

import copy
import re
from dataclasses import dataclass, field

from nbformat import v4

from grading.lab import locked, meta, solution
from grading.pictures import attached, beside
from grading.places import Draft, find_places, other_lab
from grading.prose import gather, point_to
from grading.reading import cells_of, parse

CELL_LIMIT = 2000        # cells of a notebook
PYODIDE = "python"       # the kernel that the labs run on in a browser; there is no choice of another, so no fault
BRINGS = re.compile(r"^(import|from|def|class) ", re.MULTILINE)  # a given cell that others count on
MISSING = "# This cell was missing from the notebook that was handed in."
ELSEWHERE = "# Nothing was written here: the answer stands in another cell."


@dataclass(frozen=True)
class Repaired:
    """What `repair` makes of a submission.

    notebook  well-formed. A cell of the student's own that answers an exercise says so: `metadata.answers`
    problems  sentences that a person should read
    notices   sentences that are worth knowing, and need nobody
    blank     grade_ids of the answers that nobody has written
    read      False: something was handed in that is no notebook, or another lab's
    """

    notebook: object
    problems: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    blank: frozenset = frozenset()
    read: bool = True


def repair(submission, lab, files=()):
    """Build the notebook that is graded. Pure; called by `marking.grade`.

    submission  the bytes that were handed in, or None where there was no notebook
    files       {relative path: bytes}: what was handed in beside it; pictures that a text names are put into it
    """
    data, problems, notices = ({}, [_nothing(files)], []) if submission is None else parse(submission)
    drafts = [_draft(cell) for cell in cells_of(data) if isinstance(cell, dict)]
    if len(drafts) > CELL_LIMIT:
        problems.append(f"It has {len(drafts)} cells: only the first {CELL_LIMIT} were read.")
    drafts = drafts[:CELL_LIMIT]
    if other := other_lab(drafts, lab):
        problems, notices, drafts = [f"This is {other}: expected {lab.name}. Nothing of it was graded."], [], []
    elif data:
        elsewhere = find_places(drafts, lab.skeleton.cells)
        drafts, found = gather(drafts, lab.skeleton.cells)
        problems += _problems(drafts, lab.skeleton.cells)
        notices += [*_kernel_notices(data, lab), *_notices(drafts, lab.skeleton.cells, elsewhere), *found]
    if not any(draft.place is not None for draft in drafts):
        drafts += [Draft(c.cell_type, c.source, place=i) for i, c in enumerate(lab.skeleton.cells)]  # as if blank
    notebook = copy.deepcopy(lab.skeleton)
    notebook.cells = _assemble(drafts, notebook.cells)
    notices += point_to(notebook, dict(files))
    _put_pictures_in(notebook, lab, dict(files))
    read = bool(data) and not other or not (files if submission is None else submission.strip())
    return Repaired(notebook, problems, notices, _blank(notebook, lab), read)


def _nothing(files):
    names = ", ".join(map(repr, dict(files)))
    return f"No notebook was handed in, only {names}." if names else "No notebook was handed in."


def _draft(cell):
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    ids = [cell.get("id"), metadata.get("id"), metadata.get("cell_id")]  # the last two: Colab's and Deepnote's
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    names = tuple(name for name in ids if isinstance(name, str))
    return Draft(kind, _text(source), names, nbgrader, attached(cell.get("attachments")))


def _text(source):
    """Text that can be written as UTF-8: JSON may hold half a surrogate pair."""
    return source.encode("utf-8", "replace").decode() if isinstance(source, str) else ""


def _kernel_notices(data, lab):
    """A sentence if the notebook asks for another kernel than the lab's."""
    metadata = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
    spec = metadata.get("kernelspec") if isinstance(metadata.get("kernelspec"), dict) else {}
    expected, got = lab.skeleton.metadata.get("kernelspec", {}).get("name", "python3"), spec.get("name")
    if got in (None, expected, PYODIDE):
        return []
    return [f"It was made with the kernel {_text(str(got))[:40]!r}: it was graded with {expected!r}."]


def _problems(drafts, cells):
    """What a person should look at: answers that are not there, and points or locks that were changed."""
    if not any(draft.place is not None for draft in drafts):
        return ["It holds none of the lab's cells: is it the notebook of another lab?"]
    copies = _copies(drafts, cells)
    there = {draft.answers for draft in drafts}
    gone = [meta(cell)["grade_id"] for cell, found in copies
            if solution(cell) and not found and meta(cell)["grade_id"] not in there]
    forged = [meta(cell)["grade_id"] for cell, found in copies
              if any(draft.nbgrader and _settings(draft.nbgrader) != _settings(meta(cell)) for draft in found)]
    return [*([f"{_listed(gone)} missing, and so is every answer to {_it(gone)}."] if gone else []),
            *([f"{_listed(forged)} changed in points or locks: the lab's own count."] if forged else [])]


def _notices(drafts, cells, elsewhere):
    """What is worth knowing of the lab's cells: missing, doubled, of another type, not to be edited and yet edited."""
    copies = _copies(drafts, cells)
    if not any(found for _, found in copies):
        return []
    said = [f"The answer to {name!r} stands in another cell: it was graded where it stands." for name in elsewhere]
    if not any(draft.nbgrader for draft in drafts):
        return [*said, "It has lost nbgrader's marks, as some programs drop them: its cells were known by what they "
                       "say.", *_changed(copies)]
    gone = [meta(cell)["grade_id"] for cell, found in copies if locked(cell) and not found]
    said += [f"{_listed(gone)} missing: put back."] if gone else []
    given = any(cell.cell_type == "code" and not meta(cell) and not found for cell, found in copies)
    said += ["A given code cell was missing: put back."] if given else []
    return [*said, *[f"The cell {meta(cell)['grade_id']!r} {what}" for cell, found in copies if meta(cell) and found
                     for what in _oddities(found, cell)], *_changed(copies)]


def _copies(drafts, cells):
    return [(cell, [draft for draft in drafts if draft.place == place]) for place, cell in enumerate(cells)]


def _changed(copies):
    for cell, found in copies:
        if found and _is_changed(_choose(found, cell), cell):
            start = cell.source.strip().splitlines()[0]
            yield f"The given cell that begins {start!r} is not as the lab has it: both were run, the lab's own first."


def _oddities(copies, cell):
    if len(copies) > 1:
        which = "the lab's own was used" if locked(cell) else "the last one that was filled in was graded"
        yield f"stood there {len(copies)} times: {which}."
    if any(draft.kind != cell.cell_type for draft in copies):
        yield f"had been turned into another type: it was taken as {cell.cell_type}."
    if locked(cell) and any(draft.source.strip() != cell.source.strip() for draft in copies):
        yield "is not to be edited: the lab's own was used."


def _listed(names):
    return f"The cell {names[0]!r} was" if len(names) == 1 else f"The cells {', '.join(map(repr, names))} were"


def _it(names):
    return "it" if len(names) == 1 else "them"


def _settings(nbgrader):
    points = nbgrader.get("points") or 0  # an ungraded cell has none, or 0
    return points, *(bool(nbgrader.get(key, False)) for key in ("grade", "solution", "locked"))


def _assemble(drafts, cells):
    """The skeleton's cells in the lab's order, the student's own where they stood: after the same neighbour."""
    chosen = {place: _choose([d for d in drafts if d.place == place], cell) for place, cell in enumerate(cells)}
    answered = {draft.answers for draft in drafts}
    own, neighbour = [[] for _ in range(len(cells) + 1)], 0
    for draft in drafts:
        if draft.place is None or _is_spare(draft, chosen[draft.place], cells[draft.place]):
            own[neighbour].append(draft)
        if draft.place is not None:
            neighbour = draft.place + 1
            if draft is chosen[draft.place] and _is_changed(draft, cells[draft.place]):
                own[neighbour].append(draft)
    result = [_own_cell(draft) for draft in own[0]]
    for place, cell in enumerate(cells):
        result += [_filled(cell, chosen[place], answered), *map(_own_cell, own[place + 1])]
    for number, cell in enumerate(result):
        cell.id = f"cell-{number}"  # unique, whatever was handed in
    return result


def _choose(copies, cell):
    """Of several copies the last that is not the stub, as it is the one that holds when the notebook is run."""
    edited = [draft for draft in copies if draft.source.strip() != cell.source.strip()]
    return (edited or copies or [None])[-1]


def _is_spare(draft, chosen, cell):
    """A copy that was filled in but not chosen stays, as a cell of the student's own: others may need it."""
    known = (chosen.source.strip(), cell.source.strip())
    return draft is not chosen and not locked(cell) and draft.source.strip() not in known


def _is_changed(draft, cell):
    """Is it a given cell that brings something, in another form than the lab's? (One that takes long is not run.)"""
    is_given = cell.cell_type == "code" and not meta(cell) and "long" not in cell.metadata.get("tags", [])
    return is_given and bool(BRINGS.search(cell.source)) and draft.source.strip() != cell.source.strip()


def _filled(cell, draft, answered):
    """The lab's cell, with the student's text if it is the student's to edit.

    answered  grade_ids of the exercises that are answered in a cell of the student's own
    """
    blank = draft is None or draft.source.strip() in ("", cell.source.strip())
    if solution(cell) and cell.cell_type == "code" and blank and meta(cell)["grade_id"] in answered:
        cell.source = ELSEWHERE  # not the stub: that would undo the function
    elif draft is None and solution(cell):
        cell.source = MISSING if cell.cell_type == "code" else cell.source
    elif draft is not None and not locked(cell) and not _is_changed(draft, cell):
        cell.source = draft.source
        if draft.attachments and cell.cell_type == "markdown":
            cell.attachments = draft.attachments
    return cell


def _own_cell(draft):
    new = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[draft.kind]
    attachments = {"attachments": draft.attachments} if draft.attachments and draft.kind == "markdown" else {}
    return new(draft.source, metadata={"answers": draft.answers} if draft.answers else {}, **attachments)


def _put_pictures_in(notebook, lab, files):
    """Have the student's texts carry the pictures that they name and that were handed in beside the notebook."""
    given = {cell.source for cell in lab.skeleton.cells}
    for cell in notebook.cells:
        is_theirs = cell.cell_type == "markdown" and cell.source not in given
        if is_theirs and (shown := beside(cell.source, files)):
            cell.attachments = {**shown, **cell.get("attachments", {})}


def _blank(notebook, lab):
    stubs = {meta(cell)["grade_id"]: cell.source.strip() for cell in lab.skeleton.cells if solution(cell)}
    return frozenset(meta(cell)["grade_id"] for cell in notebook.cells if solution(cell) and not cell.get("attachments")
                     and cell.source.strip() in ("", MISSING, stubs[meta(cell)["grade_id"]]))
