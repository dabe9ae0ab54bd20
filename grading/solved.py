"""The solved notebook of a lab: its source with the body of each reference function in place of the stub."""

import ast
import copy
import importlib
import inspect
import textwrap

import nbformat
from nbformat import v4

from grading.lab import BEGIN, END, Lab, meta, names, solution


def write_solved(root, out, solutions="solutions"):
    """Write `out/<lab>/<lab>.ipynb` for each lab, and beside it the lab's data files; what would not change is left
    alone. Returns the notebooks' paths."""
    paths = []
    for name in names(root / "labs"):
        lab = Lab.read(root / "labs", name, solutions)
        notebook = f"{name}.ipynb"
        for file, content in {notebook: (nbformat.writes(solved(lab)) + "\n").encode(), **lab.files}.items():
            _write(out / name / file, content)
        paths.append(out / name / notebook)
    return paths


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def solved(lab):
    """The source notebook with every solution region filled: hidden checks stay, so that running it proves them.

    What the reference imports stands in a cell of its own at the top. A written question gets its marking scheme,
    which says what an answer should hold.
    """
    reference = importlib.import_module(f"{lab.solutions}.{lab.name}.reference")
    notebook = copy.deepcopy(lab.source)
    notebook.cells.insert(0, v4.new_code_cell(imports(reference), id="imports-of-the-reference"))
    for cell in filter(solution, notebook.cells):
        text = cell.source.partition(BEGIN)[2].partition(END)[0].strip("\n")
        if cell.cell_type == "code":
            text = body(reference, meta(cell)["grade_id"])
        cell.source = fill(cell.source, text)
    return notebook


def fill(source, text):
    """Put `text` in place of the solution region, delimiters included, at the region's own indentation."""
    before, begin, rest = source.partition(BEGIN)
    after = rest.partition(END)[2]
    if not begin:
        raise ValueError(f"solution cell: expected a region from {BEGIN!r} to {END!r}, got {source[:60]!r}")
    indent = before[len(before.rstrip(" ")):]
    return before.removesuffix(indent) + textwrap.indent(textwrap.dedent(text), indent) + after


def imports(module):
    """The import statements of a module."""
    nodes = ast.parse(inspect.getsource(module)).body
    return "\n".join(ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def body(module, function):
    """The source of a function's body, without its docstring. Raises ValueError if the module lacks the function."""
    text = inspect.getsource(module)
    found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == function]
    if not found:
        raise ValueError(f"{module.__name__}: expected a function {function!r}, as a cell of the lab asks for it")
    node = found[0]
    documented = ast.get_docstring(node) is not None
    start = node.body[0].end_lineno if documented else node.body[0].lineno - 1
    return "\n".join(text.splitlines()[start:node.end_lineno])
