"""`python -m grading similar`: answers that are nearly alike, side by side. Something to look at, never a verdict.

Answers to code cells and written answers are compared by their fingerprints (`fingerprints`), without those of what the
lab gives; `likeness` says which works are a pair. Nothing of a submission is executed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from grading.choice import choose
from grading.fingerprints import names_given, names_made, of_code, of_text
from grading.lab import meta, solution
from grading.likeness import near_copies, rare
from grading.pages import templates
from grading.reading import READ_LIMIT, slimmed
from grading.repair import ELSEWHERE, repair
from grading.submissions import is_regular, read_submission

SHOWN = 50    # pairs on the page
WORTH = 0.5   # as alike as this, an answer is shown
LENGTH = 20_000  # characters of an answer that are shown


@dataclass(frozen=True)
class Work:
    """What somebody answered: {grade_id: text}, without what is as it was given out."""

    who: str
    answers: dict
    earlier: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of answers: its name, the type of its cells, and what reads {key: text} into {key: [Passage]}."""

    name: str
    cell_type: str
    read: Callable


def write_similar(course, options):
    """Write the page about a lab, and say what is on it. Called by `python -m grading similar`."""
    lab = course.lab(options.lab)
    works = [*class_works(course, lab), *earlier_works(options.earlier, lab)]
    compared = [Compared(kind, works, lab) for kind in KINDS]
    out = options.out or options.course_dir / f"similar-{lab.name}.html"
    write_page(lab, works, compared, out)
    print(told(works, compared), out, sep="")


# What was answered.


def class_works(course, lab):
    """The `Work` of each student who handed something in."""
    for student in course.students(lab.name):
        task = course.task(lab.name, student)
        yield Work(student, answers(choose(task.notebooks, task.files, lab).notebook, lab))


def earlier_works(folders, lab):
    """The `Work` of each notebook in folders of earlier years: a class's folder, its submitted/, or any other.

    Of a class only what was handed in for this lab is read. Raises ValueError if a folder holds none.
    """
    for folder in map(Path, folders):
        root = folder / "submitted" if (folder / "submitted").is_dir() else folder
        found = list(_handed_in(root, lab) if any(root.glob(f"*/{lab.name}")) else _loose(root))
        if not found:
            raise ValueError(f"earlier: expected notebooks of {lab.name} in {str(folder)!r}, got none")
        for who, notebook in found:
            yield Work(who, answers(notebook, lab), earlier=True)


def _handed_in(root, lab):
    """(student, notebook) of a class's submitted/."""
    for folder in sorted(root.glob(f"*/{lab.name}")):
        found = read_submission(folder, lab.name)
        yield folder.parent.name, choose(found.notebooks, found.files, lab).notebook


def _loose(root):
    """(path, notebook) of a folder of notebooks."""
    for path in sorted(root.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts and is_regular(path) and path.stat().st_size <= READ_LIMIT:
            yield str(path.relative_to(root)), slimmed(path.read_bytes())


def answers(notebook, lab):
    """{grade_id: text} of what was filled in, wherever it stands, from the bytes that were handed in."""
    repaired, texts = repair(notebook, lab), {}
    for cell in repaired.notebook.cells:
        name = meta(cell).get("grade_id") if solution(cell) else cell.metadata.get("answers")
        if name and not (solution(cell) and name in repaired.blank) and cell.source.strip() != ELSEWHERE:
            texts[name] = f"{texts[name]}\n{cell.source}" if name in texts else cell.source
    return texts


# What is alike.


def read_code(texts, given):
    """{key: [Passage]} of one person's code cells; `given` are the lab's own."""
    own = names_made(texts.values(), given)
    return {key: of_code(text, own) for key, text in texts.items()}


def read_words(texts, _):
    """{key: [Passage]} of one person's written answers."""
    return {key: of_text(text) for key, text in texts.items()}


KINDS = Kind("Code", "code", read_code), Kind("Written answers", "markdown", read_words)


class Compared:
    """All works, compared by their answers of one kind.

    keys   the lab's grade_ids of that kind, in order
    pairs  [Pair], the most alike first; of those as alike, those first whose texts were made to differ
    """

    def __init__(self, kind, works, lab):
        cells = [cell for cell in lab.skeleton.cells if cell.cell_type == kind.cell_type]
        given, self.keys = [cell.source for cell in cells], [meta(cell).grade_id for cell in cells if solution(cell)]
        names = names_given(given) if kind.cell_type == "code" else set()
        self.name, self.works = kind.name, works
        self.texts = [{key: work.answers[key] for key in self.keys if key in work.answers} for work in works]
        self.passages = [kind.read(texts, names) for texts in self.texts]
        self._given = _prints(kind.read(dict(enumerate(given)), names))
        prints = [{key: self.prints(passages) for key, passages in each.items()} for each in self.passages]
        in_class = [not work.earlier for work in works]
        self._rare = rare(prints, in_class)
        self.pairs = sorted(near_copies(prints, in_class), key=self._order)

    def prints(self, passages):
        """The fingerprints of an answer, without the lab's own."""
        return _prints({"": passages}) - self._given

    def is_same(self, pair):
        """Is all that both answered the same, letter for letter?"""
        return self.texts[pair.one] == self.texts[pair.other]

    def _order(self, pair):
        return -round(pair.share, 1), self.is_same(pair), -pair.share, -pair.rare

    def side_by_side(self, pair, key):
        """For both works the lines of an answer: [(text, "" or "both" or "few")], by who has them."""
        common = set.intersection(*(self.prints(self.passages[one].get(key, [])) for one in (pair.one, pair.other)))
        return [self._lines(one, key, common) for one in (pair.one, pair.other)]

    def _lines(self, one, key, common):
        lines = [[line, ""] for line in self.texts[one].get(key, "")[:LENGTH].splitlines()]
        for passage in self.passages[one].get(key, []):
            prints = passage.prints - self._given
            if prints and prints <= common:
                for line in lines[passage.first - 1:passage.last]:
                    line[1] = "few" if prints & self._rare else "both"
        return lines


def _prints(passages):
    """All fingerprints of {key: [Passage]}."""
    return {each for parts in passages.values() for passage in parts for each in passage.prints}


# What is shown and said.


def write_page(lab, works, compared, out):
    """One file, to be opened anywhere: no script, no request, every text escaped."""
    page = templates().get_template("similar.html.j2").render(
        lab=lab.name, works=works, compared=compared, shown=SHOWN, worth=WORTH,
        count=sum(not work.earlier for work in works))
    out.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")  # a folder's name may be any bytes


def told(works, compared):
    """The summary: how many pairs there are, and which."""
    earlier = sum(work.earlier for work in works)
    lines = [f"{len(works) - earlier} submissions, {earlier} of earlier years"]
    for each in compared:
        lines.append(f"{each.name}: {len(each.pairs)} pairs to look at")
        lines += [f"  {100 * pair.share:.0f} %  {_who(works[pair.one])}, {_who(works[pair.other])}"
                  for pair in islice(each.pairs, SHOWN)]
    return "".join(f"{line}\n" for line in lines)


def _who(work):
    who = work.who if work.who.isprintable() else repr(work.who)
    return f"{who} (earlier)" if work.earlier else who
