"""Memory, processes, disk, output."""

from tests.attacks.attack import Attack, at_the_end, cells_before
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
