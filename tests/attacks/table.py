"""The hostile corpus on stock nbgrader, and on ours: `python -m tests.attacks.table [--only WORD] [--jobs N]`.

Writes chapters/data/attacks.json, which the page for instructors shows as a table. On stock nbgrader each attack has a
disposable sandbox to itself: a copy of a course in memory, no network, no other process. What could bring the machine
down all the same is left out there, and the table says so.

Both are given the same notebooks. The stock course has its hidden tests as stock courses have them: `assert`s in the
check cells, which `nbgrader autograde` puts back in before it runs the notebook.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from grading.checking import random_for
from grading.configuration import AS_IT_COMES
from grading.course import write_files
from grading.lab import Lab
from grading.marking import grade
from grading.room.room import Rooms
from grading.room.sandbox import program
from tests.attacks.attack import NOTEBOOK, SMALL
from tests.attacks.canaries import Canaries, broken_walls, markup, shown
from tests.attacks.corpus import ATTACKS
from tests.grading import tiny
from tests.grading.tiny_solutions.lab_tiny import reference

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "chapters" / "data" / "attacks.json"
CELL = 5      # seconds for a cell on stock nbgrader, whose default is 30: so that the table is soon done
OUTER = 25.0  # seconds for one run of it
HOME = "/home"  # of the instructor, in that sandbox
PORT = 8765   # of the canary that listens; in the sandbox all ports are free
CALLS = {"center": ("center(x, axis=0)", "center(x, axis=1)"), "spread": ("spread(x)", "spread(2 * x)")}
UNMARKED = "is not graded"
FULL = {"center-checks": 2.0, "spread-checks": 4.0}
MEETS_NEIGHBOUR = ("poison:", "break:", "gradebook")  # on stock nbgrader a neighbour is graded after these only


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.attacks.table", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="attacks whose kind or aim holds this word; nothing is written then")
    parser.add_argument("--jobs", type=int, default=2, help="runs of stock nbgrader at a time")
    options = parser.parse_args()
    attacks = [attack for attack in ATTACKS if options.only in str(attack)]
    rows = measure(attacks, options.jobs)
    for row in rows if options.only else ():
        print(f"{row['kind']}: {row['aim']}\n    stock {row['stock']}\n    ours  {row['ours']}")
    if not options.only:
        TABLE.write_text(json.dumps({"about": about(rows), "attacks": rows}, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(about(rows), indent=1))


def about(rows):
    """What was measured, for the table's caption."""
    return {"nbgrader": version("nbgrader"), "stock_seconds_per_cell": CELL, "stock_seconds_per_run": OUTER,
            "attacks": len(rows), "kinds": Counter(row["kind"] for row in rows),
            "stock": count(rows, "stock"), "ours": count(rows, "ours")}


def count(rows, grader):
    """Of the attacks that ran on a grader: how many got nothing, only lost their own mark, or did harm."""
    ran = [row[grader] for row in rows if not row[grader].startswith("not run")]
    nothing, unmarked = ran.count("nothing"), ran.count(UNMARKED)
    return {"ran": len(ran), "nothing": nothing, "only_unmarked": unmarked, "harm": len(ran) - nothing - unmarked}


def measure(attacks, jobs):
    """Rows of the table: kind, aim, and what the attack got on stock nbgrader and on ours."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        tiny.write(scratch)
        lab = Lab.read(scratch / "labs", tiny.NAME, tiny.SOLUTIONS)
        template = write_stock_course(scratch / "stock", lab)
        with ThreadPoolExecutor(jobs) as pool:
            stock = []
            for outcome in pool.map(lambda attack: on_stock(attack, lab, template), attacks):
                stock.append(outcome)
                print(f"{len(stock)} of {len(attacks)}: {attacks[len(stock) - 1].aim}: {outcome}", file=sys.stderr)
        ours = on_ours(attacks, lab, scratch / "ours")
    return [{"kind": attack.kind, "aim": attack.aim, "stock": one, "ours": other}
            for attack, one, other in zip(attacks, stock, ours, strict=True)]


# Ours.


def on_ours(attacks, lab, folder):
    """What each attack got from our grader, all in one process as in a class."""
    with Canaries(folder / "course", folder / "home", lab) as canaries, Rooms(SMALL) as rooms:
        canaries.plant()
        expected = nbformat.writes(grade(canaries.neighbour, lab, rooms=rooms).notebook)
        return [_one_on_ours(attack, lab, canaries, rooms, expected) for attack in attacks]


def _one_on_ours(attack, lab, canaries, rooms, expected):
    start, heard = time.monotonic(), len(canaries.heard)
    graded = grade(attack.submission(lab, canaries.port), lab, attack.files, rooms=rooms)
    seconds = time.monotonic() - start
    neighbour = grade(canaries.neighbour, lab, rooms=rooms)
    got = points_gained(attack, {name: mark.points for name, mark in graded.marks.items()})
    got += read_by(graded.notebook, canaries)
    got += ["speaks to the network"] * (len(canaries.heard) > heard)
    got += ["changes files"] * bool(canaries.harmed())
    got += ["changes the neighbour's result"] * (nbformat.writes(neighbour.notebook) != expected)
    got += ["takes longer than its limits"] * (seconds > 2 * SMALL.notebook + 8)
    return "; ".join(got) or "nothing"


# What both are asked.


def points_gained(attack, points):
    """[a phrase] if the points are more than the honest part of the attack earns."""
    expected = dict(zip(FULL, attack.honest, strict=True))
    extra = sum(max(0, (points.get(name) or 0) - earned) for name, earned in expected.items())
    return [f"gains {extra:g} points"] if extra > 0 else []


def read_by(notebook, canaries):
    """Phrases: what a graded notebook gives away, and what walls it was on the other side of."""
    read, caught = canaries.read_in(shown(notebook)), broken_walls(notebook)
    return [f"reads {', '.join(read)}"] * bool(read) + [f"gets {', '.join(caught)}"] * bool(caught)


# Stock nbgrader.


def write_stock_course(folder, lab):
    """A course as nbgrader's own documentation has it: source, release, gradebook, in `folder`/course."""
    course = folder / "course"
    source = course / "source" / tiny.NAME
    source.mkdir(parents=True)
    nbformat.write(stock_source(), source / f"{tiny.NAME}.ipynb")
    (course / "nbgrader_config.py").write_text(f"c = get_config()\nc.Execute.timeout = {CELL}\n")
    subprocess.run([sys.executable, "-m", "nbgrader", "generate_assignment", tiny.NAME], cwd=course, check=True,
                   capture_output=True, env={**os.environ, **AS_IT_COMES})
    return folder


def stock_source():
    """The tiny lab with its hidden checks written as asserts: same inputs, same laws, expected values as numbers."""
    notebook = tiny.source()
    for exercise, calls in CALLS.items():
        cell = tiny.cell(notebook, f"{exercise}-checks")
        before, _, after = re.split(r"(?s)(?<=BEGIN HIDDEN TESTS\n)(.*)(?=\n### END)", cell.source)
        cell.source = before + stock_asserts(exercise, calls) + after
    return notebook


def stock_asserts(exercise, calls):
    """A hidden test as stock courses write it. What is secret stands too far from any `assert` to be in a traceback."""
    x = random_for(tiny.NAME, exercise).normal(size=(4, 3) if exercise == "center" else (5, 2))
    expected = [eval(f"reference.{call}", {"reference": reference, "x": x}).tolist() for call in calls]
    lines = [f"expected_{i} = np.array({value})" for i, value in enumerate(expected)]
    tests = [f"assert np.allclose({call}, expected_{i})" for i, call in enumerate(calls)]
    gap = ["#"] * 6
    return "\n".join([*gap, "# SECRET-HIDDEN", f"x = np.array({x.tolist()})", *lines, *gap, *tests])


def on_stock(attack, lab, template):
    """What one attack got from `nbgrader autograde`."""
    if attack.skip:
        return attack.skip
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch)
        subprocess.run(["cp", "-r", f"{template}/course", scratch], check=True)
        meets = any(word in str(attack) for word in MEETS_NEIGHBOUR)
        students = ["anna", "bert"] if meets else ["anna"]
        canaries = Canaries(given / "course", given / "home", lab)
        hand_in(given / "course", attack, lab, canaries, students)
        canaries.plant()
        try:
            done = subprocess.run([*disposable(given, canaries), str(OUTER), str(PORT), *students], timeout=OUTER + 5,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False)
            return judged(attack, json.loads(done.stdout), canaries)
        except subprocess.TimeoutExpired:
            return "stops the grader for good"
        except json.JSONDecodeError:
            return "ends the grader"


def hand_in(course, attack, lab, canaries, students):
    """Anna hands in the attack, Bert the honest neighbour's notebook; Zoe's name is the gradebook's secret."""
    folders = {"anna": attack.folder(lab, PORT), "bert": {NOTEBOOK: canaries.neighbour}}
    for student in students:
        write_files(course / "submitted" / student / tiny.NAME, folders[student])
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.update_or_create_student("zoe", last_name=canaries.secrets["gradebook"])


def disposable(given, canaries):
    """A sandbox for one run of stock nbgrader: the command line up to the arguments of inside.py."""
    system = [path for path in ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache") if Path(path).exists()]
    binds = [*system, *dict.fromkeys((sys.base_prefix, sys.prefix))]
    room = [word for path in binds for word in ("--ro-bind", path, path)]
    variables = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1",
                 **canaries.environment, **AS_IT_COMES, "HOME": HOME}
    sets = [word for name, value in variables.items() for word in ("--setenv", name, value)]
    places = [word for path in ("/course", HOME, "/tmp") for word in ("--size", str(2**28), "--tmpfs", path)]
    limits = ["prlimit", f"--as={2**32}", "--core=0"]
    script = Path(__file__).with_name("inside.py")
    return [program(), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
            "--clearenv", *sets, *room, "--proc", "/proc", "--dev", "/dev", *places,
            "--ro-bind", str(given), "/given", "--ro-bind", str(script), "/inside.py", "--chdir", "/course",
            *limits, sys.executable, "/inside.py"]


def judged(attack, report, canaries):
    """What a run of stock nbgrader says of an attack."""
    anna, bert = report["students"]["anna"], report["students"].get("bert")
    got = []
    if anna:
        notebook = nbformat.reads(anna["notebook"], 4)
        got += points_gained(attack, anna["points"])
        got += read_by(notebook, canaries)
        got += ["markup in the feedback"] * bool(scripts(notebook))
    got += ["speaks to the network"] * bool(report["heard"])
    got += ["changes files"] * bool(report["changed"])
    got += neighbours(bert) if "bert" in report["students"] else []
    got += [UNMARKED] * (anna is None)
    got += [f"runs for more than {OUTER:g} s"] * (not report["ended"])
    return "; ".join(got) or "nothing"


def scripts(notebook):
    """Kinds of output with a script in them, as nbgrader's feedback would show them."""
    return {"text/html", "application/javascript", "image/svg+xml"} & set(markup(notebook))


def neighbours(bert):
    """What became of the honest neighbour, who was graded after the attack."""
    if bert is None:
        return ["the neighbour is not graded"]
    points = {name: bert["points"].get(name) for name in FULL}
    changed = [f"the neighbour has {sum(filter(None, points.values())):g} points instead of 6"] * (points != FULL)
    meets = any(word in shown(nbformat.reads(bert["notebook"], 4)) for word in ("poisoned", "left-behind"))
    return changed + ["its code or files reach the neighbour"] * meets


if __name__ == "__main__":
    main()
