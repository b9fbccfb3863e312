"""What is kept wrongly of a contact is found, told what it is, and mended by a recount."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamseg.contact.contact import Contact
from streamseg.engine.verification import Difference, Kept, Verifier
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.engine.story import Line, event, segment, static, update

SETTINGS = Settings(timezone="Asia/Shanghai", history_cap=5)
BOUGHT = {"event": "buy"}
LATELY = {"event": "buy", "window": {"last": "P7D"}}
FROM_CHINA = {"attribute": "location", "operator": "eq", "value": "中国"}

STORY = (
    segment(BOUGHT, of="buyers"),
    segment(LATELY, FROM_CHINA, of="lately"),
    segment({"segment": "lately", "operator": "in"}, of="followers"),
    static("fair"),
    update("05-01", {"location": "中国"}, lists={"add": ["fair"]}),
    event("05-02", "buy"),
    event("05-03", "open"),
)


def replayed(*lines: Line) -> Replay:
    run = Replay(settings=SETTINGS)
    for line in lines:
        run.line(line)
    run.settle_definitions()
    run.changes.clear()
    return run


def found_in(run: Replay, segment_ids: set[str] | None = None) -> list[Difference]:
    verifier = Verifier(run.store, run.partition.plan, SETTINGS, segment_ids)
    contact = contact_of(run)
    return list(verifier.differences(contact, verifier.indexes(run.store, contact), run.partition.clock_ms))


def contact_of(run: Replay) -> Contact:
    contact = run.store.contact("c1")
    assert contact is not None
    return contact


def test_nothing_differs_where_nothing_went_wrong() -> None:
    assert found_in(replayed(*STORY)) == []


def lose_the_count(run: Replay) -> None:
    contact = contact_of(run)
    contact.body.summaries.clear()
    contact.body.due.clear()
    for condition in run.partition.plan.segments["lately"].conditions:
        contact.body.true.discard(condition.id)


def lose_the_membership(run: Replay) -> None:
    contact = contact_of(run)
    contact.body.members.pop("buyers")
    contact.body.true.discard(run.partition.plan.segments["buyers"].member_id)
    run.store.set_member("buyers", "c1", None)


def lose_the_member_of_the_index(run: Replay) -> None:
    run.store.set_member("buyers", "c1", None)


def add_a_member_to_the_index(run: Replay) -> None:
    run.store.set_member("global-unsubscribed", "c1", (1, 0))


def never_look_again(run: Replay) -> None:
    contact = contact_of(run)
    contact.body.due.clear()
    contact.flip_ms = contact.due_ms = None
    run.store.put(contact)


def lose_an_event(run: Replay) -> None:
    last = list(run.store.events("c1"))[-1]
    run.store.drop_event("c1", last.order)


def lose_a_change(run: Replay) -> None:
    run.store.drop_change("c1", next(run.store.kept_changes("c1")))


def change_the_last_change(run: Replay) -> None:
    change = next(one for one in run.store.kept_changes("c1") if one.segment_id == "fair")
    run.store.drop_change("c1", change)
    run.store.keep_change("c1", change._replace(sequence=2))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lose_the_count, {(Kept.CONDITION, "lately"), (Kept.DUE, "lately")}),
        (lose_the_membership, {(Kept.MEMBERSHIP, "buyers"), (Kept.CHANGES, "buyers")}),
        (lose_a_change, {(Kept.CHANGES, None)}),
        (change_the_last_change, {(Kept.CHANGES, "fair")}),
        (lose_the_member_of_the_index, {(Kept.INDEX, "buyers")}),
        (add_a_member_to_the_index, {(Kept.INDEX, "global-unsubscribed")}),
        (never_look_again, {(Kept.DUE, "lately")}),
        (lose_an_event, {(Kept.HISTORY, None)}),
    ],
)
def test_each_damage_is_found_and_named(
    damage: Callable[[Replay], None], expected: set[tuple[Kept, str | None]]
) -> None:
    run = replayed(*STORY)
    damage(run)
    assert {(one.kept, one.segment_id) for one in found_in(run)} >= expected


def test_only_the_segments_that_were_asked_for_are_compared() -> None:
    run = replayed(*STORY)
    lose_the_membership(run)
    assert found_in(run, {"lately", "fair"}) == []
    assert found_in(run, {"buyers"}) != []


def test_a_difference_tells_no_value() -> None:
    run = replayed(*STORY)
    lose_the_membership(run)
    difference = next(one for one in found_in(run) if one.kept is Kept.MEMBERSHIP)
    assert (difference.found, difference.expected) == ("no member", "member")


def recount(run: Replay, segment_id: str) -> list[str]:
    run.partition.recount(segment_id, None, 10)
    return [
        f"{change.segment_id} {'entered' if change.entered else 'exited'} ({change.reason.kind.value})"
        for change in run.changes
    ]


def test_a_recount_mends_what_was_lost_and_emits_the_difference() -> None:
    run = replayed(*STORY)
    lose_the_membership(run)
    assert recount(run, "buyers") == ["buyers entered (definition)"]
    assert found_in(run) == []


def test_a_recount_of_a_segment_reaches_what_it_refers_to_and_what_refers_to_it() -> None:
    run = replayed(*STORY)
    lose_the_count(run)
    assert recount(run, "lately") == []
    assert found_in(run) == []


def test_a_recount_where_nothing_is_wrong_emits_nothing() -> None:
    assert recount(replayed(*STORY), "lately") == []


TWICE = {"event": "buy", "count": {"operator": "ge", "value": 2}}


def test_what_was_counted_before_it_was_dropped_at_the_cap_stays_counted() -> None:
    """Two purchases, then five other events at a cap of five: the history holds no purchase any more."""
    lines = [segment(TWICE, of="regulars"), event("05-01", "buy"), event("05-02", "buy")]
    run = replayed(*lines, *[event(f"05-{day:02}", "open") for day in range(3, 8)])
    assert found_in(run) == []
    assert recount(run, "regulars") == []
    assert [one["segment_id"] for one in run.members()] == ["regulars"]


def test_a_window_that_lies_after_what_was_dropped_is_still_checked() -> None:
    lines = [segment(LATELY, of="lately"), event("04-01", "buy")]
    run = replayed(*lines, *[event(f"05-{day:02}", "buy") for day in range(1, 6)])
    assert contact_of(run).forgotten_ms is not None
    lose_the_count(run)
    assert {one.kept for one in found_in(run)} == {Kept.CONDITION, Kept.DUE}
    assert recount(run, "lately") == []
    assert found_in(run) == []
