"""Section 5: due order and ties, `effective_at`, clamping at exactly five minutes, repeats, retention."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, Replayed, event, ms, segment, tick, update

BUY: dict[str, Any] = {"event": "buy"}
RECENT = BUY | {"window": {"last": "P1D"}}
TWICE = BUY | {"count": {"operator": "ge", "value": 2}}


def of_time(changes: list[str]) -> list[str]:
    return [change.removesuffix(" (time)") for change in changes if change.endswith("(time)")]


def test_due_times_happen_in_order_whatever_segment_or_contact(changes_of: Replayed) -> None:
    lines = [
        segment(BUY | {"window": {"last": "P3D"}}, of="a"),
        segment(BUY | {"window": {"last": "P1D"}}, of="b"),
        segment(BUY | {"window": {"from": "-P9D", "to": "-P2D"}}, of="c"),
        event("05-01 10:00", "buy", of="c2"),
        event("05-01 12:00", "buy", of="c1"),
        tick("05-20"),
    ]
    assert of_time(changes_of(*lines)) == [
        "05-02 10:00 c2 b exited",
        "05-02 12:00 b exited",
        "05-03 10:00 c2 c entered",
        "05-03 12:00 c entered",
        "05-04 10:00 c2 a exited",
        "05-04 12:00 a exited",
        "05-10 10:00 c2 c exited",
        "05-10 12:00 c exited",
    ]


@pytest.mark.parametrize("steps", [[], ["05-02"], ["05-01 23:59", "05-02 00:01"], ["05-01 12:00", "05-02"]])
def test_no_tick_shows_in_when_a_change_took_effect(changes_of: Replayed, steps: list[str]) -> None:
    lines = [segment(RECENT), event("05-01", "buy"), *map(tick, steps), tick("05-09")]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-02 s exited (time)"]


def test_a_record_of_another_contact_moves_the_clock_for_all(changes_of: Replayed) -> None:
    lines = [segment(RECENT), event("05-01", "buy"), event("05-03", "open", of="c2")]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)", "05-02 s exited (time)"]


def test_a_definition_moves_the_clock_too(changes_of: Replayed) -> None:
    lines = [segment(RECENT), event("05-01", "buy"), segment(EVERYBODY, of="t", at="05-03")]
    assert changes_of(*lines)[1:] == ["05-02 s exited (time)", "05-03 t entered (definition)"]


def test_at_one_instant_what_is_due_comes_before_the_record(changes_of: Replayed) -> None:
    none = BUY | {"window": {"last": "P1D"}, "count": {"operator": "eq", "value": 0}}
    lines = [segment(none), event("05-01", "buy"), event("05-02", "buy"), tick("05-09")]
    assert changes_of(*lines) == [
        "05-02 s entered (time)",
        "05-02 s exited (behavior_event)",
        "05-03 s entered (time)",
    ]


def test_changes_of_one_record_are_told_by_segment(changes_of: Replayed) -> None:
    names = ["b", "a", "C", "ä", "1"]
    lines = [*(segment(BUY, of=name) for name in names), event("05-01", "buy")]
    found = [change.split(" ")[1] for change in changes_of(*lines)]
    assert found == ["1", "C", "a", "b", "ä"]


def test_a_tick_of_the_past_leaves_the_clock_where_it_is(changes_of: Replayed) -> None:
    lines = [
        segment(RECENT),
        event("05-05", "buy"),
        tick("05-01"),
        event("05-01", "open", of="c2"),
        tick("05-06"),
    ]
    assert changes_of(*lines) == ["05-05 s entered (behavior_event)", "05-06 s exited (time)"]


def test_a_record_older_than_the_clock_takes_effect_at_the_clock(changes_of: Replayed) -> None:
    lines = [
        segment({"attribute": "a", "operator": "eq", "value": 1}),
        tick("05-10"),
        update("05-05", {"a": 1}),
        update("05-04", {"a": 2}),
        update("05-06", {"a": 2}),
    ]
    assert changes_of(*lines) == ["05-10 s entered (contact_update)", "05-10 s exited (contact_update)"]


# occurred, when it counts as having occurred; all read at 05-01 10:00
CLAMPED = [
    case("in the past", "05-01 09:59:59.999", "05-01 09:59:59.999"),
    case("at the record's time", "05-01 10:00", "05-01 10:00"),
    case("a millisecond ahead", "05-01 10:00:00.001", "05-01 10:00"),
    case("exactly five minutes ahead", "05-01 10:05", "05-01 10:00"),
    case("a millisecond more", "05-01 10:05:00.001", None),
]


@pytest.mark.parametrize(("occurred", "counts_at"), CLAMPED)
def test_an_event_ahead_of_its_record_is_clamped_everywhere(occurred: str, counts_at: str | None) -> None:
    bounds = [ms("05-01 10:00"), None]
    lines = [
        segment(RECENT),
        segment(BUY | {"window": {"between": bounds}}, of="not-before"),
        event("05-01 10:00", "buy", occurred=occurred, id_="e-1"),
    ]
    found = heard(*lines, until="05-09")
    if counts_at is None:
        assert found.refusals == [("occurred_in_future", "occurred_at")]
        assert found.changes == []
        return
    assert found.changes[-1] == f"05-02 {counts_at.removeprefix('05-01 ')} s exited (time)"
    ((_, (kept,)),) = found.run.contacts()
    assert kept.occurred_ms == ms(counts_at)


@pytest.mark.parametrize(("stated", "counts_at"), CLAMPED)
def test_an_update_ahead_of_its_record_is_clamped_everywhere(stated: str, counts_at: str | None) -> None:
    held = {"attribute": "a", "operator": "eq", "value": 1, "held": {"at_least": "P1D"}}
    changed = {"event": "attribute_changed", "window": {"last": "P1D"}}
    lines = [
        segment(held, of="held"),
        segment(changed, of="changed"),
        update("05-01 10:00", {"a": 1}, stated=stated),
    ]
    found = heard(*lines, until="05-09")
    if counts_at is None:
        assert found.refusals == [("occurred_in_future", "updated_at")]
        assert found.changes == []
        return
    later = f"05-02 {counts_at.removeprefix('05-01 ')}"
    assert found.changes[1:] == [f"{later} changed exited (time)", f"{later} held entered (time)"]


def test_how_far_ahead_is_configured(changes_of: Replayed) -> None:
    lines = [segment(BUY), event("05-01 10:00", "buy", occurred="05-01 10:00:00.001")]
    assert changes_of(*lines, future_tolerance_ms=0, refused=[2]) == []
    lines = [segment(BUY), event("05-01 10:00", "buy", occurred="05-01 11:00")]
    assert len(changes_of(*lines, future_tolerance_ms=3_600_000)) == 1


REPEATS = [
    case("the same event twice", [event("05-01", "buy", id_="a"), event("05-01", "buy", id_="a")], False),
    case(
        "told again later",
        [event("05-01", "buy", id_="a"), event("05-09", "buy", id_="a", occurred="05-01")],
        False,
    ),
    case(
        "the same id at another time", [event("05-01", "buy", id_="a"), event("05-03", "buy", id_="a")], False
    ),
    case(
        "the same id under another name",
        [event("05-01", "open", id_="a"), event("05-03", "buy", id_="a"), event("05-04", "buy", id_="b")],
        False,
    ),
    case("another id", [event("05-01", "buy", id_="a"), event("05-01", "buy", id_="b")], True),
    case("ids that differ in case", [event("05-01", "buy", id_="a"), event("05-01", "buy", id_="A")], True),
    case(
        "an id like a derived one's",
        [update("05-01", {"a": 1}), event("05-01", "buy", id_="1"), event("05-01", "buy", id_="2")],
        True,
    ),
    case(
        "a refused one may come again",
        [
            event("05-01", "buy", id_="a", occurred="05-02"),
            event("05-01", "buy", id_="a"),
            event("05-01", "buy", id_="b"),
        ],
        True,
    ),
]


@pytest.mark.parametrize(("lines", "twice"), REPEATS)
def test_a_repeated_id_changes_nothing(lines: list[Line], twice: bool) -> None:
    assert heard(segment(TWICE), *lines).members() == ([("s", "c1")] if twice else [])


DAY_MS = 86_400_000


def test_what_is_forgotten_changes_nothing_by_itself(changes_of: Replayed) -> None:
    # kept for 10 days; the window is as long
    lines = [
        segment(BUY | {"window": {"last": "P10D"}}, of="rolling"),
        segment(BUY | {"window": {"between": ["2026-05-01", None]}}, of="fixed"),
        segment(BUY | {"count": {"operator": "eq", "value": 1}}, of="ever"),
        segment(BUY | {"count": {"operator": "eq", "value": 0}, "window": {"last": "P10D"}}, of="none"),
        event("05-01", "buy"),
        tick("2027-01-01"),
    ]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == [
        "05-01 ever entered (behavior_event)",
        "05-01 fixed entered (behavior_event)",
        "05-01 rolling entered (behavior_event)",
        "05-11 none entered (time)",
        "05-11 rolling exited (time)",
    ]


def test_an_event_that_is_forgotten_by_the_time_it_comes_counts_without_a_window(
    changes_of: Replayed,
) -> None:
    lines = [
        segment(BUY, of="ever"),
        segment(BUY | {"window": {"last": "P10D"}}, of="rolling"),
        event("06-01", "buy", occurred="05-01"),
    ]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == ["06-01 ever entered (behavior_event)"]


def test_time_goes_on_after_the_only_event_was_dropped_alone(changes_of: Replayed) -> None:
    # The first event is out of the retention, and not removed yet. It is dropped because its id comes again
    # with an event that is too old to be kept. Then the contact is due to remove events, and has none.
    lines = [
        segment(BUY | {"window": {"last": "P10D"}}, of="rolling"),
        event("05-01", "buy", id_="twice"),
        event("05-11 12:00", "buy", id_="twice", occurred="05-01 06:00"),
        tick("05-20"),
        event("05-21", "buy"),
    ]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == [
        "05-01 rolling entered (behavior_event)",
        "05-11 rolling exited (time)",
        "05-21 rolling entered (behavior_event)",
    ]


def test_counters_without_a_window_count_on_past_retention(changes_of: Replayed) -> None:
    thrice = BUY | {"count": {"operator": "ge", "value": 3}}
    lines = [segment(thrice), *(event(f"{month:02d}-01", "buy") for month in (3, 5, 7))]
    assert changes_of(*lines, history_retention_ms=10 * DAY_MS) == ["07-01 s entered (behavior_event)"]


def test_the_cap_drops_the_oldest_and_counts_it() -> None:
    lines = [segment(BUY), *(event(f"05-0{day}", "buy", id_=f"e-{day}") for day in (2, 3, 1, 4))]
    found = heard(*lines, history_cap=2)
    ((_, events),) = found.run.contacts()
    assert [one.event_id for one in events] == ["e-3", "e-4"]
    assert found.run.partition.counts.capped == 2
    assert found.changes == ["05-02 s entered (behavior_event)"]


@pytest.mark.parametrize(
    ("condition", "stream", "changes"),
    [
        (
            {"sequence": [{"event": "a"}, {"absent": {"event": "b"}}], "within": "PT1H"},
            ["01 a", "02 a", "02 b", "03 a", "03 b", "04 a", "04 b"],
            ["05-01 01:00 s entered (time)"],
        ),
        (
            {
                "sequence": [{"event": "a"}, {"event": "b"}],
                "within": "PT1H",
                "window": {"last": "P20D"},
            },
            ["01 a", "01 b", "02 b", "03 b", "04 b"],
            ["05-01 00:01 s entered (behavior_event)", "05-21 00:01 s exited (time)"],
        ),
        (
            {
                "event": "a",
                "window": {"last": "P10D"},
                "aggregate": {"function": "sum", "property": "v", "operator": "ge", "value": 4},
            },
            ["01 a", "02 a", "03 a", "04 a"],
            ["05-04 s entered (behavior_event)", "05-11 s exited (time)"],
        ),
    ],
)
def test_what_has_been_counted_stays_counted_past_the_cap(
    changes_of: Replayed, condition: dict[str, Any], stream: list[str], changes: list[str]
) -> None:
    lines = [segment(condition)]
    for place in stream:
        day, name = place.split()
        lines.append(event(f"05-{day} 00:0{'ab'.index(name)}", name, {"v": 1}))
    assert changes_of(*lines, tick("06-01"), history_cap=2) == changes


def test_past_the_bound_of_a_condition_a_sum_counts_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamseg.language.compiler._LEAST_CAP", 2)
    condition = {
        "event": "a",
        "window": {"last": "P10D"},
        "aggregate": {"function": "sum", "property": "v", "operator": "ge", "value": 4},
    }
    lines = [segment(condition), *(event(f"05-0{day}", "a", {"v": 1}) for day in (1, 2, 3, 4))]
    # The two oldest age with the one after them.
    assert heard(*lines, tick("06-01"), history_cap=2).changes == [
        "05-04 s entered (behavior_event)",
        "05-13 s exited (time)",
    ]


def test_each_contact_has_a_cap_of_its_own() -> None:
    lines = [event("05-01", "buy", of=contact) for contact in ("c1", "c2", "c1", "c2")]
    found = heard(*lines, history_cap=2)
    assert [len(events) for _, events in found.run.contacts()] == [2, 2]
    assert found.run.partition.counts.capped == 0


def test_sequence_numbers_and_change_ids_count_on_per_segment_and_contact(changes_of: Replayed) -> None:
    lines = [
        segment(RECENT),
        event("05-01", "buy"),
        event("05-05", "buy"),
        event("05-05", "buy", of="c2"),
        tick("05-09"),
    ]
    found = changes_of.raw(*lines)
    assert [(change["contact_id"], change["sequence"], change["change"]) for change in found] == [
        ("c1", 1, "entered"),
        ("c1", 2, "exited"),
        ("c1", 3, "entered"),
        ("c2", 1, "entered"),
        ("c1", 4, "exited"),
        ("c2", 2, "exited"),
    ]
    assert found[2]["change_id"] == f"s|c1|{ms('05-05')}|3"
    assert len({change["change_id"] for change in found}) == len(found)
