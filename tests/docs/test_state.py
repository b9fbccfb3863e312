"""What docs/state.md says is kept of a contact, looked at in the contact itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from streamseg.contact.body import Body
from streamseg.contact.contact import Contact
from streamseg.contact.rows import (
    ChannelRegister,
    GivenSequences,
    ListEntry,
    Membership,
    OptOut,
    Past,
    Statements,
)
from streamseg.settings import Settings
from tests.docs import pages
from tests.docs.timelines import attributes, event, instant, replayed, segment, tags, where
from tests.field_names import field_names

APART = {"contact_id", "attributes", "capped", "kept_body", "body"}
"""What of a contact is not in its record, or is the body."""

ROWS = (ListEntry, Membership, ChannelRegister, OptOut, Statements, Past, GivenSequences)


def named(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_the_page_has_every_field_of_the_record() -> None:
    rows = pages.section("state.md", "The record of a contact").rows
    told = [name for cells in rows if len(cells) == 2 for name in named(cells[0])]
    held = (field_names(Contact) | field_names(Body)) - APART
    assert sorted(told) == sorted(held)


def test_the_page_has_every_field_of_every_row_in_order() -> None:
    rows = pages.section("state.md", "The record of a contact").rows
    told = [(named(cells[0]), named(cells[2])) for cells in rows if len(cells) == 3]
    assert told == [([row.__name__], list(row._fields)) for row in ROWS]


CLICKS = [event(f"2026-05-01 1{hour}:00", "click", n=hour) for hour in range(10)]


def kept(condition: dict[str, Any], lines: list[dict[str, Any]], until: str = "2026-05-01 20:00") -> Any:
    """The one summary that the condition keeps, or None."""
    run = replayed([segment("s", condition), *lines], until).run
    ((contact, _),) = run.contacts()
    return only_summary(contact)


def only_summary(contact: Contact) -> Any:
    (summary,) = contact.body.summaries.values() or (None,)
    return summary


def click(**fields: Any) -> dict[str, Any]:
    return {"event": "click", **fields}


@pytest.mark.parametrize(
    ("condition", "summary"),
    [
        (click(count={"operator": "ge", "value": 3}), 3),
        (click(count={"operator": "eq", "value": 3}), 4),
        (
            click(count={"operator": "ge", "value": 3}, window={"last": "P1D"}),
            [instant(f"2026-05-01 1{hour}:00") for hour in (7, 8, 9)],
        ),
        (
            click(count={"operator": "eq", "value": 3}, window={"last": "P1D"}),
            [instant(f"2026-05-01 1{hour}:00") for hour in (6, 7, 8, 9)],
        ),
        (click(aggregate={"function": "max", "property": "n", "operator": "ge", "value": 1}), 9),
    ],
)
def test_a_condition_keeps_no_more_than_the_page_says(condition: dict[str, Any], summary: Any) -> None:
    assert kept(condition, CLICKS) == summary


def test_what_is_still_to_enter_a_window_is_kept_as_it_is() -> None:
    ended = click(window={"from": "-PT9H", "to": "-PT3H"})
    assert kept(ended, CLICKS) == [instant(f"2026-05-01 1{hour}:00") for hour in (7, 8, 9)]


def test_a_sum_over_all_history_is_one_number() -> None:
    summed = click(aggregate={"function": "sum", "property": "n", "operator": "ge", "value": 1})
    assert kept(summed, CLICKS) == "45"


def test_a_selection_keeps_one_occurrence() -> None:
    ((at_ms, *_),) = kept(click(select="last"), CLICKS)
    assert at_ms == instant("2026-05-01 19:00")


def test_a_moving_aggregate_keeps_what_is_in_the_window() -> None:
    condition = click(
        window={"last": "PT3H"},
        aggregate={"function": "sum", "property": "n", "operator": "ge", "value": 24},
    )
    assert [entry[2] for entry in kept(condition, CLICKS, "2026-05-01 19:30")] == [7, 8, 9]


def test_nothing_is_kept_once_the_window_is_left() -> None:
    assert kept(click(window={"last": "PT1H"}), CLICKS, "2026-05-02 00:00") is None


def test_held_keeps_one_time_and_plain_attributes_nothing() -> None:
    vip = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
    lines = [tags("2026-05-01 10:00", add=["vip"])]
    assert kept(vip, lines) is None
    assert kept({**vip, "held": {"at_least": "P7D"}}, lines) == [instant("2026-05-01 10:00")]


def test_equal_conditions_are_kept_once() -> None:
    often = click(count={"operator": "ge", "value": 3})
    rarely = click(count={"operator": "lt", "value": 3})
    run = replayed([segment("a", often), segment("b", often), segment("c", rarely), *CLICKS]).run
    ((contact, _),) = run.contacts()
    assert only_summary(contact) == 3


def test_counts_running_sums_and_selections_are_right_beyond_the_cap() -> None:
    settings = Settings(history_cap=3)
    lines = [
        segment("count", click(count={"operator": "ge", "value": 10}, window={"last": "P1D"})),
        segment("sum", click(aggregate={"function": "sum", "property": "n", "operator": "eq", "value": 45})),
        segment(
            "first",
            click(select="first", has=where({"property": "n", "operator": "eq", "value": 0})),
        ),
        *CLICKS,
    ]
    outcome = replayed(lines, settings=settings)
    assert outcome.of("count") == outcome.of("sum") == [("2026-05-01 19:00", "enters")]
    assert outcome.of("first") == [("2026-05-01 10:00", "enters")]
    ((_, events),) = outcome.run.contacts()
    assert len(events) == 3
    assert outcome.run.partition.counts.capped == 7


def test_a_removed_attribute_stays_so_that_an_older_value_loses() -> None:
    named = segment("named", {"attribute": "name", "operator": "is_set"})
    lines = [
        named,
        attributes("2026-05-02 10:00", name=None),
        attributes("2026-05-03 10:00", since="2026-05-01 10:00", name="李雷"),
    ]
    assert replayed(lines).of("named") == []
