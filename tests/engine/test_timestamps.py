"""Section 2, timestamps: what is one, the ends of the calendar, midnights, and a date alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.operands import CalendarUnit
from schemas.scalars import BLANKS
from streamseg.replay import replay
from streamseg.settings import Settings
from streamseg.times import MAX_MS, MIN_MS, format_ms, next_aligned_ms, timestamp_or_none, unit_boundary_ms
from tests.engine.cases import EVERYBODY, case, op, passing
from tests.engine.story import Line, Replayed, all_of, event, segment, tick, update
from tests.oracle.instants import timestamp_ms as oracle_timestamp_ms

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
AT = 1_777_593_600_000  # 2026-05-01T00:00:00Z
NEAR_RELATIVES = [
    "2026-05-01T00:00:00Z",
    "2026-05-01 00:00:00Z",
    "2026-05-01t00:00:00z",
    "2026-05-01T00:00Z",
    "2026-05-01 00:00z",
    "2026-05-01T08:00:00+0800",
    "2026-05-01T08:00:00+08",
    "2026-05-01T08:00+08",
    "2026-05-01T08:00:00 +08:00",
    "2026-05-01T00:00:00\u3000Z",
    "2026-04-30T00:01-23:59",
    "2026-05-01T23:59+23:59",
    "2026-05-01T00:00:00-00:00",
    "2026-05-01T00:00:00.0Z",
    "2026-05-01T00:00:00.00000000000000000000000001Z",
    "2026-05-01T00:00:00.000999Z",
    " \t2026-05-01T08:00:00\n\u2029",
    "2026-05-01T08:00",
    "2026-05-01 ",
    AT,
]
NONE = [
    "2026-05-01T08:00:60Z",
    "2026-05-01T24:00:00Z",
    "2026-05-01T08",
    "2026-05-01T08Z",
    "2026-05-01T08:00:00,5Z",
    "2026-05-01T08:00:00.Z",
    "2026-05-01T08:00.5Z",
    "2026-05-01Z",
    "2026-05-01+08:00",
    "2026-05-01T08:00:00+24:00",
    "2026-05-01T08:00:00+08:60",
    "2026-05-01T08:00:00+8",
    "2026-05-01T08:00:00+080",
    "2026-05-01T08:00:00+08:",
    "2026-05-01T08:00:00  +08:00",
    "2026-05-01  08:00:00",
    "2026-05-01\u300008:00:00",
    "2026-05-01_08:00:00",
    "2026-05-01T8:00:00",
    "2026-05-01T080000",
    "20260501",
    "2026-5-1",
    "2026/05/01",
    "01.05.2026",
    "2026-02-30",
    "2026-13-01",
    "0000-01-01",
    "10000-01-01",
    "-2026-05-01",
    "+2026-05-01",
    "\x1c2026-05-01",
    "2026-05-01T08:00:00\x1f+08:00",
    "٢٠٢٦-05-01",
    "2026-W18-5",
    "1777593600000",
    "",
    " ",
    1.5,
    1777593600000.0,
    True,
    None,
    ["2026-05-01"],
    MIN_MS - 1,
    MAX_MS + 1,
    10**30,
]


@pytest.mark.parametrize("value", NEAR_RELATIVES, ids=repr)
def test_rfc_3339_and_its_near_relatives_are_times(value: Any) -> None:
    expected = AT - 8 * 3_600_000 if value == "2026-05-01 " else AT
    assert timestamp_or_none(value, SHANGHAI) == expected
    assert oracle_timestamp_ms(value, SHANGHAI) == expected


@pytest.mark.parametrize("value", NONE, ids=repr)
def test_others_are_none(value: Any) -> None:
    assert timestamp_or_none(value, SHANGHAI) is None
    assert oracle_timestamp_ms(value, SHANGHAI) is None


@pytest.mark.parametrize("blank", BLANKS, ids=lambda one: f"U+{ord(one):04X}")
def test_each_blank_is_cut(blank: str) -> None:
    assert timestamp_or_none(f"{blank}2026-05-01T00:00:00{blank}Z{blank}{blank}", SHANGHAI) == AT


def test_fractions_are_cut_not_rounded() -> None:
    assert timestamp_or_none("2026-05-01T00:00:00.1239999Z", SHANGHAI) == AT + 123
    assert timestamp_or_none("1969-12-31T23:59:59.9999Z", SHANGHAI) == -1


# The ends of the calendar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9999-12-31T23:59:59.999Z", MAX_MS),
        ("9999-12-31T23:59:59Z", MAX_MS - 999),
        ("9999-12-31T23:59:59+08:00", MAX_MS - 999 - 8 * 3_600_000),
        ("9999-12-31T23:59:59-00:01", None),
        ("0001-01-01T00:00:00Z", MIN_MS),
        ("0001-01-01T00:00:00-01:00", MIN_MS + 3_600_000),
        ("0001-01-01T00:00:00+00:01", None),
        ("0000-12-31T23:59:59-08:00", MIN_MS + 8 * 3_600_000 - 1_000),
        ("0000-12-31T16:00:00-08:00", MIN_MS),
        ("0000-12-31T15:59:59.999-08:00", None),
        ("0000-12-31T23:59:59Z", None),
        ("0000-12-31T23:59:59", None),
        ("0000-02-30T00:00:00-08:00", None),
    ],
)
def test_every_instant_of_the_calendar_is_a_time_and_no_other(text: str, expected: int | None) -> None:
    assert timestamp_or_none(text, SHANGHAI) == expected
    assert oracle_timestamp_ms(text, SHANGHAI) == expected


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York", "Pacific/Kiritimati"])
def test_a_date_alone_and_a_naive_time_are_always_times(zone: str) -> None:
    there = ZoneInfo(zone)
    for text in (
        "0001-01-01",
        "0001-01-01T00:00",
        "0001-01-01T23:59",
        "9999-12-31",
        "9999-12-31T23:59:59.999",
    ):
        at = timestamp_or_none(text, there)
        assert at is not None
        assert MIN_MS <= at <= MAX_MS
        assert at == oracle_timestamp_ms(text, there)
    assert timestamp_or_none("0001-01-01", SHANGHAI) == MIN_MS
    assert timestamp_or_none("9999-12-31T23:59:59.999", NEW_YORK) == MAX_MS


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize(
    "stored", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01", "9999-12-31"]
)
def test_no_test_of_times_fails_at_an_end_of_the_calendar(zone: str, stored: str) -> None:
    tests = [
        op("before", "2026-01-01"),
        op("after", "2026-01-01"),
        op("between", ["0001-01-01", "9999-12-31"]),
        op("within_last", "P7D"),
        op("within_next", "P7D"),
        op("relative_between", ["-P7D", "P7D"]),
        op("calendar", {"unit": "month", "values": [1]}),
        op("anniversary", {"in_next": "P9D"}),
        *(
            op("in_period", {"unit": unit, "from": -1, "to": 1})
            for unit in ("day", "week", "month", "quarter", "year")
        ),
    ]
    lines = [
        segment({"attribute": "v", **test}, of=f"s{number}", timezone=zone)
        for number, test in enumerate(tests)
    ]
    lines += [update("05-01", {"v": stored, "created_at": stored}), tick("2027-05-01")]
    entered = {change.segment_id for change in replay(lines, settings=Settings())}
    assert ("s0" in entered) is stored.startswith("0")
    assert ("s1" in entered) is stored.startswith("9")


def test_the_local_day_is_right_where_the_local_year_is_10000() -> None:
    # in Shanghai it is the 1st of January, 07:59
    last = "9999-12-31T23:59:59.999Z"
    tests = {
        "month": op("calendar", {"unit": "month", "values": [1]}),
        "hour": op("calendar", {"unit": "hour", "values": [7]}),
        "weekday": op("calendar", {"unit": "weekday", "values": [6]}),
        "new year": op("anniversary", {"in_next": "P1D"}),
    }
    lines = [segment({"attribute": "v", **test}, of=name) for name, test in tests.items()]
    lines += [update("2027-01-01", {"v": last})]
    assert {change.segment_id for change in replay(lines, settings=Settings())} == tests.keys()


def test_calendar_units_have_their_ends_where_they_lie_within_the_calendar() -> None:
    noon = MAX_MS + 1 - 12 * 3_600_000  # 20:00 of 31 December 9999 in Shanghai
    new_year = MAX_MS + 1 - 8 * 3_600_000
    assert unit_boundary_ms(noon, "day", 1, SHANGHAI) == new_year
    assert unit_boundary_ms(noon, "year", 1, SHANGHAI) == new_year
    assert unit_boundary_ms(new_year, "day", 0, SHANGHAI) == new_year
    assert unit_boundary_ms(noon, "day", 1, NEW_YORK) == MAX_MS + 1
    assert unit_boundary_ms(MIN_MS, "year", 0, NEW_YORK) == MIN_MS
    assert next_aligned_ms(noon, 86_400_000, SHANGHAI) == new_year
    assert next_aligned_ms(noon, 3_600_000, SHANGHAI) == noon + 3_600_000
    assert next_aligned_ms(new_year, 86_400_000, SHANGHAI) == MAX_MS + 1
    first = next_aligned_ms(MIN_MS, 86_400_000, NEW_YORK)
    assert format_ms(first) == "0001-01-01T04:56:02.000Z"  # local mean time


def test_units_far_from_the_present_have_the_offset_of_their_own_time() -> None:
    before = MAX_MS - 30 * 365 * 86_400_000  # in January 9970
    new_year = MAX_MS + 1 - 8 * 3_600_000  # of the year 10000
    assert unit_boundary_ms(before, "year", 30, SHANGHAI) == new_year
    assert unit_boundary_ms(before, "year", 31, SHANGHAI) == MAX_MS + 1
    assert unit_boundary_ms(new_year, "year", -7_974, SHANGHAI) == oracle_timestamp_ms("2026-01-01", SHANGHAI)
    # At the first instant of the calendar it is the year 0 there.
    west = ZoneInfo("Etc/GMT+12")
    assert unit_boundary_ms(MIN_MS, "year", 2_026, west) == oracle_timestamp_ms("2026-01-01", west)
    assert unit_boundary_ms(MIN_MS, "month", 12 * 9_998 + 1, west) == oracle_timestamp_ms("9999-01-01", west)


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
def test_units_beyond_any_calendar_are_before_or_after_all_instants(unit: CalendarUnit) -> None:
    for at_ms in (MIN_MS, 0, MAX_MS):
        assert unit_boundary_ms(at_ms, unit, -(2**63), NEW_YORK) == MIN_MS
        assert unit_boundary_ms(at_ms, unit, 2**64, NEW_YORK) == MAX_MS + 1


def test_a_window_that_is_no_whole_number_of_days_ends_at_midnight_however_long_it_is() -> None:
    noon = AT + 4 * 3_600_000  # 12:00
    for length_ms in (36 * 3_600_000, 253_402_214_399_999):
        assert next_aligned_ms(noon, length_ms, SHANGHAI) == noon + 12 * 3_600_000


def test_an_event_at_the_last_instant_counts_and_goes_on_counting(changes_of: Replayed) -> None:
    last = "9999-12-31T23:59:59.999Z"
    record = {
        "topic": "behavior-events",
        "timestamp": last,
        "key": "c1",
        "value": {"event_id": "e", "contact_id": "c1", "event": "buy", "occurred_at": last},
    }
    lines = [
        segment({"event": "buy"}, of="ever"),
        segment({"event": "buy", "window": {"between": ["2026-01-01", None]}}, of="since"),
        segment({"event": "buy", "select": "last"}, of="last"),
        record,
    ]
    entered = [change["segment_id"] for change in changes_of.raw(*lines)]
    assert entered == ["ever", "last", "since"]


# Seconds


@pytest.mark.parametrize("value", [99_999_999_999, 1_777_593_600, 0, -1, MIN_MS])
def test_an_integer_that_means_seconds_is_refused_as_the_time_of_a_record(
    changes_of: Replayed, value: int
) -> None:
    bad_event, bad_update = event("05-01", "buy"), update("05-01")
    bad_event["value"]["occurred_at"] = value
    bad_update["value"]["updated_at"] = value
    assert changes_of(segment(EVERYBODY), bad_event, bad_update, refused=[2, 3]) == []


def test_a_hundred_thousand_million_is_no_seconds(changes_of: Replayed) -> None:
    good_event, good_update = event("05-01", "buy"), update("05-02", of="c2")
    good_event["value"]["occurred_at"] = good_update["value"]["updated_at"] = 100_000_000_000
    assert len(changes_of(segment(EVERYBODY), good_event, good_update)) == 2


def test_elsewhere_it_is_a_day_about_1970(changes_of: Replayed) -> None:
    test = op("between", ["1970-01-01T00:00:00Z", "1970-02-01T00:00:00Z"])
    assert passing(changes_of, test, [1_777_593_600, 0, -1]) == [1_777_593_600, 0]


# Midnights


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        case("that is skipped", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
        case(
            "that is skipped with what is before it",
            "America/Toronto",
            "1919-03-31",
            "1919-03-31T04:30:00.000Z",
        ),
        case("that comes twice", "America/Havana", "2025-11-02", "2025-11-02T04:00:00.000Z"),
        case(
            "after which clocks go back before it",
            "America/St_Johns",
            "2010-11-07",
            "2010-11-07T02:30:00.000Z",
        ),
        case("of a day that is skipped", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
    ],
)
def test_a_midnight_is_the_first_instant_of_the_day(zone: str, day: str, first: str) -> None:
    there = ZoneInfo(zone)
    for text in (day, f"{day}T00:00", f"{day} 00:00:00.0009"):
        at = timestamp_or_none(text, there)
        assert at is not None
        assert format_ms(at) == first
        assert oracle_timestamp_ms(text, there) == at
        before = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at - 1)
        assert before.astimezone(there).date().isoformat() < day


# A date alone


def test_a_date_alone_is_that_day_in_the_zone_of_the_definition(changes_of: Replayed) -> None:
    born = {"attribute": "birthday", **op("anniversary", {"in_next": "P1D"})}
    in_may = {"attribute": "birthday", **op("calendar", {"unit": "month", "values": [5]})}
    lines = [
        segment(born, of="there", timezone="America/New_York"),
        segment(born, of="here"),
        segment(in_may, of="may", timezone="America/New_York"),
        update("05-01", {"birthday": "1990-05-10"}, of="a"),
        update("05-01", {"birthday": "1990-06-01"}, of="b"),
        update("05-01", {"birthday": "1990-05-01"}, of="c"),
        tick("05-12"),
    ]
    assert changes_of(*lines) == [
        "05-01 a may entered (contact_update)",
        "05-01 c here entered (contact_update)",
        "05-01 c may entered (contact_update)",
        "05-01 12:00 c there entered (time)",
        "05-02 c here exited (time)",
        "05-02 12:00 c there exited (time)",
        "05-10 a here entered (time)",
        "05-10 12:00 a there entered (time)",
        "05-11 a here exited (time)",
        "05-11 12:00 a there exited (time)",
    ]


@pytest.mark.parametrize("name", ["member_day", "v"])
def test_equal_tests_in_different_zones_are_different_conditions(changes_of: Replayed, name: str) -> None:
    test = {"attribute": name, **op("before", "2026-05-01T00:00:00Z")}
    lines = [
        segment(test, of="shanghai"),
        segment(test, of="new-york", timezone="America/New_York"),
        segment(test, of="utc", timezone="UTC"),
        # 30 April, 16:00 UTC in Shanghai; 04:00 UTC in New York
        update("05-02", {name: "2026-05-01"}),
        update("05-03", {name: "2026-05-01T00:00:00"}),
        update("05-04", {name: "2026-04-30"}),
    ]
    assert changes_of(*lines) == [
        "05-02 shanghai entered (contact_update)",
        "05-03 new-york entered (contact_update)",
        "05-03 utc entered (contact_update)",
    ]


def test_a_date_alone_is_a_day_in_properties_old_and_new_values_and_what_is_held(
    changes_of: Replayed,
) -> None:
    before = op("before", "2026-05-01T00:00:00Z")
    changed = all_of({"property": "attribute", **op("eq", "v")}, {"property": "new", **before})
    conditions: dict[str, Line] = {
        "property": {"event": "buy", "where": all_of({"property": "v", **before})},
        "last": {"event": "buy", "select": "last", "has": all_of({"property": "v", **before})},
        "sequence": {
            "sequence": [{"event": "buy", "where": all_of({"property": "v", **before})}, {"event": "pay"}],
            "within": "P1D",
        },
        "changed": {"event": "attribute_changed", "where": changed},
        "held": {"attribute": "v", **before, "held": {"at_least": "PT1H"}},
        "moving": {"event": "buy", "where": all_of({"property": "v", **op("within_last", "P1D")})},
    }
    lines = [segment(one, of=name) for name, one in conditions.items()]
    lines += [segment(one, of=f"{name}-ny", timezone="America/New_York") for name, one in conditions.items()]
    lines += [
        update("05-01 01:00", {"v": "2026-05-01"}),
        event("05-01 01:00", "buy", {"v": "2026-05-01"}),
        event("05-01 01:01", "pay"),
        tick("05-03"),
    ]
    assert changes_of(*lines) == [
        "05-01 01:00 changed entered (contact_update)",
        "05-01 01:00 last entered (behavior_event)",
        "05-01 01:00 moving entered (behavior_event)",
        "05-01 01:00 property entered (behavior_event)",
        "05-01 01:01 sequence entered (behavior_event)",
        "05-01 02:00 held entered (time)",
        "05-01 12:00 moving-ny entered (time)",
        "05-02 moving exited (time)",
        "05-02 12:00 moving-ny exited (time)",
    ]


def test_the_time_of_a_record_that_is_a_date_alone_is_in_the_configured_zone(changes_of: Replayed) -> None:
    since = {"event": "buy", "window": {"between": ["2026-05-01T00:00:00Z", None]}}
    bought = event("05-02", "buy")
    bought["value"]["occurred_at"] = "2026-05-01"
    lines = [segment(since, timezone="UTC"), bought]
    assert changes_of(*lines) == []
