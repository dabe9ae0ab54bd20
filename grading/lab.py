"""A lab as the graders see it: its source notebook, and the skeleton that every graded notebook is built on."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

CODE_STUB = "raise NotImplementedError"  # what a student finds in place of a solution
TEXT_STUB = "*Your answer*"              # the same, in a written question
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@dataclass(frozen=True)
class Lab:
    """Read once per run, used for every submission; never written to.

    name       "lab01_additive_attention"
    source     the instructor's notebook
    skeleton   the same as students get it: no solutions, hidden tests, marking schemes or outputs
    files      {relative path: bytes} of the lab's own data files, which the cells find beside them
    solutions  the package that holds `<name>.checks`, imported by `checking` alone
    others     {name: its landmarks} of the labs beside it
    """

    name: str
    source: nbformat.NotebookNode
    skeleton: nbformat.NotebookNode
    files: dict
    solutions: str = "solutions"
    others: dict = field(default_factory=dict)

    @classmethod
    def read(cls, labs, name, solutions="solutions"):
        """Read the lab `name` from the folder `labs`. Raises ValueError, naming those that there are."""
        path = Path(labs, name, f"{name}.ipynb")
        if not path.is_file():
            raise ValueError(f"lab: expected one of {names(labs)}, got {name!r}")
        source = nbformat.read(path, as_version=4)
        files = {str(file.relative_to(path.parent)): file.read_bytes() for file in data_files(path.parent)}
        beside = {other: Path(labs, other, f"{other}.ipynb") for other in names(labs) if other != name}
        others = {other: landmarks(json.loads(path.read_bytes())) for other, path in beside.items()}
        return cls(name, source, released(source), files, solutions, others)

    @property
    def kept(self):
        """The notebook as nbgrader's gradebook keeps it: no solutions or outputs, but with hidden tests."""
        return _after(KEPT, self.source)

    @property
    def points(self):
        """{grade_id: points} of all that is graded, in order."""
        cells = filter(graded, self.skeleton.cells)
        return {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in cells}

    @property
    def cells(self):
        """The code that students get, a text for each cell."""
        return tuple(cell.source for cell in self.skeleton.cells if cell.cell_type == "code")

    def scheme(self, grade_id):
        """The marking scheme of a written question: what stands in its solution region."""
        cell = next(c for c in self.source.cells if meta(c).get("grade_id") == grade_id)
        return cell.source.partition(BEGIN)[2].partition(END)[0].strip()


def landmarks(notebook):
    """By what a lab's notebook is known from others: its title, and what nbgrader calls the answers."""
    first = [line for cell in notebook["cells"][:1] for line in "".join(cell["source"]).splitlines()[:1]]
    return {*first, *(meta(cell)["grade_id"] for cell in notebook["cells"] if solution(cell))}


def names(labs):
    """The names of all labs in a folder, sorted."""
    return sorted(path.parent.name for path in Path(labs).glob("*/*.ipynb") if path.stem == path.parent.name)


def released(source):
    """The notebook as `nbgrader generate_assignment` gives it to students."""
    return _after((*KEPT, ClearHiddenTests, ClearMarkScheme, ComputeChecksums), source)


KEPT = (LockCells, ClearSolutions, ClearOutput, ComputeChecksums)  # nbgrader's steps, in nbgrader's order


def _after(steps, source):
    """What these of nbgrader's steps make of a notebook."""
    stubs = Config({"ClearSolutions": {"code_stub": {"python": CODE_STUB}, "text_stub": TEXT_STUB}})
    notebook, resources = copy.deepcopy(source), {}
    for step in steps:
        notebook, resources = step(config=stubs).preprocess(notebook, resources)
    return notebook


def meta(cell):
    """What nbgrader knows of a cell: {} for a plain one."""
    return cell["metadata"].get("nbgrader", {})


def graded(cell):
    """Does the cell carry points?"""
    return meta(cell).get("grade", False) or meta(cell).get("task", False)


def solution(cell):
    """Is it one that the student fills in?"""
    return meta(cell).get("solution", False)


def locked(cell):
    """Is it the lab's own, whatever a submission holds in its place?"""
    return bool(meta(cell)) and not solution(cell)


def questions(lab):
    """Names of the questions that a person marks, in the lab's order."""
    return [meta(cell).grade_id for cell in lab.skeleton.cells if graded(cell) and not exercise_of(cell)]


def exercise_of(cell):
    """The function that a check cell judges: "softmax" for "softmax-checks"; None for any other cell."""
    grade_id = meta(cell).get("grade_id", "")
    is_check = cell.cell_type == "code" and meta(cell).get("grade", False) and not solution(cell)
    return grade_id.removesuffix("-checks") if is_check else None


def data_files(folder):
    """A lab's own data files, sorted: all below its folder but notebooks, and what Jupyter and Python leave there."""
    hidden = (".ipynb_checkpoints", "__pycache__")
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".ipynb" and p.parent.name not in hidden)
