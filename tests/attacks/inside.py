"""One attack on stock nbgrader, from inside the disposable sandbox that table.py makes for it.

Run there as `inside.py SECONDS PORT STUDENT ...`, with a course at /given. It imports nothing of this
repository: what is not there cannot be read. Prints a report as one JSON text: what each student got, what was heard.
"""

import filecmp
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp

COURSE = "/course"


def main():
    seconds, port, students = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    report = os.fdopen(os.dup(1), "w")  # not inherited: what cells print is no report
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    shutil.copytree("/given/course", COURSE, dirs_exist_ok=True)
    shutil.copytree("/given/home", os.environ["HOME"], dirs_exist_ok=True)
    os.chdir(COURSE)
    heard, start = listen(port), time.monotonic()
    ended = run(lambda: autograde(students), seconds)
    result = {"ended": ended, "seconds": time.monotonic() - start, "heard": len(heard)}
    json.dump({**result, "students": {name: look(name) for name in students}, "changed": changed()}, report)


def listen(port):
    """A list that grows with each connection to the port."""
    server, heard = socket.create_server(("127.0.0.1", port)), []

    def accept():
        while True:
            server.accept()[0].close()
            heard.append(True)

    threading.Thread(target=accept, daemon=True).start()
    return heard


def run(work, seconds):
    """Do the work in a process of its own. Returns whether it ended by itself within so many seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        work()
        os._exit(0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    return False


def autograde(students):
    """What `nbgrader autograde` does, for these students one after the other."""
    lab = os.listdir("source")[0]
    who = ["--student", students[0]] if len(students) == 1 else []
    try:
        NbGraderApp.launch_instance(["autograde", lab, *who])
    except SystemExit:
        pass


def look(student):
    """A student's points by cell, and the graded notebook as text; None where there is none."""
    lab = os.listdir("source")[0]
    try:
        with open(f"autograded/{student}/{lab}/{lab}.ipynb") as file:
            notebook = file.read()
        with Gradebook("sqlite:///gradebook.db") as book:
            grades = book.find_submission_notebook(lab, lab, student).grades
            return {"points": {grade.name: grade.score for grade in grades}, "notebook": notebook}
    except Exception:  # not graded, or the gradebook is broken: both are what is to be found out
        return None


def changed():
    """The files of the neighbour and of the home folder that are no longer what they were."""
    pairs = [(os.path.join(folder, name), os.path.join(now, os.path.relpath(folder, given), name))
             for given, now in (("/given/course/submitted", "submitted"), ("/given/home", os.environ["HOME"]))
             for folder, _, names in os.walk(given) for name in names]
    return [before for before, after in pairs if not os.path.exists(after) or not filecmp.cmp(before, after, False)]


if __name__ == "__main__":
    main()
