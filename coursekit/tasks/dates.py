"""Dates as people write them, and as ISO 8601 does: a small translation task with a right answer.

    "3rd of May 2009"  ->  "2009-05-03"

It has what makes translation hard and is still learned in seconds: the order changes, some characters are copied
(the digits), some are looked up (a month's name becomes its number), and some must be ignored (the weekday).
No form is ambiguous: the month is always a word, so there is no 3/5/2009, and the year has four digits.
"""

import numpy as np

from coursekit.tasks.tokens import Batch, Vocabulary

MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

FORMS = (
    "{day} {month} {year}",  # 3 September 2009
    "{day} {mon} {year}",  # 3 Sep 2009
    "{day}{th} of {month} {year}",  # 3rd of September 2009
    "{month} {day}, {year}",  # September 3, 2009
    "{month} {day}{th}, {year}",  # September 3rd, 2009
    "{mon} {day}, {year}",  # Sep 3, 2009
    "{weekday} {day} {month} {year}",  # Thursday 3 September 2009
    "{weekday}, {month} {day}{th}, {year}",  # Thursday, September 3rd, 2009
    "{year} {month} {day}",  # 2009 September 3
)


def all_days():
    """Every day from 1900 to 2099 in order, as an array of datetime64[D]."""
    return np.arange("1900-01-01", "2100-01-01", dtype="datetime64[D]")


def split_days(rng, unseen=0.1):
    """Shuffle the calendar and part it in two: (days to train on, days that training never sees, in any form)."""
    if not 0 < unseen < 1:
        raise ValueError(f"unseen: expected a share between 0 and 1, got {unseen}")
    days = rng.permutation(all_days())
    cut = round(unseen * len(days))
    return days[cut:], days[:cut]


def human_date(day, form):
    """Write `day` (a datetime.date) in one of FORMS. Raises ValueError for another form."""
    if form not in FORMS:
        raise ValueError(f"form: expected one of {FORMS}, got {form!r}")
    month = MONTHS[day.month - 1]
    return form.format(
        day=day.day, th=ordinal_suffix(day.day), month=month, mon=month[:3], year=day.year,
        weekday=WEEKDAYS[day.weekday()],
    )


def ordinal_suffix(number):
    """The letters after a day of the month: 1st, 2nd, 3rd, 4th, but 11th, 12th, 13th."""
    if number in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def date_pairs(rng, days, n):
    """Draw `n` of `days` (datetime64[D]), with repeats, each in a random form, half of them all in lower case.

    Returns two lists of n strings: as people write them, and in ISO 8601 (ten characters each).
    """
    if n < 1 or len(days) < 1:
        raise ValueError(f"expected at least one day and one pair, got {len(days)} days and n = {n}")
    chosen = rng.choice(days, size=n)
    forms = rng.integers(len(FORMS), size=n)
    lower = rng.random(n) < 0.5
    texts = [human_date(day, FORMS[form]) for day, form in zip(chosen.tolist(), forms, strict=True)]
    return [text.lower() if low else text for text, low in zip(texts, lower, strict=True)], [str(day) for day in chosen]


def encode_pairs(texts, isos):
    """Turn B texts and their B ISO dates into a Batch."""
    return Batch(*SOURCE.encode(texts), *TARGET.encode(isos))


SOURCE = Vocabulary(" ,0123456789ADFJMNOSTWabcdefghijlmnoprstuvwy")  # what FORMS can write
TARGET = Vocabulary("-0123456789")
