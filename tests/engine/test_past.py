"""The membership changes that are kept of a contact: which, for how long, and what is counted of them."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.contact.rows import Past
from streamseg.replay import Replay
from streamseg.store.growth import CAUSES
from streamseg.times import DAY_MS, format_ms
from tests.engine.cases import heard
from tests.engine.story import Line, definition, event, ms, said, segment, update, when

VISITED = segment({"event": "visit", "window": {"last": "PT1H"}}, of="visited")
KNOWN = segment({"attribute": "contact_id", "operator": "is_set"}, of="known")


def visits(*days: int) -> list[Line]:
    """A visit at noon of each day: the contact enters, and exits an hour later."""
    return [event(f"05-{day:02} 12:00", "visit") for day in days]


def kept(run: Replay, contact_id: str = "c1") -> list[str]:
    return [
        f"{said(format_ms(one.effective_ms))} {one.segment_id} {one.sequence} {one.kind}"
        for one in run.store.kept_changes(contact_id)
    ]


def past(run: Replay, contact_id: str = "c1") -> Past:
    contact = run.store.contact(contact_id)
    assert contact is not None
    return contact.body.past


def birth(run: Replay, segment_id: str) -> int:
    return run.partition.plan.segments[segment_id].born


def grown(run: Replay, segment_id: str, since: str = "01-01") -> list[tuple[str, int, int]]:
    """For each quarter and reason with changes, how many entered and how many left."""
    rows: list[tuple[str, int, int]] = []
    for quarter_ms, counts in run.store.growth(segment_id, birth(run, segment_id), ms(since)):
        padded = [*counts, *[0] * (2 * len(CAUSES) - len(counts))]
        for cause, entered, left in zip(CAUSES, padded[::2], padded[1::2], strict=True):
            if entered or left:
                rows.append((f"{said(format_ms(quarter_ms))} {cause}", entered, left))
    return rows


def test_a_change_is_kept_with_its_sequence_and_reason() -> None:
    run = heard(KNOWN, VISITED, *visits(1), until="05-02").run
    assert kept(run) == [
        "05-01 12:00 known 1 behavior_event",
        "05-01 12:00 visited 1 behavior_event",
        "05-01 13:00 visited 2 time",
    ]
    assert past(run) == Past(3, 3)
    assert [one.ref for one in run.store.kept_changes("c1")][-1] is None
    assert [contact_id for contact_id, _ in run.store.segment_changes("visited")] == ["c1", "c1"]


def test_beyond_the_cap_the_oldest_changes_are_dropped_and_it_is_known_until_when() -> None:
    run = heard(KNOWN, VISITED, *visits(1, 2), until="05-03", change_cap=3).run
    assert kept(run) == [
        "05-01 13:00 visited 2 time",
        "05-02 12:00 visited 3 behavior_event",
        "05-02 13:00 visited 4 time",
    ]
    noon = ms("05-01 12:00")
    assert past(run) == Past(5, 3, noon, {"known": noon, "visited": noon})
    assert list(run.store.floors("visited")) == list(run.store.floors("known")) == [("c1", noon)]
    assert run.store.unkept_ms() is None


def test_the_retention_drops_changes_without_input_and_it_is_known_until_when() -> None:
    settings: dict[str, Any] = {"history_retention_ms": 10 * DAY_MS}
    run = heard(VISITED, *visits(1), until="05-12 11:59", **settings).run
    assert len(kept(run)) == 2
    run = heard(VISITED, *visits(1), until="05-12 12:00", **settings).run
    assert kept(run) == []
    contact = run.store.contact("c1")
    assert contact is not None
    assert (contact.unkept_ms, contact.oldest_change_ms, contact.due_ms) == (ms("05-01 13:00"), None, None)
    assert run.store.unkept_ms() == ms("05-01 13:00")
    assert past(run) == Past(2, 0)


def test_an_erasure_drops_the_changes_of_the_contact_and_the_growth_stays() -> None:
    lines = [KNOWN, VISITED, *visits(1, 2), update("05-02 12:30", deleted=True)]
    run = heard(*lines, until="05-03", change_cap=3).run
    assert kept(run) == []
    assert list(run.store.floors("visited")) == []
    assert list(run.store.segment_changes("visited")) == []
    assert past(run) == Past(6, 0, ms("05-02 12:30"))
    assert grown(run, "known") == [("05-01 12:00 behavior_event", 1, 0), ("05-02 12:30 deletion", 0, 1)]


def test_who_is_known_again_has_a_past_from_then_on() -> None:
    run = heard(KNOWN, update("05-01", {}), update("05-02", deleted=True), update("05-03", {})).run
    assert kept(run) == ["05-03 known 1 contact_update"]
    assert past(run) == Past(3, 1, ms("05-02"))


def test_the_exits_of_a_deleted_segment_are_kept() -> None:
    run = heard(KNOWN, update("05-01", {}), definition("05-02", "known", None), until="05-03").run
    assert kept(run) == ["05-01 known 1 contact_update", "05-02 known 2 definition"]


@pytest.mark.parametrize("contacts", [1, 3])
def test_growth_is_counted_by_quarter_of_an_hour_and_reason(contacts: int) -> None:
    lines = [event("05-01 12:16", "visit", of=f"c{number}") for number in range(contacts)]
    run = heard(VISITED, *lines, until="05-02").run
    assert grown(run, "visited") == [
        ("05-01 12:15 behavior_event", contacts, 0),
        ("05-01 13:15 time", 0, contacts),
    ]
    assert grown(run, "visited", "05-01 12:29") == grown(run, "visited")
    assert grown(run, "visited", "05-01 12:30") == grown(run, "visited")[1:]


def test_growth_past_the_retention_is_forgotten_at_the_first_change_of_a_day() -> None:
    settings: dict[str, Any] = {"history_retention_ms": 10 * DAY_MS}
    run = heard(VISITED, *visits(1, 11), **settings).run
    assert next(row for row, *_ in grown(run, "visited")) == "05-01 12:00 behavior_event"
    assert run.store.growth_since_ms() is None
    run = heard(VISITED, *visits(1, 11, 12), **settings).run
    assert next(row for row, *_ in grown(run, "visited")) == "05-11 12:00 behavior_event"
    assert run.store.growth_since_ms() == ms("05-02 12:00")


def test_a_segment_made_again_under_its_id_has_a_growth_of_its_own() -> None:
    again = {**VISITED, "timestamp": when("05-01 12:05")}
    run = heard(
        VISITED,
        event("05-01 12:00", "visit"),
        definition("05-01 12:05", "visited", None),
        again,
        until="05-02",
    ).run
    # One contact left the former segment and entered this one in the same quarter of an hour.
    assert grown(run, "visited") == [
        ("05-01 12:00 definition", 1, 0),
        ("05-01 13:00 time", 0, 1),
    ]
    births = [one.born for _, one in run.store.segment_changes("visited")]
    former, present = births[0], birth(run, "visited")
    assert former < present
    assert births == [former, former, present, present]
