"""What crosses the door between the two rooms, and how: data only, never code, and never more than agreed.

A frame is a length, a JSON text and `.npy` blobs:

    frame = size of all that follows (8 bytes) | size of the JSON (8 bytes) | JSON | blob | blob ...
    JSON  = {"message": ..., "blobs": [size, size, ...]}

A value is one of None, bool, int, float, str, bytes, a real or complex array, a NumPy number, and lists, tuples and
dicts of these. A key of a dict is a str, an int, bytes, or a tuple of these. Of anything else only the name of its type
crosses. Nothing is ever unpickled.

A copy of a notebook that is called may itself ask for a value, through what `stand_in` makes, where it has been lent
one (lending.py).

This file is copied into the exam room: it imports the standard library and NumPy only.
"""

import base64
import builtins
import functools
import io
import json
import math
import re
import socket
import time

import numpy as np

FRAME_LIMIT = 32 * 2**20  # bytes in one frame
VALUE_LIMIT = 8 * 2**20   # bytes of one value
REPLY_LIMIT = 16 * 2**20  # bytes of a frame that comes from the exam room, and half as many of JSON in it
WORD_LIMIT = 1024         # the same of a reply that is one number
DEPTH_LIMIT = 20          # lists within lists
ITEM_LIMIT = 200_000      # entries of all lists, tuples and dicts of one value
KEY_LIMIT = 10_000        # keys of all its dicts
ALIKE_LIMIT = 100         # keys of one dict that have the hash of another: a dict takes time for their number squared
LARGEST = 10**4000        # an int is smaller; Python refuses to print longer ones
HEADER_LIMIT = 4096       # bytes of the header of one array
SAID_LIMIT = 1000         # characters of what an exception says
NUMERIC = "biufc"         # the dtype kinds that cross: bool, int, unsigned, float, complex
ERRORS = {name for name, item in vars(builtins).items() if isinstance(item, type) and issubclass(item, BaseException)}
ERRORS |= {"LinAlgError", "AxisError", "TimeLimit", "Crash", "TooLarge"}  # a made-up name could carry an input out


class WireError(Exception):
    """The other side closed the door, was too late, or sent what is no frame: close the room, grade what it earned."""


class TooLate(WireError):
    """The other side did not answer in time."""


class TooLarge(Exception):
    """A value is over a limit: the one who sends it says so instead."""


def raised(error):
    """What crosses of an exception: the nearest known type that it is of, by which a kind of ValueError that a student
    made is a ValueError, and the beginning of what it says, which is for a check alone and never shown."""
    try:
        said = str(error)[:SAID_LIMIT]
    except Exception:  # a __str__ of the student's own
        said = ""
    return {"error": next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ERRORS), "said": said}


class Unsupported:
    """Stands for a value that did not cross; its class bears the name of the type that was left behind."""


class Channel:
    """Frames over a connected socket. Both ends use it; each request gets one reply."""

    def __init__(self, connection):
        self.connection = connection

    def send(self, message, seconds=None):
        """Send a message: JSON with packed values in it (see `pack`). Raises TooLarge before a byte is sent."""
        blobs = message.pop("blobs", [])
        envelope = {"message": message, "blobs": [len(blob) for blob in blobs]}
        text = json.dumps(envelope, ensure_ascii=False).encode("utf-8", "surrogatepass")
        size = 8 + len(text) + sum(map(len, blobs))
        if size > FRAME_LIMIT:
            raise TooLarge(f"frame: expected at most {FRAME_LIMIT} bytes, got {size}")
        frame = b"".join([size.to_bytes(8, "big"), len(text).to_bytes(8, "big"), text, *blobs])
        self.connection.settimeout(seconds)
        try:
            self.connection.sendall(frame)
        except OSError as error:  # a broken pipe or a full one: the other side does not read
            raise WireError(f"cannot send: {error}") from error

    def receive(self, seconds=None, limit=FRAME_LIMIT):
        """The next message, of at most `limit` bytes, with its blobs beside it.

        Raises TooLate if it is not there within `seconds`, WireError if there will be none.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        size = int.from_bytes(self._read(8, deadline), "big")
        if not 8 <= size <= limit:
            raise WireError(f"frame: expected 8 to {limit} bytes, got {size}")
        frame = self._read(size, deadline)
        start = 8 + int.from_bytes(frame[:8], "big")
        if limit < FRAME_LIMIT and start > limit / 2:  # once it is parsed, JSON takes many times its size
            raise WireError(f"JSON: expected at most {limit // 2} bytes, got {start}")
        try:
            envelope = json.loads(frame[8:start])
            message, sizes = envelope["message"], envelope["blobs"]
            message["blobs"] = list(_cut(frame[start:], sizes))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise WireError(f"not a frame: {type(error).__name__}") from error
        return message

    def send_socket(self, other):
        """Hand over a socket, after a message that says so."""
        try:
            socket.send_fds(self.connection, [b"s"], [other.fileno()])
        except OSError as error:
            raise WireError(f"cannot send: {error}") from error

    def receive_socket(self):
        """Take the socket that `send_socket` hands over."""
        _, (number, *_), _, _ = socket.recv_fds(self.connection, 1, 1)
        return socket.socket(fileno=number)

    def _read(self, size, deadline):
        data = bytearray()
        while len(data) < size:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TooLate("no answer in time")
            self.connection.settimeout(left)
            try:
                piece = self.connection.recv(min(size - len(data), 2**20))
            except TimeoutError as error:
                raise TooLate("no answer in time") from error
            except OSError as error:
                raise WireError(f"no answer: {error}") from error
            if not piece:
                raise WireError("the other side is gone")
            data += piece
        return bytes(data)


def pack(value, blobs):
    """The JSON form of a value; its arrays are appended to `blobs`. Raises TooLarge."""
    return _Packer(blobs).pack(value, 0)


class _Packer:
    def __init__(self, blobs):
        self.blobs, self.items, self.keys, self.bytes = blobs, 0, 0, sum(map(len, blobs))

    def pack(self, value, depth):
        self.items += 1
        if depth > DEPTH_LIMIT or self.items > ITEM_LIMIT:
            raise TooLarge(f"value: expected at most {DEPTH_LIMIT} levels and {ITEM_LIMIT} items")
        if value is None or isinstance(value, bool | float) and not isinstance(value, np.generic):
            return value if value is None or isinstance(value, bool) else float(value)  # JSON here has nan and inf
        if isinstance(value, int):
            self._add(int.bit_length(value) // 3)  # as many digits, or a few more
            return int(value) if abs(value) < LARGEST else {"type": "int"}
        if isinstance(value, str):
            return self._count(str(value))
        if isinstance(value, bytes):
            self._add(len(value) * 4 // 3)
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, tuple | list):
            items = [self.pack(item, depth + 1) for item in value]
            return {"tuple": items} if isinstance(value, tuple) else items
        if isinstance(value, dict) and all(map(_is_key, value)):
            return self._dict(value, depth + 1)
        return {"type": type(value).__name__}

    def _dict(self, value, depth):
        """Pairs of a key and its item, since the keys of JSON are text alone."""
        self.keys += len(value)
        if self.keys > KEY_LIMIT:
            raise TooLarge(f"value: expected at most {KEY_LIMIT} keys")
        keys = list(map(_plain, value))
        if len(set(keys)) < len(keys):  # subclasses can have two keys of one text
            return {"type": type(value).__name__}
        pairs = zip(keys, value.values(), strict=True)
        return {"dict": [[self.pack(key, depth), self.pack(item, depth)] for key, item in pairs]}

    def _array(self, value):
        array = np.asarray(value)  # a subclass leaves its methods behind
        if array.dtype.kind not in NUMERIC:
            return {"type": f"{type(value).__name__} of dtype {array.dtype.name}"}
        if array.nbytes > VALUE_LIMIT:
            raise TooLarge(f"array: expected at most {VALUE_LIMIT} bytes, got {array.nbytes}")
        self.blobs.append(_npy_header(array.dtype.str, array.shape) + array.tobytes())
        self._add(len(self.blobs[-1]))
        return {"scalar" if isinstance(value, np.generic) else "array": len(self.blobs) - 1}

    def _count(self, text):
        self._add(len(text.encode("utf-8", "surrogatepass")))
        return text

    def _add(self, size):
        self.bytes += size
        if self.bytes > VALUE_LIMIT:
            raise TooLarge(f"value: expected at most {VALUE_LIMIT} bytes")


def _is_key(value):
    """May it be a key? NumPy's whole numbers may, as they are equal to Python's."""
    if isinstance(value, tuple):
        return all(map(_is_key, value))
    return isinstance(value, str | bytes | np.integer) or isinstance(value, int) and abs(value) < LARGEST


def _plain(key):
    """The key in Python's own type, without the methods of a subclass."""
    if isinstance(key, tuple):
        return tuple(map(_plain, key))
    kind = next(kind for kind in (bool, str, bytes, object) if isinstance(key, kind))
    return int(key) if kind is object else kind(key)


def unpack(packed, blobs):
    """The value that `pack` packed. Raises WireError for anything that `pack` does not make."""
    return _Unpacker(blobs).unpack(packed, 0)


class _Unpacker:
    def __init__(self, blobs):
        self.blobs, self.items, self.keys = dict(enumerate(blobs)), 0, 0

    def unpack(self, packed, depth):
        self.items += 1
        if depth > DEPTH_LIMIT or self.items > ITEM_LIMIT:
            raise WireError(f"value: expected at most {DEPTH_LIMIT} levels and {ITEM_LIMIT} items")
        if packed is None or isinstance(packed, bool | int | float | str):
            return packed
        if isinstance(packed, list):
            return [self.unpack(item, depth + 1) for item in packed]
        if not isinstance(packed, dict) or len(packed) != 1:
            raise WireError("value: expected one tagged value")
        (tag, content), = packed.items()
        if tag == "tuple" and isinstance(content, list):
            return tuple(self.unpack(item, depth + 1) for item in content)
        if tag == "dict" and isinstance(content, list):
            return self._dict(content, depth + 1)
        if tag == "bytes" and isinstance(content, str):
            return _read_bytes(content)
        if tag in ("array", "scalar") and isinstance(content, int) and content in self.blobs:
            array = _read_array(self.blobs.pop(content))  # each is used once
            return array if tag == "array" or array.ndim else array[()]
        if tag == "type" and isinstance(content, str):
            return unsupported(content)
        raise WireError("value: unknown tag")

    def _dict(self, pairs, depth):
        self.keys += len(pairs)
        if self.keys > KEY_LIMIT or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise WireError(f"dict: expected at most {KEY_LIMIT} pairs of a key and an item")
        items = [(self.unpack(key, depth), self.unpack(item, depth)) for key, item in pairs]
        if not all(_is_key(key) for key, _ in items):
            raise WireError("dict: expected keys of text, bytes, whole numbers or tuples of these")
        if len(items) > len({hash(key) for key, _ in items}) + ALIKE_LIMIT:
            raise WireError(f"dict: expected at most {ALIKE_LIMIT} keys that were picked to have the hash of another")
        found = dict(items)
        if len(found) < len(items):
            raise WireError("dict: expected keys that differ")
        return found


def unsupported(name):
    """A stand-in of a class of this name, so that a verdict can say what kind of thing was returned."""
    return type(name if re.fullmatch(r"[\w. ]{1,60}", name, re.ASCII) else "object", (Unsupported,), {})()


def stand_in(name, exchange):
    """A function of this name that has the other side work out what comes of its arguments.

    exchange  hands over {"ask": name, "arguments": packed (args, kwargs)}; returns {"value": packed} or {"error": name}

    It raises what was raised there, without the text, and ValueError for arguments that are too large to cross.
    """
    def function(*args, **kwargs):
        blobs = []
        try:
            packed = pack((args, kwargs), blobs)
        except TooLarge:
            raise ValueError(f"{name}: these arguments are too large") from None
        reply = exchange({"ask": name, "arguments": packed, "blobs": blobs})
        if "error" in reply:
            raise _error(reply["error"])(f"{name} raises {reply['error']} for these arguments")
        return unpack(reply["value"], reply["blobs"])

    function.__name__ = function.__qualname__ = name
    return function


def _error(name):
    """The exception of this name, of Python's or NumPy's; RuntimeError for any other."""
    kinds = (getattr(module, name, None) for module in (builtins, np.exceptions, np.linalg))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)), RuntimeError)


def _read_bytes(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise WireError("bytes: expected base64") from error


def _read_array(blob):
    size = 10 + int.from_bytes(blob[8:10], "little")  # magic string, version, size of the header, header
    try:
        shape, fortran, dtype = _read_npy_header(blob[:min(size, HEADER_LIMIT)])
        # the header could promise more than there is: look before memory is taken for it
        if dtype.kind not in NUMERIC or math.prod(shape) * dtype.itemsize != len(blob) - size:
            raise WireError("array: its header does not fit its bytes")
        return np.frombuffer(blob, dtype, offset=size).reshape(shape, order="F" if fortran else "C").copy()
    except Exception as error:  # NumPy's reader of headers raises whatever the text in them leads to
        raise WireError(f"not an array: {type(error).__name__}") from error


@functools.lru_cache(256)
def _read_npy_header(head):
    stream = io.BytesIO(head)
    np.lib.format.read_magic(stream)
    return np.lib.format.read_array_header_1_0(stream)


@functools.lru_cache(256)
def _npy_header(descr, shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def _cut(data, sizes):
    """Cut bytes into blobs of the given sizes. Raises ValueError unless they fit exactly."""
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or sum(sizes) != len(data):
        raise ValueError("sizes do not fit")
    start = 0
    for size in sizes:
        yield data[start:start + size]
        start += size
