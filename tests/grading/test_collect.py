"""`python -m grading collect`: what is taken for whom, what is left out, and that nothing is lost on the way."""

import itertools
import random
import shutil
import sys
import unicodedata
from pathlib import Path

import pytest

from grading import collect
from grading.download import Item, Refused
from grading.intake import laid_out
from grading.platforms import Piece
from grading.submissions import STUDENT
from tests.grading import downloads
from tests.grading.classes import finished, start
from tests.grading.downloads import LAB

MOODLE = "{}_{}_assignsubmission_file_/{}"
ROSTER = ("Identifier,Full name,Email address,Status,Last modified (submission)\n"
          'Participant 1001,Ada Lovelace,ada@example.org,Submitted,"Friday, 13 November 2026, 6:37 PM"\n'
          'Participant 1002,Emmy Noether,emmy@example.org,Submitted,"Friday, 13 November 2026, 6:38 PM"\n')


def moodle(**works):
    """A download: one file for each {name_number: text}."""
    return {MOODLE.format(*who.rsplit("_", 1), f"{LAB}.ipynb"): text for who, text in works.items()}


def attempt(day, user="ada", file=f"{LAB}.ipynb"):
    """A file's path in a download of Blackboard's."""
    return f"Lab_{user}_attempt_2026-11-{day}-18-37-00_{file}"


def state(folder):
    """{path: content} of all that is in a folder."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def settle(term, before, after):
    """Edit matches.csv, as a person would."""
    path = term.folder / "matches.csv"
    text = path.read_text()
    assert before in text, text
    path.write_text(text.replace(before, after))


def test_what_is_taken_for_whom_is_said_and_then_written(term, monkeypatch):
    monkeypatch.setattr(collect, "write", lambda *_: 1 / 0)
    said = []
    monkeypatch.setattr("builtins.print", lambda text, **_: said.append(text))
    with pytest.raises(ZeroDivisionError):
        downloads.main(["collect", LAB, str(term.zip(moodle(Ada_7="x"))), "--course-dir", str(term.folder)])
    assert f"7  Ada  time unknown, new: {LAB}.ipynb." in said[0] and term.taken == {}


def test_a_dry_run_writes_nothing(term):
    path, before = term.zip(moodle(Ada_7="x")), state(term.folder)
    done = term.collect(path, "--dry-run", "--roster", term.write("r.csv", ROSTER))
    assert "1 left out, 2 missing.\nNothing was written." in done.out and state(term.folder) == before


def test_where_there_is_no_gradebook_a_dry_run_makes_none(term):
    (term.folder / "gradebook.db").unlink()
    assert term.collect(term.zip(moodle(Ada_7="x")), "--dry-run").status == 0
    assert not (term.folder / "gradebook.db").exists()


def test_what_was_given_is_not_changed(term):
    given = [term.zip(moodle(Ada_7="x")), term.unzipped({"emmy/a.ipynb": "y"}), term.write("r.csv", ROSTER)]
    before = [state(path.parent) for path in given[:1]]
    term.collect(*given[:2], "--roster", given[2])
    after = state(given[0].parent)
    assert all(after[path] == content for path, content in before[0].items() if term.folder not in path.parents)


def test_a_second_run_finds_it_unchanged(term):
    arguments = [term.zip(moodle(Ada_1001="x", Emmy_1002="y")), "--roster", term.write("r.csv", ROSTER)]
    term.collect(*arguments)
    before = state(term.folder)
    done = term.collect(*arguments)
    del before[term.folder / "gradebook.db"]
    assert "0 new, 0 replaced, 2 unchanged" in done.out and before.items() <= state(term.folder).items()


def test_a_newer_hand_in_replaces_an_older_one(term):
    term.collect(term.zip({attempt(13): "old", attempt(13, file="x.csv"): "old"}))
    done = term.collect(term.zip({attempt(14): "new"}))
    assert "ada  ada  Saturday 2026-11-14 18:37 Europe/Berlin, which is 2026-11-14 17:37 UTC, replaced" in done.out
    assert term.taken == {"ada": {f"{LAB}.ipynb": "new"}}
    assert term.times == {"ada": "2026-11-14 17:37"}


def test_an_older_hand_in_never_replaces_a_newer_one(term):
    term.collect(term.zip({attempt(14): "new"}))
    done = term.collect(term.zip({attempt(13): "old"}))
    assert "newer (Saturday 2026-11-14 18:37 Europe/Berlin, which is 2026-11-14 17:37 UTC) than this" in done.out
    assert done.status == 0
    assert term.taken == {"ada": {f"{LAB}.ipynb": "new"}} and term.times == {"ada": "2026-11-14 17:37"}


def test_a_hand_in_without_a_time_does_not_replace_one_with_a_time(term):
    term.collect(term.zip({attempt(14): "new"}))
    done = term.collect(term.zip({f"ada/{LAB}/{LAB}.ipynb": "unknown"}))
    assert done.status == 1 and "nothing says when it was handed in, and what is there is of Saturday 2026" in done.out
    assert term.taken == {"ada": {f"{LAB}.ipynb": "new"}}


def test_the_same_work_is_given_its_time_when_the_zone_was_corrected(term):
    term.collect(path := term.zip({attempt(14): "new"}))
    config = term.folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("Europe/Berlin", "Asia/Tokyo"))
    term.collect(path)
    assert term.times == {"ada": "2026-11-14 09:37"}


@pytest.mark.parametrize("second, status", [("x", 0), ("y", 1)])
def test_of_two_downloads_without_times_equal_work_is_taken_and_other_is_not(term, second, status):
    done = term.collect(term.zip(moodle(Ada_7="x")), term.zip(moodle(Ada_7=second), "again.zip"))
    assert done.status == status and bool(term.taken) == (status == 0)
    assert status == 0 or "7: there are 2 different hand-ins, and nothing says which is the newest" in done.out


def test_of_two_downloads_of_the_same_minute_neither_is_the_newest(term):
    done = term.collect(term.zip({attempt(13): "x"}), term.zip({attempt(13): "y"}, "again.zip"))
    assert done.status == 1 and term.taken == {} and "nothing says which is the newest" in done.out


def test_a_download_that_is_refused_does_not_stop_the_others(term):
    done = term.collect(term.write("broken.zip", "x"), term.folder / "nowhere", term.zip(moodle(Ada_7="x")))
    assert done.status == 1 and list(term.taken) == ["7"]
    assert done.out.count("Not taken: ") == 2 and "broken.zip" in done.out and "nowhere" in done.out


def test_a_student_whose_file_is_spoiled_does_not_stop_the_others(term):
    path = term.zip(moodle(Ada_7="a" * 50, Emmy_8="y"))
    content = path.read_bytes()
    at = content.find(f"{LAB}.ipynb".encode()) + len(f"{LAB}.ipynb")
    path.write_bytes(content[:at] + b"\xff\xff" + content[at + 2:])
    done = term.collect(path)
    assert done.status == 1 and list(term.taken) == ["8"] and "cannot be read" in done.out


def test_a_student_who_cannot_be_written_does_not_stop_the_others(term):
    (term.folder / "submitted").mkdir()
    (term.folder / "submitted" / "7").write_text("a file where a folder should be")
    done = term.collect(term.zip(moodle(Ada_7="x", Emmy_8="y")))
    assert done.status == 1 and "Not written: 7: " in done.out and list(term.taken) == ["8"]


def test_a_bomb_costs_only_whoever_handed_it_in(term, monkeypatch):
    monkeypatch.setattr(collect, "PERSON_LIMIT", 1000)
    path = term.zip({**moodle(Ada_7="x", Emmy_8="y"), MOODLE.format("Ada", 7, "z.bin"): "0" * 10**6})
    done = term.collect(path)
    assert done.status == 1 and term.taken == {"7": {f"{LAB}.ipynb": "x"}, "8": {f"{LAB}.ipynb": "y"}}
    assert "Ada (7): 1 files are left out, 'z.bin' first: one submission may have" in done.out


def test_who_is_missing_and_who_is_not_on_the_roster_is_said(term):
    done = term.collect(term.zip(moodle(Ada_1001="x", Bob_9="y")), "--roster", term.write("r.csv", ROSTER))
    assert done.status == 1 and list(term.taken) == ["ada@example.org"]
    assert "Left out: 'Bob (9)'. Not on the roster." in done.out
    assert "Missing: Emmy Noether (emmy@example.org)" in done.out


def test_a_class_is_entered_from_its_list_alone(term):
    path = term.write("list.csv", "\ufeffid,last_name,first_name,email\nbomy,B,O,b@x.org\n")
    done = downloads.said(downloads.main, ["roster", str(path), "--course-dir", str(term.folder)])
    assert done.status == 0 and done.out == "bomy  O B  new\n"
    assert "bomy,B,O,b@x.org" in (term.folder / "students.csv").read_text()


def test_a_login_is_not_taken_for_anothers_name(term):
    roster = term.write("r.csv", "id,name\n1,lee\n2,Emmy\n")
    done = term.collect(term.zip({attempt(13, "lee"): "x", attempt(13, "2"): "y"}), "--roster", roster)
    assert list(term.taken) == ["2"] and "Left out: 'lee'. Not on the roster." in done.out


def test_who_handed_in_before_is_not_missing(term):
    roster = ["--roster", term.write("r.csv", ROSTER)]
    term.collect(term.zip(moodle(Ada_1001="x")), *roster)
    assert "0 missing" in term.collect(term.zip(moodle(Emmy_1002="y")), *roster).out


def test_what_is_unsure_waits_in_the_mapping_file_and_is_settled_there(term):
    arguments = [term.zip(moodle(Bob_9="y")), "--roster", term.write("r.csv", ROSTER)]
    term.collect(*arguments)
    settle(term, f"{LAB},Bob,9,,Not on the roster.", f"{LAB},Bob,9,emmy@example.org,she told me")
    done = term.collect(*arguments)
    assert done.status == 0 and term.taken == {"emmy@example.org": {f"{LAB}.ipynb": "y"}}
    assert f"{LAB},Bob,9,emmy@example.org,she told me" in (term.folder / "matches.csv").read_text()


def test_what_a_person_wrote_is_never_overwritten(term):
    term.collect(path := term.zip(moodle(Ada_7="x")))
    settle(term, f"{LAB},Ada,7,7,", f"{LAB},Ada,7,8,not hers")
    term.collect(path)
    assert f"{LAB},Ada,7,8,not hers" in (term.folder / "matches.csv").read_text() and sorted(term.taken) == ["7", "8"]


def test_what_is_marked_as_nobodys_is_left_out_in_silence(term):
    arguments = [term.zip(moodle(Bob_9="y")), "--roster", term.write("r.csv", ROSTER)]
    term.collect(*arguments)
    settle(term, ",Bob,9,,", ",Bob,9,-,")
    done = term.collect(*arguments)
    assert done.status == 0 and "Bob" not in done.out and term.taken == {}


def test_an_id_that_is_nobodys_is_named(term):
    arguments = [term.zip(moodle(Bob_9="y")), "--roster", term.write("r.csv", ROSTER)]
    term.collect(*arguments)
    settle(term, ",Bob,9,,", ",Bob,9,emmi,")
    done = term.collect(*arguments)
    assert done.status == 1 and "matches.csv says that it is the work of 'emmi', who is not in the class." in done.out


def test_an_id_that_was_given_stays_when_a_roster_comes_later(term):
    path = term.zip(moodle(Ada_1001="x", Ada_1006="y"))
    term.collect(path)
    done = term.collect(path, "--roster", term.write("r.csv", ROSTER))
    assert sorted(term.taken) == ["1001", "1006"] and "2 unchanged" in done.out
    assert "Not on the roster, but known: Ada (1006)" in done.out
    assert "1001,,,ada@example.org,Ada Lovelace,1001,,," in (term.folder / "students.csv").read_text()


def test_names_and_addresses_enter_the_gradebook_and_what_it_knew_stays(term):
    from tests.grading.classes import Class
    course = Class(term.folder, None)
    with course.gradebook() as book:
        book.add_student("ada@example.org", first_name="Augusta", lms_user_id="77")
    term.collect(term.zip(moodle(Ada_1001="x")), "--roster", term.write("r.csv", ROSTER))
    with course.gradebook() as book:
        known = [(one.id, one.first_name, one.last_name, one.email, one.lms_user_id) for one in book.students]
    assert sorted(known) == [("ada@example.org", "Augusta", "Ada Lovelace", "ada@example.org", "77"),
                             ("emmy@example.org", None, "Emmy Noether", "emmy@example.org", None)]


@pytest.mark.parametrize("given, kept", [
    ([f"{LAB}-1.ipynb"], [f"{LAB}.ipynb"]), ([f"{LAB} (2).ipynb", "x.csv"], [f"{LAB}.ipynb", "x.csv"]),
    ([f"Copy of {LAB}.ipynb"], [f"{LAB}.ipynb"]), ([f"Copy_of_{LAB}.ipynb"], [f"{LAB}.ipynb"]),
    ([f"{LAB}_late.ipynb"], [f"{LAB}.ipynb"]), ([f"{LAB}.IPYNB"], [f"{LAB}.ipynb"]), (["mine.ipynb"], ["mine.ipynb"]),
    ([f"{LAB} (1).ipynb", f"{LAB}.ipynb"], [f"{LAB} (1).ipynb", f"{LAB}.ipynb"]),
    ([f"{LAB}.zip", "a/b/c.png"], ["a/b/c.png", f"{LAB}.zip"]), ([f"deep/{LAB}-1.ipynb"], [f"deep/{LAB}-1.ipynb"]),
], ids=["-1", "(2)", "copy of", "copy_of", "late", "capitals", "other name", "two", "zip", "deeper"])
def test_all_files_are_kept_and_the_only_notebook_gets_the_labs_name(term, given, kept):
    term.collect(term.zip({MOODLE.format("Ada", 7, file): "x" for file in given}))
    assert sorted(term.taken["7"]) == kept


def test_a_time_that_lies_in_a_submission_decides_nothing(term):
    term.collect(term.zip({**moodle(Ada_7="x"), MOODLE.format("Ada", 7, "timestamp.txt"): "2020-01-01 00:00:00 UTC"}))
    assert term.times == {} and "timestamp.txt" in term.taken["7"]


def test_a_name_cannot_move_the_cursor(term):
    done = term.collect(term.zip({MOODLE.format("A\x1b[2Jda\u202e", 7, "a\x07.ipynb"): "x"}))
    assert done.status == 0 and not {"\x1b", "\x07", "\u202e"} & set(done.out) and term.taken["7"] == {"a_.ipynb": "x"}


def test_an_unknown_platform_is_refused_with_those_that_there_are(term):
    done = term.collect(term.zip(moodle(Ada_7="x")), "--from", "schoology")
    assert done.status == 1 and done.error.startswith("platform: expected one of ['blackboard', 'brightspace',")
    assert done.error.endswith("got 'schoology'") and done.err.count("\n") == 1


def test_a_platform_that_is_named_is_the_one(term):
    files = {f"Ada - {LAB}.ipynb": "x", "notes.txt": "", "more.txt": "", "readme.txt": ""}
    assert "Google Classroom" in term.collect(term.unzipped(files), "--from", "google_classroom", "--dry-run").out


@pytest.mark.parametrize("arguments, says", [
    (["--roster", "nowhere.csv"], "nowhere.csv"), ([], "lab: expected one of ['lab_tiny'], got 'lab_tinny'"),
])
def test_what_cannot_be_done_is_said_in_one_line(term, arguments, says):
    done = term.collect(term.zip(moodle(Ada_7="x")), *arguments, lab=LAB if arguments else "lab_tinny")
    assert done.status == 1 and done.err.count("\n") == 1 and says in done.err and term.taken == {}


def test_a_zone_that_is_none_is_refused_before_anything_is_read(term):
    (term.folder / "nbgrader_config.py").write_text(downloads.CONFIG + "c.TwoRooms.timezone = 'Berlin'")
    assert "time zone: expected one such as 'Europe/Berlin'" in term.collect(term.zip(moodle(Ada_7="x"))).error


def test_a_download_that_holds_nothing_of_anybody_is_named(term):
    done = term.collect(term.zip({"moodle.zip": "x"}), term.write("students.csv", "id\n1\n"))
    assert done.status == 1 and done.out.count("got nothing that is anybody's. If there is a zip file in it, take") == 2


def test_the_number_of_who_was_found_by_name_is_kept_for_the_marks(term):
    people = "id,last_name,first_name\nada,Lovelace,Ada\n"
    done = term.collect(term.zip({f"lovelaceada_1001_5001_{LAB}.ipynb": "x"}), "--roster", term.write("s.csv", people))
    assert done.status == 0 and "ada,Lovelace,Ada,,,1001,,," in (term.folder / "students.csv").read_text()


def test_a_notebook_that_is_not_of_the_platforms_form_is_named(term):
    done = term.collect(term.zip({**moodle(Ada_7="x", Emmy_8="y"), "stray.ipynb": "z"}))
    assert done.status == 1 and "'stray.ipynb' is left out, as Moodle does not name a file like that." in done.out


@pytest.mark.parametrize("other, more, taken", [
    ("lab_other", {}, 0), ("lab_other (2)", {}, 0), ("lab_other.ipynb", {}, 0), ("mine", {}, 3),
    ("lab_other", {"Z_9": LAB}, 4), ("lab_other", {f"Z_{n}": "mine" for n in range(20, 23)}, 0),
    ("lab_other", {f"Z_{n}": "mine" for n in range(20, 24)}, 7),
], ids=["all", "copies", ".txt", "own names", "one of this lab", "half", "fewer"])
def test_nothing_is_taken_from_a_download_of_another_lab(term, other, more, taken):
    (term.folder / "labs" / "lab_other").mkdir()
    shutil.copy(term.folder / "labs" / LAB / f"{LAB}.ipynb", term.folder / "labs" / "lab_other" / "lab_other.ipynb")
    works = {**dict.fromkeys(("Ada_1", "Emmy_2", "Li_3"), other), **more}
    done = term.collect(term.zip({MOODLE.format(*who.split("_"), f"{file}.ipynb"): who for who, file in works.items()}))
    assert len(term.taken) == taken and done.status == (not taken)
    assert taken or f"3 of {len(works)} are called lab_other: is this lab's download?" in done.out


def broken():
    raise OSError("gone")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    folder = tmp_path / "7" / LAB
    collect.put(folder, {"a": item("old")})
    with pytest.raises(Refused, match="gone"):
        collect.put(folder, {"a": item("new"), "b": Item(("b",), 1, broken)})
    assert (folder / "a").read_text() == "old" and list(folder.iterdir()) == [folder / "a"]


def test_what_a_killed_run_put_aside_is_put_back(tmp_path):
    folder = tmp_path / "7" / LAB
    collect.put(folder, {"a": item("old")})
    folder.rename(folder.with_name(f".{LAB}.old"))
    with pytest.raises(Refused):
        collect.put(folder, {"b": Item(("b",), 1, broken)})
    assert (folder / "a").read_text() == "old"


def item(text):
    """A file of a download."""
    return Item(("x",), len(text), lambda: downloads.io.BytesIO(text.encode()))


NAMES = ["Ada Lovelace", "José O'Neil-García", "Zoë Müller", "Anna Maria van der Berg", "René Çelik", "李 雷",
         "Madonna", "Noether, Emmy", "Ó Súilleabháin", "d'Artagnan", "Nguyễn Văn A", "Иван Петров", "محمد", "X Æ A-12"]
LETTERS = "aAéñßİ李ñ'-., ()&!_~#1\u0301🙂"


def names(seed):
    """Thirty names: real ones, and those that are drawn."""
    draw = random.Random(seed)
    return NAMES + [f"A{''.join(draw.choices(LETTERS, k=draw.randint(2, 12)))}b" for _ in range(15)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_students_are_called_each_gets_what_is_theirs(term, seed):
    them = dict(enumerate(names(seed), 2000))
    term.collect(term.zip({MOODLE.format(name, n, f"{LAB}.ipynb"): f"{n}" for n, name in them.items()}))
    assert term.taken == {f"{n}": {f"{LAB}.ipynb": f"{n}"} for n in them}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("seed", range(2))
def test_whatever_folders_are_called_ids_are_safe_and_the_second_run_changes_nothing(term, seed, form):
    them = {unicodedata.normalize("NFC", name) for name in names(seed)}
    files = {f"{unicodedata.normalize(form, name)}/{LAB}/{LAB}.ipynb": name for name in them}
    done = term.collect(term.zip(files))
    assert done.status == 0 and sorted(work[f"{LAB}.ipynb"] for work in term.taken.values()) == sorted(them), done.out
    assert all(STUDENT.fullmatch(id) for id in term.taken) and len({id.casefold() for id in term.taken}) == len(them)
    assert f"{len(them)} unchanged" in term.collect(term.zip(files)).out


def test_without_a_terminal_nothing_is_asked(term):
    command = ["collect", LAB, term.zip(moodle(Ada_7="x")), "--course-dir", term.folder]
    done = finished(start([sys.executable, "-m", "grading", *map(str, command)]))
    assert done.status == 0 and "1 new" in done.out and done.err == ""


def test_thousands_of_files_of_one_student_are_a_few_lines(term):
    files = {MOODLE.format("Ada", "7", f"{number}.csv"): "" for number in range(3000)}
    done = term.collect(term.zip({**moodle(Ada_7="x"), **files}), "--dry-run")
    assert len(done.out) < 5000 and "more of that kind" in done.out


def test_names_that_differ_in_their_letters_sizes_alone_take_no_time_that_grows_with_their_square():
    names = ["".join(letters) for letters in itertools.product(*zip("abcdefghijklmno", "ABCDEFGHIJKLMNO", strict=True))]
    found = dict(laid_out([Piece(number, (name,)) for number, name in enumerate(names)], LAB))
    assert len(found) == len({path.casefold() for path in found}) == 2**15
