"""`python -m grading COMMAND`: what the Makefile and an instructor call."""

import argparse
import multiprocessing
import signal
import sys
from multiprocessing import forkserver
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments=None):
    """Run one command. Returns the exit status: 1 if the command failed, whatever students handed in."""
    options = parser().parse_args(arguments)
    try:
        if vars(options).get("course_dir", Path()) is None:
            options.course_dir = _current_class()
        return options.run(options) or 0
    except (RuntimeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130


def _current_class():
    """The current folder, if it is a class's. Raises ValueError: what was typed elsewhere would make a class of it."""
    if any(Path(name).exists() for name in ("nbgrader_config.py", "gradebook.db", "submitted")):
        return Path()
    raise ValueError(f"class: expected to be in a class's folder, got {Path.cwd()}, which holds none of its files: go "
                     "there, say where it is with --course-dir, or make one with python -m grading init FOLDER")


def parser():
    """The command line: what a term needs, in a term's order, and then what the Makefile calls."""
    top = argparse.ArgumentParser(prog="python -m grading", description="Grade the labs of this course.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, run, text):
        one = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        one.set_defaults(run=run)
        return one

    def of_a_class(name, run, text, lab=True):
        one = command(name, run, text)
        one.add_argument("--course-dir", type=Path, metavar="DIR", help="the class's folder (default: the current one)")
        if lab:
            one.add_argument("lab", metavar="LAB")
        return one

    command("doctor", _doctor, "try each promise of the sandbox on this machine, or say why there is none")
    init = command("init", _init, "make a folder for a class, apart from this repository; or look at one that is there")
    init.add_argument("folder", type=Path, metavar="FOLDER")

    roster = of_a_class("roster", _roster, "enter a class before anything is handed in: the platform's own list of it",
                        lab=False)
    roster.add_argument("roster", type=Path, metavar="FILE")

    deadline = of_a_class("deadline", _deadline, "show or set until when a lab is handed in")
    deadline.add_argument("time", metavar="TIME", nargs="*", help="2026-12-01 23:59, or with a zone: Europe/Berlin")
    deadline.add_argument("--none", action="store_true", help="take the deadline away")

    extend = of_a_class("extend", _extend, "show or set who has more time for a lab")
    extend.add_argument("students", metavar="STUDENT", nargs="*", help="ids; nobody: all who have more time are shown")
    until = extend.add_mutually_exclusive_group()
    until.add_argument("--days", type=float, metavar="N", help="days after the deadline")
    until.add_argument("--until", nargs="+", metavar="TIME", help="2026-12-04 23:59, or with a zone: Europe/Berlin")
    until.add_argument("--none", action="store_true", help="take the extension back")

    collect = of_a_class("collect", _collect, "take in what a learning platform handed out: a zip, a folder, or files")
    collect.add_argument("files", nargs="+", type=Path, metavar="FILE")
    collect.add_argument("--roster", type=Path, metavar="FILE", help="the platform's own list of the class")
    collect.add_argument("--from", dest="platform", metavar="PLATFORM", help="if it is not recognised")
    collect.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")

    handed_in = of_a_class("handed-in", _handed_in, "show or note when students handed in, where no platform says it")
    handed_in.add_argument("words", metavar="STUDENT", nargs="*",
                           help='ids, and last the time in quotes: "2026-12-02 08:30", or with a zone: Europe/Berlin; '
                                "without a time it is shown")
    handed_in.add_argument("--none", action="store_true", help="know it no more")

    _grade_options(of_a_class("grade", _grade, "grade submitted/*/LAB: what is new or has changed since it was graded"))

    report = of_a_class("report", _report, "write a page about a graded class: marks, mistakes, who needs a look")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: report-LAB.html in the class's folder")

    similar = of_a_class("similar", _similar, "list answers that are nearly alike, side by side, to look at")
    similar.add_argument("--earlier", type=Path, nargs="+", action="extend", default=[], metavar="FOLDER",
                         help="compare with these too: an earlier class's folder, or any with notebooks")
    similar.add_argument("--out", type=Path, metavar="FILE", help="default: similar-LAB.html in the class's folder")

    mark = of_a_class("mark", _mark, "mark one question's answers by hand, all students' on one page in a browser")
    mark.add_argument("question", metavar="QUESTION", nargs="?", help="its grade_id (default: the lab's first)")
    mark.add_argument("--port", type=int, default=0, metavar="N", help="port of the page (default: a free one)")

    give_back = of_a_class("give-back", _give_back, "put all pages of feedback into one zip that a platform takes")
    give_back.add_argument("--for", dest="platform", required=True, metavar="PLATFORM", choices=["moodle"],
                           help="moodle")
    give_back.add_argument("--out", type=Path, metavar="FILE", help="default: feedback-LAB.zip in the class's folder")

    marks = of_a_class("marks", _marks, "write final marks as a learning platform takes them", lab=False)
    marks.add_argument("labs", nargs="*", metavar="LAB", help="default: all labs in the gradebook")
    marks.add_argument("--for", dest="platform", required=True, metavar="PLATFORM",
                       choices=["moodle", "canvas", "blackboard", "brightspace", "csv"],
                       help="moodle, canvas, blackboard, brightspace, or csv for yourself")
    marks.add_argument("--template", type=Path, metavar="FILE", help="fill in the platform's own export")
    marks.add_argument("--column", metavar="NAME", help="what the lab is called on the platform")
    marks.add_argument("--per-exercise", action="store_true", help="with csv: a column for each exercise as well")
    marks.add_argument("--missing", type=float, metavar="POINTS", help="for who handed in nothing (default: blank)")
    marks.add_argument("--out", type=Path, metavar="FILE", help="default: marks-PLATFORM-LAB.csv in the class's folder")

    forget = of_a_class("forget", _forget, "say what is kept about students, and delete it", lab=False)
    forget.add_argument("students", nargs="+", metavar="STUDENT")
    forget.add_argument("--yes", action="store_true", help="delete it")

    command("solved", _solved, "build the solved notebook of each lab in build/solved")
    release = command("release", _release, "build release/: the notebooks for students, and one archive of them")
    release.add_argument("labs", nargs="*", metavar="LAB", help="only these (default: all)")
    command("demo", _demo, "take a class of five from release to marks in build/demo")
    return top


def _grade_options(grade):
    grade.add_argument("--student", dest="students", nargs="+", action="extend", metavar="ID", help="only these")
    grade.add_argument("--force", action="store_true", help="grade again what is done")
    grade.add_argument("--feedback", action="store_true", help="then write the pages of feedback that are out of date")
    grade.add_argument("--dry-run", action="store_true", help="write nothing: say whose mark would change")
    grade.add_argument("--workers", type=int, metavar="N", help="worker processes (default: one for each core)")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="use the Dask cluster there, tls://HOST:PORT")
    for name, what in (("ca", "authorities"), ("cert", "certificate"), ("key", "key")):
        grade.add_argument(f"--tls-{name}", metavar="FILE", help=f"{what} for that, if Dask's settings have none")
    grade.add_argument("--seed", metavar="TEXT", help="check each submission with inputs of its own")
    grade.add_argument("--json", type=Path, metavar="FILE", help="write all that was found, for other programs")
    grade.add_argument("--unsafe-no-sandbox", dest="sandbox", action="store_false",
                       help="run students' code as yourself, with all that you may do")


def spare_jsonschema():
    """Keep jsonschema from a second of work: its grammar of web addresses is of no use here.

    Called before nbformat is first imported, by those who wait for it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)


# Each command imports its own part: a command line that only says what is wrong should not take seconds.


def _doctor(options):
    from grading.room import promises, sandbox

    broken = []
    if problems := sandbox.doctor():
        print("\n".join(problems))
        return True
    print(f"Student code can be shut in on this machine, with {sandbox.program()}:")
    for promise, found in promises.kept(Path()):
        print(f"{'not: ' if found else 'ok   '}{promise}" + (f": {found}" if found else ""))
        broken.append(found)
    return any(broken)


def _init(options):
    from grading.new_class import init

    print("\n".join(init(options.folder)))


def _roster(options):
    spare_jsonschema()
    from grading.collect import enter

    enter(options)


def _deadline(options):
    from grading.deadlines import deadline

    deadline(options)


def _extend(options):
    from grading.deadlines import extend

    extend(options)


def _handed_in(options):
    from grading.deadlines import handed_in

    handed_in(options)


def _collect(options):
    spare_jsonschema()
    from grading.collect import collect

    return collect(options)


def _grade(options):
    if not options.scheduler:
        multiprocessing.set_forkserver_preload(["grading.worker"])
        forkserver.ensure_running()  # it loads that while this process loads the next line's
    spare_jsonschema()
    from grading.runner import grade_class

    return grade_class(options.course_dir, options.lab, options)


def _report(options):
    spare_jsonschema()
    from grading.course import Course
    from grading.report import write_report

    print(write_report(Course.at(options.course_dir), options.lab, options.out))


def _similar(options):
    spare_jsonschema()
    from grading.course import Course
    from grading.similar import write_similar

    return write_similar(Course.at(options.course_dir), options)


def _mark(options):
    from grading.course import Course
    from grading.desk.server import serve

    course = Course.at(options.course_dir)
    serve(course, course.terms(options.lab).lab, options.question, options.port)


def _give_back(options):
    from grading.parcel import give_back

    return give_back(options)


def _marks(options):
    spare_jsonschema()
    from grading.course import Course
    from grading.transfer import write_marks

    return write_marks(Course.at(options.course_dir), options)


def _forget(options):
    from grading.forgetting import forget

    return forget(options)


def _solved(options):
    from grading.solved import write_solved

    for path in write_solved(ROOT, ROOT / "build" / "solved"):
        print(path.relative_to(ROOT))


def _release(options):
    from grading.release import write_release

    print(write_release(ROOT, options.labs))


def _demo(options):
    from grading.demo import run_demo

    course = run_demo(ROOT).relative_to(ROOT)
    print(f"marks     {course}/grades.csv\nfeedback  {course}/feedback")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it cleans up as after Ctrl-C
    sys.exit(main())
