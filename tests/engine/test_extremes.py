"""Section 5 at the ends of the calendar: what would fall due after it never does, and nothing is raised."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamseg.engine.explain import explain_all
from streamseg.language.calendar import AgeRange, Anniversary
from streamseg.settings import BatchWindow
from streamseg.times import DAY_MS, HOUR_MS, MAX_MS, MIN_MS, format_ms, to_ms
from tests.engine.cases import case, heard
from tests.engine.story import Condition, Line, all_of, segment, tick, update

LONGEST = "PT253402214400S"
DURATIONS = (
    "P418000W",
    LONGEST,
    "P2932896D",
    "P1000000D",
    "P366D",
    "P365D",
    "P364D",
    "P7D",
    "PT1H",
    "PT0.001S",
)
CYCLE_MS = 146_097 * DAY_MS
DAYS = tuple(text for text in DURATIONS if text.endswith(("D", "W")))
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12")
ENDS = (MIN_MS, -DAY_MS, 0, DAY_MS, MAX_MS - 400 * DAY_MS, MAX_MS - 30 * DAY_MS, MAX_MS - DAY_MS, MAX_MS)

durations, whole_days, zones = st.sampled_from(DURATIONS), st.sampled_from(DAYS), st.sampled_from(ZONES)
signed = st.builds(str.__add__, st.sampled_from(("", "-")), durations)
instants = st.builds(
    lambda end, shift: min(max(end + shift, MIN_MS), MAX_MS),
    st.sampled_from(ENDS),
    st.sampled_from((0, 1, -1, DAY_MS, -DAY_MS, 12 * DAY_MS // 24)) | st.integers(-40 * DAY_MS, 40 * DAY_MS),
)
last_instants = st.integers(MAX_MS - 400 * DAY_MS, MAX_MS)
periods = st.builds(
    lambda unit, bounds: {"unit": unit, "from": min(bounds), "to": max(bounds)},
    st.sampled_from(("day", "week", "month", "quarter", "year")),
    st.tuples(*[st.sampled_from((-(2**63), -8_000, -1, 0, 1, 8_000, 10**9, 2**64 - 1))] * 2),
)


def about(operator: str, operand: Any, **more: Any) -> Condition:
    return {"operator": operator, "value": operand, **more}


pairs = st.tuples(signed, signed)
moving_tests = st.one_of(
    st.builds(about, st.sampled_from(("within_last", "not_within_last", "within_next")), durations),
    st.builds(about, st.just("relative_between"), pairs),
    st.builds(about, st.sampled_from(("in_period", "not_in_period")), periods),
)
anniversaries = st.builds(
    about, st.sampled_from(("anniversary", "not_anniversary")), st.builds(dict, in_next=whole_days)
)
windows: st.SearchStrategy[Line] = st.one_of(
    st.builds(dict, last=durations),
    pairs.map(lambda pair: {"from": pair[0], "to": pair[1]}),
    st.builds(dict, period=periods),
)
helds = st.builds(
    lambda bound, length: {bound: length}, st.sampled_from(("at_least", "less_than")), durations
)
conditions = st.one_of(
    moving_tests.map(lambda test: {"attribute": "at", **test}),
    helds.map(lambda held: {"attribute": "n", "operator": "eq", "value": 1, "held": held}),
    windows.map(lambda window: {"event": "buy", "window": window}),
    windows.map(lambda window: {"event": "buy", "window": window, "select": "last"}),
    moving_tests.map(lambda test: {"event": "buy", "where": all_of({"property": "at", **test})}),
    st.builds(
        lambda within, window, step: {
            "sequence": [{"event": "buy"}, step],
            "within": within,
            **({} if window is None else {"window": window}),
        },
        durations,
        st.none() | windows,
        st.sampled_from(({"event": "leave"}, {"absent": {"event": "leave"}})),
    ),
)
yearly_conditions = anniversaries.map(lambda test: {"attribute": "at", **test})
batch_windows = st.builds(
    lambda length, alignment, zone: BatchWindow(length=length, alignment=alignment, timezone=zone),
    durations,
    st.sampled_from(("clock", "event")),
    zones,
)
names = st.sampled_from(("buy", "buy", "leave", "email_unsubscribe", "sms_unsubscribe", "sms_resubscribe"))


def record(topic: str, key: str, at: int, value: Any) -> Line:
    return {"topic": topic, "timestamp": at, "key": key, "value": value}


def said(at: int, occurred: int, number: int, name: str | None, value: Any) -> Line:
    """An update (no name) or an event of c1, with a time among its values."""
    values = {"at": value, "n": 1}
    if name is None:
        body = {"contact_id": "c1", "attributes": values, "updated_at": occurred}
        return record("contact-updates", "c1", at, body)
    body = {"event_id": f"e{number}", "contact_id": "c1", "event": name, "occurred_at": occurred}
    return record("behavior-events", "c1", at, {**body, "properties": values})


def rows(of: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple[int, int, str | None, int]]]:
    """When each record comes and, not later, what it says happened; an event's name; a value."""
    return st.lists(st.tuples(of, of, st.none() | names, instants), min_size=1, max_size=6)


# Of conditions that flip every year only the last year is asked.
@settings(deadline=None)
@given(
    st.one_of(
        st.tuples(st.lists(st.tuples(conditions, zones), min_size=1, max_size=4), rows(instants)),
        st.tuples(st.lists(st.tuples(yearly_conditions, zones), min_size=1, max_size=2), rows(last_instants)),
    ),
    batch_windows,
    batch_windows,
    zones,
)
def test_whatever_is_asked_at_whatever_time_is_answered(
    story: tuple[list[tuple[Condition, str]], list[tuple[int, int, str | None, int]]],
    email: BatchWindow,
    sms: BatchWindow,
    zone: str,
) -> None:
    asked, told = story
    lines = [
        segment(condition, of=f"s{number}", at="1970-01-02", timezone=segment_zone)
        for number, (condition, segment_zone) in enumerate(asked)
    ]
    for number, (one, other, name, value) in enumerate(sorted(told, key=lambda row: max(row[:2]))):
        lines.append(said(max(one, other), min(one, other), number, name, value))
    lines.append({"tick": MAX_MS})
    for end in range(len(asked) + 1, len(lines) + 1):
        found = heard(
            *lines[:end],
            timezone=zone,
            email_window=email,
            sms_window=sms,
            history_retention_ms=4 * MAX_MS,
        )
        run = found.run
        list(run.members())
        plan, now_ms = run.partition.plan, run.partition.clock_ms
        for explanation in explain_all(run.contacts(), plan, now_ms):
            orjson.dumps(explanation)
        for contact, _ in run.contacts():
            contact.copy()
            dues = (
                contact.due_ms,
                *contact.body.due.values(),
                *(membership.next_ms for _, membership in contact.body.members.items()),
            )
            assert all(due_ms is None or now_ms < due_ms <= MAX_MS for due_ms in dues)


AT = MAX_MS - 365 * DAY_MS
NEVER = [
    case("an attribute", {"attribute": "at", "operator": "within_last", "value": "P418000W"}),
    case("one that is yet to be", {"attribute": "at", "operator": "not_within_next", "value": "PT1H"}),
    case(
        "a test that holds",
        {"attribute": "n", "operator": "eq", "value": 1, "held": {"less_than": "P366D"}},
    ),
    case("a window", {"event": "buy", "window": {"last": "P366D"}}),
    case("a window with two ends", {"event": "buy", "window": {"from": f"-{LONGEST}", "to": "PT0S"}}),
    case("a year", {"event": "buy", "window": {"period": {"unit": "year", "from": -1, "to": 0}}}),
]


@pytest.mark.parametrize("condition", NEVER)
def test_what_would_end_after_the_calendar_never_does(condition: Condition) -> None:
    lines = [segment(condition), said(AT, AT, 1, None, AT), said(AT, AT, 2, "buy", AT)]
    found = heard(*lines, {"tick": MAX_MS}, history_retention_ms=4 * MAX_MS)
    assert found.members() == [("s", "c1")]
    (written,) = found.memberships.values()
    assert written is not None
    assert "next_change_at" not in written


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("alignment", ["clock", "event"])
@pytest.mark.parametrize("length", ["P418000W", "P1D"])
def test_a_batch_window_that_closes_after_it_never_does(channel: str, alignment: Any, length: str) -> None:
    window = BatchWindow(length=length, alignment=alignment, timezone="UTC")
    at = MAX_MS - 1 if alignment == "event" else MAX_MS
    leaving = said(at, at, 1, f"{channel}_unsubscribe", None)
    by_channel: dict[str, Any] = {f"{channel}_window": window}
    found = heard(leaving, {"tick": MAX_MS}, **by_channel)
    assert (found.changes, len(found.suppressions)) == ([], 1)


@pytest.mark.parametrize(
    ("day", "days", "now", "expected"),
    [
        case("it is today", "2000-12-30", 7, "9999-12-30T12:00Z", (True, "9999-12-31T00:00:00.000Z")),
        case("it is yet to come", "2000-12-30", 7, "9999-12-01T12:00Z", (False, "9999-12-24T00:00:00.000Z")),
        case("it was, and comes no more", "2000-12-02", 7, "9999-12-30T12:00Z", (False, None)),
        case("it would be in the year 10000", "2000-01-02", 7, "9999-12-30T12:00Z", (True, None)),
        case("every day is near enough", "2000-01-02", 2_926_000, "9999-12-30T12:00Z", (True, None)),
        case("nearly every day", "2000-06-02", 365, "9993-06-02T12:00Z", (True, "9995-06-03T00:00:00.000Z")),
        case("to the end of the calendar", "2000-12-31", 365, "9998-12-30T12:00Z", (True, None)),
    ],
)
def test_what_an_anniversary_would_change_after_the_calendar_never_comes(
    day: str, days: int, now: str, expected: tuple[bool, str | None]
) -> None:
    zone = ZoneInfo("UTC")
    at_ms, now_ms = (to_ms(datetime.fromisoformat(text).replace(tzinfo=zone)) for text in (day, now))
    holds, next_ms = Anniversary(days, zone).at(at_ms, now_ms)
    assert (holds, None if next_ms is None else format_ms(next_ms)) == expected


near_an_end = st.sampled_from((CYCLE_MS, -CYCLE_MS)).flatmap(
    lambda cycle_ms: st.tuples(
        st.just(cycle_ms),
        *[
            st.sampled_from(
                (0, 1, HOUR_MS, 3 * HOUR_MS, 12 * HOUR_MS, 16 * HOUR_MS, DAY_MS, 366 * DAY_MS)
            ).map(lambda within_ms: MIN_MS + within_ms if cycle_ms > 0 else MAX_MS - within_ms)
        ]
        * 2,
    )
)


@given(
    near_an_end,
    zones,
    st.sampled_from((1, 2, 7, 31, 364)),
    st.sampled_from(((None, 0), (0, None), (1, 1), (0, 5))),
)
def test_the_days_at_the_ends_are_like_those_of_400_years_before_or_after(
    instants: tuple[int, int, int], zone: str, days: int, ages: tuple[int | None, int | None]
) -> None:
    cycle_ms, at_ms, now_ms = instants
    for test in (Anniversary(days, ZoneInfo(zone)), AgeRange(*ages, ZoneInfo(zone))):
        holds, next_ms = test.at(at_ms + cycle_ms, now_ms + cycle_ms)
        expected = None if next_ms is None or next_ms - cycle_ms > MAX_MS else next_ms - cycle_ms
        assert test.at(at_ms, now_ms) == (holds, expected)


def test_an_age_counts_from_the_local_day_though_that_lies_in_the_year_0() -> None:
    # In New York the first instant of the year 1 is on the last day of the year 0.
    lines = [
        segment({"attribute": "created_at", "operator": "age_between", "value": [2026, 2026]}),
        update("12-31 14:00", {"created_at": "0001-01-01T00:00:00Z"}),
        tick("2027-12-31"),
        tick("2028-01-01"),
    ]
    assert heard(*lines, timezone="America/New_York").changes == [
        "12-31 14:00 s entered (contact_update)",
        "2027-12-31 13:00 s exited (time)",
    ]


def test_a_deadline_after_the_calendar_is_left_out_of_an_explanation() -> None:
    sequence = {"sequence": [{"event": "buy"}, {"absent": {"event": "leave"}}], "within": "P2D"}
    for at, told in ((MAX_MS - DAY_MS, False), (MAX_MS - 2 * DAY_MS, True)):
        run = heard(segment(sequence), said(at, at, 1, "buy", None), history_retention_ms=4 * MAX_MS).run
        plan, now_ms = run.partition.plan, run.partition.clock_ms
        (found,) = (one for one in explain_all(run.contacts(), plan, now_ms) if one["segment_id"] == "s")
        (condition,) = found["parts"][0]["clusters"][0]["conditions"]
        assert ("deadline" in condition["reached"]) is told
