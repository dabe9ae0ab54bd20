"""Times as people write and read them: a deadline with its time zone, how long three hours are in words."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EXPECTED = "expected a time such as '2026-12-01 23:59' or '2026-12-01 23:59 Europe/Berlin'"
WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[ T]+(\d\d:\d\d(?::\d\d)?)\s*(\S+)?")
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


@dataclass(frozen=True)
class Moment:
    """A time that was understood: `utc`, as nbgrader has it, the zone to show it in, and what was odd about it."""

    utc: datetime
    zone: object
    notes: tuple = ()

    def __str__(self):
        local = self.utc.replace(tzinfo=UTC).astimezone(self.zone)
        here = f"{local:%A %Y-%m-%d %H:%M:%S}".removesuffix(":00") + f" {self.zone}"
        return here if str(self.zone) == "UTC" else f"{here}, which is {self.utc:%Y-%m-%d %H:%M} UTC"


def understood(text, course):
    """The Moment that somebody wrote: year-month-day hour:minute, and a zone if it is not the course's own.

    course  the name of the course's time zone

    Raises ValueError, in one sentence, for anything else: what can be read in two ways is not guessed.
    """
    written = WRITTEN.fullmatch(text.strip())
    if not written:
        raise ValueError(f"time: {EXPECTED}, got {text!r}")
    day, hour, name = written.groups()
    try:
        local = datetime.fromisoformat(f"{day} {hour}")
    except ValueError as error:
        raise ValueError(f"time: {EXPECTED}, got {text!r}: {error}") from error
    notes = [] if name else [f"No zone was given: it is taken in the course's own, {course} (c.TwoRooms.timezone)."]
    place = zone(name or course)
    try:
        return Moment(*_utc(local, place, notes))
    except OverflowError as error:  # at the ends of the calendar
        raise ValueError(f"time: {EXPECTED}, got {text!r}") from error


def _utc(local, place, notes):
    """A local time in UTC, with a note where the clocks were changed in that hour. The later one of two counts."""
    first, second = (local.replace(tzinfo=place, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1))
    if first < second:
        notes = [*notes, f"The clocks go back then, and {local:%H:%M} comes twice: the second one is meant."]
    if first > second:
        notes = [*notes, f"The clocks go forward then, and there is no {local:%H:%M}: it is meant as if they did not."]
    return max(first, second), place, tuple(notes)


def zone(name):
    """A time zone: "Europe/Berlin", "UTC", "Z", "+01:00". Raises ValueError if there is none of that name."""
    try:
        if offset := OFFSET.fullmatch(name):
            sign, hours, minutes = offset.groups()
            return timezone(int(f"{sign}1") * timedelta(hours=int(hours), minutes=int(minutes)))
        return ZoneInfo("UTC" if name == "Z" else name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone: expected one such as 'Europe/Berlin' or '+01:00', got {name!r}") from error


def lasting(seconds):
    """A time span in words, to two units: "2 days 3 hours"."""
    counts, left = [], max(1, round(seconds))
    for unit, length in UNITS.items():
        count, left = divmod(left, length)
        counts += [(count, unit)] if count or counts else []
    return " ".join(f"{count} {unit}{'s' * (count != 1)}" for count, unit in counts[:2] if count)
