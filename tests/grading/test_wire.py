"""What crosses the door, and what does not."""

import io
import math
import socket
import sys
import threading
import time

import numpy as np
import pytest

from grading.room import wire


def across(value):
    blobs = []
    return wire.unpack(wire.pack(value, blobs), blobs)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield wire.Channel(ours), theirs


@pytest.mark.parametrize("value", [
    None, True, 3, 10**50, 2.5, "é\n\0", "\ud800 half a pair, and \ud83d\ude00 two halves", (1, [2, (3,)]), [],
    {"a": (1.0,)}, -math.inf, b"", bytes(range(256)), {258: b"th", 0: b"\0"}, {(b"t", b"h"): 7, "": 1, b"": 2},
    {((1, "a"),): 3},
])
def test_plain_values_cross_unchanged(value):
    got = across(value)
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint16", "bool", "complex64", ">f8"])
def test_arrays_cross_with_dtype_and_shape(dtype):
    array = np.arange(6).reshape(3, 2).T.astype(dtype)
    got = across([array])[0]
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype


def test_a_dictionary_keeps_its_order():
    assert list(across({3: "a", "1": "b", 2: "c"})) == [3, "1", 2]


def test_a_key_that_is_numpys_whole_number_becomes_pythons():
    assert [*map(type, across({np.int64(5): b"a"}))] == [int]


def test_nan_crosses():
    assert math.isnan(across(math.nan)) and np.isnan(across(np.array([np.nan]))).all()


def test_a_numpy_number_stays_a_numpy_number():
    assert isinstance(across(np.float32(2)), np.float32)


class Two(dict):
    """A dictionary that shows one text as two keys."""

    def __init__(self, text):
        class Key(str):
            __hash__, __eq__ = object.__hash__, object.__eq__

        super().__init__({Key(text): 1, Key(text): 2})


@pytest.mark.parametrize("value", [
    {1, 2}, object(), np.array([None]), lambda: 1, np.array(["a"]), bytearray(b"a"), {1.5: 2}, {None: 1},
    {frozenset(): 1}, {(1, 2.5): 1}, {10**5000: 1}, Two("ab"),
])
def test_of_anything_else_only_the_type_crosses(value):
    assert isinstance(across(value), wire.Unsupported)


def test_an_int_that_python_refuses_to_print_is_left_behind():
    assert isinstance(across(10**5000), wire.Unsupported)


def test_a_subclass_of_array_leaves_its_methods_behind():
    class Liar(np.ndarray):
        def __eq__(self, other):
            return True

    assert type(across(np.zeros((2, 3)).view(Liar))) is np.ndarray


def test_a_list_that_contains_itself_is_too_large():
    value = []
    value.append(value)
    with pytest.raises(wire.TooLarge):
        across(value)


@pytest.mark.parametrize("value", [
    lambda: np.zeros(wire.VALUE_LIMIT // 8 + 1), lambda: "a" * (wire.VALUE_LIMIT + 1), lambda: [7] * 200_001,
    lambda: "é" * (wire.VALUE_LIMIT // 2 + 1), lambda: bytes(wire.VALUE_LIMIT), lambda: {b"a" * wire.VALUE_LIMIT: 1},
    lambda: dict.fromkeys(range(wire.KEY_LIMIT + 1)), lambda: [{i: {0: 0}} for i in range(wire.KEY_LIMIT // 2 + 1)],
])
def test_a_value_over_the_limit_is_too_large(value):
    with pytest.raises(wire.TooLarge):
        across(value())


def test_an_array_whose_header_promises_more_than_it_holds_is_refused():
    blobs = []
    packed = wire.pack(np.zeros(10), blobs)
    blobs[0] = blobs[0].replace(b"(10,)", b"(1" + b"0" * 15 + b",)")[:128] + bytes(80)
    with pytest.raises(wire.WireError):
        wire.unpack(packed, blobs)


def test_a_pickled_array_is_refused():
    stream = io.BytesIO()
    np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(wire.WireError):
        wire.unpack({"array": 0}, [stream.getvalue()])


@pytest.mark.parametrize("packed", [
    {"array": 5}, {"array": True, "x": 1}, {"evil": 1}, {"tuple": 3}, {"dict": {}}, {"dict": [1]}, {"dict": [[1]]},
    {"dict": [[1, 2, 3]]}, {"dict": [[1, 2], [1, 3]]}, {"dict": [[1, 2], [True, 3]]}, {"dict": [[[1], 2]]},
    {"dict": [[None, 1]]}, {"dict": [[1.0, 1]]}, {"dict": [[{"dict": []}, 1]]}, {"dict": [[{"type": "int"}, 1]]},
    {"dict": [[{"tuple": [[]]}, 1]]}, {"bytes": "a"}, {"bytes": "é"}, {"bytes": "\ud800"}, {"bytes": ["YQ=="]},
])
def test_what_pack_never_makes_is_refused(packed):
    with pytest.raises(wire.WireError):
        wire.unpack(packed, [])


@pytest.mark.parametrize("n", [200, wire.KEY_LIMIT, 5 * wire.KEY_LIMIT])
@pytest.mark.parametrize("start", [0, 10**600], ids=["small", "large"])
def test_keys_that_were_picked_to_have_one_hash_are_refused_at_once(n, start):
    packed, before = [[(start + k) * sys.hash_info.modulus, None] for k in range(n)], time.process_time()
    with pytest.raises(wire.WireError):
        wire.unpack({"dict": packed}, [])
    assert time.process_time() - before < 1


def test_a_deep_reply_is_refused():
    packed = 0
    for _ in range(100):
        packed = [packed]
    with pytest.raises(wire.WireError):
        wire.unpack(packed, [])


@pytest.mark.parametrize("frame", [
    (2**60).to_bytes(8, "big"),                                          # longer than is allowed
    (20).to_bytes(8, "big") + (4).to_bytes(8, "big") + b"nonsense....",  # not JSON
    (60000).to_bytes(8, "big") + (59992).to_bytes(8, "big") + b"[" * 59992,
    (34).to_bytes(8, "big") + (26).to_bytes(8, "big") + b'{"message":{},"blobs":[9]}',
    (33).to_bytes(8, "big") + (25).to_bytes(8, "big") + b'{"message":[],"blobs":[]}',
])
def test_a_frame_that_lies_is_refused(pair, frame):
    channel, theirs = pair
    threading.Thread(target=theirs.sendall, args=[frame]).start()
    with pytest.raises(wire.WireError):
        channel.receive(1)


def test_half_a_frame_is_not_waited_for_beyond_the_time_limit(pair):
    channel, theirs = pair
    theirs.sendall(bytes(7))
    with pytest.raises(wire.WireError):
        channel.receive(0.05)


def test_messages_cross_with_their_blobs(pair):
    channel, theirs = pair
    channel.send({"do": "call", "blobs": [b"ab", b"", b"c"]})
    assert wire.Channel(theirs).receive(1) == {"do": "call", "blobs": [b"ab", b"", b"c"]}
