"""Section 3, `select`: of all occurrences that pass `where`, the latest or earliest, in time and at ties."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, refused
from tests.engine.story import Line, Replayed, all_of, any_of, event, segment, tick, update

HIGH = {"has": all_of({"property": "score", "operator": "ge", "value": 9})}
LAST: dict[str, Any] = {"event": "answer", "select": "last"}
FIRST: dict[str, Any] = {"event": "answer", "select": "first"}


def answer(at: str, score: Any, **more: Any) -> Line:
    return event(at, "answer", {"score": score}, **more)


CASES = [
    case("without has it is enough that there is one", LAST, [answer("05-01", 1)], ["05-01 in"]),
    case("has fails on the only one", LAST | HIGH, [answer("05-01", 8)], []),
    case(
        "the latest decides, not any",
        LAST | HIGH,
        [answer("05-01", 9), answer("05-02", 1), answer("05-03", 10)],
        ["05-01 in", "05-02 out", "05-03 in"],
    ),
    case(
        "the earliest decides for good",
        FIRST | HIGH,
        [answer("05-01", 9), answer("05-02", 1)],
        ["05-01 in"],
    ),
    case(
        "an older one told late is not the latest",
        LAST | HIGH,
        [answer("05-03", 9), answer("05-04", 1, occurred="05-02")],
        ["05-03 in"],
    ),
    case(
        "an older one told late is the earliest",
        FIRST | HIGH,
        [answer("05-03", 9), answer("05-04", 1, occurred="05-02")],
        ["05-03 in", "05-04 out"],
    ),
    case(
        "the latest of a tie has the greater id",
        LAST | HIGH,
        [answer("05-01", 9, id_="m"), answer("05-01", 1, id_="a"), answer("05-01", 1, id_="z")],
        ["05-01 in", "05-01 out"],
    ),
    case(
        "the earliest of a tie has the lesser id",
        FIRST | HIGH,
        [answer("05-01", 9, id_="m"), answer("05-01", 1, id_="z"), answer("05-01", 1, id_="a")],
        ["05-01 in", "05-01 out"],
    ),
    case(
        "ids are compared as texts",
        LAST | HIGH,
        [answer("05-01", 9, id_="9"), answer("05-01", 1, id_="10")],
        ["05-01 in"],
    ),
    case(
        "the latest ages out of the window",
        LAST | HIGH | {"window": {"last": "P2D"}},
        [answer("05-01", 9), answer("05-02", 9)],
        ["05-01 in", "05-04 out"],
    ),
    case(
        "the earliest ages out while others are inside",
        FIRST | HIGH | {"window": {"last": "P2D"}},
        [answer("05-01", 9), answer("05-02", 9)],
        ["05-01 in", "05-03 out"],
    ),
    case(
        "the latest has to be in a window that ended",
        LAST | {"window": {"from": "-P3D", "to": "-P1D"}},
        [answer("05-01", 9), answer("05-02 12:00", 9)],
        ["05-02 in", "05-02 12:00 out", "05-03 12:00 in", "05-05 12:00 out"],
    ),
    case(
        "the latest of yesterday is not the latest of all",
        LAST | {"window": {"period": {"unit": "day", "from": -1, "to": -1}}},
        [answer("05-01 10:00", 9), answer("05-02 10:00", 9)],
        ["05-02 in", "05-02 10:00 out", "05-03 in", "05-04 out"],
    ),
    case(
        "the earliest between fixed days",
        FIRST | {"window": {"between": ["2026-05-02", None]}},
        [answer("05-02", 9), answer("05-03", 1, occurred="05-01 23:59:59.999")],
        ["05-02 in", "05-03 out"],
    ),
    case(
        "where chooses before the selection",
        LAST | HIGH | {"where": all_of({"property": "score", "operator": "gt", "value": 5})},
        [answer("05-01", 9), answer("05-02", 1), answer("05-03", 6)],
        ["05-01 in", "05-03 out"],
    ),
    case(
        "has may be any of its conditions",
        LAST
        | {
            "has": any_of(
                {"property": "score", "operator": "ge", "value": 9},
                {"property": "score", "operator": "is_not_set"},
            )
        },
        [answer("05-01", None), answer("05-02", 5), answer("05-03", 9)],
        ["05-01 in", "05-02 out", "05-03 in"],
    ),
    case(
        "a prefix selects among all its events",
        {"event": "ans*", "select": "last"} | HIGH,
        [answer("05-01", 9), event("05-02", "ans", {"score": 1}), event("05-03", "other", {"score": 9})],
        ["05-01 in", "05-02 out"],
    ),
    case(
        "not is true of those without any too",
        LAST | HIGH | {"not": True},
        [update("04-30"), answer("05-01", 9), answer("05-02", 1)],
        ["04-30 in", "05-01 out", "05-02 in"],
    ),
    case(
        "has may move with the clock",
        LAST | {"has": all_of({"property": "until", "operator": "within_next", "value": "P2D"})},
        [event("05-01", "answer", {"until": "2026-05-05"})],
        ["05-03 in", "05-05 out"],
    ),
    case(
        "where may move with the clock and so choose another",
        LAST | HIGH | {"where": all_of({"property": "until", "operator": "within_next", "value": "P9D"})},
        [
            event("05-01", "answer", {"score": 9, "until": "2026-05-08"}),
            event("05-02", "answer", {"score": 1, "until": "2026-05-04"}),
        ],
        ["05-01 in", "05-02 out", "05-04 in", "05-08 out"],
    ),
    case(
        "a repeated event does not count anew",
        LAST | {"window": {"last": "P2D"}},
        [answer("05-01", 9, id_="same"), answer("05-02", 9, id_="same")],
        ["05-01 in", "05-03 out"],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_selected_occurrence_decides(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str]
) -> None:
    found = changes_of(segment(condition), *lines, tick("06-30"))
    assert flips(found) == expected


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_definition_made_at_the_end_finds_the_same_members(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str]
) -> None:
    found = changes_of(*lines, segment(condition, at="05-07"), tick("05-07 00:00:00.001"))
    member_on_7_may = [one for one in expected if one <= "05-07 in"][-1:]
    assert flips(found) == (["05-07 in"] if member_on_7_may and member_on_7_may[0].endswith("in") else [])


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        case("with a count", LAST | {"count": {"operator": "ge", "value": 1}}, "count"),
        case(
            "with an aggregate",
            LAST | {"aggregate": {"function": "sum", "property": "a", "operator": "ge", "value": 1}},
            "aggregate",
        ),
        case("has without select", {"event": "answer"} | HIGH, "has"),
        case("has with any", {"event": "answer", "select": "any"} | HIGH, "has"),
        case("has of nothing", LAST | {"has": all_of()}, "has.conditions"),
        case("a select that is none", {"event": "answer", "select": "second"}, "select"),
    ],
)
def test_what_does_not_go_with_select_is_refused(condition: dict[str, Any], path: str) -> None:
    assert refused(condition) == ("invalid_schema", path)


def test_select_any_is_the_default(changes_of: Replayed) -> None:
    lines = [segment({"event": "answer", "select": "any"}), answer("05-01", 1)]
    assert changes_of(*lines) == ["05-01 s entered (behavior_event)"]
