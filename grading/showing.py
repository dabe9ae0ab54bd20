"""Running the cells of a notebook, for what they show, and keeping a copy of it for each check."""

import re
from dataclasses import dataclass, field

import nbformat

from grading import feedback
from grading.apart import printable
from grading.as_meant import as_meant
from grading.lab import exercise_of, meta, solution
from grading.room.outputs import stream

WORDS = 300  # characters of what the room says of a cell
TOO_LONG = "it ran for too long and was interrupted"


@dataclass
class Shown:
    """What came of running the cells.

    stopped      {number of the cell: why} of those that took the notebook's process with them
    interrupted  numbers of those that ran for too long
    unread       {exercise: what is wrong} of answers that are not Python
    mended       sentences: what was run otherwise than it stands there
    missing      sentences: what the notebook has not where it is graded
    """

    stopped: dict = field(default_factory=dict)
    interrupted: list = field(default_factory=list)
    unread: dict = field(default_factory=dict)
    mended: list = field(default_factory=list)
    missing: list = field(default_factory=list)

    def problems(self):
        """What a person should look at."""
        return [*(f"Cell {number} was stopped: {why}. The rest was run without it." for number, why in
                  self.stopped.items()),
                *(f"Cell {number} was interrupted, as it ran for too long: is there a loop that does not end?"
                  for number in self.interrupted)]

    def unfinished(self):
        """{number of a cell that did not run to its end: why}."""
        return {**self.stopped, **dict.fromkeys(self.interrupted, TOO_LONG)}


def show(notebook, room, lab):
    """Run the cells, put in what they show, and keep a copy of the notebook for each check. Returns `Shown`."""
    shown, skipped, judged = Shown(), False, _judged_after(notebook)
    for number, cell in numbered(notebook):
        if is_long(cell):
            skipped, cell.outputs = True, [nbformat.from_dict(stream(feedback.NOT_RERUN))]
            continue
        ran = _run(cell, number, room, shown, is_the_labs=cell.source in lab.cells)
        names = _errors(ran)
        if skipped and "NameError" in names and not meta(cell):
            ran.outputs = [stream(feedback.NEEDS_LONG)]
        cell.execution_count = number
        cell.outputs = [nbformat.from_dict(_numbered(output, number)) for output in ran.outputs]
        for grade_id in judged.get(cell.id, ()):
            room.keep(grade_id)
    return shown


def _judged_after(notebook):
    """{id of a cell: grade_ids of the checks that judge the notebook as it is after that cell}.

    It is the check's own, or the one with the answer, where that is one of the student's own further down.
    """
    where = {}
    for cell in notebook.cells:
        exercise = exercise_of(cell) or cell.metadata.get("answers")
        if exercise_of(cell) or exercise in where:
            where[exercise] = cell.id
    return {at: [f"{exercise}-checks" for exercise, place in where.items() if place == at] for at in where.values()}


def _run(cell, number, room, shown, is_the_labs):
    """Run one cell: what was plainly meant by it, where that is Python and it is not. Fills in `shown`."""
    ran, how = room.run(cell.source, home=is_the_labs), None
    for text, change in [] if ran.read else as_meant(cell.source):
        again = room.run(text)
        if again.read:
            ran, how = again, change
            break
    if how:
        shown.mended.append(f"Cell {number} is not Python as it stands: it was run {how}.")
    if ran.stopped:
        shown.stopped[number] = ran.stopped
    elif "TimeLimit" in _errors(ran):
        shown.interrupted.append(number)
    if ran.missing and not is_the_labs:
        shown.missing.append(_what_is_missing(cell, number, ran.missing))
    exercise = meta(cell)["grade_id"] if solution(cell) else cell.metadata.get("answers")
    if exercise and not ran.read:
        shown.unread[exercise] = _what_is_wrong(ran)
    return ran


def _errors(ran):
    return [output["ename"] for output in ran.outputs if output["output_type"] == "error"]


def _what_is_missing(cell, number, missing):
    line, what = missing[0]
    text = dict(enumerate(cell.source.splitlines(), start=1)).get(line, "").strip()[:80]
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return (f"Cell {number}, {text!r}{more}: this is not there where labs are graded ({what}). "
            "What stands below it was run.")


def _what_is_wrong(ran):
    """What the room says of a cell that is no Python: the line and the message."""
    said = [output["evalue"] for output in ran.outputs if output["output_type"] == "error"]
    found = re.fullmatch(r"(.*) \([^()]*, line (\d+)\)", said[-1]) if said else None
    return printable(f"line {found[2]}: {found[1]}" if found else " ".join("".join(said[-1:]).split()))[:WORDS]


def numbered(notebook):
    """The code cells that are run, with their numbers, counted from 1 as Jupyter counts them."""
    return enumerate((cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()), start=1)


def is_long(cell):
    """Does the lab say that it takes long? (Repair has dropped tags that a student wrote.)"""
    return "long" in cell.metadata.get("tags", [])


def _numbered(output, number):
    return output if output["output_type"] != "execute_result" else {**output, "execution_count": number}
