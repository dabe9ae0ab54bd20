"""Moodle's downloads and lists.

The form of a download is that of `get_student_prefix` and `load_submissionplugin_filelist` in mod/assign/classes/
downloader.php of github.com/moodle/moodle; that of the worksheet, its columns and `userdate` times, of
mod/assign/gradingtable.php there; "Participant 1001" of mod/assign/feedback/offline/importgradeslib.php. That the
number is one of a person in an assignment says the schema ("Map an assignment specific id number to a user", table
assign_user_mapping). Without its last _ the folder's name is as a public importer of such archives has it
(MoodleAssignmentsArchiveImporter), whose worksheet also says times of 24 hours.
"""

import pytest

from grading import roster
from tests.grading.downloads import LAB, recognised

ADA = "Ada Lovelace_1001_assignsubmission_file_"
WORKSHEET = ("Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
             "Last modified (submission),Last modified (grade),Feedback comments\n"
             'Participant 1001,Ada Lovelace,007,ada@example.org,"Submitted for grading",,10.00,Yes,'
             '"Friday, 13 November 2026, 6:37 PM",-,\n'
             'Participant 1006,Ada Lovelace,,ada.l@example.org,"No submission",,10.00,Yes,-,-,\n')
IN_GERMAN = ("ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Zuletzt geändert (Abgabe);Zuletzt\n"
             "Teilnehmer/in 1001;Ada Lovelace;ada@example.org;Abgegeben;;10,00;Freitag, 13. November 2026, 18:37;-\n"
             "Teilnehmer/in 1002;Emmy Noether;emmy@example.org;Keine Abgabe;;10,00;-;-\n")


@pytest.mark.parametrize("path, file", [
    (f"{ADA}/{LAB}.ipynb", f"{LAB}.ipynb"),
    (f"{ADA}/data/x.csv", "data/x.csv"),
    (f"{ADA}{LAB}.ipynb", f"{LAB}.ipynb"),
    (f"{ADA.removesuffix('_')}/{LAB}.ipynb", f"{LAB}.ipynb"),
    (f"class/{LAB}/{ADA}/{LAB}-1.ipynb", f"{LAB}-1.ipynb"),
    ("Ada_Lovelace_1001_assignsubmission_file_/x_assignsubmission_file_.ipynb", "x_assignsubmission_file_.ipynb"),
    ("Ada Lovelace_1001_assignsubmission_onlinetext_/onlinetext.html", "onlinetext.html"),
], ids=["folder", "deeper", "no folders", "without the last _", "outer folders", "underscores", "online text"])
def test_a_path_says_who_and_what(path, file):
    key, found = recognised(path)
    assert (key, found[path].who, found[path].file) == ("moodle", ("Ada Lovelace", "1001", ""), file)


@pytest.mark.parametrize("name", ["José O'Neil-García", "李 雷", "van der Berg, Anna", "X Æ A-12", "Ada", "1 2 3"])
def test_names_of_all_kinds_stay_as_they_are(name):
    path = f"{name}_1001_assignsubmission_file_/a.ipynb"
    assert recognised(path)[1][path].who == (name, "1001", "")


def test_an_anonymous_submission_has_a_number_and_no_name():
    path = "Participant_1001_assignsubmission_file_/a.ipynb"
    assert recognised(path)[1][path].who == ("", "1001", "")


def test_the_worksheet_says_who_has_which_number_and_when_they_handed_in(term):
    listed = roster.read_list(term.write("worksheet.csv", "\ufeff" + WORKSHEET))
    assert [(row.person.number, row.person.sis_id, row.person.email) for row in listed] == [
        ("1001", "007", "ada@example.org"), ("1006", "", "ada.l@example.org")]
    assert [row.when for row in listed] == ["Friday, 13 November 2026, 6:37 PM", "-"]


def test_a_worksheet_in_another_language_is_understood_by_what_stands_in_it(term):
    listed = roster.read_list(term.write("worksheet.csv", IN_GERMAN))
    assert [(row.person.number, row.person.name, row.person.email, row.when) for row in listed] == [
        ("1001", "Ada Lovelace", "ada@example.org", "Freitag, 13. November 2026, 18:37"),
        ("1002", "Emmy Noether", "emmy@example.org", "-")]


def test_a_worksheet_of_an_anonymous_assignment_has_numbers_alone(term):
    path = term.write("worksheet.csv", "Identifier,Status,Grade\nParticipant 1001,Submitted,\nParticipant 1002,-,\n")
    assert [row.person for row in roster.read_list(path)] == [roster.Person(number="1001"),
                                                                   roster.Person(number="1002")]


def test_namesakes_are_told_apart_by_their_numbers(term):
    path = term.zip({f"Ada Lovelace_1001_assignsubmission_file_/{LAB}.ipynb": "one",
                     f"Ada Lovelace_1006_assignsubmission_file_/{LAB}.ipynb": "two"})
    done = term.collect(path, "--roster", term.write("worksheet.csv", WORKSHEET))
    assert done.status == 0, done
    assert term.taken == {"007": {f"{LAB}.ipynb": "one"}, "ada.l@example.org": {f"{LAB}.ipynb": "two"}}
    assert term.times == {"007": "2026-11-13 17:37"}


def test_the_next_assignment_has_other_numbers_for_the_same_people(term):
    first, second = WORKSHEET, WORKSHEET.replace("1001", "2044").replace("1006", "2045")
    term.collect(term.zip({f"{ADA}/a.ipynb": "one"}), "--roster", term.write("w.csv", first))
    done = term.collect(term.zip({"Ada Lovelace_2044_assignsubmission_file_/a.ipynb": "two"}),
                        "--roster", term.write("w.csv", second))
    assert done.status == 0 and term.taken == {"007": {"a.ipynb": "two"}}, done


def test_the_worksheet_of_another_assignment_is_noticed(term):
    emmy = "Participant 9,Emmy Noether,008,emmy@example.org,Submitted,,10,Yes,-,-,\n"
    done = term.collect(term.zip({"Emmy Noether_1001_assignsubmission_file_/a.ipynb": "x"}),
                        "--roster", term.write("w.csv", WORKSHEET.replace("1001", "7") + emmy))
    assert done.status == 1 and "is the roster that of this assignment?" in done.out and term.taken == {}


def test_without_a_worksheet_another_number_of_a_name_that_is_known_waits_for_a_person(term):
    term.collect(term.zip({f"{ADA}/a.ipynb": "one"}))
    done = term.collect(term.zip({"Ada Lovelace_2044_assignsubmission_file_/a.ipynb": "two"}))
    assert done.status == 1 and "'1001' or somebody else of that name: give --roster" in done.out
    assert term.taken == {"1001": {"a.ipynb": "one"}}


def test_the_text_that_was_typed_into_moodle_comes_with_the_files(term):
    term.collect(term.zip({f"{ADA}/a.ipynb": "one", f"{ADA.replace('file', 'onlinetext')}/onlinetext.html": "hello"}))
    assert term.taken == {"1001": {"a.ipynb": "one", "onlinetext.html": "hello"}}


def test_files_of_one_name_are_both_kept(term):
    other = ADA.replace("file", "onlinetext")
    term.collect(term.zip({f"{ADA}/onlinetext.html": "one", f"{other}/onlinetext.html": "x"}))
    assert term.taken == {"1001": {"onlinetext.html": "one", "onlinetext (2).html": "x"}}


def test_the_time_in_the_worksheet_of_another_assignment_is_not_taken(term):
    path = term.zip({f"{ADA}/a.ipynb": "one"})
    term.collect(path, "--roster", term.write("w.csv", WORKSHEET))
    term.collect(path, "--roster", term.write("w.csv", WORKSHEET.replace("1001", "7").replace("6:37", "9:37")))
    assert term.times == {"007": "2026-11-13 17:37"}


def test_a_list_of_participants_tells_who_is_who_by_name(term):
    people = "First name,Last name,Email address,Roles\nAda,Lovelace,ada@example.org,Student\n"
    done = term.collect(term.zip({f"{ADA}/a.ipynb": "one"}), "--roster", term.write("p.csv", people))
    assert done.status == 0 and term.taken == {"ada@example.org": {"a.ipynb": "one"}}


def test_a_name_that_is_a_path_leads_nowhere(term):
    term.collect(term.zip({"Ada_1001_assignsubmission_file_..": "x"}))
    assert term.taken == {"1001": {"_": "x"}}


ASKED = "When 1 of these handed in is unknown: give with --roster the grading worksheet"


def test_without_a_worksheet_it_is_said_which_list_has_the_times_until_they_are_known(term):
    path = term.zip({f"{ADA}/a.ipynb": "one"})
    assert ASKED in term.collect(path).out
    assert "is unknown" not in term.collect(path, "--roster", term.write("w.csv", WORKSHEET)).out
    assert "is unknown" not in term.collect(path).out


@pytest.mark.parametrize("text, number", [
    (WORKSHEET, 1006), (WORKSHEET.replace("Yes,-,-", 'Yes,"Friday, 13 November 2026, 6:38 PM",-'), 1006),
    (IN_GERMAN.replace("Emmy Noether", "Ada Lovelace"), 1002)], ids=["both", "status alone", "in German"])
def test_a_list_that_knows_of_no_work_is_older_than_the_download(term, text, number):
    path = term.zip({f"Ada Lovelace_{number}_assignsubmission_file_/a.ipynb": "two"})
    done = term.collect(path, "--roster", term.write("w.csv", text))
    assert "the list is older than the download, and the time is unknown" in done.out and ASKED not in done.out
    assert term.times == {} and len(term.taken) == 1
