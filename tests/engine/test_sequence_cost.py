"""The search for chains that no absent step follows: right, and cheap for contacts with many events."""

from __future__ import annotations

from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from streamseg.language.conditions.chains import Absence, Occurrence
from tests.engine.cases import heard
from tests.engine.story import event, segment

MINUTE, DAY = 60_000, 86_400_000


@st.composite
def occurrences(draw: st.DrawFn) -> tuple[list[Occurrence], int]:
    """Occurrences in order, some at one time and some at one place, and how many steps there are."""
    count = draw(st.integers(1, 4))
    at_ms = place = 0
    found = []
    for later, elsewhere in draw(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=10)):
        at_ms += later
        place += later > 0 or elsewhere
        found.append(Occurrence(at_ms, place, draw(st.integers(1, (2 << count) - 1))))
    return found, count


def _unfollowed(found: list[Occurrence], count: int, within: int, gap: int) -> set[int]:
    """The deadlines, by going through all chains."""
    deadlines = set()

    def extend(chain: list[Occurrence]) -> None:
        deadline = chain[0].at_ms + within
        if len(chain) == count:
            if not any(
                one.steps >> count & 1
                and chain[-1].at_ms <= one.at_ms <= deadline
                and not any(one is step for step in chain)
                for one in found
            ):
                deadlines.add(deadline)
            return
        for one in found:
            later = one.place > chain[-1].place and one.at_ms - chain[-1].at_ms <= gap
            if one.steps >> len(chain) & 1 and later and one.at_ms <= deadline:
                extend([*chain, one])

    for one in found:
        if one.steps & 1:
            extend([one])
    return deadlines


@given(occurrences(), st.integers(1, 12), st.one_of(st.none(), st.integers(1, 6)))
def test_the_chains_that_are_not_followed(
    drawn: tuple[list[Occurrence], int], within: int, step_within: int | None
) -> None:
    found, count = drawn
    gap = within if step_within is None else step_within
    given_up = Absence(found, count, within, step_within).deadlines()
    assert set(given_up) == _unfollowed(found, count, within, gap)


def test_ten_thousand_occurrences_are_searched_at_once() -> None:
    found = [Occurrence(number * MINUTE, number, 1 << number % 2) for number in range(10_000)]
    started = process_time()
    given_up = Absence(found, 2, 30 * DAY, 5 * DAY).deadlines()
    assert process_time() - started < 10
    assert len(given_up) == 5_000


def test_a_contact_with_many_events_does_not_hold_up_its_partition() -> None:
    condition = {
        "sequence": [{"event": "buy"}, {"event": "buy"}, {"absent": {"event": "open"}}],
        "within": "P30D",
        "step_within": "P5D",
        "window": {"last": "P10D"},
    }
    lines = [event(f"05-{1 + number // 8:02d} {number % 8 * 3:02d}:00", "buy") for number in range(200)]
    started = process_time()
    found = heard(segment(condition), *lines, until="07-01")
    assert process_time() - started < 10
    assert found.changes == ["05-31 s entered (time)"]
