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
import shutil
import signal
import socket
import sys
import time

import calls
import inside
import lockdown
import wire

POLL = 0.03   # seconds between two looks at a room's limits
CLOSE = 0.15  # the same for close looks at its memory
PAGE, TICK, CORES = resource.getpagesize(), os.sysconf("SC_CLK_TCK"), os.cpu_count() or 1
MAPPING, LINK = 256, 64  # bytes that the kernel takes for one mapping, and to link it to that of a parent process
SHARES = (b"Pss:", b"SwapPss:")


def main():
    control, walled = socket.socket(fileno=int(sys.argv[1])), sys.argv[2] == "walled"
    sys.argv = sys.argv[:1]
    try:
        make_rooms(wire.Channel(control), walled)
    except wire.WireError:
        pass  # the marking room has hung up
    finally:
        if not walled:
            shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)


def make_rooms(channel, walled):
    """One room after the other, for as long as they are asked for."""
    if walled:
        lockdown.protect_devices()
    shell = inside.make_shell()
    gc.collect()
    gc.freeze()  # so that a fork's collector does not touch, and copy, every page
    gc.set_threshold(20_000)  # nor look, again and again, at the little that a cell makes
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
    room = Watch(limits) if walled else None
    while True:
        ready, _, _ = select.select([channel.connection], [], [], POLL)
        request = channel.receive() if ready else {"do": "wait"}
        if request["do"] == "close":
            return "closed"
        if request["do"] == "end" and walled:  # elsewhere the number could be anybody's
            room.end_one(request["pid"])
        if walled and (reason := room.excess()):
            return reason
        if request["do"] == "look":
            channel.send({"within": True})


class Watch:
    """Looks at all processes of a room, again and again.

    known   the process numbers that are the sandbox's own
    spent   {name of a process: seconds of processor time}, also of those that have gone
    unseen  the same of those that nobody saw to their end
    kernel  bytes that the kernel held for all programs, at the least
    looked  when memory was looked at closely
    time, tasks, last: when there was a look, how many processes and threads there were, the last one's number
    """

    def __init__(self, limits):
        self.limits, self.known = limits, {1, os.getpid()}
        self.spent, self.unseen = {}, 0.0
        self.kernel, self.looked = kernel_memory(), 0.0
        self.time, self.tasks, self.last = time.monotonic(), 1, last_number()

    def excess(self):
        """The name of the limit that is exceeded, or None."""
        pids = self.others()
        if len(pids) > self.limits["processes"]:  # too many to read about each
            return "processes"
        processes = [process for process in map(Process.read, pids) if process]
        tasks = sum(process.threads for process in processes)
        if any(process.hidden for process in processes):
            return "hidden"
        if tasks > self.limits["processes"]:
            return "processes"
        if self._seconds(processes, tasks) > self.limits["cpu"]:
            return "cpu"
        if sum(process.files for process in processes) > self.limits["files"]:
            return "files"
        return self._memory_excess(processes)

    def others(self):
        """The process numbers of the room: all in this PID namespace that are not the sandbox's own."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in self.known]

    def end_one(self, number):
        """End the process that the room knows by this number; never its main one, which is 1."""
        processes = filter(None, map(Process.read, self.others()))
        tell([process.pid for process in processes if process.inner() == number != 1], signal.SIGKILL)

    def _seconds(self, processes, tasks):
        """Seconds of processor time so far.

        Of a process that is gone, its last ones are known only if somebody has waited for it. So where some came and
        went since the last look, they count as if they had used all processors since then.
        """
        now, last = time.monotonic(), last_number()
        gone = (last - self.last if last >= self.last else CORES) - (tasks - self.tasks)  # numbers begin again at 1
        self.unseen += min(max(gone, 0), CORES) * (now - self.time)
        self.time, self.last, self.tasks = now, last, tasks
        self.spent |= {process.name: process.own for process in processes}
        return max(self.unseen + sum(self.spent.values()), sum(process.cpu for process in processes))

    def _memory_excess(self, processes):
        """"memory" if that limit is exceeded. What is seen from afar says only whether to look closely.

        That is what is resident, though shared pages are counted twice in it, and by how much more memory the kernel
        holds than when the room was opened, though that may be for anybody on this machine.
        """
        kernel = kernel_memory()
        self.kernel = min(self.kernel, kernel)
        suspected = sum(process.resident for process in processes) + kernel - self.kernel
        if suspected <= self.limits["memory"] or time.monotonic() < self.looked + CLOSE:
            return None
        reason = self._close_look(processes, tables=kernel - self.kernel > self.limits["memory"] / 16)
        self.looked = time.monotonic()
        return reason

    def _close_look(self, processes, tables):
        """The same, exactly; or None, if shared pages or other programs were what made it look so.

        To look closely takes locks that a process holds while it forks. So all are made to stand still meanwhile: among
        many others, a process that is not might get to its end, and this one to its answer, only after minutes.
        """
        pids, used = self.others(), 0
        tell(pids, signal.SIGSTOP)
        try:
            if len(self.others()) > self.limits["processes"]:
                return "processes"
            for process in processes:
                used += process.proportional() + (process.tables(len(processes)) if tables else 0)
                if used > self.limits["memory"]:
                    return "memory"
        finally:
            tell(pids, signal.SIGCONT)


def tell(pids, number):
    """Send all of them a signal."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def last_number():
    """The number that was given to a process or thread last, in this PID namespace."""
    with open("/proc/loadavg", "rb") as file:
        return int(file.read().split()[-1])


def kernel_memory():
    """Bytes that the kernel of this machine holds for all programs on it, and that are swapped out."""
    with open("/proc/meminfo", "rb") as file:
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(b":") for line in file)}
    swapped = kilobytes.get(b"SwapTotal", 0) - kilobytes.get(b"SwapFree", 0)
    return 1024 * (swapped + sum(kilobytes.get(name, 0) for name in (b"SUnreclaim", b"PageTables", b"KernelStack")))


class Process:
    """What /proc tells of one process of the room.

    name      what no other process is called, also when its number is used again
    own, cpu  seconds of processor time: its own, and with those of its children that it has waited for
    hidden    cannot be looked into
    place     where /proc tells of it: that of a later thread, where the first one has ended and tells nothing
    """

    @classmethod
    def read(cls, pid):
        """None if it has gone in the meantime."""
        process = cls()
        process.pid, process.place, process.hidden = pid, f"/proc/{pid}", False
        process.resident = process.files = 0
        try:
            fields = stat(process.place)
            times = [int(field) / TICK for field in fields[11:15]]
            process.name, process.own, process.cpu = (pid, fields[19]), sum(times[:2]), sum(times)
            process.threads = int(fields[17])
            if fields[0] == b"Z" and process.threads > 1:
                process.place, fields = living_thread(pid) or (process.place, fields)
            process.resident = int(fields[21]) * PAGE
            process.files = len(os.listdir(f"{process.place}/fd"))
        except PermissionError:  # for who is not root, so it is with those that are about to end, and have no memory
            process.hidden = process._size() > 0
        except (OSError, IndexError):
            return None
        return process

    def _size(self):
        try:
            return int(stat(self.place)[20])
        except OSError:
            return 0

    def inner(self):
        """The number by which the room knows it. None if the process has gone."""
        return next((int(line.split()[-1]) for line in self._lines("status") if line.startswith(b"NSpid:")), None)

    def proportional(self):
        """Bytes of memory, each page divided among the processes that share it; swapped out too."""
        return 1024 * sum(int(line.split()[1]) for line in self._lines("smaps_rollup") if line.startswith(SHARES))

    def tables(self, processes):
        """Bytes that the kernel holds to know what this process has mapped; at most, if all fork from one another."""
        pages = sum(int(line.split()[1]) for line in self._lines("status") if line.startswith(b"VmPTE:"))
        return 1024 * pages + (MAPPING + LINK * processes) * len(self._lines("maps"))

    def _lines(self, name):
        """What /proc says of it. Nothing if the process has gone."""
        try:
            with open(f"{self.place}/{name}", "rb") as file:
                return file.readlines()
        except OSError:
            return []


def stat(place):
    """The fields of the file of this name, from the state on. (A name stands before it, and may hold anything.)"""
    with open(f"{place}/stat", "rb") as file:
        return file.read().rpartition(b") ")[2].split()


def living_thread(pid):
    """(place, fields) of a thread that has not ended; None if all have."""
    for name in os.listdir(f"/proc/{pid}/task"):
        place = f"/proc/{pid}/task/{name}"
        try:
            fields = stat(place)
        except OSError:
            continue
        if fields[0] not in b"ZX":
            return place, fields
    return None


def live(channel, shell, door, limits, walled):
    """The room's life, in the fork; it never returns to what it was forked from."""
    try:
        channel.connection.close()
        os.dup2(0, 2)  # to nowhere: standard error was for the keeper's own troubles
        os.setsid()
        if walled:
            lockdown.own_descriptors(door.fileno())
            lockdown.mount_scratch(limits["scratch"])
            lockdown.limit(limits)
            lockdown.give_up_power()
            calls.forbid()
        inside.serve(wire.Channel(door), shell)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
