"""The network."""

from tests.attacks.attack import PORT, SPILL, cells

ATTACKS = cells(first={
    "a server on this machine is spoken to": f"""
import socket
try:
    with socket.create_connection(("127.0.0.1", {PORT}), timeout=0.5) as wire:
        wire.sendall(b"hello")
        print(wire.recv(100))
except OSError:
    pass""",
    "a server on this machine is spoken to by IPv6 and UDP": f"""
import socket
for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"hello", (host, {PORT}))
    except OSError:
        pass""",
})

NO_NETWORK = "not run: there was no network where it was measured"
ATTACKS += cells(skip=NO_NETWORK, first={
    "a server elsewhere is spoken to": """
import urllib.request
try:
    print(urllib.request.urlopen("http://192.0.2.1/", timeout=0.3).read())
except OSError:
    pass""",
    "a name is looked up": """
import socket
socket.setdefaulttimeout(0.3)
try:
    print(socket.getaddrinfo("secret.example.org", 80))
except OSError:
    pass""",
    "every Unix socket of the machine is tried": SPILL + """
import glob, socket
paths = [path for pattern in ("/run/*.sock", "/run/*/*socket*", "/tmp/**/*.s*") for path in glob.glob(pattern)]
try:
    paths += ["\\0" + line.split("@")[1].strip() for line in open("/proc/net/unix") if "@" in line]
except OSError:
    pass
for path in paths:
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(0.1)
            wire.connect(path)
            print("CAUGHT a socket")
    except OSError:
        pass""",
    "raw packets are sent": """
import socket
for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    try:
        with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as wire:
            wire.sendto(b"\\x08\\x00" + bytes(6), ("192.0.2.1", 0))
    except OSError:
        pass""",
    "a network interface is brought up": """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
    try:
        fcntl.ioctl(wire, 0x8914, struct.pack("16sh", b"lo", 1))
    except OSError:
        pass""",
})
