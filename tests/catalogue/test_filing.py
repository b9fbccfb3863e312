"""Copying, deleting, moving, sharing and groups, over one segment and many."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamseg.catalogue.state import Catalogue
from streamseg.plan.definitions import Definitions
from streamseg.records.inputs import Record
from tests.catalogue.catalogues import (
    ANN,
    BEN,
    EVE,
    NOW,
    SETTINGS,
    Desk,
    advanced,
    member_of,
    standard,
    static,
)


@pytest.fixture
def desk() -> Desk:
    """ann: a, b (which refers to a), adv, list, in `default`; filed in her `g`. ben: c, in his `h`."""
    desk = Desk()
    desk.ask(ANN, "create_group", group="g")
    desk.ask(BEN, "create_group", group="h")
    desk.create(ANN, standard("a", shared_with=[BEN]))
    desk.create(ANN, standard("b", member_of("a")))
    desk.create(ANN, advanced("adv"))
    desk.create(ANN, static("list"))
    desk.create(ANN, standard("filed", group="g"))
    desk.create(BEN, standard("c", group="h"))
    return desk


def groups_of(catalogue: Catalogue, *segment_ids: str) -> list[str]:
    return [catalogue.segments[segment_id].row.group for segment_id in segment_ids]


@pytest.mark.parametrize(
    ("account", "command", "fields", "expected"),
    [
        (ANN, "copy", {"segment_id": "x"}, ("unknown_reference", "segment_id")),
        (ANN, "copy", {"segment_id": "email-unsubscribed"}, ("not_permitted", "segment_id")),
        (ANN, "copy", {"segment_id": "c"}, ("not_permitted", "segment_id")),
        (ANN, "copy", {"segment_ids": ["a", "c"]}, ("not_permitted", "segment_ids[1]")),
        (ANN, "copy", {"segment_id": "a", "new_segment_id": "b"}, ("conflict", "new_segment_id")),
        (
            ANN,
            "copy",
            {"segment_id": "a", "new_segment_id": "global-unsubscribed"},
            ("not_permitted", "new_segment_id"),
        ),
        (ANN, "delete", {"segment_id": "x"}, ("unknown_reference", "segment_id")),
        (ANN, "delete", {"segment_id": "mobile-unsubscribed"}, ("not_permitted", "segment_id")),
        (BEN, "delete", {"segment_id": "a"}, ("not_permitted", "segment_id")),
        (ANN, "delete", {"segment_id": "a"}, ("in_use", "segment_id")),
        (ANN, "delete", {"segment_ids": ["adv", "a"]}, ("in_use", "segment_ids[1]")),
        (ANN, "delete", {"segment_ids": ["adv", "adv", "c"]}, ("not_permitted", "segment_ids[2]")),
        (ANN, "move", {"segment_id": "x", "group": "g"}, ("unknown_reference", "segment_id")),
        (BEN, "move", {"segment_id": "a", "group": "h"}, ("not_permitted", "segment_id")),
        (
            ANN,
            "move",
            {"segment_ids": ["a", "email-unsubscribed"], "group": "g"},
            ("not_permitted", "segment_ids[1]"),
        ),
        (ANN, "move", {"segment_id": "a", "group": "x"}, ("unknown_reference", "group")),
        (ANN, "move", {"segment_id": "a", "group": "all"}, ("not_permitted", "group")),
        (ANN, "move", {"segment_id": "a", "group": "mine"}, ("not_permitted", "group")),
        (ANN, "move", {"segment_id": "a", "group": "channel-unsubscribed"}, ("not_permitted", "group")),
        (ANN, "share", {"segment_id": "x", "accounts": [BEN]}, ("unknown_reference", "segment_id")),
        (BEN, "share", {"segment_id": "a", "accounts": [EVE]}, ("not_permitted", "segment_id")),
        (
            ANN,
            "share",
            {"segment_id": "global-unsubscribed", "accounts": [BEN]},
            ("not_permitted", "segment_id"),
        ),
        (ANN, "share", {"segment_ids": ["a", "c"], "accounts": [EVE]}, ("not_permitted", "segment_ids[1]")),
        (ANN, "calculate", {"segment_id": "x"}, ("unknown_reference", "segment_id")),
        (BEN, "calculate", {"segment_id": "adv"}, ("not_permitted", "segment_id")),
        (ANN, "calculate", {"segment_id": "email-unsubscribed"}, ("not_permitted", "segment_id")),
        (ANN, "calculate", {"segment_ids": ["adv", "list"]}, ("not_permitted", "segment_ids[1]")),
        (ANN, "create_group", {"group": "g"}, ("conflict", "group")),
        (ANN, "create_group", {"group": "h"}, ("conflict", "group")),
        (ANN, "create_group", {"group": "all"}, ("not_permitted", "group")),
        (ANN, "create_group", {"group": "全部分群"}, ("not_permitted", "group")),
        (ANN, "create_group", {"group": " ＡＬＬ Segments"}, ("not_permitted", "group")),
        (ANN, "rename_group", {"group": "g", "new_group": "默认分组"}, ("not_permitted", "new_group")),
        (ANN, "create_group", {"group": "default"}, ("not_permitted", "group")),
        (ANN, "rename_group", {"group": "x", "new_group": "y"}, ("unknown_reference", "group")),
        (ANN, "rename_group", {"group": "h", "new_group": "y"}, ("not_permitted", "group")),
        (ANN, "rename_group", {"group": "default", "new_group": "y"}, ("not_permitted", "group")),
        (ANN, "rename_group", {"group": "mine", "new_group": "y"}, ("not_permitted", "group")),
        (ANN, "rename_group", {"group": "g", "new_group": "h"}, ("conflict", "new_group")),
        (ANN, "rename_group", {"group": "g", "new_group": "default"}, ("not_permitted", "new_group")),
        (ANN, "delete_group", {"group": "x"}, ("unknown_reference", "group")),
        (ANN, "delete_group", {"group": "h"}, ("not_permitted", "group")),
        (ANN, "delete_group", {"group": "default"}, ("not_permitted", "group")),
        (ANN, "delete_group", {"group": "channel-unsubscribed"}, ("not_permitted", "group")),
    ],
)
def test_refusals(desk: Desk, account: str, command: str, fields: Any, expected: tuple[str, str]) -> None:
    assert desk.refusal(account, command, **fields) == expected


def test_what_would_grow_too_large_is_refused(desk: Desk) -> None:
    desk.settings = SETTINGS.model_copy(update={"max_record_bytes": 400})
    long = "x" * 400
    desk.ask(ANN, "create_group", group=long)
    assert desk.refusal(ANN, "move", segment_ids=["a", "b"], group=long) == ("too_large", "segment_ids[0]")
    assert desk.refusal(ANN, "share", segment_id="a", accounts=[long]) == ("too_large", "segment_id")
    assert desk.refusal(ANN, "copy", segment_id="a", new_segment_id=long) == ("too_large", "segment_id")
    assert desk.refusal(ANN, "rename_group", group="g", new_group=long * 2) == ("too_large", "new_group")


def test_a_copy_is_a_new_segment_of_whoever_copies(desk: Desk) -> None:
    desk.finish("a", contacts=9)
    desk.now_ms = NOW + 1
    desk.ask(BEN, "copy", segment_id="a", new_segment_id="mine")
    copy, original = desk.entry("mine"), desk.entry("a")
    assert copy.definition["clusters"] == original.definition["clusters"]
    row = copy.row
    assert (row.name, row.group, row.version, row.status) == ("a_复制", "default", 1, "calculating")
    assert (row.created_by, row.updated_by, row.shared_with, row.contacts) == (BEN, BEN, [], 0)
    assert row.created_at == row.updated_at == "2026-05-01T00:00:00.001Z"
    assert original.row.name == "a"


def test_ids_of_copies_are_made_up_the_same_way_each_time(desk: Desk) -> None:
    desk.ask(ANN, "copy", segment_ids=["a", "filed", "a"])
    desk.ask(ANN, "copy", segment_ids=["a", "a-copy"])
    names = {key: entry.row.name for key, entry in desk.catalogue.segments.items() if "copy" in key}
    assert names == {
        "a-copy": "a_复制",
        "a-copy-2": "a_复制",
        "filed-copy": "filed_复制",
        "a-copy-copy": "a_复制_复制",
    }
    assert groups_of(desk.catalogue, "a-copy", "filed-copy") == ["default", "g"]


def test_a_copy_of_what_another_account_shared_is_filed_in_default(desk: Desk) -> None:
    desk.ask(ANN, "share", segment_id="filed", accounts=[BEN])
    desk.ask(BEN, "copy", segment_id="filed")
    assert groups_of(desk.catalogue, "filed-copy") == ["default"]


def test_copies_begin_as_new_segments_of_their_type_do(desk: Desk) -> None:
    desk.ask(ANN, "calculate", segment_id="adv")
    desk.finish("adv")
    desk.ask(ANN, "copy", segment_ids=["adv", "list", "a"])
    assert [desk.entry(f"{one}-copy").row.status for one in ("adv", "list", "a")] == [
        "not_calculated",
        "completed",
        "calculating",
    ]


@pytest.mark.parametrize("ids", [["a", "b"], ["b", "a"]])
def test_segments_that_refer_to_each_other_go_together_referring_ones_first(
    desk: Desk, ids: list[str]
) -> None:
    judge = Definitions(SETTINGS)
    decision = desk.ask(ANN, "delete", segment_ids=ids)
    assert decision.definitions == (("b", None), ("a", None))
    assert {key for key, value in decision.rows if value is None} == {"a", "b"}
    assert not {"a", "b"} & desk.catalogue.segments.keys()

    for offset, (key, value) in enumerate(desk.definitions):
        body = None if value is None else orjson.dumps(value)
        judge.take(Record("segment-definitions", 0, offset, NOW, key.encode(), body))
    assert "a" not in judge.plan.segments


def test_moving_and_sharing_leave_version_and_status_alone(desk: Desk) -> None:
    desk.finish("a")
    desk.ask(ANN, "move", segment_ids=["a", "b"], group="h")
    desk.ask(ANN, "share", segment_ids=["a", "b"], accounts=[EVE, ANN, BEN, EVE])
    a, b = desk.entry("a"), desk.entry("b")
    assert (a.row.group, a.row.version, a.row.status, a.row.shared_with) == ("h", 1, "completed", [BEN, EVE])
    assert (b.row.group, b.row.version, b.row.status, b.row.shared_with) == (
        "h",
        1,
        "calculating",
        [EVE, BEN],
    )
    for entry in (a, b):
        assert entry.definition["group"] == entry.row.group
        assert entry.definition["shared_with"] == entry.row.shared_with


def test_segments_go_with_their_group_whoever_they_belong_to(desk: Desk) -> None:
    desk.ask(BEN, "move", segment_id="c", group="g")
    desk.ask(ANN, "rename_group", group="g", new_group="新|组")
    assert groups_of(desk.catalogue, "filed", "c", "a") == ["新|组", "新|组", "default"]
    assert desk.catalogue.groups.keys() == {"新|组", "h"}
    assert desk.catalogue.groups["新|组"].created_by == ANN
    assert desk.reloaded() == desk.catalogue

    desk.ask(ANN, "delete_group", group="新|组")
    assert groups_of(desk.catalogue, "filed", "c") == ["default", "default"]
    assert desk.entry("c").definition["group"] == "default"
    assert desk.reloaded() == desk.catalogue


COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("create", {"definition": standard("new")}),
    ("update", {"definition": standard("a")}),
    ("copy", {"segment_id": "a"}),
    ("delete", {"segment_id": "b"}),
    ("revert", {"segment_id": "a", "version": 1}),
    ("restore", {"segment_id": "gone"}),
    ("move", {"segment_id": "a", "group": "g"}),
    ("share", {"segment_id": "a", "accounts": [EVE]}),
    ("calculate", {"segment_ids": ["a", "adv"]}),
    ("create_group", {"group": "new"}),
    ("rename_group", {"group": "g", "new_group": "new"}),
    ("delete_group", {"group": "g"}),
]


@pytest.mark.parametrize(("command", "fields"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_read_again_after_a_restart_changes_nothing(desk: Desk, command: str, fields: Any) -> None:
    desk.create(ANN, standard("gone"))
    desk.ask(ANN, "delete", segment_id="gone")
    desk.ask(ANN, "update", definition=standard("a"))
    decision = desk.ask(ANN, command, **fields)
    assert decision
    for key, value in decision.rows:
        of_a_version = key.startswith(("version|", "deleted|"))
        assert value is None or of_a_version or value["command_offset"] == desk.offset, key
    desk.catalogue = desk.reloaded()
    assert not desk.ask(ANN, command, offset=desk.offset, **fields)
    assert not desk.ask(ANN, command, offset=0, **fields)
    assert desk.catalogue.command_offset == desk.offset


def test_an_id_that_was_deleted_is_free_again(desk: Desk) -> None:
    desk.ask(ANN, "delete", segment_id="adv")
    assert desk.create(BEN, standard("adv")).row.version == 1
