"""Earlier versions of a segment, and deleted segments that can be restored."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.catalogue import versions
from streamseg.catalogue.adoption import adopt, catch_up
from streamseg.catalogue.decision import Decision
from streamseg.catalogue.state import Catalogue
from streamseg.times import DAY_MS
from tests.catalogue.catalogues import (
    ANN,
    BEN,
    NOW,
    NOW_TEXT,
    Desk,
    Json,
    advanced,
    member_of,
    standard,
    static,
)

OTHER = {"attribute": "mobile", "operator": "is_set"}


def numbers(catalogue: Catalogue, segment_id: str = "s") -> list[int]:
    return [one.version for one in versions.versions(catalogue, segment_id)]


def updated(desk: Desk, times: int) -> None:
    for number in range(times):
        desk.now_ms += 1
        desk.ask(ANN, "update", definition=standard("s", name=f"name {number}"))


def test_a_version_tells_who_saved_it_and_when_and_has_what_was_written() -> None:
    desk = Desk()
    desk.create(ANN, standard("s", shared_with=[BEN]))
    desk.now_ms += 1
    desk.ask(ANN, "update", definition=standard("s", OTHER, name="new"))
    latest, first = versions.versions(desk.catalogue, "s")
    assert first.model_dump() == {
        "segment_id": "s",
        "version": 1,
        "saved_by": ANN,
        "saved_at": NOW_TEXT,
        "definition": standard("s"),
    }
    assert (latest.version, latest.saved_at) == (2, "2026-05-01T00:00:00.001Z")
    assert latest.definition == standard("s", OTHER, name="new")
    assert versions.version(desk.catalogue, "s", 1) == first
    assert versions.version(desk.catalogue, "s", 2) == latest
    assert versions.version(desk.catalogue, "s", 3) is None


def test_what_makes_no_version_is_not_kept() -> None:
    desk = Desk()
    desk.create(ANN, advanced("s"))
    desk.ask(ANN, "share", segment_id="s", accounts=[BEN])
    desk.ask(ANN, "calculate", segment_id="s")
    desk.finish("s")
    assert numbers(desk.catalogue) == [1]
    assert list(versions.versions(desk.catalogue, "email-unsubscribed")) == []


def test_the_last_fifty_versions_are_kept() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    updated(desk, 60)
    assert numbers(desk.catalogue) == list(range(61, 11, -1))
    assert numbers(desk.reloaded()) == numbers(desk.catalogue)
    # One record a version, and a tombstone for each that is dropped.
    last = desk.ask(ANN, "update", definition=standard("s"))
    assert [(key, value is None) for key, value in last.rows if key.startswith("version|")] == [
        ("version|s|12", True),
        ("version|s|61", False),
    ]


def test_going_back_is_a_new_version_in_the_same_group_with_the_same_sharing() -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.create(ANN, standard("s"))
    desk.finish("s")
    desk.ask(ANN, "update", definition=standard("s", OTHER, name="new"))
    desk.ask(ANN, "move", segment_id="s", group="g")
    desk.ask(ANN, "share", segment_id="s", accounts=[BEN])
    desk.ask(ANN, "revert", segment_id="s", version=1)
    row = desk.entry("s").row
    assert (row.version, row.name, row.group, row.shared_with) == (3, "s", "g", [BEN])
    assert desk.entry("s").definition["clusters"] == standard("s")["clusters"]
    assert numbers(desk.catalogue) == [3, 2, 1]
    assert desk.reloaded() == desk.catalogue


@pytest.mark.parametrize(
    ("account", "version", "expected"),
    [
        (ANN, 2, ("unknown_reference", "version")),
        (ANN, 7, ("unknown_reference", "version")),
        (BEN, 1, ("not_permitted", "segment_id")),
    ],
)
def test_a_refused_way_back(account: str, version: int, expected: tuple[str, str]) -> None:
    desk = Desk()
    desk.create(ANN, standard("s", shared_with=[BEN]))
    updated(desk, 1)
    assert desk.refusal(account, "revert", segment_id="s", version=version) == expected


def test_a_version_whose_reference_is_gone_is_refused_at_its_place() -> None:
    desk = Desk()
    desk.create(ANN, standard("other"))
    desk.create(ANN, standard("s", member_of("other")))
    desk.ask(ANN, "update", definition=standard("s"))
    desk.finish("s")
    desk.ask(ANN, "delete", segment_id="other")
    path = "definition.clusters[0].conditions[0].segment"
    assert desk.refusal(ANN, "revert", segment_id="s", version=1) == ("unknown_reference", path)


def test_a_limit_that_was_lowered_holds_for_kept_definitions_too() -> None:
    desk = Desk()
    desk.create(ANN, standard("s", OTHER, OTHER, OTHER))
    desk.ask(ANN, "update", definition=standard("s"))
    desk.create(ANN, standard("gone", OTHER, OTHER, OTHER))
    desk.ask(ANN, "delete", segment_id="gone")
    desk.settings = desk.settings.model_copy(update={"max_conditions": 2})
    assert desk.refusal(ANN, "revert", segment_id="s", version=1)[1] == "definition.clusters[0].conditions[2]"
    assert desk.refusal(ANN, "restore", segment_id="gone")[1] == "definition.clusters[0].conditions[2]"


def test_history_begins_with_the_first_change_where_none_was_kept() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    updated(desk, 3)
    # The rows of a release that kept no versions.
    desk.rows = [(key, value) for key, value in desk.rows if not key.startswith("version|")]
    desk.catalogue = desk.reloaded()
    assert numbers(desk.catalogue) == [4]
    updated(desk, 1)
    assert numbers(desk.catalogue) == [5, 4]


def test_versions_of_other_writers_are_kept_and_end_with_the_segment() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))

    def write(definition: Json | None) -> None:
        desk.publish(adopt(desk.catalogue, "s", definition))

    write({**standard("s", OTHER), "version": 5, "created_by": ANN, "updated_by": "ops"})
    write({**standard("s"), "version": 6, "created_by": ANN})
    assert numbers(desk.catalogue) == [6, 5, 1]
    kept = versions.version(desk.catalogue, "s", 5)
    assert kept is not None
    assert (kept.saved_by, kept.saved_at) == ("ops", None)
    # Versions that are not earlier than the one in force are dropped.
    write({**standard("s", OTHER), "version": 3, "created_by": ANN})
    assert numbers(desk.catalogue) == [3, 1]
    assert desk.catalogue.version_numbers("s") == [1]
    write(None)
    assert not desk.catalogue.with_versions
    assert not desk.catalogue.deletions
    assert desk.reloaded() == desk.catalogue


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, []),
        ({**standard("s", OTHER), "version": 2, "created_by": ANN}, [2, 1]),
        ({**standard("s", OTHER), "version": 9, "created_by": ANN}, [9, 3, 2, 1]),
    ],
)
def test_a_leader_drops_versions_that_a_change_without_a_leader_left(
    written: Json | None, expected: list[int]
) -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    updated(desk, 3)
    desk.definitions.append(("s", written))
    desk.catalogue = desk.reloaded()
    desk.publish(catch_up(desk.catalogue))
    assert desk.reloaded() == desk.catalogue
    assert (numbers(desk.catalogue) if written else list(desk.catalogue.with_versions)) == expected


def deleted(desk: Desk) -> list[tuple[str, Any]]:
    found = versions.restorable(desk.catalogue, ANN, now_ms=desk.now_ms)
    return [(one.segment_id, one.definition["version"]) for one in found]


def test_a_deleted_segment_is_made_again_in_the_next_version() -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.create(ANN, standard("s", group="g", shared_with=[BEN]))
    updated(desk, 2)
    desk.finish("s")
    desk.now_ms = NOW + DAY_MS
    desk.ask(ANN, "delete", segment_id="s")
    assert desk.definitions[-1] == ("s", None)
    assert deleted(desk) == [("s", 3)]
    assert not desk.catalogue.with_versions
    desk.now_ms += DAY_MS
    desk.ask(ANN, "restore", segment_id="s")
    row = desk.entry("s").row
    assert (row.version, row.name, row.group, row.shared_with) == (4, "name 1", "g", [BEN])
    assert (row.status, row.contacts, row.live_version) == ("calculating", 0, None)
    assert (row.created_by, row.created_at, row.updated_at) == (ANN, NOW_TEXT, "2026-05-03T00:00:00.000Z")
    assert deleted(desk) == []
    assert numbers(desk.catalogue) == [4]
    assert desk.reloaded() == desk.catalogue


@pytest.mark.parametrize("make", [standard, advanced, static])
def test_a_segment_comes_back_as_a_new_one_of_its_type(make: Any) -> None:
    desk = Desk()
    new = desk.create(ANN, make("s")).row
    desk.ask(ANN, "delete", segment_id="s")
    desk.ask(ANN, "restore", segment_id="s")
    row = desk.entry("s").row
    assert (row.status, row.draft is None) == (new.status, new.draft is None)
    assert row.live_version == (2 if make is static else None)


def test_several_deleted_segments_may_have_had_one_id() -> None:
    desk = Desk()
    desk.create(ANN, standard("s", name="first"))
    desk.ask(ANN, "delete", segment_id="s")
    first = desk.offset
    desk.create(BEN, standard("s", name="bens"))
    desk.ask(BEN, "delete", segment_id="s")
    desk.create(ANN, standard("s", name="second"))
    assert desk.refusal(ANN, "restore", segment_id="s") == ("conflict", "segment_id")
    desk.ask(ANN, "delete", segment_id="s")
    assert desk.refusal(BEN, "restore", segment_id="s", deletion=first) == ("unknown_reference", "deletion")
    desk.ask(ANN, "restore", segment_id="s", deletion=first, new_segment_id="t")
    assert (desk.entry("t").row.name, desk.entry("t").definition["segment_id"]) == ("first", "t")
    desk.ask(ANN, "restore", segment_id="s")
    assert desk.entry("s").row.name == "second"
    assert [one.definition["name"] for one in desk.catalogue.deletions] == ["bens"]


def test_segments_that_refer_to_each_other_come_back_one_after_the_other() -> None:
    desk = Desk()
    desk.create(ANN, standard("base"))
    desk.create(ANN, standard("on-it", member_of("base")))
    desk.ask(ANN, "delete", segment_ids=["base", "on-it"])
    path = "definition.clusters[0].conditions[0].segment"
    assert desk.refusal(ANN, "restore", segment_id="on-it") == ("unknown_reference", path)
    desk.ask(ANN, "restore", segment_id="base")
    desk.ask(ANN, "restore", segment_id="on-it")
    assert deleted(desk) == []


def test_a_group_that_is_gone_is_replaced_by_the_default_group() -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.create(ANN, standard("s", group="g"))
    desk.ask(ANN, "delete", segment_id="s")
    desk.ask(ANN, "delete_group", group="g")
    desk.ask(ANN, "restore", segment_id="s")
    assert desk.entry("s").row.group == "default"


def test_after_thirty_days_a_deleted_segment_is_gone() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.ask(ANN, "delete", segment_id="s")
    desk.now_ms = NOW + 30 * DAY_MS - 1
    assert not versions.expire(desk.catalogue, now_ms=desk.now_ms)
    assert deleted(desk) == [("s", 1)]
    desk.now_ms += 1
    # The time of the command decides, whether the leader has removed the record already or not.
    assert desk.refusal(ANN, "restore", segment_id="s") == ("unknown_reference", "segment_id")
    desk.publish(versions.expire(desk.catalogue, now_ms=desk.now_ms))
    assert desk.refusal(ANN, "restore", segment_id="s") == ("unknown_reference", "segment_id")
    assert not desk.reloaded().deletions


def test_another_account_restores_nothing() -> None:
    desk = Desk()
    desk.create(ANN, standard("s", shared_with=[BEN]))
    desk.ask(ANN, "delete", segment_id="s")
    assert versions.restorable(desk.catalogue, BEN, now_ms=desk.now_ms) == []
    assert desk.refusal(BEN, "restore", segment_id="s") == ("unknown_reference", "segment_id")


@pytest.mark.parametrize("key", ["version|s|2", "version|t|1", "deleted|s|9", "group|s"])
def test_a_record_under_a_wrong_key_is_refused(key: str) -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    updated(desk, 1)
    desk.create(ANN, standard("gone"))
    desk.ask(ANN, "delete", segment_id="gone")
    kept = dict(desk.rows)
    value = kept[f"deleted|gone|{desk.offset}"] if key.startswith("deleted|") else kept["version|s|1"]
    before = desk.reloaded()
    with pytest.raises(Exception, match="not the record of"):
        desk.catalogue.apply(Decision(rows=((key, value),)))
    assert desk.catalogue == before


def test_tombstones_of_unknown_keys_are_read() -> None:
    desk = Desk()
    before = desk.reloaded()
    desk.catalogue.apply(Decision(rows=(("version|s|1", None), ("version|s|x", None), ("deleted|s|1", None))))
    assert desk.catalogue == before


def test_a_segment_that_another_writer_made_is_restored_in_its_group_and_the_next_version() -> None:
    desk = Desk()
    desk.catalogue.apply(Decision(definitions=(("s", {**standard("s"), "created_by": ANN}),)))
    desk.ask(ANN, "delete", segment_id="s")
    (kept,) = versions.restorable(desk.catalogue, ANN, now_ms=desk.now_ms)
    assert (kept.definition["group"], kept.definition["version"]) == ("default", 1)
    desk.ask(ANN, "restore", segment_id="s")
    row = desk.entry("s").row
    assert (row.group, row.version) == ("default", 2)
