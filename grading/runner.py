"""`python -m grading grade`: a whole class, on all cores or on a cluster.

Worker processes grade (`work`) and write pages of feedback (`giving_back.page`); this process reads submissions and
writes results. It holds one submission for each worker and no more, so that a class of two thousand takes no more
memory than one of twenty.
"""

import json
import sys
import time
from dataclasses import asdict

from distributed import KilledWorker

from grading import lateness
from grading.apart import Apart
from grading.cluster import GradingFailed, cluster, result_of, spread
from grading.course import Course, line, refused, table
from grading.lab import questions
from grading.marks import marks
from grading.submissions import STUDENT
from grading.work import packed, untouched, work_packed

TWICE = ("The process that graded this submission died, and so did the next one that tried: it ended them, or it went "
         "on for too long. Look at the notebook; the run after this one tries again.")
PAGE = 120.0  # seconds that a page of feedback may take


def grade_class(folder, lab, options):
    """Grade what is new or has changed. Prints a summary. Called by `python -m grading grade`.

    options  has workers, scheduler, students, force, feedback, dry_run, seed, sandbox, json

    Returns the exit status: 1 if somebody has no mark or no page, as nobody would notice who is missing. Raises
    StopsAll, LedgerError, ValueError or OSError if grading itself failed, not a submission.
    """
    course = Course.at(folder)
    course.settings.seed = options.seed or course.settings.seed
    course.settings.sandbox = course.settings.sandbox and options.sandbox
    terms = course.terms(lab)
    named = wanted(course.students(lab), options.students, course.submitted(lab, "*"))
    students = [student for student in named if STUDENT.fullmatch(student)]
    left_out = refused(named)
    with course.ledger() as ledger:
        if not options.dry_run:
            ledger.expect(terms.lab)
        run = _Run(course, terms, ledger, options, students)
        try:
            with cluster(options) as client:
                run.grade(client)
                run.conclude(client)
        finally:
            print(table(sorted([*run.summary, *left_out])), end="")
            print("\n".join([*run.failed, *ledger.unread, *run.said, run.totals(len(left_out))]))
        if options.json:
            write_json(options.json, ledger, lab, students, [name for name in named if name not in students])
    return bool(left_out or run.failed)


def wanted(students, chosen, where):
    """Those of the students that are to be graded: all, or those chosen."""
    unknown = sorted(set(chosen or ()) - set(students))
    if unknown:
        raise GradingFailed(f"student: expected some who handed in, got {', '.join(unknown)}: nothing in {where}")
    if not students:
        raise GradingFailed(f"submissions: expected some in {where}, got none: python -m grading collect takes in what "
                            "a platform gives, nbgrader collect what the exchange holds")
    return [student for student in students if not chosen or student in chosen]


class _Run:
    """One run over a class: what has come back so far."""

    def __init__(self, course, terms, ledger, options, students):
        self.course, self.terms, self.ledger, self.options, self.students = course, terms, ledger, options, students
        self.lab = terms.lab.name
        self.summary, self.said, self.failed = [], [], []
        self.already = self.unchecked = self.by_hand = self.graded = self.unwritten = 0

    def grade(self, client):
        """Grade all that is not done yet, and write what comes back."""
        self._begin()
        terms, progress = packed(self.terms), Progress(len(self.students))
        jobs = (((task, terms), (task, before)) for task, before in self._tasks())
        for future, (task, before) in spread(client, work_packed, jobs, self.terms.seconds):
            with Apart(task.student, "deliver", said=self.failed) as apart:
                self._deliver(self._result(future, task), task, before)
            self.unwritten += bool(apart.why)
            progress.show(self.graded + self.already)
        progress.show(self.graded + self.already, last=True)

    def conclude(self, client):
        """Settle who is late, and then write the pages of feedback, which show it."""
        if not self.options.dry_run:
            self.summary, self.said = self.course.conclude(self.ledger, self.lab, self.summary)
            self.by_hand = self._by_hand()
            if self.options.feedback:
                self._give_back(client)

    def _begin(self):
        """Say what an update or a correction would change. Note whom --force is to grade again, unless it goes on."""
        others = self.ledger.judged_otherwise(self.lab, self.terms.fingerprint)
        if others and not self.options.students:
            say(f"{others} were graded by other checks, or by an earlier release, and are graded anew.")
        self._again = self.ledger.again(self.lab) & set(self.students)
        if self._again:
            say(f"Going on with --force: {len(self._again)} are still to be graded again.")
        elif self.options.force:
            self._again = set(self.students)
            if not self.options.dry_run:
                self.ledger.grade_again(self.lab, self.students)

    def _tasks(self):
        """Read what is not done yet, one after the other, and what was found in it before."""
        for student in self.students:
            task, before = self.course.task(self.lab, student), self.ledger.record(self.lab, student)
            if student not in self._again and self.course.is_done(before, task, self.terms):
                self.already += 1
            else:
                yield task, before

    def _result(self, future, task):
        """What became of a task. What its worker did not survive is not looked at here."""
        with Apart(task.student, "grade") as apart:
            try:
                return result_of(future)
            except KilledWorker as error:
                raise RuntimeError(TWICE) from error
        return untouched(task, self.terms, apart.trace)

    def _deliver(self, result, task, before):
        if not self.options.dry_run:
            self.course.deliver(self.ledger, result, task, self.terms, before)
        self.graded += 1  # only now: it may be interrupted before
        self.unchecked += bool(result.record.faulty)
        if not self.options.dry_run or before is None or before.points != result.record.points:
            self.summary.append(line(result.record, before))

    def _by_hand(self):
        """How many of the students have an answer that a person has yet to mark."""
        given, asked = marks(self.ledger.book, self.lab), set(questions(self.terms.lab))
        return sum(not asked.isdisjoint(given[student].waiting) for student in self.students if student in given)

    def _give_back(self, client):
        """Write the pages of feedback that are out of date."""
        from grading import giving_back  # only now, as it takes a while to load

        pages = giving_back.outdated(self.course, self.ledger.book, self.lab, self.students, self.failed)
        written, progress = 0, Progress(len(self.students), " pages")
        for future, page in spread(client, giving_back.page, ((page, page) for page in pages), PAGE):
            with Apart(page[1], "page", said=self.failed) as apart:
                giving_back.deliver(self.course, page, result_of(future))
            written += not apart.why
            progress.show(written)
        progress.show(len(self.students), last=True)
        self.said.append(f"{written} pages of feedback were written, the others were up to date.")

    def totals(self, refused):
        """The last line of the summary."""
        parts = [f"{self.graded} graded", f"{self.already} were done already", f"{self.unchecked} could not be checked"]
        wait = "waits" if self.by_hand == 1 else "wait"
        parts += [f"{self.by_hand} {wait} to be marked by hand"] if self.by_hand else []
        parts += [f"{refused} refused"] if refused else []
        parts += [f"{len(self.failed)} failed, see above"] if self.failed else []
        parts += ["nothing was written"] if self.options.dry_run else []
        left = len(self.students) - self.graded - self.already - self.unwritten
        return ", ".join(parts) + (f", {left} not reached: run the same command again to go on" if left else "") + "."


def say(sentence):
    """Something that is worth knowing before a run ends."""
    print(sentence, file=sys.stderr, flush=True)


class Progress:
    """How far a run is, on standard error: a line that is rewritten, or, where that is a file, one now and then."""

    def __init__(self, total, what=""):
        self.total, self.what, self.started, self.said = total, what, time.monotonic(), 0.0
        self.terminal = sys.stderr.isatty()

    def show(self, count, last=False):
        """Say it, not more often than is of use."""
        now = time.monotonic()
        if not last and now - self.said < (0.2 if self.terminal else 10):
            return
        self.said, rate = now, count / max(now - self.started, 1e-9)
        bar = "#" * (30 * count // max(self.total, 1))
        text = f"[{bar:30}] {count} of {self.total}{self.what}, {rate:.1f} a second"
        print(f"\r{text}" if self.terminal else text, end="" if self.terminal and not last else "\n", file=sys.stderr,
              flush=True)


def write_json(path, ledger, lab, students, refused):
    """What is known of these students, for other programs: records, lateness, names of refused folders. In one step."""
    chosen, late = set(students), lateness.of(ledger.book, lab)
    found = {
        "records": [asdict(record) for record in ledger.records(lab) if record.student in chosen],
        "late": {student: {"seconds": one.seconds, "penalty": one.penalty}
                 for student, one in late.items() if student in chosen},
        "refused": refused,
    }
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(found, indent=1), encoding="utf-8")
    part.replace(path)
