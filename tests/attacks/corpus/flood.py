"""Memory, processes, disk, output."""

from tests.attacks.attack import CALL, Attack, at_the_end, cells_before
from tests.grading import tiny

CROWD = "not run: it could bring the machine down with it"
ATTACKS = at_the_end({
    "one array of many gigabytes": "import numpy as np\nhog = np.ones(10**10)",
    "a list that grows without end": "hog = [0]\nwhile True: hog += hog",
    "memory taken by many processes": """
import os
for _ in range(20):
    if os.fork() == 0:
        hog = bytearray(60_000_000)
        for i in range(0, len(hog), 4096): hog[i] = 1
        import time; time.sleep(100)
import time; time.sleep(100)""",
    "shared memory that belongs to no process": """
import mmap
hogs = []
while True:
    hogs.append(mmap.mmap(-1, 10_000_000))
    for i in range(0, 10_000_000, 4096): hogs[-1][i] = 1""",
    "files that live in memory alone": """
import os
hogs = []
while True:
    hogs.append(os.memfd_create("hog"))
    os.write(hogs[-1], bytes(10_000_000))""",
    "pipes and sockets filled to the brim": """
import os, socket
hogs = []
while True:
    one, two = socket.socketpair()
    one.setblocking(False)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
    hogs += [one, two]
    try:
        while True: one.send(bytes(65536))
    except BlockingIOError: pass""",
    "a fork bomb": """
import os
while True:
    try: os.fork()
    except OSError: pass""",
    "a fork bomb whose parents leave": """
import os
while True:
    try:
        if os.fork(): os._exit(0)
        os.setsid()
    except OSError: pass""",
    "a bomb of threads": """
import threading, time
while True:
    try: threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
    except RuntimeError: pass""",
    "a disk filled by one file": """
with open("hog", "wb") as file:
    while True: file.write(bytes(2**20))""",
    "a disk filled by names": """
number = 0
while True:
    open(f"hog{number}", "w").close()
    number += 1""",
    "every place filled with files": """
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", os.path.expanduser("~"), "."):
    try:
        with open(os.path.join(folder, "hog"), "wb") as file:
            while True: file.write(bytes(2**20))
    except OSError: pass""",
    "a flood of open files": """
import os
hogs = []
while True:
    try: hogs.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        if os.fork(): break""",
    "processor time in many processes": """
import os
for _ in range(12):
    if os.fork() == 0:
        while True: pass
import time; time.sleep(100)""",
}, skip=CROWD)

# Memory that no process is as large as: the kernel holds it. What prints CAUGHT has got hold of some.

MAPS = CALL + """
import time
libc.mmap.restype = ctypes.c_void_p
number = ctypes.c_size_t
def at(place, size, protection):
    return libc.mmap(number(place), number(size), protection, 0x22, -1, number(0))
"""
ATTACKS += at_the_end({
    "huge pages that only a pipe still holds": MAPS + """
class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]
hogs = [os.pipe() for _ in range(20)]
for _, way_in in hogs:
    page = at(0, 2**22, 3)
    libc.madvise(number(page), number(2**22), 14)
    ctypes.memset(page, 1, 2**22)
    if libc.vmsplice(way_in, ctypes.byref(Piece(page + 2**21, 1)), number(1), 0) > 0:
        print("CAUGHT a page in a pipe")
    libc.munmap(number(page), number(2**22))""",
    "huge pages that are given back but for a corner": MAPS + """
if libc.prctl(42, 0, 0, 0, 0) == 0 or libc.prctl(41, 0, 0, 0, 0) == 0:  # are they off, and do they stay off
    print("CAUGHT huge pages")""",
    "pages of a file that a pipe still holds": """
import os
open("hog", "wb").write(bytes(2**20))
way_out, way_in = os.pipe()
for send in (lambda file: os.sendfile(way_in, file, 0, 4096), lambda file: os.splice(file, way_in, 4096)):
    try:
        send(os.open("hog", os.O_RDONLY))
        print("CAUGHT a page in a pipe")
    except OSError:
        pass""",
    "pipes of a megabyte": """
import fcntl, os
try:
    print("CAUGHT a pipe of", fcntl.fcntl(os.pipe()[1], 1031, 2**20))
except OSError:
    pass""",
    "full pipes that travel through a socket for ever": """
import os, socket
one, two = socket.socketpair()
try:
    socket.send_fds(one, [b"x"], os.pipe())
    print("CAUGHT a pipe that nobody has open")
except OSError:
    pass""",
    "sockets whose buffers are made larger": """
import socket
try:
    socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
    print("CAUGHT a buffer")
except OSError:
    pass""",
    "files that one thread has open alone": CALL + """
if call(436, 200, 201, 2) == 0:  # close_range, with files of one's own from here on
    print("CAUGHT files of one thread")""",
    "page tables, a page of them for each page": MAPS + """
for _ in range(6):
    if os.fork() == 0:
        for n in range(40_000):
            ctypes.string_at(at(2**44 + n * 2**21, 4096, 1), 1)
        time.sleep(100)
time.sleep(100)""",
    "mappings without number, and forks of forks of them": MAPS + """
start = at(0, 2**27, 0)
for place in range(start, start + 2**27, 8192):
    libc.mprotect(number(place), number(4096), 3)
    ctypes.memset(place, 1, 1)
for _ in range(24):
    if os.fork(): break
time.sleep(100)""",
    "a table for locks, as large as one likes": CALL + """
if libc.prctl(78, 1, 2**21, 0, 0) == 0:
    print("CAUGHT a table of 128 MB")""",
    "rules of Landlock without number": CALL + """
if call(444, (ctypes.c_uint64 * 3)(0, 3, 0), 16, 0) >= 0:
    print("CAUGHT a set of rules")""",
    "pages of the pool of huge ones": MAPS + """
libc.mmap(number(0), number(2**21), 3, 0x40022, -1, number(0))
if ctypes.get_errno() != 1:  # an empty pool is refused for another reason
    print("CAUGHT the pool, if there is one")""",
    "processor time in children that are gone when somebody looks": """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    for _ in range(3):
        if os.fork() == 0:
            while time.process_time() < 0.01: pass
            os._exit(0)
    time.sleep(0.02)""",
}, skip=CROWD)
ATTACKS += at_the_end({
    "printing without end": "while True: print('x' * 10_000)",
    "writing to descriptor 1 without end": "import os\nwhile True: os.write(1, b'x' * 10_000)",
    "a value that shows itself in a gigabyte": """
class Loud:
    def __repr__(self): return "x" * 10**9
Loud()""",
    "a hundred thousand displays": "for i in range(100_000): display(i)",
    "a picture of a hundred megabytes": """
from IPython.display import Image, display
display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(100_000_000), format="png"))""",
    "a thousand pictures": """
import matplotlib.pyplot as plt
for _ in range(1000):
    plt.figure(); plt.plot([1, 2]); plt.show()""",
    "an exception with a message of a hundred megabytes": "raise ValueError('x' * 10**8)",
    "a traceback without end": """
def deep(n):
    exec(f"def f{n}(n):\\n    " + "x = '" + "y" * 10_000 + "'\\n    deep(n + 1)", globals())
    globals()[f"f{n}"](n)
deep(0)""",
    "text that is no text": r"""
import sys
print("\ud800 half a pair \udfff \x00 \x1b[31m \x07 " * 100)
sys.stdout.buffer.write(b"\xff\xfe\x80") if hasattr(sys.stdout, "buffer") else None""",
    "a display that claims to be of another kind": """
from IPython.display import display
display({"application/javascript": "alert(1)", "text/html": "<script>alert(1)</script>", "text/plain": 5,
         "image/svg+xml": "<svg onload='alert(1)'/>", "image/png": '"><script>alert(1)</script>'}, raw=True)""",
})
ATTACKS += [Attack("output in a hundred cells", (2, 4), answers={"center": tiny.CENTER}, edit=lambda notebook:
                 cells_before(notebook, ["print('x' * 90_000)"] * 100))]
