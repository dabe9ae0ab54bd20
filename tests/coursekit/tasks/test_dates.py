"""Dates: what is written is a date in a stated form, and encoding loses nothing."""

import datetime

import numpy as np
import pytest

from coursekit.tasks.dates import (
    FORMS,
    SOURCE,
    TARGET,
    WEEKDAYS,
    all_days,
    date_pairs,
    human_date,
    ordinal_suffix,
    split_days,
)

DAY = datetime.date(2009, 5, 3)


WRITTEN = (
    "3 May 2009",
    "3 May 2009",
    "3rd of May 2009",
    "May 3, 2009",
    "May 3rd, 2009",
    "May 3, 2009",
    "Sunday 3 May 2009",
    "Sunday, May 3rd, 2009",
    "2009 May 3",
)


def test_each_form_writes_the_date_as_a_person_would():
    assert tuple(human_date(DAY, form) for form in FORMS) == WRITTEN


def test_a_month_is_cut_to_three_letters_where_the_form_says_so():
    day = datetime.date(2009, 9, 3)
    assert [human_date(day, FORMS[i]) for i in (1, 5)] == ["3 Sep 2009", "Sep 3, 2009"]


def test_ordinals_are_those_of_english():
    expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]
    assert [day[:-2] + ordinal_suffix(int(day[:-2])) for day in expected] == expected


def test_the_weekday_agrees_with_the_standard_library():
    for day in all_days()[:400].tolist():
        assert human_date(day, FORMS[6]).split()[0] == WEEKDAYS[day.isoweekday() - 1]


def test_iso_dates_are_those_of_the_standard_library_and_the_texts_name_them():
    texts, isos = date_pairs(np.random.default_rng(0), all_days(), 300)
    for text, iso in zip(texts, isos, strict=True):
        day = datetime.date.fromisoformat(iso)
        assert text.lower() in {human_date(day, form).lower() for form in FORMS}


def test_no_text_stands_for_two_days():
    texts = {}
    for day in all_days()[::37].tolist():
        for form in FORMS:
            assert texts.setdefault(human_date(day, form), day) == day


def test_the_same_seed_draws_the_same_pairs():
    first, second = (date_pairs(np.random.default_rng(3), all_days(), 20) for _ in range(2))
    assert first == second


def test_the_split_leaks_no_day_and_loses_none():
    seen, unseen = split_days(np.random.default_rng(0), unseen=0.2)
    assert len(np.intersect1d(seen, unseen)) == 0
    assert np.array_equal(np.sort(np.concatenate([seen, unseen])), all_days())
    assert len(unseen) == round(0.2 * len(all_days()))


def test_decoding_what_was_encoded_gives_the_text_back():
    texts, isos = date_pairs(np.random.default_rng(1), all_days(), 100)
    assert SOURCE.decode(SOURCE.encode(texts)[0]) == texts
    assert TARGET.decode(TARGET.encode(isos)[0]) == isos


def test_the_source_vocabulary_holds_what_the_forms_can_write_and_no_more():
    written = {human_date(day, form) for day in all_days()[:800].tolist() for form in FORMS}
    assert set(SOURCE.characters) == set("".join(written)) | set("".join(written).lower())


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: human_date(DAY, "{day}/{month}"), "expected one of .* got '{day}/{month}'"),
        (lambda: date_pairs(np.random.default_rng(0), all_days(), 0), "n = 0"),
        (lambda: date_pairs(np.random.default_rng(0), all_days()[:0], 2), "got 0 days"),
        (lambda: split_days(np.random.default_rng(0), unseen=1), "between 0 and 1, got 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
