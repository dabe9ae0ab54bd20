"""The walls: namespaces, mounts, devices, privileges."""

from tests.attacks.attack import CALL, NO_WALL, cells

ATTACKS = cells(skip=NO_WALL, first={
    "a user namespace of its own is made, with all powers": CALL + """
if libc.unshare(0x10000000) == 0:
    print("CAUGHT a user namespace")""",
    "namespaces are made by clone": CALL + """
pid = call(56, 0x10000000 | 0x20000 | 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
if pid > 0:
    os.waitpid(pid, 0)
    print("CAUGHT a namespace")""",
    "namespaces are made by clone3": CALL + """
arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0)
pid = call(435, arguments, ctypes.sizeof(arguments))
if pid == 0:
    os._exit(0)
if pid > 0:
    os.waitpid(pid, 0)
    print("CAUGHT a namespace")""",
    "the namespaces of process 1 are entered": CALL + """
for kind in ("user", "mnt", "net", "pid", "ipc"):
    try:
        if libc.setns(os.open(f"/proc/1/ns/{kind}", os.O_RDONLY), 0) == 0:
            print("CAUGHT a namespace")
    except OSError:
        pass""",
    "read-only places are mounted anew": CALL + """
for place in (b"/", b"/usr", b"/proc", b"/tmp"):
    if libc.mount(b"none", place, None, 32 | 4096, None) == 0:
        print("CAUGHT a mount")""",
    "a file system is mounted over another": CALL + """
if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
    print("CAUGHT a mount")""",
    "what hides the machine is unmounted": CALL + """
for place in (b"/proc", b"/tmp", b"/dev", b"/home"):
    if libc.umount2(place, 2) == 0:
        print("CAUGHT a mount")""",
    "the old root is reached by chroot and open folders": CALL + """
before = os.open("/", os.O_RDONLY)
try:
    os.chroot("/tmp")
    os.fchdir(before)
    print("CAUGHT a root")
except OSError:
    pass
for number in range(3, 64):
    try:
        os.fchdir(number)
        if os.path.exists("../../../gradebook.db"):
            print("CAUGHT a folder")
    except OSError:
        pass
os.chdir(os.path.expanduser("~"))""",
    "device nodes are made": """
import os, stat
for number in ((1, 1), (8, 0), (254, 0)):
    try:
        os.mknod(f"node{number[0]}", 0o600 | stat.S_IFBLK, os.makedev(*number))
        if open(f"node{number[0]}", "rb").read(1):
            print("CAUGHT a device")
    except OSError:
        pass""",
    "it becomes another user": """
import os
for user in {0, 1, 65534} - {os.getuid()}:
    try:
        os.setuid(user)
        print("CAUGHT another user")
    except OSError:
        pass""",
    "programs that bear privileges are run": """
import subprocess
for words in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount", "-t", "tmpfs", "x", "/mnt"], ["unshare", "-r", "id"]):
    try:
        if subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, timeout=0.3).returncode == 0:
            print("CAUGHT a program")
    except (OSError, subprocess.TimeoutExpired):
        pass""",
    "the kernel's settings are written": """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
             "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/release_agent"):
    try:
        open(path, "a").close()  # opening is proof enough
        print("CAUGHT a setting")
    except OSError:
        pass""",
    "the host's name and clock are set": CALL + """
if libc.sethostname(b"forged", 6) == 0:
    print("CAUGHT the name")
import time
try:
    time.clock_settime(time.CLOCK_REALTIME, time.time())
    print("CAUGHT the clock")
except OSError:
    pass""",
    "system calls of another architecture are tried": """
import ctypes, mmap, os
code = b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3"  # getpid as 32-bit Linux has it
if os.fork() == 0:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
os.wait()""",
    "parts of the kernel with a history of holes are called": CALL + """
for number in (321, 298, 323, 425, 250, 248, 246, 175, 304, 310, 272):  # bpf, perf, userfaultfd, io_uring, keyctl ...
    if number != 272 and call(number, 0, 0, 0, 0, 0) >= 0:
        print("CAUGHT the kernel, call", number)""",
    "the machine's log is read": CALL + """
text = ctypes.create_string_buffer(4096)
if call(103, 3, text, 4096) >= 0 or call(103, 10, 0, 0) >= 0:
    print("CAUGHT the log")""",
    "what lies beside the interpreter is read": """
import os, sys
for folder in ("include", "share", "lib/pkgconfig", "etc"):
    if os.path.exists(os.path.join(sys.base_prefix, folder)) and sys.base_prefix != "/usr":
        print("CAUGHT", folder)""",
    "file systems of the machine are asked by ioctl": """
import fcntl, os
for request in (0x80086601, 0xC0406619, 0x801C581F):  # flags, keys, attributes
    try:
        fcntl.ioctl(os.open(os.__file__, os.O_RDONLY), request, bytes(64))
        print("CAUGHT a file system")
    except OSError as error:
        if error.errno != 1:
            print("CAUGHT an answer")""",
    "letters are typed into the grader's terminal": """
import fcntl
try:
    with open("/dev/tty", "w") as terminal:
        for letter in b"id\\n":
            fcntl.ioctl(terminal, 0x5412, bytes([letter]))
        print("CAUGHT the terminal")
except OSError:
    pass""",
    "it makes itself too important to be stopped": CALL + """
import os
for act in (lambda: os.nice(-20), lambda: open("/proc/self/oom_score_adj", "w").write("-1000"),
            lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))):
    try:
        act()
        print("CAUGHT importance")
    except OSError:
        pass""",
    "limits are raised again": """
import resource
for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
    try:
        resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        if resource.getrlimit(what)[1] == resource.RLIM_INFINITY:
            print("CAUGHT a limit")
    except (OSError, ValueError):
        pass""",
})
