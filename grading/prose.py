"""What a student wrote to a written question, wherever it stands: a person marks it, and must not miss it."""

from urllib.parse import quote

from grading.lab import TEXT_STUB, graded, meta, solution
from grading.pictures import kind_of
from grading.places import Draft

DOCUMENTS = (".pdf", ".doc", ".docx", ".odt", ".rtf", ".txt", ".md", ".tex", ".pages", ".heic", ".svg", ".bmp", ".tif")


def gather(drafts, cells):
    """Put what was written to each written question into the cell of its answer.

    Text of the student's own right beside that cell belongs to it. Where it is blank all the same, whatever else may
    be the answer is shown there as well: text of the student's own anywhere, code of theirs below the question.

    Returns (drafts, notices).
    """
    notices = []
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and graded(cell) and solution(cell):
            drafts, notice = _gather(drafts, place, cells)
            notices += [f"The answer to {meta(cell)['grade_id']!r} {notice}"] if notice else []
    return drafts, notices


def _gather(drafts, place, cells):
    stub, as_it_was = cells[place].source.strip(), drafts
    drafts, answer = _with_answer(drafts, place, stub)
    was_blank, at = _is_blank(answer, stub), drafts.index(answer)
    before, after = _own_prose(drafts[:at][::-1])[::-1], _own_prose(drafts[at + 1:])
    _write(answer, [*before, answer, *after], stub)
    drafts = [draft for draft in drafts if draft not in (*before, *after)]
    if not _is_blank(answer, stub):
        return drafts, "stands in a cell of its own: it is shown where it belongs." if was_blank else None
    _write(answer, _elsewhere(drafts, place, cells), stub)
    if not _is_blank(answer, stub):
        return drafts, "may stand in other cells: what they say is shown where it belongs."
    return as_it_was, None


def _with_answer(drafts, place, stub):
    """The drafts, and that of a written answer: the last copy that is filled in, or one put below the question."""
    copies = [draft for draft in drafts if draft.place == place]
    if copies:
        return drafts, ([draft for draft in copies if not _is_blank(draft, stub)] or copies)[-1]
    answer = Draft("markdown", stub, place=place)
    at = max((i + 1 for i, draft in enumerate(drafts) if draft.place == place - 1), default=len(drafts))
    return [*drafts[:at], answer, *drafts[at:]], answer


def _own_prose(drafts):
    """Those at the start that are text of the student's own."""
    count = next((i for i, draft in enumerate(drafts) if draft.place is not None or draft.kind == "code"), len(drafts))
    return drafts[:count]


def _elsewhere(drafts, place, cells):
    """What else may be the answer to a question, as drafts."""
    last, near = None, []
    for draft in drafts:
        last = last if draft.place is None else draft.place
        near += [draft] if draft.place is None and draft.kind == "code" and last in (place - 1, place) else []
    code = [Draft("markdown", "\n".join(f"    {line}" for line in draft.source.splitlines())) for draft in near]
    question = [_added(draft, cells[place - 1]) for draft in drafts if draft.place == place - 1]
    return [*question, *code, *(draft for draft in drafts if draft.place is None and draft.kind != "code")]


def _added(draft, cell):
    """What a student wrote into the cell of a question; nothing if that is not the lab's own with something added."""
    given, lines = {line.strip() for line in cell.source.splitlines()}, draft.source.splitlines()
    added = [line for line in lines if line.strip() not in given]
    is_the_labs = given <= {line.strip() for line in lines}
    pictures = {name: one for name, one in draft.attachments.items() if name not in cell.get("attachments", {})}
    return Draft("markdown", "\n".join(added) if is_the_labs else "", attachments=pictures)


def _write(answer, parts, stub):
    """Make the answer of these parts, with their pictures; of nothing, if they say nothing."""
    parts = [part for part in parts if not _is_blank(part, stub)]
    if not parts or parts == [answer]:
        return
    texts, pictures = [], {}
    for number, part in enumerate(parts, start=1):  # two cells may both have an image.png
        names = {name: f"{number}-{name}" if name in pictures else name for name in part.attachments}
        pictures |= {names[name]: picture for name, picture in part.attachments.items()}
        texts.append(_renamed(part.source.strip("\n"), names))
    answer.source, answer.attachments = "\n\n".join(texts), pictures


def _renamed(text, names):
    for old, new in names.items():
        text = text.replace(f"attachment:{old}", f"attachment:{new}")
    return text


def _is_blank(draft, stub):
    return draft.source.strip() in ("", stub) and not draft.attachments


def point_to(notebook, files):
    """Have a written answer that is blank name the documents ({path: bytes}) beside the notebook: one may be it.

    Returns notices.
    """
    found = sorted(name for name, content in files.items() if kind_of(content) or name.lower().endswith(DOCUMENTS))
    names = [name.encode("utf-8", "replace").decode() for name in found]  # a file may be called by any bytes
    blank = [cell for cell in notebook.cells if graded(cell) and solution(cell) and cell.cell_type == "markdown"
             and cell.source.strip() in ("", TEXT_STUB) and not cell.get("attachments")]
    for cell in blank if names else []:
        cell.source = "\n\n".join(f"![{name}]({quote(name)})" for name in names)
    return [f"The answer to {meta(cell)['grade_id']!r} may stand beside the notebook, in {', '.join(map(repr, names))}."
            for cell in blank if names]
