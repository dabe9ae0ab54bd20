"""Mutants of a function: the same with one small change each, made from its syntax tree, not from memory.

A change is what a student might have written instead: another axis, sign, constant or bound, a term or a keyword left
out, arguments exchanged, a mask without effect, a result squeezed or in too few digits, an argument changed in place.
A mutant is named by where and what it is: "2: x - peak → x + peak", where lines count from the first one of code.
"""

import ast
import builtins
import copy
import inspect
import textwrap
import unicodedata
import warnings
from dataclasses import dataclass

import numpy as np

from coursekit.verdicts import changed_arguments


@dataclass(frozen=True)
class Mutant:
    """A function with one change, and the name of the change."""

    name: str
    function: object


def mutants(function, examples=()):
    """All mutants of a function that is defined by a `def`, each once: statements, expressions, results, arguments.

    examples  {name: argument} of some calls: what would change no argument of any is left out
    """
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    definition.body = _code(definition)
    first, seen, names = definition.body[0].lineno, {ast.unparse(definition)}, {}
    for name, line in _changed(definition, examples):
        source = ast.unparse(definition)
        if source not in seen:
            seen.add(source)
            name = f"{line - first + 1 if line else 'start'}: {name}"
            names[name] = names.get(name, 0) + 1
            made = _compiled(source, function)
            if made:
                yield Mutant(name if names[name] == 1 else f"{name} ({names[name]})", made)


def _code(definition):
    """The statements without the docstring."""
    return definition.body[1:] if ast.get_docstring(definition) else definition.body


def _compiled(source, function):
    """The function of this source, which finds what the given one finds; None where it is no Python."""
    namespace = vars(inspect.getmodule(function)) | HELPERS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as: perhaps you missed a comma
            exec(compile(source, f"<mutant of {function.__name__}>", "exec"), namespace)
    except (SyntaxError, ValueError):
        return None
    return namespace[function.__name__]


# The walk: each place of the tree is changed, told, and put back


def _changed(definition, examples):
    """Change the definition in place in one way after the other: yields what the change is, and its line."""
    parameters = [argument.arg for argument in definition.args.args]
    for body, i in list(_statements(definition)):
        yield from _replaced_statement(body, i)
    for parent, field, i, node in list(_expressions(definition)):
        for new in _alternatives(node, parameters):
            yield from _put(parent, field, i, node, new)
    for body, i in list(_statements(definition)):
        if isinstance(body[i], ast.Return) and body[i].value is not None:
            yield from _replaced_result(body[i], definition.name)
    yield from _started(definition, examples)


def _statements(node):
    """(list of statements, index) of all statements."""
    for each in ast.walk(node):
        for field in ("body", "orelse"):
            body = getattr(each, field, None)
            if isinstance(body, list):
                yield from ((body, i) for i in range(len(body)))


def _expressions(definition):
    """(parent, field, index in a list or None, expression) of all expressions but those that are assigned to."""
    for parent in (each for statement in definition.body for each in ast.walk(statement)):
        for field, value in ast.iter_fields(parent):
            values = enumerate(value) if isinstance(value, list) else [(None, value)]
            for i, node in values:
                if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store):
                    yield parent, field, i, node


def _put(parent, field, i, node, new):
    """Put `new` in the place of `node`, tell it, and put `node` back."""
    holder, key = (getattr(parent, field), i) if i is not None else (vars(parent), field)
    holder[key] = new
    yield f"{_short(node)} → {_short(new)}", node.lineno
    holder[key] = node


def _replaced_statement(body, i):
    node = body[i]
    for name, new in _other_statements(node):
        body[i] = new
        yield name, node.lineno
        body[i] = node


def _replaced_result(node, function):
    """Other results: each of them squeezed, turned, in fewer digits and so on; others in order or number."""
    whole = node.value
    parts = whole.elts if isinstance(whole, ast.Tuple) else [whole]
    for i, part in enumerate(parts):
        for helper in (helper for helper in ON_RESULTS if _makes_sense(helper, function)):
            new = _call(helper, part)
            node.value = ast.Tuple([*parts[:i], new, *parts[i + 1:]], ast.Load()) if len(parts) > 1 else new
            yield f"return {helper}({_short(part)})", node.lineno
    others = [parts[::-1], *([*parts[:i], *parts[i + 1:]] for i in range(len(parts)))] if len(parts) > 1 else []
    for other in others:
        node.value = ast.Tuple(other, ast.Load()) if len(other) > 1 else other[0]
        yield f"return {_short(node.value)}", node.lineno
    node.value = whole


def _started(definition, examples):
    """Functions that begin with something done to an argument."""
    names = definition.args.args
    defaults = [None] * (len(names) - len(definition.args.defaults)) + definition.args.defaults
    body = definition.body
    for name, default in ((argument.arg, value) for argument, value in zip(names, defaults, strict=True)):
        helpers = [helper for helper in ON_ARGUMENTS if _changes(helper, name, examples)]
        for new in [f"{helper}({name})" for helper in helpers] + ([ast.unparse(default)] if default else []):
            definition.body = [*ast.parse(f"{name} = {new}").body, *body]
            yield f"{name} = {new}", None
    definition.body = body


def _changes(helper, name, examples):
    """Does it make sense, and anything else of the argument in one of the calls?"""
    change, given = HELPERS[helper], [example[name] for example in examples if name in example]
    if not _makes_sense(helper, name):
        return False
    with np.errstate(all="ignore"):  # such as log 0
        return not examples or any(changed_arguments((value,), (change(value),)) for value in given)


def _makes_sense(helper, name):
    """Only of a logarithm does anybody take the exponential and then the logarithm again."""
    return "exp" not in helper or "log" in name or "entropy" in name


# What may stand instead of a statement


def _other_statements(node):
    """(name, statement) for each other statement."""
    what = _short(node)
    if isinstance(node, ast.Expr):
        yield f"without {what}", ast.Pass()
        if _called(node.value) == "at":  # np.add.at(array, ids, values)
            target, ids, values = map(ast.unparse, node.value.args)
            for form in (f"{target}[{ids}] += {values}", f"{target}[{ids}] = {values}"):
                yield f"{what} → {form}", ast.parse(form).body[0]
    elif isinstance(node, ast.If):
        yield f"without {what}", ast.Pass()
        yield f"always, not {what}", ast.If(ast.Constant(True), node.body, [])
        yield f"{what} the other way round", ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Raise):
        yield f"{what} → another error", ast.parse("raise RuntimeError").body[0]
        yield f"{what} → return None", ast.parse("return None").body[0]
    elif isinstance(node, ast.While):
        yield f"only once {what}", ast.If(node.test, node.body, [], lineno=node.lineno)
    elif isinstance(node, ast.For):
        yield f"only once {what}", ast.For(node.target, node.iter, [*node.body, ast.Break()], [], lineno=node.lineno)
    elif isinstance(node, ast.Break | ast.Continue):
        yield f"without {what}", ast.Pass()
    elif isinstance(node, ast.AugAssign):
        yield f"without {what}", ast.Pass()
        for operator in OPERATORS.get(type(node.op), ()):
            new = ast.AugAssign(node.target, operator(), node.value)
            yield f"{what} → {_short(new)}", new
    elif isinstance(node, ast.Assign) and _names(node.targets[0]) & _names(node.value):
        yield f"without {what}", ast.Pass()


# What may stand instead of an expression


def _alternatives(node, parameters):
    """Other expressions for this one, by its kind."""
    for kind, alternatives in ALTERNATIVES.items():
        if isinstance(node, kind):
            yield from alternatives(node)
    if isinstance(node, ast.Name) and node.id in parameters:
        yield from (ast.Name(other, ast.Load()) for other in parameters if other != node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name) and node.left.id in parameters:
        ufunc = IN_PLACE.get(type(node.op))
        if ufunc:
            yield _expression(f"np.{ufunc}({node.left.id}, {ast.unparse(node.right)}, out={node.left.id})")


OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult], ast.FloorDiv: [ast.Div, ast.Mod], ast.Mod: [ast.FloorDiv], ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
IN_PLACE = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In],
}
OTHER_FUNCTIONS = {
    "max": ["min", "mean"], "min": ["max"], "sum": ["mean", "max"], "mean": ["sum"], "any": ["all"], "all": ["any"],
    "maximum": ["minimum"], "minimum": ["maximum"], "zeros": ["ones"], "ones": ["zeros"], "argmax": ["argmin"],
    "repeat": ["tile"], "tile": ["repeat"], "stack": ["concatenate"], "sin": ["cos"], "cos": ["sin"],
    "cumsum": ["cumprod"], "tri": ["ones"], "isfinite": ["isnan"], "startswith": ["endswith"],
}
OTHER_TEXTS = {"utf-8": ["latin-1", "utf-16-le"], "replace": ["ignore", "strict"]}  # encodings, and what is none
WITHOUT = {"exp", "log", "sqrt", "tanh", "abs", "copy", "astype", "reshape", "int", "float", "asarray", "transpose",
           "swapaxes", "ravel", "expand_dims", "squeeze", "cumsum", "where", "maximum", "minimum", "clip", "erf",
           "broadcast_to", "Counter", "set", "sorted", "reversed", "tuple", "list"}
GUARDED = {"exp": ["np.exp(np.clip({}, -500, 500))", "np.exp(np.minimum({}, 50))"],
           "log": ["np.log({} + 1e-12)", "np.log(np.maximum({}, 1e-12))", "np.log({} + 1e-8)"],
           "sqrt": ["np.sqrt({} + 1e-6)"]}
RANGES = ["{function}(1, {0} + 1)", "{function}({0} - 1)", "{function}({0} + 1)", "{function}({0})[::-1]"]


def _binary(node):
    yield from (ast.BinOp(node.left, operator(), node.right) for operator in OPERATORS.get(type(node.op), ()))
    yield from (node.left, node.right)
    if not isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.Div):
        for small in (1e-12, 1e-6):
            yield ast.BinOp(node.left, node.op, ast.BinOp(node.right, ast.Add(), ast.Constant(small)))


def _unary(node):
    if _whole_number(node) is None:
        yield node.operand


def _boolean(node):
    yield from node.values
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _comparison(node):
    if len(node.ops) == 1:
        for operator in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [operator()], node.comparators)
    else:  # 0 <= x < n
        yield ast.Compare(node.left, node.ops[:1], node.comparators[:1])
        yield ast.Compare(node.comparators[0], node.ops[1:], node.comparators[1:])


def _number(node):
    value = _whole_number(node)
    if value is not None:
        yield from (_constant(other) for other in dict.fromkeys((value + 1, value - 1, -value, 0)) if other != value)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is float:
        yield from (ast.Constant(node.value * 2), ast.Constant(1.0), ast.Constant(0.0))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in OTHER_TEXTS:
        yield from map(ast.Constant, OTHER_TEXTS[node.value])
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value:
        inputs, output = node.value.split("->")
        yield ast.Constant(f"{inputs}->{output[:-2] + output[:-3:-1]}")


def _infinity(node):
    if node.attr == "inf":
        yield from map(ast.Constant, (1e9, 1e4))
    if node.attr == "T":
        yield node.value


def _subscript(node):
    yield node.value
    index = node.slice
    if isinstance(index, ast.Tuple):
        for i, one in enumerate(index.elts):
            if isinstance(one, ast.Constant) and one.value is None:
                rest = [*index.elts[:i], *index.elts[i + 1:]]
                for j in range(len(index.elts)):
                    elements = [*rest[:j], one, *rest[j:]]
                    yield ast.Subscript(node.value, ast.Tuple(elements, ast.Load()), node.ctx)
    for piece in index.elts if isinstance(index, ast.Tuple) else [index]:
        if isinstance(piece, ast.Slice):
            yield from _slices(node, piece)


def _slices(node, piece):
    """The same subscript with another slice in it: an end left out, or one further, or one less."""
    for end in ("lower", "upper", "step"):
        value = getattr(piece, end)
        if value is not None:
            more = [ast.BinOp(value, operator, ast.Constant(1)) for operator in (ast.Add(), ast.Sub())]
            for new in [None, *(more if end != "step" and _whole_number(value) is None else [])]:
                setattr(piece, end, new)
                yield copy.deepcopy(node)
            setattr(piece, end, value)


def _dictionary(node):
    """The same without one of its entries."""
    for i in range(len(node.keys)):
        yield ast.Dict([*node.keys[:i], *node.keys[i + 1:]], [*node.values[:i], *node.values[i + 1:]])


def _comprehension(node):
    """The same without a condition, or with the contrary one."""
    for generator in node.generators:
        conditions = generator.ifs
        for others in ([], [ast.UnaryOp(ast.Not(), conditions[0])]) if conditions else ():
            generator.ifs = others
            yield copy.deepcopy(node)
        generator.ifs = conditions


def _call_of(node):
    """Arguments exchanged, keywords left out or other, another function, none, or one that hides what is extreme."""
    yield from _exchanged(node)
    yield from _other_keywords(node)
    name, own = _called(node), isinstance(node.func, ast.Attribute) and not _is_module(node.func.value)
    for other in OTHER_FUNCTIONS.get(name, ()):
        yield ast.Call(_renamed(node.func, other), node.args, node.keywords)
    of = [node.func.value] if own else node.args  # x.max() is a method of x
    if name in WITHOUT:
        yield from of
    if name == "encode" and own and not node.args:
        yield from (_expression(f"{ast.unparse(node)[:-1]}{other!r}, 'replace')") for other in OTHER_TEXTS["utf-8"])
    for form in [*GUARDED.get(name, ()), *(RANGES if name in ("arange", "range") and len(of) == 1 else ())]:
        yield _expression(form.format(*map(ast.unparse, of), function=ast.unparse(node.func)))


def _exchanged(node):
    for i in range(len(node.args) - 1):
        swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2:]]
        yield ast.Call(node.func, swapped, node.keywords)
    first = node.args[0] if node.args else None
    if _called(node) == "concatenate" and isinstance(first, ast.List | ast.Tuple):
        yield ast.Call(node.func, [ast.List(first.elts[::-1], ast.Load()), *node.args[1:]], node.keywords)


def _other_keywords(node):
    for i, keyword in enumerate(node.keywords):
        yield ast.Call(node.func, node.args, [*node.keywords[:i], *node.keywords[i + 1:]])
        if keyword.arg == "axis":
            for axis in (-1, -2, 0, 1):
                other = ast.keyword("axis", _constant(axis))
                yield ast.Call(node.func, node.args, [*node.keywords[:i], other, *node.keywords[i + 1:]])


def _conditional(node):
    yield from (node.body, node.orelse)


ALTERNATIVES = {
    ast.BinOp: _binary, ast.UnaryOp: _unary, ast.BoolOp: _boolean, ast.Compare: _comparison, ast.expr: _number,
    ast.Attribute: _infinity, ast.Subscript: _subscript, ast.Call: _call_of, ast.IfExp: _conditional,
    ast.Dict: _dictionary, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp: _comprehension,
}


# What is done to arguments and results. A mutant calls these by name


def _each(change):
    """A change of arrays, done to each array of a value, in dictionaries and tuples too; `None` where it cannot be."""
    def changed(value):
        if isinstance(value, dict):
            return {name: changed(one) for name, one in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(map(changed, value))
        return change(value) if isinstance(value, np.ndarray | np.generic | float) else value

    return changed


def _floats(change):
    """A change of arrays of floats, which leaves others as they are."""
    return _each(lambda x: change(x) if np.asarray(x).dtype.kind == "f" else x)


def _texts(change):
    """A change of a text, which leaves anything else as it is."""
    return lambda value: change(value) if isinstance(value, str) else value


def _lists(change):
    """A change of a list that holds no arrays."""
    return lambda value: change(value) if isinstance(value, list) and not _holds_arrays(value) else value


def _holds_arrays(value):
    return isinstance(value, np.ndarray) or isinstance(value, list | tuple) and any(map(_holds_arrays, value))


def _booleans(change):
    return _each(lambda x: change(x) if isinstance(x, np.ndarray) and x.dtype == bool and x.ndim else x)


def _prefix(mask):
    """As many from the first on as there are."""
    return np.arange(mask.shape[-1]) < mask.sum(axis=-1, keepdims=True)


def _last_turned(x):
    return np.swapaxes(x, -1, -2) if np.ndim(x) > 1 else x


HELPERS = {
    "squeezed": _each(np.squeeze),
    "in_float16": _floats(lambda x: np.asarray(x).astype(np.float16)),
    "in_float32": _floats(lambda x: np.asarray(x).astype(np.float32)),
    "in_float64": _each(lambda x: np.asarray(x).astype(float)),
    "through_float16": _floats(lambda x: np.asarray(x).astype(np.float16).astype(np.asarray(x).dtype)),
    "rounded": _floats(lambda x: np.round(x, 3)),
    "clipped": _floats(lambda x: np.clip(x, -100, 100)),
    "through_exp": _floats(np.errstate(divide="ignore")(lambda x: np.log(np.exp(x)))),
    "through_exp_and_eps": _floats(lambda x: np.log(np.exp(x) + 1e-12)),
    "without_nan": _floats(np.nan_to_num),
    "with_eps": _floats(lambda x: x + np.asarray(x).dtype.type(1e-5)),
    "turned": _each(_last_turned),
    "negative": _floats(lambda x: -x),
    "positive": _floats(np.abs),
    "reversed_": _each(lambda x: x[::-1] if np.ndim(x) else x),
    "of_the_first": _each(lambda x: x[:1] if np.ndim(x) else x),
    "flat": _each(lambda x: x.reshape(-1, x.shape[-1]) if np.ndim(x) > 2 else x),
    "with_an_axis": _each(lambda x: np.asarray(x)[None]),
    "all_true": _booleans(np.ones_like),
    "flipped": _booleans(np.logical_not),
    "as_a_prefix": _booleans(_prefix),
    "as_the_first": _booleans(lambda x: np.broadcast_to(x[:1], x.shape)),
    "up_to_the_last": _booleans(lambda x: np.flip(np.cumsum(np.flip(x, -1), -1), -1) > 0),
    "as_numbers": _booleans(lambda x: x.astype(float)),
    "nothing": lambda value: None,
    "stripped": _texts(str.strip),
    "in_small_letters": _texts(str.lower),
    "composed": _texts(lambda text: unicodedata.normalize("NFC", text)),
    "decomposed": _texts(lambda text: unicodedata.normalize("NFD", text)),
    "backwards": _lists(lambda items: items[::-1]),
    "each_once": _lists(lambda items: [item for i, item in enumerate(items) if item not in items[:i]]),
}
ON_ARGUMENTS = [
    "squeezed", "through_float16", "in_float32", "clipped", "through_exp", "through_exp_and_eps", "positive",
    "reversed_", "of_the_first", "flat", "all_true", "flipped", "as_a_prefix", "as_the_first", "up_to_the_last",
    "stripped", "in_small_letters", "composed", "decomposed", "backwards", "each_once",
]
ON_RESULTS = [
    "squeezed", "in_float16", "in_float32", "in_float64", "rounded", "clipped", "through_exp", "through_exp_and_eps",
    "without_nan", "with_eps", "turned", "negative", "positive", "reversed_", "with_an_axis", "as_numbers", "nothing",
]


# Small things


def _whole_number(node):
    """The value of 3 or -3; None of anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _whole_number(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _constant(value):
    return _expression(repr(value))


def _expression(text):
    return ast.parse(text, mode="eval").body


def _call(name, *arguments):
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _called(node):
    """The last part of the name of what is called: "max" of np.max and of x.max."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", None))


def _renamed(function, name):
    """np.max → np.min, x.max → x.min, max → min."""
    if isinstance(function, ast.Attribute):
        return ast.Attribute(function.value, name, ast.Load())
    return ast.Name(name if hasattr(builtins, name) else f"np.{name}", ast.Load())


def _is_module(node):
    return isinstance(node, ast.Name) and node.id in ("np", "math")


def _names(node):
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _short(node):
    """The code on one line, cut where it is long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}..."
