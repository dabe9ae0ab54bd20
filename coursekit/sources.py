"""What a number was made by: the code that a module, a name in it or a notebook's cells reach, as one hash.

    sources = Sources(root)                                     root: a checkout of the course
    sources.hash_of("solutions.artifacts.depth", "make")
    sources.hash_of_cells("from coursekit import load", "load('depth')")

A name leads to the statements at the top of its module that bind it, and they lead on to the names that they use,
through imports into other modules of ours: those below a root. Of each module that is reached, what runs whatever is
used counts too: statements that are no plain assignment or definition, and definitions that have a decorator.
`module.name` leads to that name; a module that is used in any other way, or imported with a star, counts whole.
`load("depth")` of coursekit counts the bytes of that artifact, any other use of it those of all artifacts.

Comments, docstrings, layout and the addresses of our modules do not count. Of what others wrote only the name counts.
What cannot be seen: files that are opened, and modules whose name is worked out (importlib).
"""

import ast
import hashlib
from collections import defaultdict
from functools import cache, cached_property
from pathlib import Path

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
TARGETS = (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.expr_context)  # of a plain assignment
IMPORTS = (ast.Import, ast.ImportFrom)
ARTIFACTS = "coursekit.artifacts"  # whose `load` reads what stands in data/ beside it
ALWAYS, WHOLE = "(always)", "(whole)"  # in the place of a name: what runs whatever is used, and everything


class Sources:
    """The code below one or more roots; where several have a module, the first does. Each file is read once.

    Inside, a place is (module, name), or (text, "") where nothing of ours follows.
    """

    def __init__(self, *roots):
        self.roots = [Path(root) for root in roots]
        self._module, self._leads, self._pieces = cache(self._module), cache(self._leads), cache(self._pieces)

    def hash_of(self, address, *names):
        """The hash of what a module reaches, or what these names in it do. Raises ValueError as `of` does."""
        return _digest(*sorted(self.of(address, *names)))

    def hash_of_cells(self, *cells):
        """The hash of what a notebook's code cells reach; one that is no Python, but a magic, counts as it stands."""
        python = [cell for cell in cells if _is_python(cell)]
        others = [_digest(cell) for cell in cells if cell not in python]
        return _digest(*sorted(self._reached([(_Module("\n".join(python)), WHOLE)])), *others)

    def of(self, address, *names):
        """The digests that `hash_of` is the hash of.

        Raises ValueError for what is not below a root, SyntaxError where a module that is reached has one.
        """
        module = self._module(address)
        if module is None or not all(self._find(module, (name,)) for name in names):
            raise ValueError(f"expected a module below {', '.join(map(str, self.roots))} and names in it, "
                             f"got {address} {', '.join(names)}")
        found = [place for name in names for place in self._find(module, (name,))]
        return self._reached(found or [(module, WHOLE)])

    def _reached(self, waiting):
        """The pieces of all places that these lead to."""
        seen = set()
        while waiting:
            place = waiting.pop()
            if place not in seen:
                seen.add(place)
                waiting += [other for _, other in self._leads(place)]
        return set().union(*map(self._pieces, seen))

    def _pieces(self, place):
        """The digests of what stands in a place, and of each thing that it means by a name."""
        own = _stands(place)
        return {own, *(_digest(own, used, _stands(other)) for used, other in self._leads(place))}

    def _leads(self, place):
        """{(name as it is written, place)}: where the names lead that the statements of a place use."""
        module, name = place
        if not name:
            return set()
        statements, found = module.statements(name), {("", (module, ALWAYS))}
        used = {each for statement in statements for each in statement.names}
        used |= {((each,), None) for each in (module.imported if name == WHOLE else ["*"])}
        inside = _imports([each for statement in statements for each in statement.imports], module.package)
        for names, text in used:
            others = {*self._find(module, names), *self._follow(inside, names)}
            if module.address != ARTIFACTS and any(other is self._module(ARTIFACTS) for other, _ in others):
                others |= self._module(ARTIFACTS).artifacts(text)
            found |= {(".".join(names), other) for other in others}
        return found

    def _find(self, module, names, asked=()):
        """The places that dotted names lead to, looked up in a module: none for a builtin or a local variable."""
        bound = [(module, names[0])] if names[0] in module.bound else []
        return bound + self._follow(module.imported, names, asked)

    def _follow(self, imported, names, asked=()):
        targets = [(address, (*attributes, *names[1:])) for address, attributes in imported.get(names[0], ())]
        return [place for target in targets if target not in asked for place in self._at(*target, (*asked, target))]

    def _at(self, address, names, asked):
        """The places that `address.names` leads to. `asked` was asked on the way here: imports may go in circles."""
        module = self._module(address)
        if module is None:
            return [(".".join([address, *names]), "")]
        if not names:
            return [(module, WHOLE)]
        if found := self._find(module, names, asked):
            return [*found, (module, ALWAYS)]
        below = f"{address}.{names[0]}"
        return self._at(below, names[1:], asked) if self._module(below) else [(module, WHOLE)]

    def _module(self, address):
        """The module of a dotted address; None if it is not one of ours."""
        paths = [Path(root, *address.split(".")) for root in self.roots]
        for file in (file for path in paths for file in (path / "__init__.py", path.with_suffix(".py"))):
            if file.is_file():
                return _Module(file.read_text(encoding="utf-8"), address, file)
        return _Module("", address) if any(path.is_dir() for path in paths) else None


class _Module:
    """A file: its statements by the names that they bind, in order, and what its imports bind to names."""

    def __init__(self, code, address="", file=Path("__init__.py")):
        self.address, self.file = address, file
        self.package = address if file.name == "__init__.py" else address.rpartition(".")[0]
        body = [_Statement(node) for node in ast.parse(code, file).body]
        at_the_top = [one for one in body if not isinstance(one.node, DEFINITIONS)]
        self.imported = _imports([each for one in at_the_top for each in one.imports], self.package)
        self.body, self.bound = [one for one in body if not _is_silent(one.node)], defaultdict(list)
        for statement in self.body:
            for name in statement.bound:
                self.bound[name].append(statement)

    def statements(self, name):
        return self.body if name == WHOLE else self.bound.get(name, [])

    def artifacts(self, name):
        """The places of the artifact of this name, or of all."""
        files = sorted(Path(self.file.parent, "data").glob(f"{name or '*'}.npz"))
        return {(hashlib.sha256(file.read_bytes()).hexdigest(), "") for file in files}


class _Statement:
    """What stands at the top of a module.

    names    its dotted names, as tuples, each with the text that it is called with if that is all, else None
    imports  those in it, wherever they stand
    """

    def __init__(self, node):
        self.node, self.names, self.imports, waiting = node, set(), [], [node]
        while waiting:
            node = waiting.pop()
            if isinstance(node, IMPORTS):
                self.imports.append(node)
            elif isinstance(node, ast.Call) and _dotted(node.func) and _only_text(node):
                self.names.add((_dotted(node.func), _only_text(node)))
            elif _dotted(node):
                self.names.add((_dotted(node), None))
            else:
                waiting += ast.iter_child_nodes(node)

    @cached_property
    def digest(self):
        """Of what is written, but for imports, whose names are followed, and texts that nobody uses."""
        return _digest(_written([self.node]))

    @cached_property
    def bound(self):
        """The names that it binds, ALWAYS among them if it may do more than that."""
        if isinstance(self.node, DEFINITIONS):
            return {self.node.name, ALWAYS} if self.node.decorator_list else {self.node.name}
        assigns = isinstance(self.node, ASSIGNMENTS)
        targets = getattr(self.node, "targets", None) or [self.node.target] if assigns else [self.node]
        parts = [part for target in targets for part in ast.walk(target)]
        names = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        names |= {part.name for part in parts if isinstance(part, DEFINITIONS)}
        return names if assigns and all(isinstance(part, TARGETS) for part in parts) else names | {ALWAYS}


def _stands(place):
    """The digest of what stands in a place."""
    module, name = place
    return _digest(*(one.digest for one in module.statements(name))) if name else _digest(module)


def _is_python(cell):
    try:
        ast.parse(cell)
    except SyntaxError:
        return False
    return True


def _imports(nodes, package):
    """{name: [(address, attributes)]} of what import statements bind; "*" for what comes with a star."""
    found = defaultdict(list)
    for node in nodes:
        for alias in node.names:
            if isinstance(node, ast.Import):
                address = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or address].append((address, ()))
            else:
                parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
                address = ".".join([*parents, *filter(None, [node.module])])
                found[alias.asname or alias.name].append((address, () if alias.name == "*" else (alias.name,)))
    return found


def _dotted(node):
    """("a", "b", "c") of the expression a.b.c, None of any other."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None


def _only_text(call):
    given = [*call.args, *call.keywords]
    return given[0].value if len(given) == 1 and _is_text(given[0]) else None


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _written(node):
    """A syntax tree as text, the same in every version of Python."""
    if isinstance(node, list):
        return f"[{' '.join(_written(each) for each in node if not _is_silent(each))}]"
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in node._fields]  # newer versions have more, empty here
        given = [f"{name}={_written(value)}" for name, value in fields if value is not None and value != []]
        return f"({type(node).__name__} {' '.join(given)})"
    return repr(node)


def _is_silent(node):
    return isinstance(node, IMPORTS) or isinstance(node, ast.Expr) and _is_text(node.value)


def _digest(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
