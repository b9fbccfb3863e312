"""Two different changes never share a change id, also where sequences start anew in one instant."""

from __future__ import annotations

import pytest

from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.contact.rows import GivenSequences
from streamseg.replay import Replay
from streamseg.settings import Settings
from tests.engine.cases import EVERYBODY
from tests.engine.story import Line, Replayed, definition, event, ms, segment, static, tick, update

AT = "05-01 10:00"
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}


def tag(at: str = AT, *, of: str = "c1") -> Line:
    return update(at, tags={"add": ["vip"]}, of=of)


def untag(at: str = AT) -> Line:
    return update(at, tags={"remove": ["vip"]})


def erased(at: str = AT) -> Line:
    return update(at, deleted=True)


def ids(changes_of: Replayed, *lines: Line) -> list[str]:
    """Change ids without the segment, contact and instant that they all have."""
    given = [change["change_id"] for change in changes_of.raw(*lines)]
    assert len(set(given)) == len(given)
    four = f"s|c1|{ms(AT)}|"
    assert all(one.startswith(four) for one in given), given
    return [one.removeprefix(four) for one in given]


def test_a_contact_that_is_erased_and_known_again_in_one_instant(changes_of: Replayed) -> None:
    lines = [segment(VIP), tag(), erased(), tag()]
    assert ids(changes_of, *lines) == ["1", "2", "1|#2"]
    assert ids(changes_of, *lines, erased(), tag(), untag()) == ["1", "2", "1|#2", "2|#2", "1|#3", "2|#3"]


def test_a_segment_that_is_deleted_and_made_again_in_one_instant(changes_of: Replayed) -> None:
    lines = [segment(VIP), tag(), definition(AT, "s", None), segment(VIP, at=AT)]
    assert ids(changes_of, *lines) == ["1", "2", "1|#2"]


def test_a_list_that_is_deleted_and_made_again_in_one_instant(changes_of: Replayed) -> None:
    filed = update(AT, lists={"add": ["s"]})
    lines = [static("s"), filed, definition(AT, "s", None), static("s", at=AT), filed]
    assert ids(changes_of, *lines) == ["1", "2", "1|#2"]


def test_one_who_had_left_in_that_instant_leaves_no_exit_but_its_ids(changes_of: Replayed) -> None:
    assert ids(changes_of, segment(VIP), tag(), untag(), erased(), tag()) == ["1", "2", "1|#2"]


def test_only_the_sequences_that_were_given_out_in_that_instant_are_told_apart(changes_of: Replayed) -> None:
    lines = [segment(VIP), tag("05-01"), untag("05-01 01:00"), tag("05-01 02:00"), erased(), tag(), untag()]
    changes = [change["change_id"] for change in changes_of.raw(*lines)][3:]
    assert changes == [f"s|c1|{ms(AT)}|{number}" for number in (4, 1, 2)]
    lines += [tag(), untag(), erased(), tag(), untag(), tag(), untag()]
    changes = [change["change_id"] for change in changes_of.raw(*lines)][6:]
    assert changes == [f"s|c1|{ms(AT)}|{last}" for last in ("3", "4|#2", "1|#2", "2|#2", "3|#2", "4|#3")]


def test_another_instant_needs_no_more_than_four_parts(changes_of: Replayed) -> None:
    lines = [segment(VIP), tag(), erased(), tag("05-01 10:00:00.001")]
    given = [change["change_id"] for change in changes_of.raw(*lines)]
    assert given == [f"s|c1|{ms(AT)}|1", f"s|c1|{ms(AT)}|2", f"s|c1|{ms(AT) + 1}|1"]


def test_late_records_after_an_outage_share_the_clock(changes_of: Replayed) -> None:
    late = [tag("05-01 08:00"), erased("05-01 08:01"), tag("05-01 08:02")]
    assert ids(changes_of, segment(VIP), tick(AT), *late) == ["1", "2", "1|#2"]


def test_events_that_outlive_the_erasure_make_known_again_at_once(changes_of: Replayed) -> None:
    lines = [
        segment(EVERYBODY),
        event(AT, "buy", occurred="05-01 09:00"),
        update(AT, deleted=True, stated="05-01 08:00"),
    ]
    assert ids(changes_of, *lines) == ["1", "2", "1|#2"]


@pytest.mark.parametrize("known_again", [False, True])
def test_what_is_kept_for_it_is_gone_an_instant_later(known_again: bool) -> None:
    run = Replay(settings=Settings())
    for line in (segment(VIP), tag(), erased()):
        run.line(line)
    kept = run.store.contact("c1")
    assert kept is not None
    assert kept.body.ended == {"s": [GivenSequences(1, 2, 1)]}
    if known_again:
        run.line(tag("05-01 11:00"))
    else:
        run.run_to(ms(AT) + 1)
    kept = run.store.contact("c1")
    assert kept is not None
    assert (kept.body.ended, kept.ended_ms, kept.due_ms is None) == ({}, None, not known_again)


def test_many_lives_in_one_instant_are_kept_as_a_few_numbers() -> None:
    run = Replay(settings=Settings())
    run.line(segment(VIP))
    for _ in range(300):
        run.line(tag())
        run.line(erased())
    kept = run.store.contact("c1")
    assert kept is not None
    assert kept.body.ended == {"s": [GivenSequences(1, 2, 300)]}
    given = [change.change_id for change in run.changes]
    assert len(given) == len(set(given)) == 600


def test_it_is_kept_in_the_bytes() -> None:
    contact = Contact("c1", ended_ms=5, kept_body=Body(ended={"s": [GivenSequences(1, 2, 1)]}))
    assert Contact.from_bytes("c1", contact.to_bytes(), contact.attributes) == contact
