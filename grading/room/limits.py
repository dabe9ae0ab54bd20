"""How much one submission may use. The defaults of the course stand in nbgrader_config.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits that hold for all of a submission's processes together, whoever grades, root included.

    Times are seconds of wall time, except `cpu`.

    start        to make a room ready
    cell         for one cell: then it is interrupted, and if that does not help, stopped
    call         for one call of a function by a check; after a first call that was late, a tenth of it
    notebook     for all cells; and as much again for all calls, but for what is lent to them (lending.py)
    cpu          seconds of processor time
    memory       bytes of memory, shared pages counted once, with what is swapped out and what the kernel needs to map
                 it; no process may reserve more than twice as much
    processes    processes and threads, among them the notebook's own and a copy of it for each check; a second one
                 where an earlier exercise has lost points
    files        open files
    scratch      bytes that the cells may write to disk (it is memory)
    cell_output  characters that one cell may show, pictures not counted
    output       bytes that all cells may show, pictures as base64 included
    """

    start: float = 60.0
    cell: float = 60.0
    call: float = 20.0
    notebook: float = 600.0
    cpu: float = 600.0
    memory: int = 2 * 2**30
    processes: int = 64
    files: int = 512
    scratch: int = 64 * 2**20
    cell_output: int = 100_000
    output: int = 10 * 2**20
