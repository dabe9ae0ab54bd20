"""What a process does to itself before it runs a student's code: namespaces of its own, limits, and no way back.

Linux only; called by keeper.py, inside the outer sandbox. It speaks to the kernel through ctypes, since Python 3.11
has no function for most of this. Each step raises OSError if the kernel refuses, so nothing goes on half locked.
"""

import ctypes
import fcntl
import os
import platform
import re
import resource
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)
held = ctypes.PyDLL(None, use_errno=True)  # the same, with the interpreter's lock held: a fork must not lose it

CLONE = {"x86_64": 56, "aarch64": 220}  # the number of the system call
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_THP_DISABLE = 24, 38, 41
CAPABILITY_VERSION_3 = 0x20080522

SCRATCH = "/tmp"  # the one place of the room that can be written to
DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")


def fork():
    """Like os.fork, with the child the first process of a new PID namespace, in a new user and mount namespace.

    One system call instead of two forks, as each copies the tables of a large process. What Python does before and
    after a fork of its own is done here too. The process must have one thread only.
    """
    python = ctypes.pythonapi
    user, group = os.getuid(), os.getgid()
    python.PyOS_BeforeFork()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | signal.SIGCHLD
    pid = held.syscall(CLONE[platform.machine()], flags, 0, 0, 0, 0)
    number = ctypes.get_errno()
    python.PyOS_AfterFork_Child() if pid == 0 else python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"clone: {os.strerror(number)}")
    if pid == 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    return pid


def protect_devices():
    """Nobody changes their modes or times, not even who owns them. (To write into them is no change to them.)"""
    for device in DEVICES:
        as_here = os.statvfs(device).f_flag & (MS_NODEV | MS_NOEXEC)  # nobody may take off what the machine has put on
        _call("mount", None, device.encode(), None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | as_here, None)


def mount_scratch(size):
    """Private scratch space of `size` bytes that nobody else sees, and nothing where /proc was."""
    options = f"size={size},nr_inodes={max(64, size // 4096)},mode=700"
    _mount(SCRATCH, MS_NOSUID | MS_NODEV, options)
    _mount("/proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=500")


def own_descriptors(door):
    """Keep the descriptor `door` alone of those that came from the keeper; what is a file is opened anew in its place.

    A descriptor that a fork inherits shares its offset, flags and locks with all other rooms. The keeper's are its
    standard ones, which lead to nowhere, and files of fonts, which matplotlib goes on to read from.
    """
    for number in {int(name) for name in os.listdir("/proc/self/fd")} - {door}:
        try:
            copy = os.open(f"/proc/self/fd/{number}", fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE)
        except OSError:  # a socket, or that of the list itself
            os.closerange(number, number + 1)
            continue
        os.lseek(copy, os.lseek(number, 0, os.SEEK_CUR), os.SEEK_SET)
        os.dup2(copy, number, inheritable=False)
        os.close(copy)


def limit(limits):
    """Limits that the kernel keeps for each process by itself. `keeper.Watch` keeps those for all together."""
    most = {
        resource.RLIMIT_AS: 2 * limits["memory"],   # so that one huge array is a MemoryError, not the end
        resource.RLIMIT_NOFILE: min(limits["files"], 256),
        resource.RLIMIT_CPU: limits["cpu"] + 1,
        resource.RLIMIT_FSIZE: limits["scratch"],
        resource.RLIMIT_SIGPENDING: 1024,
    }
    if counts_processes():
        most[resource.RLIMIT_NPROC] = 16 * limits["processes"]  # until the supervisor looks; does nothing for root
    for what in ("CORE", "MSGQUEUE", "MEMLOCK", "NICE", "RTPRIO"):
        most[getattr(resource, f"RLIMIT_{what}")] = 0
    for what, value in most.items():
        _, hard = resource.getrlimit(what)
        value = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(what, (value, value))


def counts_processes():
    """Does the kernel count those of a room? Before 5.14 it counts a user's on the whole machine: the instructor's."""
    return tuple(map(int, re.findall(r"\d+", platform.release())[:2])) >= (5, 14)


def give_up_power():
    """No capabilities, no new privileges. There is no way back."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break  # the kernel knows no more of them
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _call("capset", header, bytes(24))
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", PR_SET_THP_DISABLE, 1, 0, 0, 0)  # of a huge page that is half gone, all stays, and half is counted


def _mount(where, flags, options):
    _call("mount", b"tmpfs", where.encode(), b"tmpfs", flags, options.encode())


def _call(name, *arguments):
    wide = [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments]
    if getattr(libc, name)(*wide):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
