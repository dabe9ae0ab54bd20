"""`python -m grading similar`: answers that are nearly alike, side by side. Something to look at, never a verdict.

Answers to code cells and written answers are compared by their fingerprints (`fingerprints`), without those of what the
lab gives; `likeness` says which works are a pair. Nothing of a submission is executed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from grading.apart import Apart
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
    """Write the page about a lab, and say what is on it. Called by `python -m grading similar`.

    Returns the exit status: 1 if somebody's work could not be compared.
    """
    lab, failed = course.lab(options.lab), []  # sentences, as Apart says them
    works = works_of(in_class(course, lab), lab, failed)
    works += [work for folder in options.earlier for work in works_of(of_earlier(folder, lab), lab, failed, True)]
    compared = [Compared(kind, works, lab, failed) for kind in KINDS]
    out = options.out or options.course_dir / f"similar-{lab.name}.html"
    write_page(lab, works, compared, out)
    print("".join(f"{sentence}\n" for sentence in failed), told(works, compared), out, sep="")
    return bool(failed)


# What was answered.


def works_of(found, lab, failed, earlier=False):
    """[Work] of those found: (who, what reads the notebook's bytes) each."""
    works = []
    for who, read in found:
        with Apart(who, "similar", said=failed):
            works.append(Work(who, answers(read(), lab), earlier))
    return works


def in_class(course, lab):
    """Each student who handed something in."""
    for student in course.students(lab.name):
        yield student, partial(_chosen, course.submitted(lab.name, student), lab, course.coursedir.ignore)


def of_earlier(folder, lab):
    """Each notebook in a folder of an earlier year: a class's folder, its submitted/, or any other.

    Of a class only what was handed in for this lab is read. Raises ValueError if the folder holds none.
    """
    root = Path(folder, "submitted") if Path(folder, "submitted").is_dir() else Path(folder)
    found = list(_handed_in(root, lab) or _loose(root))
    if not found:
        raise ValueError(f"earlier: expected notebooks of {lab.name} in {str(folder)!r}, got none")
    return found


def _handed_in(root, lab):
    return [(path.parent.name, partial(_chosen, path, lab)) for path in sorted(root.glob(f"*/{lab.name}"))]


def _chosen(folder, lab, ignore=()):
    found = read_submission(folder, lab.name, ignore)
    return choose(found.notebooks, found.files, lab).notebook


def _loose(root):
    for path in sorted(root.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts and is_regular(path) and path.stat().st_size <= READ_LIMIT:
            yield str(path.relative_to(root)), lambda path=path: slimmed(path.read_bytes())


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

    def __init__(self, kind, works, lab, failed=None):
        cells = [cell for cell in lab.skeleton.cells if cell.cell_type == kind.cell_type]
        given, self.keys = [cell.source for cell in cells], [meta(cell).grade_id for cell in cells if solution(cell)]
        names = names_given(given) if kind.cell_type == "code" else set()
        self.name, self.works = kind.name, works
        self.texts = [{key: work.answers[key] for key in self.keys if key in work.answers} for work in works]
        self.passages = [{} for _ in works]
        for place, work in enumerate(works):
            with Apart(work.who, "similar", said=failed):
                self.passages[place] = kind.read(self.texts[place], names)
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
