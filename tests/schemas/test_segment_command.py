"""Valid commands, and the error paths of invalid ones."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.commands import SEGMENT_COMMAND, SegmentCommand, SegmentsCommand

DEFINITION = {
    "segment_id": "s1",
    "name": "n",
    "type": "standard",
    "clusters": [{"match": "all", "conditions": [{"sample": 0.5}]}],
}


def by(command: str, **more: object) -> dict[str, Any]:
    return {"command": command, "account": "a@x.cn", **more}


TAKEN = [
    by("create", definition=DEFINITION),
    by("create", segment_id="s1", definition=DEFINITION),
    by("update", segment_id="s1", definition={**DEFINITION, "version": 4}),
    by("copy", segment_id="s1"),
    by("copy", segment_id="s1", new_segment_id="s2"),
    by("copy", segment_ids=["s1", "s2"]),
    by("delete", segment_id="s1"),
    by("delete", segment_ids=["s1"]),
    by("move", segment_id="s1", group="g"),
    by("move", segment_ids=["s1", "s2"], group="g"),
    by("share", segment_id="s1", accounts=["b@x.cn"]),
    by("calculate", segment_id="s1"),
    by("calculate", segment_ids=["s1", "s2"]),
    by("create_group", group="g"),
    by("rename_group", group="g", new_group="h"),
    by("delete_group", group="g"),
    by("create", definition={**DEFINITION, "segment_id": "分" * 1_000, "name": "群" * 1_000}),
    by("copy", segment_id="x" * 1_000, new_segment_id="y" * 1_000),
    by("create_group", group="组" * 1_000),
    by("update", definition={**DEFINITION, "segment_id": ".."}),
    by("delete", segment_ids=["..", "a\nb"]),
    by("copy", segment_id=".."),
    by("create", definition={**DEFINITION, "segment_id": "...", "name": "a\nb"}),
]


@pytest.mark.parametrize("value", TAKEN)
def test_a_command_is_taken_and_written_back_as_it_came(value: dict[str, Any]) -> None:
    command = SEGMENT_COMMAND.validate_python(value)
    assert command.command == value["command"]
    assert SEGMENT_COMMAND.dump_python(command, exclude_unset=True) == value


def test_a_command_about_one_segment_or_many_names_its_targets() -> None:
    for more, targets in (({"segment_id": "a"}, ["a"]), ({"segment_ids": ["b", "a"]}, ["b", "a"])):
        command = SEGMENT_COMMAND.validate_python(by("delete", **more))
        assert isinstance(command, SegmentsCommand)
        assert command.targets == targets


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, "command"),
        ({}, "command"),
        (by("destroy", segment_id="s1"), "command"),
        ({"command": ["create"], "account": "a"}, "command"),
        ({"command": "delete", "segment_id": "s1"}, "account"),
        ({"command": "delete", "segment_id": "s1", "account": ""}, "account"),
        (by("delete"), "segment_id"),
        (by("delete", segment_id="s1", segment_ids=["s2"]), "segment_id"),
        (by("delete", segment_ids=[]), "segment_ids"),
        (by("delete", segment_ids=["s1", 2]), "segment_ids[1]"),
        (by("delete", segment_id="s1", group="g"), "group"),
        (by("move", segment_id="s1"), "group"),
        (by("share", segment_id="s1", accounts=[]), "accounts"),
        (by("share", segment_id="s1", accounts="b@x.cn"), "accounts"),
        (by("copy", segment_ids=["s1"], new_segment_id="s2"), "new_segment_id"),
        (by("create"), "definition"),
        (by("create", definition=None), "definition"),
        (by("create", segment_id="s2", definition=DEFINITION), "segment_id"),
        (by("create", definition={**DEFINITION, "clusters": []}), "definition.clusters"),
        (
            by(
                "update",
                definition={**DEFINITION, "clusters": [{"match": "all", "conditions": [{"sample": 2}]}]},
            ),
            "definition.clusters[0].conditions[0].sample",
        ),
        (by("create_group"), "group"),
        (by("create_group", group="g", segment_id="s1"), "segment_id"),
        (by("rename_group", group="g"), "new_group"),
        (by("create", definition={**DEFINITION, "segment_id": "x" * 1_001}), "definition.segment_id"),
        (by("create", definition={**DEFINITION, "name": "x" * 1_001}), "definition.name"),
        (by("create", definition={**DEFINITION, "group": "x" * 1_001}), "definition.group"),
        (by("copy", segment_id="s1", new_segment_id="x" * 1_001), "new_segment_id"),
        (by("copy", segment_ids=["s1", "x" * 1_000]), "new_segment_id"),
        (by("create_group", group="x" * 1_001), "group"),
        (by("rename_group", group="g", new_group="x" * 1_001), "new_group"),
        (by("create", definition={**DEFINITION, "segment_id": ".."}), "definition.segment_id"),
        (by("create", definition={**DEFINITION, "segment_id": "a\x7f"}), "definition.segment_id"),
        (by("copy", segment_id="s1", new_segment_id="."), "new_segment_id"),
        (by("copy", segment_ids=["s1", "a\nb"]), "new_segment_id"),
        (by("create_group", group="."), "group"),
        (by("rename_group", group="g", new_group="a\x9b"), "new_group"),
    ],
)
def test_a_wrong_command_is_refused_where_it_is_wrong(refusal: Any, value: object, path: str) -> None:
    assert refusal(SegmentCommand, value)[0] == path
