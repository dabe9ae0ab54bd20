"""What the assertions of a chapter's cells hold, read from their syntax trees, without running them.

What an assertion pins is an interval: x == 3, x in (16, 17), round(x, 1) == 0.3, a < x < b, abs(x - c) < t, isclose and
allclose with their tolerances, equal lists, and numbers in equal strings. The two ends may stand apart, in
a < x.min() and x.max() < b, in one assertion or in two of a cell. A bound alone leaves the other end open. A factor or
a distance is held like a number: a > 3 * b, a > b + 10. What stands under `or`, `not` and any() holds nothing, nor does
a shape.
"""

import ast
import math
import re
from collections import namedtuple

DIGITS = r"[−+-]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"  # a number as prose and outputs write it
LISTS = ("np.array", "set", "list", "tuple", "zip", "enumerate")
FUNCTIONS = {"np.log": math.log, "np.sqrt": math.sqrt, "np.exp": math.exp}

Held = namedtuple("Held", "low high cell test")  # cells are counted from 1, as on the page


def held_by(sources):
    """What the assertions of these cells hold, each as Held; `sources` are the texts of all code cells, in order."""
    trees = [tree(source) for source in sources]
    known = {name: value for each in trees for name, value in literals(each)}
    return [held for at, each in enumerate(trees, 1) for held in held_in(each, at, known)]


def held_in(cell, at, known):
    """What one cell's assertions hold; those ends that only two of them give come last."""
    tests = [node.test for node in ast.walk(cell) if isinstance(node, ast.Assert)]
    every = [(test, list(bounds(test, known))) for test in tests]
    yield from (Held(low, high, at, ast.unparse(test)) for test, found in every for low, high in joined(found))
    together = joined([bound for _, found in every for bound in found])
    yield from (Held(low, high, at, "two assertions") for low, high in together if math.isfinite(high - low))


def tree(source):
    """The syntax tree of a cell, without IPython's own lines."""
    return ast.parse("\n".join("" if line.startswith(("%", "!")) else line for line in source.split("\n")))


def literals(node):
    """Name and value of each variable that is a number or a list, written out, or that goes through a list."""
    for each in ast.walk(node):
        if isinstance(each, ast.Assign) and isinstance(each.value, (ast.List, ast.Constant)):
            yield ast.unparse(each.targets[0]), each.value
        if expects(each) or isinstance(each, ast.comprehension):
            yield from ((name.id, each.iter) for name in ast.walk(each.target) if isinstance(name, ast.Name))


def expects(node):
    """Is it a loop that asserts something of what it goes through, such as `for k, said in {1: 0.895}.items()`?"""
    return isinstance(node, ast.For) and any(isinstance(each, ast.Assert) for each in ast.walk(node))


def joined(found):
    """Of bounds (what, low, high): each of them, and both ends of whatever is bounded from two sides."""
    lows, highs = {}, {}
    for what, low, high in found:
        yield low, high
        lows[what] = max(low, lows.get(what, -math.inf))
        highs[what] = min(high, highs.get(what, math.inf))
    yield from ((lows[what], highs[what]) for what in lows if lows[what] <= highs[what])


def bounds(node, known):
    """(what, low, high) of each thing that must lie in an interval for the expression `node` to be true."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        return
    if isinstance(node, ast.Call) and name_of(node) in ("any", "np.any"):
        return
    if isinstance(node, ast.Compare):
        yield from compared(node, known)
    elif isinstance(node, ast.Call):
        yield from close(node, known)
    for child in ast.iter_child_nodes(node):
        yield from bounds(child, known)


def compared(node, known):
    """The bounds of a comparison, which may be a chain."""
    sides = [node.left, *node.comparators]
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        if isinstance(operator, (ast.Lt, ast.LtE)):
            yield from ordered(left, right, known)
        elif isinstance(operator, (ast.Gt, ast.GtE)):
            yield from ordered(right, left, known)
        elif isinstance(operator, ast.Eq):
            yield from [*equal(left, right, known), *equal(right, left, known)]
        elif isinstance(operator, ast.In) and (values := list(numbers(right, known))):
            yield named(left), min(values), max(values)


def ordered(small, large, known):
    """The bounds of small < large, where a side is a number; of a factor or a distance where neither is."""
    low, high = constant(small), constant(large)
    if low is None and high is None:
        yield from [*apart(large, small, 1), *apart(small, large, -1)]
    elif high is None:
        yield named(large), low, math.inf
    elif low is None:
        yield named(small), -math.inf, high
        yield from ((f"{named(small)}, {c}", c - high, c + high) for c in centres(small, known))


def apart(other, side, sign):
    """The bounds of the 3 in other > 3 * b, and the 10 in other > b + 10; with sign -1 those of < instead of >."""
    if not isinstance(side, ast.BinOp):
        return
    factor = isinstance(side.op, (ast.Mult, ast.Div))
    for value in filter(None, map(constant, (side.left, side.right))):
        value = 1 / value if isinstance(side.op, ast.Div) else value
        yield bound(f"{named(other)} by {named(side)}", value, sign)
        if factor:
            yield bound(f"{named(side)} by {named(other)}", 1 / value, -sign)


def bound(what, value, sign):
    return (what, value, math.inf) if sign > 0 else (what, -math.inf, value)


def named(node):
    """An expression as text; the least and the largest of an array are called alike, for they are its two ends."""
    return re.sub(r"\.(?:min|max)\(\)|\b(?:min|max)(?=\()", "", ast.unparse(node)).strip("()")


def name_of(call):
    return ast.unparse(call.func)


def centres(node, known):
    """Each c of an expression with abs(x - c) in it."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and name_of(each) in ("abs", "np.abs") and isinstance(each.args[0], ast.BinOp):
            inner = each.args[0]
            sign = {ast.Sub: 1, ast.Add: -1}.get(type(inner.op), 0)
            yield from (sign * value for value in numbers(inner.right, known) if sign)


def equal(left, right, known):
    """The bounds of `left`, where `right` is a number, a list of numbers or a text with numbers in it."""
    step = rounding_of(left)
    if "shape" in named(left):
        return
    for k, value in enumerate(numbers(right, known)):
        yield f"{named(left)}, {k}", value - step / 2, value + step / 2
    for text in (each.value for each in ast.walk(right) if isinstance(each, ast.Constant)):
        for number in re.findall(DIGITS, text) if isinstance(text, str) else ():
            value, step = value_of(number), 10.0 ** -len(number.partition(".")[2].partition("e")[0])
            yield f"{named(left)}, {number}", value - step / 2, value + step / 2


def value_of(number):
    """The value of a number as DIGITS finds it."""
    return float(number.replace(",", "").replace("−", "-"))


def rounding_of(node):
    """The unit to which an expression is rounded: 0.1 for round(x, 1) and x.round(1); 0 where it is not."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and name_of(each).endswith("round"):
            places = each.args[1:] if name_of(each) in ("round", "np.round") else each.args
            return 10.0 ** -int(constant(places[0]) or 0 if places else 0)
    return 0


def close(call, known):
    """The bounds of isclose, allclose and array_equal, if `call` is one of them."""
    if not re.search(r"(?:isclose|allclose|array_equal)$", name_of(call)) or len(call.args) < 2:
        return
    options = {"atol": 1e-8, "rtol": 1e-5} | {each.arg: constant(each.value) or 0 for each in call.keywords}
    for side, other in (call.args[:2], call.args[1::-1]):
        for k, value in enumerate(numbers(side, known)):
            wide = 0 if name_of(call).endswith("equal") else options["atol"] + options["rtol"] * abs(value)
            yield f"{named(other)}, {k}", value - wide, value + wide


def numbers(node, known):
    """The numbers of a constant, or of a list, tuple, set or dictionary of constants, however deep."""
    node = known.get(node.id, node) if isinstance(node, ast.Name) else node
    value = constant(node)
    if value is not None:
        yield value
    for each in parts(node):
        yield from numbers(each, {})


def parts(node):
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.Call) and name_of(node).endswith("}.items"):
        return [node.func.value]
    return node.args if isinstance(node, ast.Call) and name_of(node) in LISTS else []


def constant(node):
    """The value of an expression of numbers alone, such as 1 / 8 or np.log(12); None of any other."""
    if isinstance(node, ast.Call):
        value = constant(node.args[0]) if name_of(node) in FUNCTIONS else None
        return value and FUNCTIONS[name_of(node)](value)
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        operands = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.operand,)
        return None if None in map(constant, operands) else calculated(node)
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return node.value if is_number else None


def calculated(node):
    """The value of an arithmetic expression, in which there is no name and no call but of FUNCTIONS."""
    try:
        return eval(ast.unparse(node), {"__builtins__": {}}, {"np": Arithmetic})
    except (ArithmeticError, TypeError):
        return None


class Arithmetic:
    """What `constant` allows of NumPy."""
    log, sqrt, exp = math.log, math.sqrt, math.exp
