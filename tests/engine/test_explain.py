"""`streamseg explain`: which conditions hold, what decides them, since when, and when that changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from streamseg.cli import app
from streamseg.engine.explain import explain
from tests.engine.cases import EVERYBODY, case, heard
from tests.engine.story import Line, all_of, any_of, definition, event, segment, static, tick, update

CHINA = {"attribute": "location", "operator": "eq", "value": "中国"}
RECENT = {"event": "buy", "window": {"last": "P7D"}}
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
STORY = [
    definition("01-01", "s", {"type": "standard", "clusters": [all_of(CHINA), any_of(RECENT, VIP)]}),
    update("05-01 10:00", {"location": "中国"}),
    event("05-02 10:00", "buy", id_="e-1"),
    event("05-03 10:00", "buy", id_="e-2"),
    event("05-03 11:00", "open", id_="e-3"),
]


def explained(*lines: Line, of: str = "s", until: str | None = None) -> dict[str, Any]:
    run = heard(*lines, until=until).run
    contacts = {contact.contact_id: (contact, events) for contact, events in run.contacts()}
    contact, events = contacts["c1"]
    plan = run.partition.plan
    return explain(contact, plan.segments[of], plan, events, run.partition.clock_ms)


def conditions(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        condition
        for part in explanation["parts"]
        for cluster in part["clusters"]
        for condition in cluster["conditions"]
    ]


def test_an_explanation_is_a_tree_of_what_holds() -> None:
    assert explained(*STORY) == {
        "segment_id": "s",
        "segment_version": 1,
        "contact_id": "c1",
        "at": "2026-05-03T03:00:00.000Z",
        "member": True,
        "since": "2026-05-02T02:00:00.000Z",
        "sequence": 1,
        "next_change_at": "2026-05-10T02:00:00.000Z",
        "parts": [
            {
                "name": None,
                "relation": "include",
                "holds": True,
                "clusters": [
                    {
                        "match": "all",
                        "holds": True,
                        "conditions": [
                            {
                                "condition": CHINA,
                                "holds": True,
                                "since": "2026-05-01T02:00:00.000Z",
                                "may_change_at": None,
                                "value": "中国",
                            }
                        ],
                    },
                    {
                        "match": "any",
                        "holds": True,
                        "conditions": [
                            {
                                "condition": RECENT,
                                "holds": True,
                                "since": "2026-05-02T02:00:00.000Z",
                                "may_change_at": "2026-05-10T02:00:00.000Z",
                                "reached": {"what": "count", "value": 2},
                                "occurrences": [
                                    {"event_id": "e-1", "occurred_at": "2026-05-02T02:00:00.000Z"},
                                    {"event_id": "e-2", "occurred_at": "2026-05-03T02:00:00.000Z"},
                                ],
                            },
                            {
                                "condition": VIP,
                                "holds": False,
                                "since": "2026-05-01T02:00:00.000Z",
                                "may_change_at": None,
                                "value": None,
                            },
                        ],
                    },
                ],
            }
        ],
    }


def test_who_was_never_a_member_has_no_since() -> None:
    found = explained(segment(CHINA), update("05-01"))
    assert (found["member"], found["since"], found["sequence"], found["next_change_at"]) == (
        False,
        None,
        0,
        None,
    )


def test_who_left_has_been_out_since_then() -> None:
    found = explained(*STORY, until="06-01")
    assert (found["member"], found["since"], found["sequence"]) == (False, "2026-05-10T02:00:00.000Z", 2)


def test_the_parts_of_an_advanced_segment_are_named() -> None:
    parts = [
        {"name": "买家", "relation": "include", "clusters": [all_of(RECENT)]},
        {"name": "贵宾", "relation": "exclude", "clusters": [all_of(VIP)]},
    ]
    found = explained(
        definition("01-01", "s", {"type": "advanced", "parts": parts}),
        event("05-01", "buy"),
        update("05-02", tags={"add": ["vip"]}),
    )
    assert found["member"] is False
    assert [(part["name"], part["relation"], part["holds"]) for part in found["parts"]] == [
        ("买家", "include", True),
        ("贵宾", "exclude", True),
    ]


# a condition, lines, and what its explanation holds
DECIDED = [
    case(
        "an attribute by its value",
        VIP,
        [update("05-01", tags={"add": ["vip", "x"]})],
        {"holds": True, "value": ["vip", "x"]},
    ),
    case(
        "a path by what is there",
        {"attribute": "a.b", "operator": "eq", "value": 1},
        [update("05-01", {"a": {"b": 1}})],
        {"holds": True, "value": 1},
    ),
    case(
        "a missing value by none", {**CHINA, "not": True}, [update("05-01")], {"holds": True, "value": None}
    ),
    case(
        "held by since when",
        {**CHINA, "held": {"at_least": "P7D"}},
        [update("05-01", {"location": "中国"})],
        {
            "holds": False,
            "held_since": "2026-04-30T16:00:00.000Z",
            "may_change_at": "2026-05-07T16:00:00.000Z",
        },
    ),
    case(
        "held by nothing while the test fails",
        {**CHINA, "held": {"at_least": "P7D"}},
        [update("05-01", {"location": "法国"})],
        {"holds": False, "held_since": None, "may_change_at": None},
    ),
    case(
        "a count by its occurrences",
        {"event": "buy", "count": {"operator": "ge", "value": 2}},
        [event("05-01", "buy", id_="x")],
        {"holds": False, "occurrences": [{"event_id": "x", "occurred_at": "2026-04-30T16:00:00.000Z"}]},
    ),
    case(
        "only those that pass where",
        {"event": "buy", "where": all_of({"property": "n", "operator": "eq", "value": 1})},
        [event("05-01", "buy", {"n": 2}), event("05-01", "buy", {"n": 1}, id_="x")],
        {"holds": True, "occurrences": [{"event_id": "x", "occurred_at": "2026-04-30T16:00:00.000Z"}]},
    ),
    case(
        "a sequence by its steps",
        {"sequence": [{"event": "open"}, {"event": "buy"}], "within": "P1D"},
        [event("05-01", "open", id_="o"), event("05-01 08:00", "buy", id_="b"), event("05-01 09:00", "x")],
        {
            "holds": True,
            "occurrences": [
                {"event_id": "o", "occurred_at": "2026-04-30T16:00:00.000Z"},
                {"event_id": "b", "occurred_at": "2026-05-01T00:00:00.000Z"},
            ],
        },
    ),
    case("a sample by the sample", {"sample": 1}, [update("05-01")], {"holds": True, "may_change_at": None}),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), DECIDED)
def test_a_condition_shows_what_decides_it(
    condition: dict[str, Any], lines: list[Line], expected: dict[str, Any]
) -> None:
    (found,) = conditions(explained(segment(condition), *lines))
    assert found["condition"] == condition
    assert {key: found[key] for key in expected} == expected


def test_a_reference_shows_since_when_it_holds() -> None:
    lines = [segment(RECENT, of="r"), segment({"segment": "r"}, EVERYBODY), event("05-01", "buy")]
    reference, _ = conditions(explained(*lines, update("05-02", {"a": 1})))
    assert (reference["holds"], reference["since"]) == (True, "2026-04-30T16:00:00.000Z")


def test_built_in_and_static_segments_are_explained_too() -> None:
    lines = [event("05-01 10:00", "email_unsubscribe", id_="e-1")]
    found = explained(*lines, of="email-unsubscribed")
    assert (found["member"], found["next_change_at"]) == (False, "2026-05-01T16:00:00.000Z")
    (condition,) = conditions(found)
    assert condition["occurrences"] == [{"event_id": "e-1", "occurred_at": "2026-05-01T02:00:00.000Z"}]
    assert explained(static("fair"), update("05-01", lists={"add": ["fair"]}), of="fair")["member"] is True


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("STREAMSEG_TIMEZONE", raising=False)
    file = tmp_path / "records.ndjson"
    lines = [*STORY, tick("05-30")]
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))

    def command(*options: str) -> Result:
        return CliRunner().invoke(app, ["explain", str(file), *options])

    return command


C1 = ("--contact", "c1", "--segment", "s")


@pytest.mark.parametrize(
    ("at", "member", "next_change"),
    [
        case("before the purchase", "2026-05-02T01:59:59.999Z", False, None),
        case("at the purchase", "2026-05-02T02:00:00Z", True, "2026-05-09T02:00:00.000Z"),
        case("after the second one", "2026-05-03T12:00:00", True, "2026-05-10T02:00:00.000Z"),
        case("just before the end", "2026-05-10T01:59:59.999Z", True, "2026-05-10T02:00:00.000Z"),
        case("at the end", "2026-05-10T02:00:00Z", False, None),
        case("long after the last line", "2027-01-01", False, None),
    ],
)
def test_at_explains_a_moment(run: Run, at: str, member: bool, next_change: str | None) -> None:
    result = run(*C1, "--at", at, "--json")
    assert result.exit_code == 0
    found = orjson.loads(result.stdout)
    assert (found["member"], found["next_change_at"]) == (member, next_change)


def test_without_at_it_is_after_the_last_line(run: Run) -> None:
    found = orjson.loads(run(*C1, "--json").stdout)
    assert (found["at"], found["member"]) == ("2026-05-29T16:00:00.000Z", False)


def test_the_tree_marks_what_holds(run: Run) -> None:
    result = run(*C1, "--at", "2026-05-03T12:00:00")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "✓" in lines[0]
    assert "c1" in lines[0]
    assert any("2026-05-10T02:00:00.000Z" in line for line in lines)
    assert any("✗" in line for line in lines)
    assert any("e-2" in line for line in lines)


@pytest.mark.parametrize(
    "options", [("--contact", "nobody", "--segment", "s"), ("--contact", "c1", "--segment", "nothing")]
)
def test_who_or_what_is_unknown_ends_with_an_error(run: Run, options: tuple[str, ...]) -> None:
    result = run(*options)
    assert result.exit_code != 0
    assert result.stdout == ""


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["explain", str(tmp_path / "nothing"), *C1])
    assert result.exit_code == 2
