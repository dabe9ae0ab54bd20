"""Answers as they stand in the graded notebooks, as HTML that is safe to show (see `markup`)."""

import hashlib
import json
from dataclasses import dataclass

import nbformat
from markupsafe import Markup

from grading.feedback import HANDED_IN
from grading.lab import meta
from grading.markup import Markdown
from grading.pages import Code, Page, templates
from grading.repair import MISSING

GONE = Markup("<p>The graded notebook is not there, or holds no such answer: grade this submission again.</p>")
NO_ANSWER = Markup("<p><strong>No answer stands in a notebook.</strong></p>")


@dataclass(frozen=True)
class Shown:
    """An answer as HTML, and a hash of what the student wrote: another one for another answer."""

    html: Markup
    text: str


class NotebookPage(Page):
    """The whole notebook around an answer, for who marks it: with schemes and verdicts, without a name."""

    template, links = "notebook.html.j2", False


def show(path, lab, question):
    """What a student answered to a lab's question (its grade_id), from the graded notebook at `path`.

    Where the cell is as it was given out: that nothing was answered, and what was handed in, perhaps in another file.
    """
    cells = _read(path).cells
    cell = _cell(cells, question)
    if cell is None:
        return Shown(GONE, "")
    text = json.dumps([cell.source, cell.get("attachments")], sort_keys=True)
    given = cell.source.strip() in ("", MISSING, _cell(lab.skeleton.cells, question).source.strip())
    html = _html(cell) if cell.get("attachments") or not given else NO_ANSWER + _handed_in(cells)
    return Shown(html, hashlib.sha256(text.encode()).hexdigest())


def _cell(cells, question):
    return next((cell for cell in cells if meta(cell).get("grade_id") == question), None)


def _html(cell):
    return templates().get_template("cells.html.j2").module.text(cell, Markdown(links=False), Code())


def _handed_in(cells):
    """What the grading said of what was handed in, which is the first cell where it is there at all."""
    return _html(cells[0]) if cells[0].get("id") == HANDED_IN else Markup("")


def show_notebook(path):
    """The page with all of the graded notebook at `path`."""
    return NotebookPage().from_notebook_node(_read(path))[0]


def show_question(lab, question):
    """What the lab asks: the text between the answer's cell and what is filled in or run before it."""
    cells = lab.skeleton.cells
    place = next(place for place, cell in enumerate(cells) if meta(cell).get("grade_id") == question)
    texts = []
    while place and cells[place - 1].cell_type == "markdown" and not meta(cells[place - 1]):
        place -= 1
        texts.insert(0, cells[place].source)
    return Markdown(links=False)("\n\n".join(texts))


def _read(path):
    """The notebook; one without cells if it is not there, or is being written at this moment."""
    try:
        return nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return nbformat.v4.new_notebook()
