"""`python -m grading COMMAND`: what the Makefile and an instructor call."""

import argparse
import sys
from pathlib import Path


def main(arguments=None):
    """Run one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m grading", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1],
                        help="the repository (default: the one that this is part of)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("solved", help="build the solved notebook of each lab in build/solved")
    commands.add_parser("release", help="build release/: the notebooks for students, and one archive of them")
    commands.add_parser("demo", help="take a class of five from release to grades.csv in build/demo")
    options = parser.parse_args(arguments)
    try:
        {"solved": _solved, "release": _release, "demo": _demo}[options.command](options.root.resolve())
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _solved(root):
    from grading.solved import write_solved

    for path in write_solved(root, root / "build" / "solved"):
        print(path.relative_to(root))


def _release(root):
    from grading.release import write_release

    print(write_release(root).relative_to(root))


def _demo(root):
    from grading.demo import run_demo

    course = run_demo(root).relative_to(root)
    print(f"marks     {course}/grades.csv\nfeedback  {course}/feedback")


if __name__ == "__main__":
    sys.exit(main())
