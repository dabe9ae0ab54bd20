"""What a process does to itself before it runs a student's code: namespaces of its own, limits, and no way back.

Linux only; called by keeper.py, inside the outer sandbox. It speaks to the kernel through ctypes, since Python 3.11
has no function for most of this. Each step raises OSError if the kernel refuses, so nothing goes on half locked.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)
held = ctypes.PyDLL(None, use_errno=True)  # the same, with the interpreter's lock held: a fork must not lose it

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 22, 24, 38
MAP_SHARED, MAP_ANONYMOUS, AF_UNIX = 0x01, 0x20, 1
SECCOMP_MODE_FILTER = 2
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
    pid = held.syscall(CLONE[_column()], CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | signal.SIGCHLD, 0, 0, 0, 0)
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
        _call("mount", None, device.encode(), None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, None)


def mount_scratch(size):
    """Private scratch space of `size` bytes that nobody else sees, and nothing where /proc was."""
    options = f"size={size},nr_inodes={max(64, size // 4096)},mode=700"
    _mount(SCRATCH, MS_NOSUID | MS_NODEV, options)
    _mount("/proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=500")


def limit(limits):
    """Limits that the kernel keeps for each process by itself. `keeper.watch` keeps those for all together."""
    for what, value in (
        (resource.RLIMIT_AS, 2 * limits["memory"]),   # so that one huge array is a MemoryError, not the end
        (resource.RLIMIT_NPROC, limits["processes"]),  # does nothing for root
        (resource.RLIMIT_NOFILE, min(limits["files"], 256)),
        (resource.RLIMIT_CPU, int(limits["cpu"]) + 1),
        (resource.RLIMIT_FSIZE, limits["scratch"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        _, hard = resource.getrlimit(what)
        value = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        resource.setrlimit(what, (value, value))


def give_up_power():
    """No capabilities, no new privileges, no system calls that reach for either. There is no way back."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break  # the kernel knows no more of them
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _call("capset", header, bytes(24))
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _forbid_system_calls()


def _mount(where, flags, options):
    _call("mount", b"tmpfs", where.encode(), b"tmpfs", flags, options.encode())


def _call(name, *arguments):
    wide = [ctypes.c_ulong(argument) if isinstance(argument, int) else argument for argument in arguments]
    if getattr(libc, name)(*wide):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


# The filter of system calls: a program of the kernel's packet filter that looks at the number of each call.
# Numbers: (x86_64, aarch64), from the kernel's asm/unistd_64.h and asm-generic/unistd.h.

FORBIDDEN = {
    # namespaces and mounts: the ways to change what can be seen
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    # memory that no process's size shows
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    # what is counted for each user of the machine, not for each room
    "inotify_init": (253, 26), "inotify_init1": (294, 26), "fanotify_init": (300, 262), "io_setup": (206, 0),
    # parts of the kernel that have a history of holes, and that no notebook needs
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "personality": (135, 92),
}
CLONE, CLONE3 = (56, 220), (435, 435)
PRCTL, MMAP, SOCKET, SOCKETPAIR = (157, 167), (9, 222), (41, 198), (53, 199)
UNKNOWN = 457  # this number and those above it are newer than this list
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH of linux/audit.h
NEW_NAMESPACES = (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID
                  | CLONE_NEWNET)

LOAD, AND, IS, IS_AT_LEAST, HAS_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, FOURTH_ARGUMENT = 0, 4, 16, 40  # in struct seccomp_data of linux/seccomp.h
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def _column():
    return MACHINES[platform.machine()][0]


def filter_program(machine):
    """The filter for one of MACHINES, as instructions (code, jump if true, jump if false, value)."""
    column, architecture = MACHINES[machine]
    program = [
        (LOAD, 0, 0, ARCHITECTURE), (IS, 1, 0, architecture), (RETURN, 0, 0, KILL),  # 32-bit calls count otherwise
        (LOAD, 0, 0, NUMBER),
        (IS_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, KILL),  # the x32 calls of x86_64, for the same reason
        (IS, 0, 1, CLONE3[column]), (RETURN, 0, 0, REFUSE | errno.ENOSYS),  # its flags cannot be seen: libc uses clone
    ]
    program += [(IS_AT_LEAST, 0, 1, UNKNOWN), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    for numbers in FORBIDDEN.values():
        program += [(IS, 0, 1, numbers[column]), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    for number, test in (
        (CLONE, [(LOAD, 0, 0, FIRST_ARGUMENT), (HAS_BIT, 0, 1, NEW_NAMESPACES)]),
        (PRCTL, [(LOAD, 0, 0, FIRST_ARGUMENT), (IS, 0, 1, PR_SET_DUMPABLE)]),  # it would hide from the supervisor
        # memory that stays when no process has it mapped, and so is in no process's size
        (MMAP, [(LOAD, 0, 0, FOURTH_ARGUMENT), (AND, 0, 0, MAP_SHARED | MAP_ANONYMOUS),
                (IS, 0, 1, MAP_SHARED | MAP_ANONYMOUS)]),
        # there is no network; and a port that was used would tell the next room something
        (SOCKET, [(LOAD, 0, 0, FIRST_ARGUMENT), (IS, 1, 0, AF_UNIX)]),
        (SOCKETPAIR, [(LOAD, 0, 0, FIRST_ARGUMENT), (IS, 1, 0, AF_UNIX)]),
    ):
        refused = [*test, (RETURN, 0, 0, REFUSE | errno.EPERM), (RETURN, 0, 0, ALLOW)]
        program += [(IS, 0, len(refused), number[column]), *refused]
    return [*program, (RETURN, 0, 0, ALLOW)]


def _forbid_system_calls():
    program = filter_program(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    _call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)
