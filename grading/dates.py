"""Times as platforms write them, in words and in many languages.

A time without a zone is taken in the course's own (`c.TwoRooms.timezone`). What can be read in two ways is not read.
"""

import functools
import re
import unicodedata
from datetime import UTC, datetime

from babel import Locale

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "ca", "sv", "da", "nb", "fi", "pl", "cs", "hu", "ro", "tr",
             "ru", "uk", "hr", "el")
BARE = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")  # Blackboard's
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
CLOCK = re.compile(r"\b(\d{1,2})[:.h](\d\d)(?:[:.]\d\d)?\b|\b(\d{1,2})(\d\d)\b")  # 6:37, 18.37, 18h37, 637
HALF = re.compile(r"\b([ap])\.?\s?m\b")
ASIAN = re.compile(r"(\d{4})[年년]\s?(\d{1,2})[月월]\s?(\d{1,2})[日일]")
AFTERNOON = ("下午", "午後", "오후")


def read(text, where):
    """The time that a text says, in UTC and without a zone; None if it says none, or says it in two ways.

    where  the zone of a text that names none. Of an hour that the clocks run through twice, the first
    """
    text = unicodedata.normalize("NFKC", text).strip()
    for reading in (_iso, _bare, _asian, _words):
        if (when := reading(text)) and when.year > 1:  # there is no earlier year that a zone could lead to
            when = when if when.tzinfo else when.replace(tzinfo=where)
            return when.astimezone(UTC).replace(tzinfo=None)
    return None


def _iso(text):
    try:
        return datetime.fromisoformat(text) if ":" in text else None
    except ValueError:
        return None


def _bare(text):
    found = BARE.fullmatch(text)
    return _datetime(*map(int, found.groups())) if found else None


def _asian(text):
    date, clock = ASIAN.search(text), re.search(r"(\d{1,2}):(\d\d)", text)
    if not date or not clock:
        return None
    hour = _hour(int(clock[1]), "p" if any(word in text for word in AFTERNOON) else None)
    return _datetime(*map(int, date.groups()), hour, int(clock[2]))


def _words(text):
    """A date with the month's name: "Friday, 13 November 2026, 6:37 PM", "Nov 13, 2026 637 PM"."""
    text, years = text.casefold(), YEAR.findall(text)
    clock = CLOCK.search(YEAR.sub(" ", text, count=1))
    if not years or not clock:
        return None
    days = re.findall(r"\d+", text.replace(years[0], " ", 1).replace(clock[0], " ", 1))
    months = _months(re.findall(r"[^\W\d_]+", text), lambda month: _weekday(years[0], month, days))
    if len(days) != 1 or len(months) != 1:
        return None
    half = HALF.search(text)
    hour = _hour(int(clock[1] or clock[3]), half and half[1])
    return _datetime(int(years[0]), months.pop(), int(days[0]), hour, int(clock[2] or clock[4]))


def _hour(hour, half):
    """Of 24, from one of 12 with its half of the day: "a", "p", or None where there are 24."""
    return hour if half is None else hour % 12 + 12 * (half == "p")


def _months(words, weekday_in):
    """{1 to 12}: the months that words may name: whole names count more than short ones, then English.

    "listopad" is October in one language and November in another. So where a language knows the weekday that is named,
    such languages alone are asked, and the date in that month must be that day: `weekday_in(month)`.
    """
    speaking = [language for language in LANGUAGES if _named(words, _names(language)[1])] or LANGUAGES
    for languages, short in (speaking, False), (set(speaking) & {"en"}, True), (speaking, True):
        found = set().union(*(_fitting(words, language, short, weekday_in) for language in languages))
        if found:
            return found
    return set()


def _fitting(words, language, short, weekday_in):
    months, weekdays = _names(language)
    on = _named(words, weekdays)
    return {month for month in _named(words, months, short) if not on or weekday_in(month) in on}


def _named(words, names, short=False):
    """The numbers of the names that stand among words, or that begin with a word of three letters or more."""
    return {number for word in words for name, number in names
            if name == word or short and len(word) > 2 and name.startswith(word)}


def _weekday(year, month, days):
    date = _datetime(int(year), month, int(days[0])) if len(days) == 1 else None
    return date and date.weekday()


@functools.cache
def _names(language):
    """((month's name, 1 to 12) ...), ((weekday's name, 0 to 6) ...) as they stand in a date and alone."""
    locale, forms = Locale(language), ("format", "stand-alone")
    months = {(name.casefold(), number) for form in forms for number, name in locale.months[form]["wide"].items()}
    days = {(name.casefold(), number) for form in forms for number, name in locale.days[form]["wide"].items()}
    return tuple(sorted(months)), tuple(sorted(days))


def _datetime(*numbers):
    try:
        return datetime(*numbers)
    except ValueError:
        return None
