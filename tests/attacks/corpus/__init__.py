"""Every attack: each module here is a kind, named as the book's table names it, and holds its `ATTACKS`.

A new kind is a new file. Adding an attack changes the table in the book: `make attacks` writes it.
"""

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

KINDS = [module.name for module in iter_modules(__path__)]
ATTACKS = [replace(attack, kind=kind) for kind in KINDS for attack in import_module(f"{__name__}.{kind}").ATTACKS]
