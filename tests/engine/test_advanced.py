"""Sections 1 and 3, advanced segments: parts that are included or excluded, and shapes that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import (
    Line,
    Replayed,
    all_of,
    any_of,
    definition,
    event,
    tick,
    update,
)


def has(tag: str) -> dict[str, Any]:
    return {"attribute": "tags", "operator": "contains_any", "value": [tag]}


def part(relation: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"relation": relation, "clusters": [all_of(*conditions)], **more}


def advanced(*parts: dict[str, Any], at: str = "01-01", **more: Any) -> Line:
    return definition(at, "push", {"type": "advanced", "parts": list(parts), **more})


MEMBERSHIPS = [
    case("one include", [part("include", has("a"))], {"a", "ab", "ax", "abx"}),
    case(
        "either of two",
        [part("include", has("a")), part("include", has("b"))],
        {"a", "b", "ab", "ax", "bx", "abx"},
    ),
    case("both in one part", [part("include", has("a"), has("b"))], {"ab", "abx"}),
    case("but not x", [part("include", has("a")), part("exclude", has("x"))], {"a", "ab"}),
    case("in whatever order", [part("exclude", has("x")), part("include", has("a"))], {"a", "ab"}),
    case(
        "neither b nor x",
        [part("include", has("a")), part("exclude", has("b")), part("exclude", has("x"))],
        {"a"},
    ),
    case(
        "but not both b and x",
        [part("include", has("a")), part("exclude", has("b"), has("x"))],
        {"a", "ab", "ax"},
    ),
    case("an exclusion of all", [part("include", has("a")), part("exclude", EVERYBODY)], set()),
    case("included and excluded by the same", [part("include", has("a")), part("exclude", has("a"))], set()),
    case(
        "clusters of a part are joined by and",
        [{"relation": "include", "clusters": [any_of(has("a"), has("b")), any_of(has("x"), has("y"))]}],
        {"ax", "bx", "abx"},
    ),
    case(
        "everybody but",
        [part("include", EVERYBODY), part("exclude", {**has("a"), "not": True})],
        {"a", "ab", "ax", "abx"},
    ),
]


@pytest.mark.parametrize(("parts", "members"), MEMBERSHIPS)
def test_parts_are_combined(changes_of: Replayed, parts: list[dict[str, Any]], members: set[str]) -> None:
    everybody = ["none", "a", "b", "x", "ab", "ax", "bx", "abx"]
    lines = [
        advanced(*parts),
        *(
            update("05-01", tags={"set": [] if contact == "none" else list(contact)}, of=contact)
            for contact in everybody
        ),
    ]
    found = changes_of.raw(*lines)
    assert {change["contact_id"] for change in found if change["change"] == "entered"} == members


def test_a_contact_that_changes_parts_in_one_step_stays_a_member(changes_of: Replayed) -> None:
    lines = [
        advanced(part("include", has("a")), part("include", has("b"))),
        update("05-01", tags={"set": ["a"]}),
        update("05-02", tags={"add": ["b"], "remove": ["a"]}),
        update("05-03", tags={"set": []}),
    ]
    assert changes_of(*lines) == ["05-01 push entered (contact_update)", "05-03 push exited (contact_update)"]


def test_twenty_parts_are_taken(changes_of: Replayed) -> None:
    lines = [
        advanced(*(part("include", has(f"t{number}")) for number in range(20))),
        update("05-01", tags={"set": ["t19"]}),
    ]
    assert changes_of(*lines) == ["05-01 push entered (contact_update)"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        case("twenty-one parts", {"type": "advanced", "parts": [part("include", EVERYBODY)] * 21}, "parts"),
        case("no part", {"type": "advanced", "parts": []}, "parts"),
        case("parts left out", {"type": "advanced"}, "parts"),
        case("nothing included", {"type": "advanced", "parts": [part("exclude", EVERYBODY)]}, "parts"),
        case(
            "a part without clusters",
            {"type": "advanced", "parts": [{"relation": "include", "clusters": []}]},
            "parts[0].clusters",
        ),
        case(
            "a part without conditions",
            {"type": "advanced", "parts": [part("include")]},
            "parts[0].clusters[0].conditions",
        ),
        case(
            "another relation", {"type": "advanced", "parts": [part("maybe", EVERYBODY)]}, "parts[0].relation"
        ),
        case(
            "an unknown key of a part",
            {"type": "advanced", "parts": [part("include", EVERYBODY, weight=1)]},
            "parts[0].weight",
        ),
        case(
            "clusters of its own",
            {"type": "advanced", "parts": [part("include", EVERYBODY)], "clusters": [all_of(EVERYBODY)]},
            "clusters",
        ),
        case(
            "a standard segment with parts",
            {"type": "standard", "clusters": [all_of(EVERYBODY)], "parts": [part("include", EVERYBODY)]},
            "parts",
        ),
        case("a standard segment without clusters", {"type": "standard", "clusters": []}, "clusters"),
        case(
            "a static segment with clusters", {"type": "static", "clusters": [all_of(EVERYBODY)]}, "clusters"
        ),
        case(
            "a static segment with parts", {"type": "static", "parts": [part("include", EVERYBODY)]}, "parts"
        ),
        case("another type", {"type": "dynamic", "clusters": [all_of(EVERYBODY)]}, "type"),
        case("no type", {"clusters": [all_of(EVERYBODY)]}, "type"),
        case("no name", {"type": "static", "name": None}, "name"),
        case(
            "a cluster that matches none",
            {"type": "standard", "clusters": [{"match": "none", "conditions": [EVERYBODY]}]},
            "clusters[0].match",
        ),
        case("a zone that is none", {"type": "static", "timezone": "Mars/Olympus"}, "timezone"),
        case("a version that is none", {"type": "static", "version": "3"}, "version"),
    ],
)
def test_a_definition_of_another_shape_is_refused(body: dict[str, Any], path: str) -> None:
    found = heard(definition("01-01", "push", body), update("05-01"))
    assert found.refusals == [("invalid_schema", path)]
    assert found.members() == []


def test_an_exclusion_ends_by_time_and_an_inclusion_too(changes_of: Replayed) -> None:
    lines = [
        advanced(
            part("include", {"event": "buy", "window": {"last": "P5D"}}),
            part("exclude", {"event": "email_send", "window": {"last": "P2D"}}),
        ),
        event("05-01", "buy"),
        event("05-02", "email_send"),
        tick("06-01"),
    ]
    assert changes_of(*lines) == [
        "05-01 push entered (behavior_event)",
        "05-02 push exited (behavior_event)",
        "05-04 push entered (time)",
        "05-06 push exited (time)",
    ]
