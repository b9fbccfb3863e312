"""Running calculations, counts, and definitions that were written without a command."""

from __future__ import annotations

from typing import Any

import pytest

from streamseg.catalogue import adoption, calculation
from streamseg.catalogue.state import Catalogue
from streamseg.errors import RejectedError
from tests.catalogue.catalogues import ANN, BEN, Desk, Json, advanced, clusters, member_of, standard, static

OTHER = {"attribute": "mobile", "operator": "is_set"}


def test_a_calculation_goes_from_nothing_to_all() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.publish(calculation.begin(desk.catalogue, "s", generation=3))
    assert not calculation.begin(desk.catalogue, "s", generation=3)
    desk.publish(calculation.advance(desk.catalogue, "s", generation=3, progress=0.25))
    assert (desk.entry("s").row.generation, desk.entry("s").row.progress) == (3, 0.25)
    assert not calculation.advance(desk.catalogue, "s", generation=3, progress=0.25)
    desk.publish(calculation.complete(desk.catalogue, "s", generation=3, contacts=4))
    row = desk.entry("s").row
    assert (row.status, row.progress, row.contacts, row.generation, row.live_version) == (
        "completed",
        1,
        4,
        None,
        1,
    )
    assert row.command_offset == 0
    assert desk.reloaded() == desk.catalogue


def test_what_another_generation_says_changes_nothing() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.publish(calculation.begin(desk.catalogue, "s", generation=3))
    desk.ask(ANN, "update", definition=standard("s", OTHER))
    for generation in (2, 3):
        assert not calculation.advance(desk.catalogue, "s", generation=generation, progress=0.5)
        assert not calculation.complete(desk.catalogue, "s", generation=generation, contacts=1)
    desk.publish(calculation.begin(desk.catalogue, "s", generation=4))
    assert desk.finish("s", generation=4).row.version == 2


@pytest.mark.parametrize("segment_id", ["nobody", "waiting", "list"])
def test_what_does_not_calculate_does_not_begin(segment_id: str) -> None:
    desk = Desk()
    desk.create(ANN, advanced("waiting"))
    desk.create(ANN, static("list"))
    assert not calculation.begin(desk.catalogue, segment_id, generation=3)


def test_counts_are_those_of_memberships_that_stand() -> None:
    desk = Desk()
    for segment_id in ("done", "new", "empty"):
        desk.create(ANN, standard(segment_id))
    desk.finish("done", contacts=1)
    desk.finish("empty", contacts=2)
    decision = calculation.count(desk.catalogue, {"done": 3, "new": 4, "email-unsubscribed": 5})
    desk.publish(decision)
    assert {key: entry.row.contacts for key, entry in desk.catalogue.segments.items()} == {
        "done": 3,
        "new": 0,
        "empty": 0,
        "email-unsubscribed": 5,
        "global-unsubscribed": 0,
        "mobile-unsubscribed": 0,
    }
    assert desk.reloaded() == desk.catalogue


def adopted(desk: Desk, definition: Json) -> Any:
    decision = adoption.adopt(desk.catalogue, definition["segment_id"], definition)
    desk.publish(decision)
    assert not adoption.adopt(desk.catalogue, definition["segment_id"], definition)
    assert desk.reloaded() == desk.catalogue
    return desk.entry(definition["segment_id"]).row


@pytest.mark.parametrize(
    ("definition", "status"),
    [(standard("s"), "calculating"), (advanced("s"), "calculating"), (static("s"), "completed")],
)
def test_a_definition_written_by_operators_calculates_at_once(definition: Json, status: str) -> None:
    row = adopted(Desk(), {**definition, "version": 4, "group": "unheard of"})
    assert (row.status, row.version, row.group, row.created_by) == (status, 4, "default", None)


def test_operators_change_a_segment_as_an_update_would() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    old = desk.finish("s", contacts=6).definition
    row = adopted(desk, {**old, "name": "new", "version": 2})
    assert (row.status, row.live_version, row.contacts, row.command_offset) == ("completed", 2, 6, 0)
    changed = {**old, **standard("s", OTHER), "version": 3}
    row = adopted(desk, changed)
    assert (row.status, row.live_version, row.contacts) == ("calculating", 2, 6)
    assert row.live_definition == {**old, "name": "new", "version": 2}
    row = adopted(desk, {**static("s"), "version": 4})
    assert (row.type, row.status, row.live_version, row.live_definition) == ("static", "completed", 4, None)


def test_operators_delete_a_segment() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.publish(adoption.adopt(desk.catalogue, "s", None))
    assert "s" not in desk.catalogue.segments
    assert not adoption.adopt(desk.catalogue, "s", None)
    assert desk.reloaded() == desk.catalogue


def test_a_draft_whose_reference_operators_deleted_is_refused_until_it_is_changed() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    desk.create(ANN, advanced("draft", member_of("s")))
    desk.publish(adoption.adopt(desk.catalogue, "s", None))
    assert desk.refusal(ANN, "calculate", segment_id="draft") == ("unknown_reference", "segment_id")
    assert desk.refusal(ANN, "update", definition=advanced("draft", member_of("s"))) == (
        "unknown_reference",
        "definition.parts[0].clusters[0].conditions[0].segment",
    )
    desk.ask(ANN, "copy", segment_id="draft")
    desk.ask(ANN, "share", segment_id="draft", accounts=[BEN])
    desk.ask(ANN, "create_group", group="g")
    desk.ask(ANN, "move", segment_id="draft", group="g")
    desk.ask(ANN, "update", definition=advanced("draft"))
    desk.ask(ANN, "calculate", segment_id="draft")


def test_what_happened_while_nobody_looked_is_caught_up_with() -> None:
    desk = Desk()
    for segment_id in ("same", "changed", "gone"):
        desk.create(ANN, standard(segment_id))
        desk.finish(segment_id, contacts=3)
    desk.definitions += [
        ("new", {**standard("new"), "version": 1}),
        ("changed", {**standard("changed", OTHER), "version": 2}),
        ("gone", None),
    ]
    catalogue = Catalogue.load(desk.definitions, desk.rows)
    decision = adoption.catch_up(catalogue)
    assert not decision.definitions
    written = dict(decision.rows)
    assert written.keys() == {"new", "changed", "gone"}
    assert written["gone"] is None
    catalogue.apply(decision)
    row = catalogue.segments["changed"].row
    assert (row.version, row.status, row.live_version, row.contacts) == (2, "calculating", None, 3)
    assert row.command_offset == 1
    assert catalogue.segments["new"].row.status == "calculating"
    assert not adoption.catch_up(catalogue)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "new"}, ("new", [BEN], ANN, "completed", 1)),
        ({"shared_with": []}, ("s", [], ANN, "completed", 1)),
        ({"created_by": BEN}, ("s", [BEN], BEN, "completed", 1)),
        ({"clusters": clusters(OTHER)}, ("s", [BEN], ANN, "calculating", None)),
        ({"timezone": "Europe/Paris"}, ("s", [BEN], ANN, "calculating", None)),
        ({"name": "new", "version": 2}, ("new", [BEN], ANN, "completed", 2)),
    ],
    ids=str,
)
def test_a_definition_that_was_rewritten_while_nobody_looked_is_adopted_under_any_version(
    change: Json, expected: Any
) -> None:
    desk = Desk()
    desk.create(ANN, standard("s", shared_with=[BEN]))
    old = desk.finish("s", contacts=3).definition
    assert not adoption.catch_up(desk.reloaded())
    desk.definitions.append(("s", {**old, **change}))
    catalogue = desk.reloaded()
    catalogue.apply(adoption.catch_up(catalogue))
    row = catalogue.segments["s"].row
    assert (row.name, row.shared_with, row.created_by, row.status, row.live_version) == expected
    assert row.contacts == 3
    assert not adoption.catch_up(catalogue)


def test_a_group_that_operators_changed_while_nobody_looked_is_that_of_the_row() -> None:
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    definition = desk.create(ANN, standard("s")).definition
    for group, expected in (("g", "g"), ("unheard of", "default")):
        desk.definitions.append(("s", {**definition, "group": group}))
        desk.publish(adoption.catch_up(desk.reloaded()))
        assert desk.reloaded().segments["s"].row.group == expected
        assert not adoption.catch_up(desk.reloaded())


def test_a_row_of_an_earlier_release_is_taken_to_be_of_the_conditions_of_its_version() -> None:
    desk = Desk()
    desk.create(ANN, standard("s"))
    old = desk.finish("s", contacts=3).definition
    row = dict(desk.rows)["s"]
    assert row is not None
    del row["formula_digest"]
    for definition, status in ((old, "completed"), ({**old, "version": 2}, "calculating")):
        catalogue = Catalogue.load([("s", definition)], [("s", row)])
        catalogue.apply(adoption.catch_up(catalogue))
        assert catalogue.segments["s"].row.status == status
        assert not adoption.catch_up(catalogue)


def test_a_draft_stays_whatever_was_written_while_nobody_looked() -> None:
    desk = Desk()
    desk.create(ANN, advanced("s"))
    desk.ask(ANN, "calculate", segment_id="s")
    old = desk.finish("s").definition
    desk.ask(ANN, "update", definition=advanced("s", OTHER))
    desk.definitions.append(("s", {**old, "name": "new"}))
    assert not adoption.catch_up(desk.reloaded())


@pytest.mark.parametrize(
    ("change", "version"), [({}, 3), ({"name": "new"}, 4), ({"clusters": clusters(OTHER)}, 4)], ids=str
)
def test_a_definition_without_version_counts_on_over_a_restart(change: Json, version: int) -> None:
    desk = Desk()
    written = {**standard("s", group="unheard of"), **change}
    desk.publish(adoption.adopt(desk.catalogue, "s", {**standard("s", group="unheard of"), "version": 3}))
    for _ in range(2):
        # Before the leader has adopted it, and after: whenever a worker starts.
        assert adoption.counted_version(Catalogue.load([], desk.rows), "s", written) == version
        desk.definitions.append(("s", {**written, "version": version}))
        desk.publish(adoption.catch_up(desk.reloaded()))
    assert desk.reloaded().rows["s"].version == version
    assert adoption.counted_version(Catalogue.load([], desk.rows), "new", standard("new")) == 1


def test_a_definition_beside_a_draft_has_the_version_that_stands() -> None:
    desk = Desk()
    written = advanced("s", created_by=ANN)
    adopted(desk, {**written, "version": 3})
    desk.finish("s")
    for name in ("one", "two"):
        desk.ask(ANN, "update", definition=advanced("s", OTHER, name=name))
    assert desk.entry("s").row.version == 5
    assert adoption.counted_version(Catalogue.load([], desk.rows), "s", written) == 3


def test_a_circle_that_operators_closed_through_a_standing_version_stops_nobody() -> None:
    desk = Desk()
    desk.create(ANN, standard("b"))
    desk.create(ANN, standard("a", member_of("b")))
    desk.finish("a")
    desk.ask(ANN, "update", definition=standard("a", OTHER))
    adopted(desk, {**standard("b", member_of("a")), "version": 2})
    desk.create(BEN, standard("c", member_of("b")))
    assert desk.refusal(BEN, "update", definition=standard("c", member_of("c")))[0] == "reference_cycle"


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("s", {"segment_id": "s"}, "name"),
        ("s", {"group": "g", "created_by": ANN, "command_offset": 0}, "segment_id"),
        ("group|g", {"group": "g", "command_offset": 0}, "created_by"),
        ("commands|", {"command_offset": -2}, "command_offset"),
    ],
)
def test_a_record_that_is_not_of_the_schema_is_refused(key: str, value: Json, path: str) -> None:
    with pytest.raises(RejectedError) as caught:
        Catalogue.load([], [(key, value)])
    assert caught.value.code == "invalid_schema"
    assert caught.value.path == path
    assert key in caught.value.message
