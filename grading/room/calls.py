"""The system calls that a room may make: a program of the kernel's packet filter looks at each of them (seccomp).

A call is looked up by its number, here as (x86_64, aarch64), from the kernel's asm/unistd_64.h and
asm-generic/unistd.h; None where a machine has no such call. Three rules, so that nothing passes for being unknown:

FORBIDDEN  of the calls from before 2019, whose list is closed, these are refused
NEW        of all later ones these are allowed, and the others are not there
ONLY       of these calls no more than what Python, NumPy and matplotlib ask of them
"""

import ctypes
import errno
import platform
import struct

MACHINES = {"x86_64": (0, 0xC000003E, 334), "aarch64": (1, 0xC00000B7, 294)}  # column, AUDIT_ARCH, last call of 2018

FORBIDDEN = {
    # namespaces and mounts: the ways to change what can be seen
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    # memory that no process's size shows: shared, or that of pages which only a pipe or a message still holds
    "memfd_create": (319, 279), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77),
    "sendfile": (40, 71), "sendmsg": (46, 211), "sendmmsg": (307, 269), "seccomp": (317, 277),
    # what outlives a room, or shows in another one: locks on the machine's files, and what of them lies in memory
    "flock": (73, 32), "mincore": (27, 232), "fadvise64": (221, 223), "readahead": (187, 213),
    # what is counted for each user of the machine, not for each room
    "inotify_init": (253, None), "inotify_init1": (294, 26), "fanotify_init": (300, 262), "io_setup": (206, 0),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    # the machine itself: its log, clock, name, disks, modules, memory banks
    "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162), "sync": (162, 81),
    "syncfs": (306, 267), "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "acct": (163, 89),
    "reboot": (169, 142), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "vhangup": (153, 58), "mbind": (237, 235),
    "set_mempolicy": (238, 237), "migrate_pages": (256, 238), "move_pages": (279, 239), "iopl": (172, None),
    "ioperm": (173, None),
    # parts of the kernel that have a history of holes, and that no notebook needs
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "personality": (135, 92),
    "remap_file_pages": (216, 234), "lookup_dcookie": (212, 18), "modify_ldt": (154, None), "uselib": (134, None),
    "ustat": (136, None), "sysfs": (139, None), "_sysctl": (156, None),
}
NEW = {  # the same numbers everywhere
    "pidfd_send_signal": 424, "pidfd_open": 434, "faccessat2": 439, "epoll_pwait2": 441, "futex_waitv": 449,
    "fchmodat2": 452, "map_shadow_stack": 453,
}
ONLY = {  # {call: (numbers, which argument, what it may be)}; what these are called stands beside them
    # AF_UNIX: there is no network, and a port that was used would tell the next room of itself
    "socket": ((41, 198), 0, (1,)),
    "socketpair": ((53, 199), 0, (1,)),
    # SO_REUSEADDR, which multiprocessing sets: no buffers that hold more, no filters
    "setsockopt": ((54, 208), 2, (2,)),
    # PR_SET_NAME and five that ask: nothing that takes memory, or hides the process from the supervisor
    "prctl": ((157, 167), 0, (3, 15, 16, 23, 39, 42)),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: no locks, leases, larger pipes
    "fcntl": ((72, 25), 1, (0, 1, 2, 3, 4, 1030, 1032)),
    # TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: nothing of a device or a file system
    "ioctl": ((16, 29), 1, (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    # none or CLOSE_RANGE_CLOEXEC: all threads have the same files, so that they can be counted
    "close_range": ((436, 436), 2, (0, 4)),
    # all of linux/mman.h but what swaps out, or merges pages that are alike
    "madvise": ((28, 233), 2, (*range(5), *range(8, 12), *range(14, 20), 22, 23, 102, 103)),
}
CLONE, MMAP = (56, 220), (9, 222)
CLONE_FILES, CLONE_THREAD, NEW_NAMESPACES = 0x400, 0x10000, 0x7E020000  # the last: all CLONE_NEW... that clone takes
MAP_SHARED, MAP_ANONYMOUS, MAP_HUGETLB = 0x01, 0x20, 0x40000

LOAD, AND, IS, IS_AT_LEAST, HAS_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # in struct seccomp_data of linux/seccomp.h
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


def forbid():
    """Put the filter on this process and all that it starts. It cannot be taken off. Raises OSError."""
    program = filter_program(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), header, ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "seccomp: the filter of system calls was refused")


def filter_program(machine):
    """The filter for one of MACHINES, as instructions (code, jump if true, jump if false, value)."""
    column, architecture, last = MACHINES[machine]
    return [
        (LOAD, 0, 0, ARCHITECTURE), (IS, 1, 0, architecture), (RETURN, 0, 0, KILL),  # 32-bit calls count otherwise
        (LOAD, 0, 0, NUMBER),
        (IS_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, KILL),  # the x32 calls of x86_64, for the same reason
        *_block(MMAP[column], _mmap()),
        *(step for numbers, *what in ONLY.values() for step in _block(numbers[column], _only(*what))),
        *_block(CLONE[column], _clone()),
        *(step for numbers in FORBIDDEN.values() if numbers[column] is not None
          for step in [(IS, 0, 1, numbers[column]), _refuse()]),
        (IS_AT_LEAST, 1, 0, last + 1), (RETURN, 0, 0, ALLOW),
        *(step for number in NEW.values() for step in [(IS, 0, 1, number), (RETURN, 0, 0, ALLOW)]),
        _refuse(errno.ENOSYS),  # clone3 too, as its flags cannot be seen: the library uses clone then
    ]


def _block(number, tests):
    """What is done for the call of this number. What passes the tests is allowed."""
    return [(IS, 0, len(tests) + 1, number), *tests, (RETURN, 0, 0, ALLOW)]


def _only(which, values):
    """Refuse the call unless this argument is one of these values."""
    passes = [(IS, len(values) - i, 0, value) for i, value in enumerate(values)]  # over the rest, and the refusal
    return [(LOAD, 0, 0, _argument(which)), *passes, _refuse()]


def _mmap():
    """Refuse memory that no process's size shows: what stays when nobody has it mapped, and the huge pages' pool."""
    return [(LOAD, 0, 0, _argument(3)), (HAS_BIT, 0, 1, MAP_HUGETLB), _refuse(),
            (AND, 0, 0, MAP_SHARED | MAP_ANONYMOUS), (IS, 0, 1, MAP_SHARED | MAP_ANONYMOUS), _refuse()]


def _clone():
    """Refuse new namespaces, and threads that do not share their files."""
    return [(LOAD, 0, 0, _argument(0)), (HAS_BIT, 0, 1, NEW_NAMESPACES), _refuse(),
            (AND, 0, 0, CLONE_THREAD | CLONE_FILES), (IS, 0, 1, CLONE_THREAD), _refuse()]


def _argument(which):
    """Where the lower half of an argument stands."""
    return ARGUMENTS + 8 * which


def _refuse(number=errno.EPERM):
    return RETURN, 0, 0, REFUSE | number
