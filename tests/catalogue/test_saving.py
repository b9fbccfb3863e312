"""Creating, updating and calculating: versions, statuses, and the memberships in force."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.catalogue import calculation
from streamseg.catalogue.formula import same_json
from streamseg.errors import RejectedError
from tests.catalogue.catalogues import (
    ANN,
    BEN,
    EVE,
    NOW,
    NOW_TEXT,
    Desk,
    Json,
    advanced,
    clusters,
    member_of,
    standard,
    static,
)

OTHER = {"attribute": "mobile", "operator": "is_set"}


def state(desk: Desk, segment_id: str = "s") -> tuple[Any, ...]:
    row = desk.entry(segment_id).row
    live = row.live_definition and row.live_definition["version"]
    return row.status, row.version, row.live_version, live


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (standard("s"), ("calculating", 1, None, None)),
        (advanced("s"), ("not_calculated", 1, None, None)),
        (static("s"), ("completed", 1, 1, None)),
    ],
)
def test_a_new_segment_belongs_to_its_account_in_its_first_version(definition: Json, expected: Any) -> None:
    desk = Desk()
    wrong = {"version": 9, "created_by": BEN, "updated_by": BEN, "created_at": 1, "updated_at": 1}
    entry = desk.create(ANN, {**definition, **wrong, "shared_with": [BEN, ANN, BEN]})
    assert entry.definition == {
        **definition,
        "group": "default",
        "version": 1,
        "created_by": ANN,
        "created_at": NOW_TEXT,
        "updated_by": ANN,
        "updated_at": NOW_TEXT,
        "shared_with": [BEN],
    }
    row = entry.row.model_dump()
    assert {key: row[key] for key in row.keys() & entry.definition.keys()} == {
        key: entry.definition[key] for key in row.keys() & entry.definition.keys()
    }
    assert (row["contacts"], row["command_offset"]) == (0, 0)
    assert state(desk) == expected
    assert desk.reloaded() == desk.catalogue


def test_conditions_stay_as_they_were_written() -> None:
    desk = Desk()
    written: list[Json] = [
        {"attribute": "level", "operator": "eq", "value": 1, "not": True},
        {"attribute": "level", "operator": "eq", "value": 1.0},
        {"attribute": "level", "operator": "eq", "value": True},
        {"attribute": "imported_at", "operator": "between", "value": [None, "2026-05-01"]},
        {"event": "e", "window": {"from": "-P14D", "to": "-P7D"}},
        {"event": "e", "window": {"between": [1_777_593_600_000, None]}},
        {"sequence": [{"event": "a"}, {"absent": {"event": "b"}}], "within": "P1D"},
        {"sample": 0.25},
    ]
    assert same_json(desk.create(ANN, standard("s", *written)).definition["clusters"], clusters(*written))


def test_an_update_counts_on_and_the_last_memberships_stand() -> None:
    desk = Desk()
    first = desk.create(ANN, standard("s")).definition
    desk.finish("s", contacts=7)
    assert state(desk) == ("completed", 1, 1, None)

    desk.now_ms = NOW + 1
    desk.ask(ANN, "update", definition=standard("s", OTHER, version=1))
    entry = desk.entry("s")
    assert state(desk) == ("calculating", 2, 1, 1)
    assert entry.row.live_definition == first
    assert (entry.row.progress, entry.row.contacts) == (0, 7)
    assert (entry.row.created_at, entry.row.updated_at) == (NOW_TEXT, "2026-05-01T00:00:00.001Z")

    desk.ask(ANN, "update", definition=standard("s", OTHER, OTHER))
    assert state(desk) == ("calculating", 3, 1, 1)
    desk.finish("s", contacts=8, generation=3)
    assert state(desk) == ("completed", 3, 3, None)
    row = dict(desk.rows)["s"]
    assert row is not None
    assert "live_definition" not in row
    assert desk.reloaded() == desk.catalogue


def test_an_advanced_segment_waits_to_be_told() -> None:
    desk = Desk()
    desk.create(ANN, advanced("s"))
    desk.ask(ANN, "calculate", segment_id="s")
    assert state(desk) == ("calculating", 1, None, None)
    desk.finish("s")
    desk.ask(ANN, "update", definition=advanced("s", OTHER))
    assert state(desk) == ("not_calculated", 2, 1, 1)
    desk.ask(ANN, "calculate", segment_id="s")
    assert state(desk) == ("calculating", 2, 1, 1)


@pytest.mark.parametrize(
    "change", [{"name": "new"}, {"group": "g"}, {"shared_with": [BEN]}], ids=lambda change: next(iter(change))
)
def test_what_leaves_the_conditions_alone_leaves_the_status_alone(change: Json) -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.create(ANN, standard("s"))
    desk.ask(ANN, "update", definition=standard("s", **change))
    assert state(desk) == ("calculating", 2, None, None)
    desk.finish("s", contacts=7)
    desk.ask(ANN, "update", definition=standard("s", **change))
    assert state(desk) == ("completed", 3, 3, None)
    desk.ask(ANN, "update", definition=standard("s", OTHER))
    desk.ask(ANN, "update", definition=standard("s", OTHER, **change))
    assert state(desk) == ("calculating", 5, 3, 3)
    assert desk.entry("s").row.contacts == 7


@pytest.mark.parametrize(
    "definition",
    [
        standard("s", {"attribute": "level", "operator": "eq", "value": True}),
        standard("s", {"attribute": "level", "operator": "eq", "value": 1}, timezone="Europe/Paris"),
    ],
)
def test_a_condition_of_another_type_and_a_time_zone_are_other_conditions(definition: Json) -> None:
    desk = Desk()
    desk.create(ANN, standard("s", {"attribute": "level", "operator": "eq", "value": 1}))
    desk.finish("s")
    desk.ask(ANN, "update", definition=definition)
    assert state(desk) == ("calculating", 2, 1, 1)


def test_an_update_without_group_and_sharing_keeps_both() -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.create(ANN, standard("s", group="g", shared_with=[BEN]))
    desk.ask(ANN, "update", definition=standard("s"))
    row = desk.entry("s").row
    assert (row.group, row.shared_with) == ("g", [BEN])
    desk.ask(ANN, "update", definition=standard("s", group="default", shared_with=[]))
    row = desk.entry("s").row
    assert (row.group, row.shared_with) == ("default", [])


def test_calculating_again_keeps_the_memberships_and_a_running_one_goes_on() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.finish("s", contacts=7)
    desk.ask(ANN, "calculate", segment_id="s")
    assert state(desk) == ("calculating", 1, 1, None)
    desk.publish(calculation.begin(desk.catalogue, "s", generation=4))
    desk.publish(calculation.advance(desk.catalogue, "s", generation=4, progress=0.5))
    desk.ask(ANN, "calculate", segment_id="s")
    row = desk.entry("s").row
    assert (row.progress, row.generation, row.contacts) == (0.5, 4, 7)


def test_a_static_segment_is_always_completed() -> None:
    desk = Desk()
    desk.create(ANN, static("s"))
    desk.publish(calculation.count(desk.catalogue, {"s": 3}))
    desk.ask(ANN, "update", definition=static("s", name="new", timezone="Europe/Paris"))
    assert state(desk) == ("completed", 2, 2, None)
    assert desk.entry("s").row.contacts == 3


@pytest.mark.parametrize(
    ("account", "command", "definition", "expected"),
    [
        (ANN, "create", standard("s"), ("conflict", "definition.segment_id")),
        (ANN, "create", standard("email-unsubscribed"), ("not_permitted", "definition.segment_id")),
        (ANN, "create", standard("n", group="all"), ("not_permitted", "definition.group")),
        (ANN, "create", standard("n", group="mine"), ("not_permitted", "definition.group")),
        (ANN, "create", standard("n", group="channel-unsubscribed"), ("not_permitted", "definition.group")),
        (ANN, "create", standard("n", group="g"), ("unknown_reference", "definition.group")),
        (
            ANN,
            "create",
            standard("n", member_of("nobody")),
            ("unknown_reference", "definition.clusters[0].conditions[0].segment"),
        ),
        (
            ANN,
            "create",
            advanced("n", member_of("n")),
            ("reference_cycle", "definition.parts[0].clusters[0].conditions[0].segment"),
        ),
        (
            ANN,
            "create",
            standard("n", {"attribute": "name", "operator": "matches", "value": "("}),
            ("invalid_schema", "definition.clusters[0].conditions[0].value"),
        ),
        (ANN, "create", standard("n", timezone="Mars"), ("invalid_schema", "definition.timezone")),
        (ANN, "create", standard("n", shared_with=["x" * 2_000]), ("too_large", "definition")),
        (ANN, "update", standard("n"), ("unknown_reference", "definition.segment_id")),
        (ANN, "update", standard("email-unsubscribed"), ("not_permitted", "definition.segment_id")),
        (BEN, "update", standard("s"), ("not_permitted", "definition.segment_id")),
        (ANN, "update", standard("s", version=2), ("conflict", "definition.version")),
        (ANN, "update", advanced("s"), ("invalid_schema", "definition.type")),
        (ANN, "update", standard("s", group="all"), ("not_permitted", "definition.group")),
        (ANN, "update", standard("s", group="g"), ("unknown_reference", "definition.group")),
        (
            ANN,
            "update",
            standard("s", OTHER, member_of("user")),
            ("reference_cycle", "definition.clusters[0].conditions[1].segment"),
        ),
    ],
)
def test_refusals(account: str, command: str, definition: Json, expected: tuple[str, str]) -> None:
    desk = Desk(Desk().settings.model_copy(update={"max_record_bytes": 1_500}))
    desk.create(ANN, standard("s", shared_with=[BEN]))
    desk.create(ANN, standard("user", member_of("s")))
    assert desk.refusal(account, command, definition=definition) == expected


def test_a_conflict_names_the_current_version() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.ask(ANN, "update", definition=standard("s"))
    with pytest.raises(Exception, match="current version is 2"):
        desk.ask(ANN, "update", definition=standard("s", version=1))


def test_references_of_the_version_that_stands_count_too() -> None:
    desk = Desk()
    desk.create(ANN, standard("b"))
    desk.create(ANN, standard("a", member_of("b")))
    desk.finish("a")
    desk.ask(ANN, "update", definition=standard("a", OTHER))
    assert desk.refusal(ANN, "update", definition=standard("b", member_of("a"))) == (
        "reference_cycle",
        "definition.clusters[0].conditions[0].segment",
    )
    assert desk.refusal(ANN, "delete", segment_id="b") == ("in_use", "segment_id")
    desk.finish("a", generation=2)
    desk.ask(ANN, "update", definition=standard("b", member_of("a")))


def test_built_in_and_static_segments_can_be_referred_to() -> None:
    desk = Desk()
    desk.create(ANN, static("list"))
    desk.create(ANN, standard("s", member_of("list"), member_of("global-unsubscribed")))
    assert desk.entry("s").references == {"list", "global-unsubscribed"}


def test_only_segments_that_the_account_sees_can_be_referred_to() -> None:
    desk = Desk()
    desk.create(ANN, standard("anns"))
    desk.create(ANN, standard("wider", member_of("anns")))
    path = "definition.clusters[0].conditions[0].segment"
    new = standard("bens", member_of("wider"))
    assert desk.refusal(BEN, "create", definition=new) == ("not_permitted", path)
    desk.ask(ANN, "share", segment_id="wider", accounts=[BEN])
    desk.create(BEN, new)
    # What a copy refers to stays within reach of who has it, and of nobody else.
    desk.ask(BEN, "copy", segment_id="wider", new_segment_id="copied")
    desk.ask(BEN, "update", definition=standard("copied", member_of("anns"), member_of("bens")))
    assert desk.refusal(BEN, "update", definition=standard("bens", member_of("anns"))) == (
        "not_permitted",
        path,
    )
    assert desk.refusal(EVE, "create", definition=standard("eves", member_of("copied")))[0] == "not_permitted"


def test_a_reference_to_a_segment_that_was_never_calculated_says_so() -> None:
    desk = Desk()
    desk.create(ANN, advanced("draft"))
    with pytest.raises(
        RejectedError, match="segment draft was never calculated; calculate it first"
    ) as refused:
        desk.ask(ANN, "create", definition=standard("s", member_of("draft")))
    assert refused.value.path == "definition.clusters[0].conditions[0].segment"
    with pytest.raises(RejectedError, match="there is no segment nothing; define it first"):
        desk.ask(ANN, "create", definition=standard("s", member_of("nothing")))
    desk.ask(ANN, "calculate", segment_id="draft")
    desk.create(ANN, standard("s", member_of("draft")))
