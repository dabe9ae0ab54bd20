"""The fork server inside the sandbox: it has Python loaded, and makes a room for one notebook after the other.

Started by `room.Rooms` as `keeper.py FD MODE`, MODE being "walled" or "open" (no sandbox: `--unsafe-no-sandbox`).
It knows nothing of any student, lab or check: it only forks, watches the fork's limits, and ends it. On the socket FD:

    {"do": "open", "limits": {...}} and the room's own socket   ->  a room that answers on that socket (see inside.py)
    {"do": "end", "pid": N}  end the process that has this number in the room
    {"do": "look"}           ->  {"within": true}, or the room is ended
    {"do": "close"}          end the room
    -> {"ended": why}, once for each room: "closed" if it was asked for, else the limit that was exceeded, as "memory"

A room is one process, forked from this one into namespaces of its own. It is process 1 there: when it is gone, so is
everything that it started.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time

import inside
import lockdown
import wire

POLL = 0.03   # seconds between two looks at a room's limits
CLOSE = 0.15  # the same for close looks at its memory
PAGE, TICK = resource.getpagesize(), os.sysconf("SC_CLK_TCK")


def main():
    control, walled = socket.socket(fileno=int(sys.argv[1])), sys.argv[2] == "walled"
    sys.argv = sys.argv[:1]
    if walled:
        lockdown.protect_devices()
    shell = inside.make_shell()
    gc.collect()
    gc.freeze()  # so that a fork's collector does not touch, and copy, every page
    channel = wire.Channel(control)
    channel.send({"ready": True})
    while True:
        request = channel.receive()
        if request["do"] == "open":  # anything else comes late, to a room that is gone
            door = channel.receive_socket()
            channel.send({"ended": keep(channel, shell, door, request["limits"], walled)})


def keep(channel, shell, door, limits, walled):
    """Open a room, watch over it, end it. Returns why it ended."""
    room = lockdown.fork() if walled else os.fork()
    if room == 0:
        live(channel, shell, door, limits, walled)
    door.close()
    try:
        return watch(channel, limits, walled)
    finally:
        end(room, walled)
        os.waitpid(room, 0)


def end(room, walled):
    try:
        os.kill(room, signal.SIGKILL) if walled else os.killpg(room, signal.SIGKILL)
    except ProcessLookupError:
        pass


def watch(channel, limits, walled):
    """Wait until the room is to end. (The marking room notices if it ends by itself.) Returns why."""
    spent, known, looked = {}, {1, os.getpid()}, 0.0
    while True:
        ready, _, _ = select.select([channel.connection], [], [], POLL)
        request = channel.receive() if ready else {"do": "wait"}
        if request["do"] == "close":
            return "closed"
        if request["do"] == "end" and walled:  # elsewhere the number could be anybody's
            end_one(known, request["pid"])
        if walled:
            pids = others(known)
            if len(pids) > limits["processes"]:  # too many to read about each
                return "processes"
            processes = [process for process in map(Process.read, pids) if process]
            spent |= {process.name: process.own for process in processes}  # those that have gone are not forgotten
            used = max(sum(spent.values()), sum(process.cpu for process in processes))
            if reason := excess(processes, used, limits):
                return reason
            resident = sum(process.resident for process in processes)
            if resident > limits["memory"] and time.monotonic() > looked + CLOSE:
                if reason := memory_excess(processes, known, limits):
                    return reason
                looked = time.monotonic()
        if request["do"] == "look":
            channel.send({"within": True})


def others(known):
    """The process numbers of the room: all in this PID namespace that are not the sandbox's own."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in known]


def end_one(known, number):
    """End the process that the room knows by this number; never its main one, which is 1."""
    processes = filter(None, map(Process.read, others(known)))
    tell([process.pid for process in processes if process.inner() == number != 1], signal.SIGKILL)


def tell(pids, number):
    """Send all of them a signal."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def excess(processes, used, limits):
    """The name of the limit that is exceeded, or None. That of memory is looked at by `memory_excess`."""
    if any(process.hidden for process in processes):
        return "hidden"
    if sum(process.threads for process in processes) > limits["processes"]:
        return "processes"
    if used > limits["cpu"]:
        return "cpu"
    if sum(process.files for process in processes) > limits["files"]:
        return "files"
    return None


def memory_excess(processes, known, limits):
    """"memory" if that limit is exceeded; None if not, or if shared pages are what makes it look so.

    To look closely takes locks that a process holds while it forks. So all are made to stand still meanwhile: among
    many others, a process that is not might get to its end, and this one to its answer, only after minutes.
    """
    pids = others(known)
    tell(pids, signal.SIGSTOP)
    try:
        if len(others(known)) > limits["processes"]:
            return "processes"
        return "memory" if sum(process.proportional() for process in processes) > limits["memory"] else None
    finally:
        tell(pids, signal.SIGCONT)


class Process:
    """What /proc tells of one process of the room.

    name      what no other process is called, also when its number is used again
    own, cpu  seconds of processor time: its own, and with those of its children that it has waited for
    hidden    cannot be looked into, or shows nothing of its threads as its first one has ended
    """

    @classmethod
    def read(cls, pid):
        """None if it has gone in the meantime."""
        try:
            process = cls()
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b") ")[2].split()  # what stands in brackets, a name, may hold anything
            times = [int(field) / TICK for field in fields[11:15]]
            process.pid, process.name = pid, (pid, fields[19])
            process.own, process.cpu = sum(times[:2]), sum(times)
            process.threads, process.resident = int(fields[17]), int(fields[21]) * PAGE
            process.hidden = fields[0] == b"Z" and process.threads > 1
            process.files = cls._files(process)
            return process
        except (OSError, IndexError):
            return None

    def _files(self):
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:
            self.hidden = True
            return 0

    def inner(self):
        """The number by which the room knows it. None if the process has gone."""
        try:
            with open(f"/proc/{self.pid}/status", "rb") as file:
                return int(next(line for line in file if line.startswith(b"NSpid:")).split()[-1])
        except (OSError, StopIteration):
            return None

    def proportional(self):
        """Bytes of memory, each page divided among the processes that share it. 0 if the process has gone."""
        try:
            with open(f"/proc/{self.pid}/smaps_rollup", "rb") as file:
                return 1024 * int(next(line for line in file if line.startswith(b"Pss:")).split()[1])
        except (OSError, StopIteration):
            return 0


def live(channel, shell, door, limits, walled):
    """The room's life, in the fork; it never returns to what it was forked from."""
    try:
        channel.connection.close()
        os.dup2(0, 2)  # to nowhere: standard error was for the keeper's own troubles
        os.setsid()
        if walled:
            lockdown.mount_scratch(limits["scratch"])
            lockdown.limit(limits)
            lockdown.give_up_power()
        inside.serve(wire.Channel(door), shell)
    finally:
        os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except wire.WireError:
        pass  # the marking room has hung up
