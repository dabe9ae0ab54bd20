"""Times as platforms write them."""

import pytest

from grading import dates
from grading.clock import zone

BERLIN = zone("Europe/Berlin")


@pytest.mark.parametrize("text", [
    "Friday, 13 November 2026, 6:37 PM", "Friday, November 13, 2026, 6:37 PM", "Freitag, 13. November 2026, 18:37",
    "vendredi 13 novembre 2026, 18:37", "viernes, 13 de noviembre de 2026, 18:37", "piątek, 13 listopada 2026, 18:37",
    "пятница, 13 ноября 2026, 18:37", "2026年11月13日 18:37", "2026年11月13日 下午6:37", "Nov 13, 2026 637 PM",
    "13 November 2026 637 PM", "Nov 13, 2026 6:37 p.m.", "13 nov. 2026 1837", "2026-11-13-18-37-00",
    "2026-11-13 18:37:00", "2026-11-13T17:37:00Z", "  Friday,\u00a013 November 2026, 6:37\u202fPM ",
])
def test_a_time_is_read_in_many_languages(text):
    assert f"{dates.read(text, BERLIN)}" == "2026-11-13 17:37:00"


@pytest.mark.parametrize("text", [
    "", "-", "never", "13/11/2026, 18:37", "13. listopad 2026, 18:37", "Feb 30, 2026 1200 PM", "13 November, 18:37",
    "Thursday, 13 November 2026, 18:37", "13 14 November 2026, 18:37", "0001-01-01 00:00:00", "13 Foo 2026 18:37",
    "2026-13-13-18-37-00", "November 2026, 18:37", "9" * 400,
])
def test_what_is_no_time_or_could_be_two_is_not_read(text):
    assert dates.read(text, BERLIN) is None


@pytest.mark.parametrize("text, hour", [("12:05 AM", 23), ("12:05 PM", 11), ("1:05 AM", 0)])
def test_twelve_comes_before_one(text, hour):
    assert dates.read(f"13 November 2026, {text}", BERLIN).hour == hour


def test_of_an_hour_that_is_there_twice_the_first_is_taken():
    assert f"{dates.read('Oct 25, 2026 230 AM', BERLIN)}" == "2026-10-25 00:30:00"


@pytest.mark.parametrize("name", ["Berlin", "", "../../etc/passwd", "Europe"])
def test_an_unknown_zone_is_named(name):
    with pytest.raises(ValueError, match="time zone: expected one such as 'Europe/Berlin' or '\\+01:00', got"):
        zone(name)
