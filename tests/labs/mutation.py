"""What becomes of the mutants of an exercise: equal to the reference, rejected by the hidden check, or survived.

Run as a program (`make mutants`) it tries all mutants of all labs, prints a line for each lab and what is to be closed,
and writes the table of `chapters/teaching.md`; with the beginning of a lab's name it does so for this lab, and writes
nothing.
"""

import contextlib
import functools
import importlib
import inspect
import json
import re
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from coursekit.check import CheckFailed
from coursekit.verdicts import NOISE, TOLERANCE, largest, precision, refusal
from grading.checking import random_for
from grading.student import LocalStudent, reply_of
from tests.labs.inputs import widely
from tests.labs.judging import LABS, ROOT, built_on, mistakes, part, right, see, share_built
from tests.labs.mutants import mutants

SECONDS = 10  # that one mutant has for a check or a search
EXAMPLES = 60
OUT = ROOT / "chapters" / "data" / "mutants.json"


@dataclass(frozen=True)
class Outcome:
    """What became of the mutants of an exercise, by their names.

    equal     no difference from the reference was found, and no check found one
    killed    the hidden check gave less than all points
    survived  it differs, and the hidden check gave all points: a hole in the check
    disputed  the hidden check rejects it, and no difference was found: a hole in the inputs, or an unfair check
    unseen    of those killed, the ones that the visible check accepts
    """

    equal: tuple
    killed: tuple
    survived: tuple
    disputed: tuple
    unseen: tuple


def with_inputs():
    """The labs whose inputs are written."""
    return [lab for lab in LABS if (ROOT / "tests" / "labs" / f"inputs_{lab}.py").is_file()]


@functools.cache
def outcome(lab, exercise):
    """Try all mutants of the reference."""
    found = {kind: [] for kind in ("equal", "killed", "survived", "disputed", "unseen")}
    for mutant in made(lab, exercise):
        rejected = is_rejected(lab, exercise, mutant.function)
        different = differs(lab, exercise, mutant.function, 1 if rejected else 10)
        kind = {(True, True): "killed", (False, False): "equal", (False, True): "survived"}.get((rejected, different))
        found[kind or "disputed"].append(mutant.name)
        if kind == "killed" and is_accepted(lab, exercise, mutant.function):
            found["unseen"].append(mutant.name)
    return Outcome(*map(tuple, found.values()))


@functools.cache
def made(lab, exercise):
    """All mutants of the reference of an exercise; without inputs also those that change no argument of any call."""
    names = list(inspect.signature(right(lab, exercise)).parameters)
    calls = searched(lab, exercise) if lab in with_inputs() else []
    calls = calls[::max(1, len(calls) // EXAMPLES)]
    examples = [dict(zip(names, call.args, strict=False)) | call.options for call, _ in calls]
    return tuple(mutants(right(lab, exercise), examples))


def known(lab, what):
    """{exercise: {mutant: reason}} of the mutants that are known as SURVIVORS, or as UNSEEN by the visible check."""
    try:
        return getattr(importlib.import_module(f"tests.labs.survivors_{lab}"), what, {})
    except ModuleNotFoundError:
        return {}


# The hidden check


def is_rejected(lab, exercise, function, seed=""):
    """Does the hidden check give this function less than all points? One that does not end gets none."""
    namespace = {name: right(lab, name) for name in mistakes(lab)} | {exercise: function}
    check = getattr(part(lab, "checks"), exercise)
    with contextlib.suppress(TooLong), limited():
        verdicts = check(LocalStudent(namespace), random_for(lab, exercise, seed))
        return any(verdict.weight and not verdict.passed for verdict in verdicts)
    return True


def costly(lab, exercise, answer, earlier, most=None):
    """The mutants of an earlier exercise with which a right answer that calls it does not keep all points.

    most  about how many are tried; all of them where nothing is said
    """
    tried = made(lab, earlier)
    return [mutant.name for mutant in tried[::max(1, len(tried) // (most or len(tried)))]
            if costs(lab, exercise, **{exercise: answer, earlier: in_time(mutant.function)})]


def costs(lab, exercise, **answers):
    """Do these answers lose points of the exercise? Also where they break its check, which is then to be closed."""
    try:
        return share_built(lab, exercise, **answers) < 1
    except CheckFailed:
        return True


def in_time(function):
    """The function, of which each call is stopped if it takes long, as in an exam room."""
    def stopped(*args, **options):
        with limited(0.1):
            return function(*args, **options)

    return stopped


# The visible check


def is_accepted(lab, exercise, function):
    """Does the visible check accept it?"""
    return said(lab, exercise, function) is None


def said(lab, exercise, function):
    """What the visible check raises of a function; None where all its laws hold."""
    try:
        with limited(), contextlib.redirect_stdout(None):
            see(lab, exercise, function)
    except Exception as error:
        return error
    return None


def complaint(error):
    """What is wrong with what a visible check raised, of another kind than a good message; None if nothing is."""
    if not isinstance(error, CheckFailed):
        by_the_function = any(note.startswith("while the check called it") for note in getattr(error, "__notes__", []))
        return None if by_the_function else f"the check itself raised {type(error).__name__}: {error}"
    _, _, hint = str(error).partition("\n")
    if len(hint.strip()) < 10:
        return "an empty hint"
    got, expected, rest = hint.partition("expected")
    if expected and _printed(got) and _printed(got) == _printed(rest):
        return f"two equal values: {hint.strip()}"
    sums, wanted = re.search(r"sum to (\[.*?\]|\S+):", hint, re.DOTALL), re.search(r"sums? to (\d)", str(error))
    if sums and wanted and set(re.findall(r"[^\s\[\],]+", sums[1])) <= {f"{wanted[1]}.", "-0."}:
        return f"two equal values: {hint.strip()}"
    return None


def _printed(text):
    """What stands between quotation marks in a text; where nothing does, its numbers."""
    numbers = "".join(character for character in text if character in "0123456789.-[]e")
    return re.findall(r"'[^']*'|\"[^\"]*\"", text) or numbers


# The search for a difference


@functools.cache
def searched(lab, exercise):
    """(call, what the reference replies) of all calls of the search."""
    calls = getattr(part(lab, "inputs"), exercise)(np.random.default_rng(14))
    calls = widely(calls, promises_types(lab, exercise))
    return [(call, replied(lab, exercise, right(lab, exercise), call)) for call in calls]


def promises_types(lab, exercise):
    """Does the lab say that float32 stays float32, or another type is what comes out?"""
    return exercise in getattr(part(lab, "inputs"), "PROMISES_TYPES", ())


def replied(lab, exercise, function, call):
    """The reply to a call, as far as it counts: `COUNTS` of the inputs says what of a value does, if not all of it, and
    `REFUSALS_SAY` in which exercises points depend on what a refusal says."""
    reply = reply_of(function, call.args, call.options, call.most)
    if exercise not in getattr(part(lab, "inputs"), "REFUSALS_SAY", ()):
        reply = replace(reply, said="")
    counts = getattr(part(lab, "inputs"), "COUNTS", {}).get(exercise)
    return reply if counts is None or reply.error else replace(reply_of(counts, (reply.value, *call.args), {}),
                                                               changed=reply.changed)


def differs(lab, exercise, function, times=10):
    """Is there a call to which this function replies otherwise than the reference, or not in time?

    times  how far off it has to be, as a multiple of what a check allows: one just beyond that may be rejected, or not
    """
    typed, calls = promises_types(lab, exercise), searched(lab, exercise)
    with contextlib.suppress(TooLong), limited():
        return any(not _replied_alike(replied(lab, exercise, function, call), reply, times, precision(call.args), typed)
                   for call, reply in calls)
    return True


def _replied_alike(got, reply, *how):
    same = got.error == reply.error and got.changed == reply.changed and _refuses_alike(got, reply)
    return same and _alike(got.value, reply.value, *how, largest(reply.value))


def _refuses_alike(got, reply):
    """Where the reference refuses, does the other one too, and name at least the same numbers?"""
    return reply.error != "ValueError" or refusal(got.error, got.said, re.findall(r"\d+", reply.said)) is None


def _alike(got, expected, *how):
    """The same form, the same numbers to some times what a check allows, and the same types where they are promised."""
    if isinstance(expected, dict):
        same_keys = isinstance(got, dict) and got.keys() == expected.keys()
        return same_keys and all(_alike(got[key], expected[key], *how) for key in expected)
    if isinstance(expected, tuple | list):
        pairs = isinstance(got, tuple | list) and len(got) == len(expected)
        return pairs and all(_alike(one, other, *how) for one, other in zip(got, expected, strict=True))
    return _array_alike(got, expected, *how)


def _array_alike(got, expected, times, kind, typed, among):
    if not isinstance(expected, np.ndarray | np.generic | float | int):
        return type(got) is type(expected) and got == expected
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape or got.dtype.kind not in "fiub" or typed and not _typed_alike(got, expected):
        return False
    off = times * (TOLERANCE[kind] * largest(expected) + NOISE[kind] * max(1, among))
    return np.allclose(got.astype(float), expected.astype(float), rtol=0, atol=off, equal_nan=True)


def _typed_alike(got, expected):
    """The same float type; any whole numbers for whole numbers."""
    return got.dtype == expected.dtype if expected.dtype.kind in "fb" else got.dtype.kind in "iu"


# Time


class TooLong(Exception):
    """A mutant does not come to an end."""


@contextlib.contextmanager
def limited(seconds=SECONDS):
    """Raise TooLong in what runs longer than that, and again each tenth of a second, as it may be caught."""
    def stop(*_):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# All of them


def main(name=""):
    labs = [lab for lab in with_inputs() if lab.startswith(name)]
    jobs = [(lab, exercise) for lab in labs for exercise in mistakes(lab)]
    with ProcessPoolExecutor(2) as pool:
        found = dict(zip(jobs, pool.map(outcome, *zip(*jobs, strict=True)), strict=True))
        table = {lab: counted([found[job] for job in jobs if job[0] == lab]) for lab in labs}
        for lab, counts in table.items():
            print(f"{lab}: " + ", ".join(f"{number} {kind}" for kind, number in counts.items()), flush=True)
        if not name:
            said = {lab: {"counts": counts, "survivors": known(lab, "SURVIVORS")} for lab, counts in table.items()}
            OUT.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        built = [(lab, *one) for lab in labs for one in built_on(lab)]
        cost = [*pool.map(costly, *zip(*built, strict=True))] if built else []
    print(f"under right answers that call them: {sum(len(made(lab, earlier)) for lab, *_, earlier in built)} changes")
    opened = [line for job in jobs for line in to_close(*job, found[job])]
    opened += [f"{exercise}: loses points by {earlier}: {change}"
               for (_, exercise, _, earlier), changes in zip(built, cost, strict=True) for change in changes]
    print("\n".join(opened))
    return len(opened) > 0


def counted(outcomes):
    """How many mutants of each kind a lab has."""
    counts = {kind: sum(len(getattr(each, kind)) for each in outcomes) for kind in Outcome.__dataclass_fields__}
    return {"made": sum(counts.values()) - counts["unseen"], **counts}


def to_close(lab, exercise, found):
    """A line for each mutant of which somebody should do something."""
    listed = {"survived": known(lab, "SURVIVORS"), "unseen": known(lab, "UNSEEN"), "disputed": {}}
    for kind, reasons in listed.items():
        names, reasons = getattr(found, kind), reasons.get(exercise, {})
        yield from (f"{exercise}: {kind}: {name}" for name in names if name not in reasons)
        yield from (f"{exercise}: no longer {kind}: {name}" for name in reasons if name not in names)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
