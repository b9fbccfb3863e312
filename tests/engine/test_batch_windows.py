"""Section 7, batch windows: their edges, other lengths and zones, switches of the clocks, late statements.

Shanghai is UTC+8 all year; New York is 12 hours behind it in summer and 13 in winter.
"""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.settings import BatchWindow
from tests.engine.cases import case, heard
from tests.engine.story import Line, Replayed, event, ms, tick

EMAIL, MOBILE = "email-unsubscribed", "mobile-unsubscribed"


def leave(at: str, channel: str = "email", **more: Any) -> Line:
    return event(at, f"{channel}_unsubscribe", **more)


def come_back(at: str, channel: str = "email", **more: Any) -> Line:
    return event(at, f"{channel}_resubscribe", **more)


def short(changes: list[str]) -> list[str]:
    found = []
    for change in changes:
        at, name, verb, kind = change.rsplit(" ", 3)
        assert name in (EMAIL, MOBILE)
        found.append(f"{at} {'in' if verb == 'entered' else 'out'} {kind}")
    return found


BY_WINDOW, AT_ONCE = "(unsubscribe_window)", "(behavior_event)"

# length, alignment, zone, when it was said, when its window closes
CLOSES = [
    case("the first instant of the day", "P1D", "clock", None, "05-01", "05-02"),
    case("its last instant", "P1D", "clock", None, "05-01 23:59:59.999", "05-02"),
    case("the last day of a month", "P1D", "clock", None, "04-30 12:00", "05-01"),
    case("the last day of the year", "P1D", "clock", None, "12-31 12:00", "2027-01-01"),
    case("the first instant of the hour", "PT1H", "clock", None, "05-01 10:00", "05-01 11:00"),
    case("its last instant, too", "PT1H", "clock", None, "05-01 10:59:59.999", "05-01 11:00"),
    case("the last hour of the day", "PT1H", "clock", None, "05-01 23:00", "05-02"),
    case("one day after it was said", "P1D", "event", None, "05-01 10:20", "05-02 10:20"),
    case("to the millisecond", "PT1H", "event", None, "05-01 10:20:00.001", "05-01 11:20:00.001"),
    case("at midnight a whole day", "P1D", "event", None, "05-01", "05-02"),
    case("a day of New York", "P1D", "clock", "America/New_York", "05-01 11:59", "05-01 12:00"),
    case("its midnight waits for the next", "P1D", "clock", "America/New_York", "05-01 12:00", "05-02 12:00"),
    case("its day of 23 hours", "P1D", "clock", "America/New_York", "03-08 13:00", "03-09 12:00"),
    case("its day of 25 hours", "P1D", "clock", "America/New_York", "11-01 12:00", "11-02 13:00"),
    case(
        "an hour is an hour on such a day", "PT1H", "clock", "America/New_York", "03-08 14:30", "03-08 15:00"
    ),
    case("over the switch forward", "PT1H", "clock", "America/New_York", "03-08 15:30", "03-08 16:00"),
    case(
        "the hour that comes twice, the first time",
        "PT1H",
        "clock",
        "America/New_York",
        "11-01 13:30",
        "11-01 14:00",
    ),
    case("and the second", "PT1H", "clock", "America/New_York", "11-01 14:30", "11-01 15:00"),
    case(
        "a day after it, whatever the clocks do",
        "P1D",
        "event",
        "America/New_York",
        "03-08 13:00",
        "03-09 13:00",
    ),
    case(
        "an hour of a zone with half an hour", "PT1H", "clock", "Asia/Kolkata", "05-01 10:20", "05-01 10:30"
    ),
    case(
        "a day of Lord Howe of 24 and a half hours",
        "P1D",
        "clock",
        "Australia/Lord_Howe",
        "04-04 21:00",
        "04-05 21:30",
    ),
    case(
        "a day of Lord Howe of 23 and a half hours",
        "P1D",
        "clock",
        "Australia/Lord_Howe",
        "10-03 21:30",
        "10-04 21:00",
    ),
    case(
        "six hours over the switch forward", "PT6H", "clock", "America/New_York", "03-08 14:30", "03-08 18:00"
    ),
    case(
        "three hours that end at the switch",
        "PT3H",
        "clock",
        "America/New_York",
        "03-08 14:30",
        "03-08 15:00",
    ),
    case("six hours over the switch back", "PT6H", "clock", "America/New_York", "11-01 12:30", "11-01 19:00"),
    case("seven hours, and midnight", "PT7H", "clock", None, "05-01 22:30", "05-02"),
    case("a day without midnight in Havana", "P1D", "clock", "America/Havana", "03-07 13:00", "03-08 13:00"),
]


@pytest.mark.parametrize(("length", "alignment", "zone", "said_at", "closes"), CLOSES)
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_an_unsubscribe_enters_when_its_window_closes(
    changes_of: Replayed,
    channel: str,
    length: str,
    alignment: str,
    zone: str | None,
    said_at: str,
    closes: str,
) -> None:
    window = BatchWindow(length=length, alignment=alignment, timezone=zone)
    lines = [leave(said_at, channel), tick("2027-06-01")]
    found = changes_of(*lines, **{f"{channel}_window": window})
    assert short(found) == [f"{closes} in {BY_WINDOW}"]


# The reference knows no lengths that are a day in another word.
OTHER_LENGTHS = [
    case("quarters of an hour", "PT15M", "05-01 10:15", "05-01 10:30"),
    case("minutes", "PT1M", "05-01 10:15:59.999", "05-01 10:16"),
    case("six hours from midnight", "PT6H", "05-01 17:59", "05-01 18:00"),
    case("24 hours are a day", "PT24H", "05-01 10:00", "05-02"),
]


@pytest.mark.parametrize(("length", "said_at", "closes"), OTHER_LENGTHS)
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_windows_of_other_lengths_are_counted_from_midnight(
    channel: str, length: str, said_at: str, closes: str
) -> None:
    settings = {f"{channel}_window": BatchWindow(length=length)}
    found = heard(leave(said_at, channel), until="2027-06-01", **settings)
    assert short(found.changes) == [f"{closes} in {BY_WINDOW}"]


@pytest.mark.parametrize(("length", "alignment", "zone", "said_at", "closes"), CLOSES)
def test_told_at_the_close_it_enters_at_once_and_a_millisecond_before_it_waits(
    changes_of: Replayed, length: str, alignment: str, zone: str | None, said_at: str, closes: str
) -> None:
    window = BatchWindow(length=length, alignment=alignment, timezone=zone)
    late = leave(closes, occurred=said_at)
    assert short(changes_of(late, email_window=window)) == [f"{closes} in {AT_ONCE}"]
    waiting = {**late, "timestamp": ms(closes) - 1}
    assert short(changes_of(waiting, tick(closes), email_window=window)) == [f"{closes} in {BY_WINDOW}"]


CASES = [
    case("come back before the window closes", [leave("05-01 10:00"), come_back("05-01 23:59:59.999")], []),
    case(
        "come back at the close: in by the window and out at once",
        [leave("05-01 10:00"), come_back("05-02")],
        [f"05-02 in {BY_WINDOW}", f"05-02 out {AT_ONCE}"],
    ),
    case(
        "come back after it",
        [leave("05-01 10:00"), come_back("05-03 10:00")],
        [f"05-02 in {BY_WINDOW}", f"05-03 10:00 out {AT_ONCE}"],
    ),
    case(
        "come back and leave again on the same day",
        [leave("05-01 10:00"), come_back("05-01 11:00"), leave("05-01 12:00")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "come back and leave again on the next day",
        [leave("05-01 10:00"), come_back("05-02 11:00"), leave("05-02 12:00")],
        [f"05-02 in {BY_WINDOW}", f"05-02 11:00 out {AT_ONCE}", f"05-03 in {BY_WINDOW}"],
    ),
    case(
        "leave again while a member: nothing more",
        [leave("05-01 10:00"), leave("05-03 10:00"), leave("05-04 10:00")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "a coming back told late was earlier than the leaving",
        [leave("05-01 10:00"), come_back("05-01 12:00", occurred="05-01 09:59:59.999")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "a coming back told late was later than the leaving",
        [leave("05-01 10:00"), come_back("05-03", occurred="05-01 10:00:00.001")],
        [f"05-02 in {BY_WINDOW}", f"05-03 out {AT_ONCE}"],
    ),
    case(
        "both at one instant",
        [come_back("05-01 10:00"), leave("05-01 10:00")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "both at one instant, the other way round",
        [leave("05-01 10:00"), come_back("05-01 10:00")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "a leaving told late was earlier than the coming back",
        [come_back("05-02 10:00"), leave("05-03 10:00", occurred="05-01 10:00")],
        [],
    ),
    case(
        "a leaving told late is later than the coming back, its window has closed",
        [come_back("05-01 10:00"), leave("05-03 10:00", occurred="05-01 11:00")],
        [f"05-03 10:00 in {AT_ONCE}"],
    ),
    case(
        "a coming back told late undoes the first of two leavings: the second waits",
        [leave("05-01 10:00"), leave("05-02 10:00"), come_back("05-02 12:00", occurred="05-01 12:00")],
        [f"05-02 in {BY_WINDOW}", f"05-02 12:00 out {AT_ONCE}", f"05-03 in {BY_WINDOW}"],
    ),
    case(
        "a coming back told late undoes the first of two leavings: the second is in",
        [leave("05-01 10:00"), leave("05-02 10:00"), come_back("05-04", occurred="05-01 12:00")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case(
        "a leaving told late closes an earlier window",
        [leave("05-02 10:00"), leave("05-02 12:00", occurred="05-01 12:00")],
        [f"05-02 12:00 in {AT_ONCE}"],
    ),
    case(
        "a leaving told twice",
        [leave("05-01 10:00", id_="e-1"), come_back("05-01 11:00"), leave("05-01 12:00", id_="e-1")],
        [],
    ),
    case(
        "said a little ahead of its record, it counts as of the record",
        [leave("05-01 23:58", occurred="05-02 00:02")],
        [f"05-02 in {BY_WINDOW}"],
    ),
    case("come back without having left", [come_back("05-01 10:00")], []),
    case(
        "the other channel goes its own way",
        [leave("05-01 10:00", "sms"), come_back("05-01 10:30"), leave("05-01 10:40")],
        [f"05-01 11:00 in {BY_WINDOW}", f"05-02 in {BY_WINDOW}"],
    ),
]


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_what_is_said_of_a_channel(changes_of: Replayed, lines: list[Line], expected: list[str]) -> None:
    assert short(changes_of(*lines, tick("05-20"))) == expected


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_ticks_in_between_change_nothing(
    changes_of: Replayed, lines: list[Line], expected: list[str]
) -> None:
    ticked: list[Line] = []
    for line in lines:
        ticked += [{"tick": line["timestamp"]}, line]
    ticked += [tick(f"05-{day:02d} {hour:02d}:30") for day in range(1, 6) for hour in (0, 12, 23)]
    assert short(changes_of(*ticked)) == expected


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_change_names_the_unsubscribe(changes_of: Replayed, channel: str) -> None:
    lines = [leave("05-01 10:00", channel, id_="e-7"), tick("05-09")]
    (change,) = changes_of.raw(*lines)
    assert change["reason"]["kind"] == "unsubscribe_window"
    assert change["reason"].get("ref", "e-7") == "e-7"
    assert (change["sequence"], change["change"], change["segment_version"]) == (1, "entered", 1)
