"""From whatever was handed in to a notebook that can be graded, and sentences that say what was wrong.

The result is always the lab's own skeleton. From the submission come only the text of the cells that a student fills
in, or may edit, and the student's own cells at their places. So no check cell, point, lock or output can be forged.

A given cell that imports or defines something is run as the lab has it, whatever became of it: answers and later cells
count on what it brings. Where a student changed it, or has it from an earlier release, that stands after it as a cell
of the student's own, so that what it says holds, as far as it can be run.
"""

import copy
import json
import re
from dataclasses import dataclass, field

from nbformat import v4

from grading.lab import locked, meta, solution

SIZE_LIMIT = 20 * 2**20  # bytes of a submitted notebook
CELL_LIMIT = 2000        # cells of it
PYODIDE = "python"       # the kernel that the labs run on in a browser; there is no choice of another, so no fault
BRINGS = re.compile(r"^(import|from|def|class) ", re.MULTILINE)  # a given cell that others count on
MISSING = "# This cell was missing from the notebook that was handed in."


@dataclass
class Draft:
    """A cell as it was handed in, reduced to what matters. `place` is the skeleton's cell that it stands for."""

    kind: str
    source: str
    id: str = ""
    nbgrader: dict = field(default_factory=dict)
    attachments: dict = field(default_factory=dict)
    place: int | None = None


def repair(submission, lab):
    """Build the notebook that is graded. Pure; called by `marking.grade`.

    submission  the bytes that were handed in, or None where there was no notebook

    Returns (notebook, problems): a well-formed notebook, and a sentence for each thing that was wrong.
    """
    data, problems = parse(submission)
    handed_in = [cell for cell in _cells(data) if isinstance(cell, dict)]
    if len(handed_in) > CELL_LIMIT:
        problems.append(f"It has {len(handed_in)} cells: only the first {CELL_LIMIT} were read.")
    drafts = [_draft(cell) for cell in handed_in[:CELL_LIMIT]]
    cells = lab.skeleton.cells
    _find_places(drafts, cells)
    if data and not any(draft.place is not None for draft in drafts):
        problems.append("It holds none of the lab's cells: is it the notebook of another lab?")
    elif data:
        problems += _kernel_problems(data, lab) + _cell_problems(drafts, cells)
    if not any(draft.place is not None for draft in drafts):
        drafts += [Draft(c.cell_type, c.source, place=i) for i, c in enumerate(cells)]  # graded as if blank
    notebook = copy.deepcopy(lab.skeleton)
    notebook.cells = _assemble(drafts, notebook.cells)
    return notebook, problems


def parse(submission):
    """Read a notebook's JSON. Returns (dict, problems); an empty dict if there is nothing to read."""
    if submission is None:
        return {}, ["No notebook was handed in."]
    if not submission.strip():
        return {}, ["The file is empty."]
    if len(submission) > SIZE_LIMIT:
        return {}, [f"The file is too large: expected at most {SIZE_LIMIT} bytes, got {len(submission)}."]
    problems = []
    try:
        text = submission.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = submission.decode("utf-8", "replace")
        problems.append("The file is not UTF-8 text: what could not be read was replaced.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        return {}, [*problems, f"The file is not a notebook: it is not readable as JSON{where}."]
    if not isinstance(data, dict) or not _cells(data):
        return {}, [*problems, "The file is not a notebook: it is JSON, but holds no cells."]
    if data.get("nbformat") != 4:
        problems.append("The notebook is in an old or unknown format: expected nbformat 4; its cells were read anyhow.")
    return data, problems


def _cells(data):
    """The cells of nbformat 4, or of 3 and earlier, where they stand in worksheets."""
    sheets = [data, *(data.get("worksheets") if isinstance(data.get("worksheets"), list) else [])]
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _draft(cell):
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    return Draft(kind, _text(source), str(cell.get("id", "")), nbgrader, _attachments(cell.get("attachments")))


def _text(source):
    """Text that can be written as UTF-8: JSON may hold half a surrogate pair."""
    return source.encode("utf-8", "replace").decode() if isinstance(source, str) else ""


def _attachments(attachments):
    """Pictures pasted into a Markdown cell, which a written answer may need; nothing else."""
    pairs = attachments.items() if isinstance(attachments, dict) else ()
    kept = {name: {kind: data for kind, data in bundle.items() if _is_picture(kind, data)}
            for name, bundle in pairs if isinstance(bundle, dict)}
    return {name: bundle for name, bundle in kept.items() if bundle}


def _is_picture(kind, data):
    is_text = isinstance(data, str) and re.fullmatch(r"[A-Za-z0-9+/=\n]+", data)
    return kind in ("image/png", "image/jpeg") and bool(is_text)


def _find_places(drafts, cells):
    """Say of each draft which of the lab's cells it is: by grade_id, else by cell id, else by the same text."""
    by_grade_id = {meta(cell)["grade_id"]: i for i, cell in enumerate(cells) if meta(cell)}
    by_id = {cell.id: i for i, cell in enumerate(cells)}
    by_text = {cell.source.strip(): i for i, cell in reversed(list(enumerate(cells))) if not meta(cell)}
    for draft in drafts:
        grade_id = draft.nbgrader.get("grade_id")
        draft.place = by_grade_id.get(grade_id) if isinstance(grade_id, str) else None
        if draft.place is None:
            draft.place = by_id.get(draft.id)
    taken = {draft.place for draft in drafts}
    for draft in drafts:
        place = by_text.get(draft.source.strip())
        if draft.place is None and place not in taken:
            draft.place = place
            taken.add(place)


def _kernel_problems(data, lab):
    """A sentence if the notebook asks for another kernel than the lab's."""
    metadata = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
    spec = metadata.get("kernelspec") if isinstance(metadata.get("kernelspec"), dict) else {}
    expected, got = lab.skeleton.metadata.get("kernelspec", {}).get("name", "python3"), spec.get("name")
    if got in (None, expected, PYODIDE):
        return []
    return [f"It was made with the kernel {_text(str(got))[:40]!r}: it was graded with {expected!r}."]


def _cell_problems(drafts, cells):
    """A sentence for each of the lab's cells that is missing, doubled, of another type, or not to be edited and was."""
    problems = []
    for place, cell in enumerate(cells):
        copies = [draft for draft in drafts if draft.place == place]
        name = meta(cell).get("grade_id")
        if not copies and (name or cell.cell_type == "code"):
            problems.append(f"The cell {name!r} was missing." if name else "A given code cell was missing: put back.")
        if name and copies:
            problems += [f"The cell {name!r} {problem}" for problem in _copy_problems(copies, cell)]
        if copies and _is_changed(_choose(copies, cell), cell):
            start = cell.source.strip().splitlines()[0]
            problems.append(f"The given cell that begins {start!r} is not as the lab has it: both were run, "
                            "the lab's own first.")
    return problems


def _copy_problems(copies, cell):
    if len(copies) > 1:
        which = "the lab's own was used" if locked(cell) else "the last one that was filled in was graded"
        yield f"stood there {len(copies)} times: {which}."
    if any(draft.kind != cell.cell_type for draft in copies):
        yield f"had been turned into another type: it was taken as {cell.cell_type}."
    if locked(cell) and any(draft.source.strip() != cell.source.strip() for draft in copies):
        yield "is not to be edited: the lab's own was used."
    if any(draft.nbgrader and _settings(draft.nbgrader) != _settings(meta(cell)) for draft in copies):
        yield "had its points or locks changed: the lab's own count."


def _settings(nbgrader):
    points = nbgrader.get("points") or 0  # an ungraded cell has none, or 0
    return points, *(bool(nbgrader.get(key, False)) for key in ("grade", "solution", "locked"))


def _assemble(drafts, cells):
    """The skeleton's cells in the lab's order, the student's own where they stood: after the same neighbour."""
    chosen = {place: _choose([d for d in drafts if d.place == place], cell) for place, cell in enumerate(cells)}
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
        result += [_filled(cell, chosen[place]), *map(_own_cell, own[place + 1])]
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


def _filled(cell, draft):
    """The lab's cell, with the student's text if it is the student's to edit."""
    if draft is None and solution(cell):
        # not the stub: that would undo the same function defined in a cell of the student's own
        cell.source = MISSING if cell.cell_type == "code" else cell.source
    elif draft is not None and not locked(cell) and not _is_changed(draft, cell):
        cell.source = draft.source
        if draft.attachments and cell.cell_type == "markdown":
            cell.attachments = draft.attachments
    return cell


def _own_cell(draft):
    new = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[draft.kind]
    attachments = {"attachments": draft.attachments} if draft.attachments and draft.kind == "markdown" else {}
    return new(draft.source, **attachments)
