"""Seeded code that makes what `coursekit.load` loads: each artifact by the `make` of the module here of its name."""

from importlib import import_module
from pkgutil import iter_modules


def makers():
    """{name: module} of every module here that makes an artifact."""
    names = [each.name for each in iter_modules(__path__) if each.name != "__main__"]
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "make")}
