"""The settings of grading, as nbgrader_config.py has them: `c.TwoRooms.memory = 1024`."""

from traitlets import Bool, Float, Integer, List, Unicode
from traitlets.config import Configurable

from grading.room.limits import Limits
from grading.room.room import Rooms
from grading.room.sandbox import PACKAGES

MB = 2**20


class TwoRooms(Configurable):
    """What one submission may use, and how it is graded. See grading/room/limits.py for what each limit means."""

    sandbox = Bool(True, help="False: student code runs as you, with all that you may read and do.").tag(config=True)
    solutions = Unicode("solutions", help="The package that holds the checks of each lab.").tag(config=True)
    packages = List(Unicode(), help="Distributions that a notebook may import, besides what the labs need.").tag(
        config=True)
    timezone = Unicode("UTC", help="The course's own, for a deadline without one: Europe/Berlin.").tag(config=True)
    seed = Unicode("", help="If given, each submission is checked with inputs of its own.").tag(config=True)

    cell = Float(Limits.cell, help="Seconds for one cell.").tag(config=True)
    call = Float(Limits.call, help="Seconds for one call of a function by a check.").tag(config=True)
    notebook = Float(Limits.notebook, help="Seconds for all cells, and again for all checks.").tag(config=True)
    cpu = Float(Limits.cpu, help="Seconds of processor time.").tag(config=True)
    memory = Integer(Limits.memory // MB, help="MB of memory.").tag(config=True)
    processes = Integer(Limits.processes, help="Processes and threads.").tag(config=True)
    files = Integer(Limits.files, help="Open files.").tag(config=True)
    scratch = Integer(Limits.scratch // MB, help="MB that the cells may write to disk.").tag(config=True)
    cell_output = Integer(Limits.cell_output, help="Characters that one cell may show.").tag(config=True)
    output = Integer(Limits.output // MB, help="MB that all cells may show, pictures included.").tag(config=True)

    def limits(self):
        """The limits as the exam room takes them: in bytes."""
        return Limits(cell=self.cell, call=self.call, notebook=self.notebook, cpu=self.cpu, memory=self.memory * MB,
                      processes=self.processes, files=self.files, scratch=self.scratch * MB,
                      cell_output=self.cell_output, output=self.output * MB)

    def rooms(self):
        """A sandbox with these settings: `with settings.rooms() as rooms`."""
        return Rooms(self.limits(), self.sandbox, self.all_packages())

    def all_packages(self):
        """The distributions that a notebook may import, each once."""
        return tuple(dict.fromkeys([*PACKAGES, *self.packages]))
