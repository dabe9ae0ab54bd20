"""nbgrader's configuration: where it is read, in which order, and what is refused.

A setting is looked for in the class's folder, then in Jupyter's own folders (the environment's, yours, the system's),
then in the repository. A file that is not in the instructor's hands alone (`owned`) is never executed.
"""

import json
import sys
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from grading import owned

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "nbgrader_config.py"
ENVIRONMENT = Path(sys.prefix, "etc", "jupyter", NAME)  # every nbgrader of this environment reads it, in any folder
KERNEL = Path(sys.prefix, "share", "jupyter", "kernels", "python3", "kernel.json")
IPYTHON = Path(sys.prefix, "etc", "ipython", "ipython_config.py")  # every IPython of this environment reads it
AS_IT_COMES = {"JUPYTER_NO_CONFIG": "1"}  # variables with which nbgrader reads none of it but the folder's own

# What leads from another folder to the course's configuration. nbgrader passes over what fails in a configuration, and
# would then run students' code as whoever started it: so this ends it instead.
POINTER = '''\
from pathlib import Path

COURSE = Path({course})
try:
    COURSE.stat()
    load_subconfig(str(COURSE))
except Exception as error:
    raise SystemExit(f"{{COURSE}}: expected the course's configuration, got {{error!r}}: {advice}") from error
'''


# Python and IPython import from the folder that they are started in, where a student's pathlib.py may lie.
IMPORTS = '''\
"""Nothing is imported from the folder that a notebook stands in: it may be a student's. Written by make venv."""

c = get_config()
c.InteractiveShellApp.ignore_cwd = True
'''


class ConfigurationError(ValueError):
    """There is no configuration, or one that cannot be used; the text says what to do, in one line."""


class _Own:
    """A loader of configurations that refuses what is not in the instructor's hands.

    It ends the program, since nbgrader goes on after any other exception.
    """

    def _find_file(self):
        super()._find_file()
        given = Path(self.full_filename).resolve() in (REPOSITORY / NAME, ENVIRONMENT.resolve())  # runs here already
        if why := not given and owned.trouble(self.full_filename):
            raise SystemExit(f"{self.full_filename} is not read, as it is executed as you: {why}")


class OwnPython(_Own, PyFileConfigLoader):
    """nbgrader_config.py"""


class OwnJson(_Own, JSONFileConfigLoader):
    """nbgrader_config.json, which names modules to import"""


def load(folder):
    """The configuration of a class's folder, as nbgrader's own commands read it there. Raises ConfigurationError."""
    config = Config()
    for place in (REPOSITORY, *reversed(jupyter_config_path()), folder):
        for loader, name in (OwnPython, NAME), (OwnJson, f"{Path(NAME).stem}.json"):
            config.merge(_read(loader, name, place))
    return config


def _read(loader, name, place):
    try:
        return loader(name, path=str(place)).load_config()
    except ConfigFileNotFound:
        return Config()
    except SystemExit as stop:
        raise ConfigurationError(str(stop)) from stop
    except Exception as error:
        raise ConfigurationError(f"{Path(place, name)}: {type(error).__name__}: {error}") from error


def pointer(advice):
    """The text of a configuration that loads the course's; `advice` is what to do where that cannot be."""
    return POINTER.format(course=json.dumps(str(REPOSITORY / NAME)), advice=advice)


def write_for_environment():
    """What holds in this environment whatever the folder. Run by `make venv`.

    Every nbgrader grades in the two rooms, and no kernel imports from the folder that it is started in.
    """
    text = '"""Every nbgrader of this environment grades as the course says. Written by make venv."""\n\n'
    _write(ENVIRONMENT, text + pointer("run make venv in the course's repository"))
    _write(IPYTHON, IMPORTS)
    kernel = json.loads(KERNEL.read_bytes())
    python, *arguments = [word for word in kernel["argv"] if word != "-P"]
    _write(KERNEL, json.dumps({**kernel, "argv": [python, "-P", *arguments]}, indent=1))


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_for_environment()
