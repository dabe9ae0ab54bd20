"""Answers drawn from the labs' known right and wrong ones, and copies of them as somebody would make who hides them."""

import ast
import inspect
import random
import textwrap

from tests.labs.judging import mistakes, variants


def class_of(lab, size, seed):
    """([{exercise: source}] of a class, [(place, place) of each copy and what it is of]). The last three are copies."""
    rng, pool = random.Random(seed), answers(lab)
    people = [{exercise: rng.choice(sources) for exercise, sources in pool.items()} for _ in range(size - 3)]
    pairs = []
    for disguise in renamed, reordered, retyped:
        one = next(i for i in rng.sample(range(size - 3), size - 3) if disguised(people[i], disguise) != people[i])
        pairs.append((one, len(people)))
        people.append(disguised(people[one], disguise))
    return people, pairs


def answers(lab):
    """{exercise: different sources}, each a function of the exercise's name, without its docstring."""
    known = {exercise: [*variants(lab)[exercise], *wrong] for exercise, wrong in mistakes(lab).items()}
    return {exercise: sorted({source for each in functions if (source := _source(each, exercise))})
            for exercise, functions in known.items()}


def _source(function, exercise):
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    if not isinstance(tree.body[0], ast.FunctionDef) or tree.body[0].name != function.__name__:
        return None  # made by another function
    tree.body[0].name = exercise
    if ast.get_docstring(tree.body[0]):
        del tree.body[0].body[0]
    return ast.unparse(tree)


def disguised(person, disguise):
    """All of somebody's answers in disguise."""
    return {exercise: disguise(source) for exercise, source in person.items()}


def renamed(source):
    """Every name of the function's own is another one."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.arg):
            node.arg = f"my_{node.arg}"
        elif isinstance(node, ast.Name) and node.id in own:
            node.id = f"my_{node.id}"
    return ast.unparse(tree)


def reordered(source):
    """Assignments that do not need each other have changed places."""
    tree = ast.parse(source)
    for body in (node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.For)):
        for i in range(len(body) - 1):
            if _are_apart(*body[i:i + 2]):
                body[i:i + 2] = body[i + 1], body[i]
    return ast.unparse(tree)


def _are_apart(one, other):
    stored, read = ([{node.id for node in ast.walk(each) if isinstance(node, ast.Name) and isinstance(node.ctx, ctx)}
                     for each in (one, other)] for ctx in (ast.Store, ast.Load))
    both = isinstance(one, ast.Assign) and isinstance(other, ast.Assign)
    return both and not (stored[0] & (stored[1] | read[1]) or stored[1] & read[0])


def retyped(source):
    """Other spaces, line breaks, comments and a docstring."""
    head, *rest = source.splitlines()
    rest = [line.replace(", ", ",").replace(" = ", "= ").replace("(", "( ") + "  # so" for line in rest]
    return "\n".join([head.replace(", ", " ,"), '    """My own words."""', "", *rest, ""])
