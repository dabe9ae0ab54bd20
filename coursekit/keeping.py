"""Carry a finished function from one lab to the next, in a file of your own.

    from coursekit import keep, kept

    keep(log_softmax, cross_entropy)     # at the end of a lab: writes them into my_attention.py
    cross_entropy = kept(cross_entropy)  # in a later one: yours if you kept one, else the one that was given
    cross_entropy = kept(cross_entropy, logits, ids)  # yours if it answers this example as the given one does

A given function is kept too, for those that call it, but never as yours, and never in place of yours.

The file is plain Python, to read, to change and to import. It stands beside the labs' folders, or beside the notebook
where that is not in a folder of its own.
"""

import ast
import builtins
import importlib.util
import inspect
import sys
import textwrap
from pathlib import Path

import numpy as np

from coursekit.check import as_array, ask
from coursekit.verdicts import close

FILE = "my_attention.py"
TAKES_OWN = True  # not where labs are graded: there a mistake of an earlier lab would cost points in a later one
HEAD = '"""My own functions, kept by coursekit.keep."""\n\nimport numpy as np\n\nfrom coursekit.shapes import expect\n'
IMPORTED = {"np", "expect"}  # by the line above
GIVEN = "GIVEN_BY_LABS"  # what the file calls its list of functions that are not one's own
given_here = set()  # the functions that `kept` gave since this process began


def keep(*functions):
    """Write the source of these functions into my_attention.py, in place of those of the same name.

    What such a function uses of its own cell is kept with it: helpers and constants. What else it calls must be kept
    too, with it or before it; what it uses of a module is imported there. One that is not written yet is left out,
    with those that call it, and named; and so is one that a lab gave, where the file has one of your own.
    Raises ValueError, and writes nothing, for what is no function with a name and a source, and for one that uses a
    name which the file has not and which no module has.
    """
    sources = {function.__name__: _source(function) for function in map(_expect_function, functions)}
    before = _parts(_place())
    left_out = _unfinished(sources, before)
    second = _names_given(functions) & before.keys() - _given(_place())
    if written := [function for function in functions if function.__name__ not in left_out | second]:
        _write(written, sources)
    for names, why in [(left_out, "not written yet, or calling one that is not. When they are written, keep again."),
                       (second, f"given here, and {FILE} has one of your own, which stays")]:
        if names:
            print(f"not kept: {', '.join(name for name in sources if name in names)}: {why}")


def _write(functions, known):
    """Write these functions into the file with what they use of their cells, of which `known` has {name: source}."""
    path, sources, beside = _place(), {function.__name__: known[function.__name__] for function in functions}, {}
    for function in functions:
        beside |= _used_of_its_cell(function, known)
    imports, parts = _imports(path), _parts(path) | beside | sources
    for function in functions:
        imports |= _imports_of(function, [function.__name__, *_used_of_its_cell(function, known)], parts)
    given = _given(path) - sources.keys() | _names_given(functions)
    parts |= {GIVEN: f"{GIVEN} = {sorted(given)}\n"} if given or GIVEN in parts else {}
    path.write_text("\n\n".join([HEAD + "".join(imports), *parts.values()]), encoding="utf-8")
    with_it = f", with {', '.join(beside)}" if beside else ""
    print(f"kept {', '.join(sources)} in {_said(path)}{with_it}")


def kept(given, *example):
    """Your own function of this name, if you kept one, else the `given` one. Says which.

    With an `example` of its arguments, to which it answers in numbers, yours is taken only if it answers as the given
    one does: a mistake of an earlier lab is named here, and not met again as one of this lab's.
    Raises ValueError where the file that holds yours cannot be run.
    """
    _expect_function(given)
    path, name = _place(), given.__name__
    given_here.add(given)
    own = _load(path, name) if TAKES_OWN and _is_there(path) else None
    if own is None:
        print(f"{name}: the one given here" + (f" (you kept none of your own in {_said(path)})" if TAKES_OWN else ""))
        return given
    problem = _problem(own, given, example) if example else None
    if problem:
        print(f"{name}: the one given here. Yours, in {_said(path)}, {problem}: take it back to the check of its lab")
        return given
    print(f"{name}: yours, from {_said(path)}")
    return own


def _problem(own, given, example):
    """How your own function differs from the given one on this example, or None."""
    try:
        answer = ask(own, *example).value
    except Exception as error:
        return f"raises {type(error).__name__} on a small example ({str(error).splitlines()[0] if str(error) else ''})"
    return None if _alike(answer, ask(given, *example).value) else "answers a small example otherwise"


def _alike(answer, expected):
    """Are these the same numbers, up to rounding, in the same tuples and dictionaries?"""
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(name in answer and _alike(answer[name], expected[name])
                                                for name in expected)
    if isinstance(expected, tuple):
        return isinstance(answer, tuple | list) and len(answer) == len(expected) and all(map(_alike, answer, expected))
    got = as_array(answer)
    return got.dtype.kind in "fiub" and got.shape == np.shape(expected) and close(got, expected)


def _expect_function(function):
    if not inspect.isfunction(function) or not function.__name__.isidentifier():
        raise ValueError(f"expected a function that was defined with def, got {function!r}")
    return function


def _source(function):
    """The text of a function, without the indentation that it has where it stands."""
    try:
        source = textwrap.dedent(inspect.getsource(function)).rstrip() + "\n"
    except (OSError, TypeError):
        raise ValueError(f"{function.__name__}: its source is not there; run the cell that defines it again") from None
    return source


def _unfinished(sources, kept_before):
    """The names of those functions that are not written yet, and of those that call one of them which the file has not
    from before either."""
    left_out = {name for name, source in sources.items() if "raise NotImplementedError\n" in source}
    while True:
        missing = left_out - kept_before.keys()
        more = {name for name, source in sources.items() if _foreign_names(source) & missing} - left_out
        if not more:
            return left_out
        left_out |= more


def _place():
    """Where the file is or will be: one folder up from a lab's own folder, else here."""
    here = Path.cwd()
    return (here.parent if here.name.startswith("lab") and here.name[3:5].isdigit() else here) / FILE


def _said(path):
    """The file and where it stands, in words: whole paths name a machine and its owner."""
    return f"{path.name}, {'beside this notebook' if path.parent == Path.cwd() else 'in the folder above this one'}"


def _is_there(path):
    """False too where we may not look, as in the room in which labs are graded."""
    try:
        return path.is_file()
    except OSError:
        return False


def _parts(path):
    """{name: source} of the functions and constants that the file holds, in their order."""
    return {name: source for node, source in _statements_of(path) if (name := _name(node))}


def _names_given(functions):
    """The names of those of these functions that `kept` gave."""
    return {function.__name__ for function in functions if function in given_here}


def _given(path):
    """The names of what the file holds and a lab gave."""
    listed = ast.parse(_parts(path).get(GIVEN, ""))
    return {node.value for node in ast.walk(listed) if isinstance(node, ast.Constant)}


def _name(node):
    """What a statement defines: a function, a class, or a constant of one name; else None."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    is_constant = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    return node.targets[0].id if is_constant else None


def _used_of_its_cell(function, known):
    """{name: source} of what a function uses of the cell that it stands in and that is not `known`, in their order:
    helpers, constants, and what these use."""
    cell, used, waiting = _cell(function), set(), [known[function.__name__]]
    while waiting:
        new = _foreign_names(waiting.pop()) & cell.keys() - known.keys() - used
        used |= new
        waiting += [cell[name] for name in new]
    return {name: source for name, source in cell.items() if name in used}


def _cell(function):
    """{name: source} of what the function's cell defines, but for functions that came from elsewhere."""
    text, here = "".join(inspect.findsource(function)[0]), function.__code__.co_filename
    try:
        found = {name: source for node, source in _statements(text) if (name := _name(node))}
    except SyntaxError:  # a cell that is not plain Python
        return {}
    values = {name: function.__globals__.get(name) for name in found}
    return {name: source for name, source in found.items()
            if not inspect.isfunction(values[name]) or values[name].__code__.co_filename == here}


def _imports(path):
    """The lines of the file that import what HEAD does not, as the keys of a dictionary."""
    found = (line for node, line in _statements_of(path) if isinstance(node, ast.Import | ast.ImportFrom))
    return {line: None for line in found if line not in HEAD}


def _statements_of(path):
    """(node, source) of each statement in the file."""
    try:
        return _statements(path.read_text(encoding="utf-8") if _is_there(path) else "")
    except SyntaxError as error:
        raise ValueError(f"{path.name}: line {error.lineno} is not Python; mend it or delete the file") from None


def _statements(text):
    """(node, source) of each statement in a text, with its decorators."""
    lines = text.split("\n")
    return [(node, "\n".join(lines[_first_line(node) - 1:node.end_lineno]) + "\n") for node in ast.parse(text).body]


def _first_line(node):
    return min(each.lineno for each in [node, *getattr(node, "decorator_list", [])])


def _imports_of(function, names, parts):
    """The lines that import what these `parts` of the file, a function and what it uses, use beside the others. Raises
    ValueError, naming what cannot be imported."""
    foreign = set().union(*(_foreign_names(parts[name]) for name in names)) - parts.keys()
    lines = {name: _import(name, function) for name in foreign}
    missing = ", ".join(sorted(name for name, line in lines.items() if line is None))
    if missing:
        name = function.__name__
        raise ValueError(f"{name} uses {missing}. Move what that is into {name} or its cell; "
                         f"a function you may also pass to keep.")
    return dict.fromkeys(lines[name] for name in sorted(lines))


def _foreign_names(source):
    """The names that a function uses and does not make, but for those that Python and HEAD have."""
    tree = ast.parse(source)
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {alias.asname or alias.name.split(".")[0] for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - own - set(dir(builtins)) - IMPORTED


def _import(name, function):
    """The line that imports what the function's notebook calls so; None where no module has it."""
    value = function.__globals__.get(name)
    module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    called = own if own == name else f"{own} as {name}"
    if inspect.ismodule(value):
        return f"import {called}\n"
    is_there = own and module != function.__module__ and getattr(sys.modules.get(module), own, None) is value
    return f"from {module} import {called}\n" if is_there else None


def _load(path, name):
    """The function `name` of the file, or None where it has none, or one that a lab gave."""
    if name not in _parts(path).keys() - _given(path):
        return None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path.name}: {type(error).__name__}: {error}; mend it or delete the file") from error
    return getattr(module, name)
