"""Section 3, `held` further: which operators, paths and tags, looking back, and where it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import case, flips, op, refused
from tests.engine.story import Line, Replayed, event, segment, tick, update

LONG, SHORT = {"held": {"at_least": "P7D"}}, {"held": {"less_than": "P7D"}}


def about(attribute: str, operator: str, operand: Any = None, **more: Any) -> dict[str, Any]:
    return {"attribute": attribute, **op(operator, operand), **more}


CASES = [
    case(
        "is_set since its value",
        about("a", "is_set", **LONG),
        [update("05-01", {"a": 1}), update("05-03", {"a": 2})],
        ["05-08 in"],
    ),
    case(
        "is_set for less",
        about("a", "is_set", **SHORT),
        [update("05-01", {"a": 1}), update("05-03", {"a": 2})],
        ["05-01 in", "05-08 out"],
    ),
    case(
        "a number that stays above",
        about("a", "ge", 5, **LONG),
        [update("05-01", {"a": 5}), update("05-03", {"a": 9})],
        ["05-08 in"],
    ),
    case(
        "a number that falls and rises",
        about("a", "ge", 5, **LONG),
        [update("05-01", {"a": 5}), update("05-03", {"a": 4}), update("05-04", {"a": 5})],
        ["05-11 in"],
    ),
    case(
        "falls at the very end of it",
        about("a", "ge", 5, **LONG),
        [update("05-01", {"a": 5}), update("05-08", {"a": 4})],
        ["05-08 in", "05-08 out"],
    ),
    case(
        "falls just before",
        about("a", "ge", 5, **LONG),
        [update("05-01", {"a": 5}), update("05-07 23:59:59.999", {"a": 4})],
        [],
    ),
    case(
        "a fixed time",
        about("created_at", "before", "2026-05-01", **LONG),
        [update("05-01", {"created_at": "2026-01-01"})],
        ["05-08 in"],
    ),
    case(
        "a calendar part",
        about("created_at", "calendar", {"unit": "month", "values": [1]}, **LONG),
        [update("05-01", {"created_at": "2026-01-01"})],
        ["05-08 in"],
    ),
    case(
        "a path that stays while its object changes",
        about("a.b", "eq", 1, **LONG),
        [update("05-01", {"a": {"b": 1}}), update("05-03", {"a": {"b": 1, "c": 2}})],
        ["05-08 in"],
    ),
    case(
        "a path that goes with its object",
        about("a.b", "eq", 1, **SHORT),
        [update("05-01", {"a": {"b": 1}}), update("05-03", {"a": 5})],
        ["05-01 in", "05-03 out"],
    ),
    case(
        "a tag, while others come and go",
        about("tags", "contains_any", ["x"], **LONG),
        [
            update("05-01", tags={"add": ["x"]}),
            update("05-03", tags={"add": ["y"]}),
            update("05-04", tags={"remove": ["y"]}),
        ],
        ["05-08 in"],
    ),
    case(
        "no tag, since the contact is known",
        about("tags", "contains_none", ["x"], **LONG),
        [event("05-01", "open"), update("05-03", {"a": 1})],
        ["05-08 in"],
    ),
    case(
        "ne of a missing value, then of another",
        about("a", "ne", 1, **LONG),
        [event("05-01", "open"), update("05-04", {"a": 2})],
        ["05-08 in"],
    ),
    case(
        "ne interrupted",
        about("a", "ne", 1, **LONG),
        [event("05-01", "open"), update("05-04", {"a": 1}), update("05-05", {"a": None})],
        ["05-12 in"],
    ),
    case(
        "not with held is the complement of the whole",
        about("a", "eq", 1, **LONG, **{"not": True}),
        [update("05-01", {"a": 1})],
        ["05-01 in", "05-08 out"],
    ),
    case(
        "not with less_than",
        about("a", "eq", 1, **SHORT, **{"not": True}),
        [update("05-01", {"a": 1})],
        ["05-08 in"],
    ),
    case(
        "a value stated long ago is in at once",
        about("a", "eq", 1, **LONG),
        [update("05-10", {"a": 1}, stated="05-03")],
        ["05-10 in"],
    ),
    case(
        "and a millisecond less waits for it",
        about("a", "eq", 1, **LONG),
        [update("05-10", {"a": 1}, stated="05-03 00:00:00.001")],
        ["05-10 00:00:00.001 in"],
    ),
    case(
        "less than so long ago", about("a", "eq", 1, **SHORT), [update("05-10", {"a": 1}, stated="05-03")], []
    ),
    case(
        "the same value stated later does not begin anew",
        about("a", "eq", 1, **SHORT),
        [update("05-01", {"a": 1}), update("05-05", {"a": 1})],
        ["05-01 in", "05-08 out"],
    ),
    case(
        "the contact's id since it is known",
        about("contact_id", "is_set", **LONG),
        [event("05-01", "open")],
        ["05-08 in"],
    ),
    case(
        "erased and known again",
        about("a", "is_not_set", **LONG),
        [update("05-01"), update("05-05", deleted=True), update("05-06")],
        ["05-13 in"],
    ),
    case(
        "an older value does not interrupt",
        about("a", "eq", 1, **LONG),
        [update("05-01", {"a": 1}), update("05-02", {"a": 2}, stated="04-30")],
        ["05-08 in"],
    ),
]


@pytest.mark.parametrize(("condition", "lines", "expected"), CASES)
def test_a_test_that_has_been_true_for_so_long(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str]
) -> None:
    assert flips(changes_of(segment(condition), *lines, tick("06-30"))) == expected


# lines, then when a definition of 05-20 of "a eq 1 held at least P20D" is entered
LOOKING_BACK = [
    case("since the value", [update("05-05", {"a": 1})], "05-25"),
    case("since the value was stated", [update("05-05", {"a": 1}, stated="05-02")], "05-22"),
    case("over the same value stated again", [update("05-05", {"a": 1}), update("05-10", {"a": 1})], "05-25"),
    case(
        "not over another value",
        [update("05-05", {"a": 1}), update("05-10", {"a": 2}), update("05-12", {"a": 1})],
        "06-01",
    ),
    case("long enough already", [update("04-30", {"a": 1})], "05-20"),
    case(
        "an older value told late changes nothing",
        [update("05-05", {"a": 1}), update("05-06", {"a": 2}, stated="05-01")],
        "05-25",
    ),
]


@pytest.mark.parametrize(("lines", "entered"), LOOKING_BACK)
def test_a_definition_made_later_looks_back(changes_of: Replayed, lines: list[Line], entered: str) -> None:
    definition = segment(about("a", "eq", 1, held={"at_least": "P20D"}), at="05-20")
    (change,) = changes_of(*lines, definition, tick("06-30"))
    assert change.startswith(f"{entered} s entered")


def test_looking_back_reaches_the_latest_values_own_time_though_its_change_is_forgotten(
    changes_of: Replayed,
) -> None:
    lines = [update("05-01", {"a": 1}), segment(about("a", "eq", 1, **LONG), at="06-01")]
    assert changes_of(*lines, history_retention_ms=10 * 86_400_000) == ["06-01 s entered (definition)"]


# what is stated on 05-01, on 05-10 and on 05-26, as of 05-12; then when a definition of 06-01 is entered
FORGOTTEN = [
    case("an empty list", ("a", 1, 2, []), "06-11"),
    case("a removed value", ("a", 1, 2, None), "06-11"),
    case("a removed value that was missing before", ("a", None, 1, None), "06-11"),
    case("a value that was never there", ("a", None, None, None), "06-01"),
    case("tags that were removed", ("tags", ["x"], ["x"], None), "06-11"),
    case("tags that were missing before", ("tags", [], ["x"], []), "06-11"),
    case("tags that were never there", ("tags", [], None, []), "06-01"),
]


@pytest.mark.parametrize(("stated", "entered"), FORGOTTEN)
def test_a_missing_value_counts_from_its_removal_though_the_change_is_forgotten(
    changes_of: Replayed, stated: tuple[Any, ...], entered: str
) -> None:
    name, *values = stated
    days = [("05-01", "05-01"), ("05-10", "05-10"), ("05-26", "05-12")]
    lines = [
        *(update(at, {name: value}, stated=as_of) for (at, as_of), value in zip(days, values, strict=True)),
        segment(about(name, "is_not_set", held={"at_least": "P30D"}), at="06-01"),
        tick("06-30"),
    ]
    changes = changes_of(*lines, history_retention_ms=10 * 86_400_000)
    assert [change.split()[0] for change in changes] == [entered]


MOVING = [
    ("within_last", "P1D"),
    ("not_within_last", "P1D"),
    ("within_next", "P1D"),
    ("not_within_next", "P1D"),
    ("relative_between", ["-P1D", "P1D"]),
    ("not_relative_between", ["-P1D", "P1D"]),
    ("in_period", {"unit": "day", "from": 0, "to": 0}),
    ("not_in_period", {"unit": "day", "from": 0, "to": 0}),
    ("anniversary", {"in_next": "P1D"}),
    ("not_anniversary", {"in_next": "P1D"}),
]


@pytest.mark.parametrize(("operator", "operand"), MOVING)
def test_held_is_refused_with_operators_that_move_with_the_clock(operator: str, operand: Any) -> None:
    assert refused(about("a", operator, operand, **LONG)) == ("invalid_schema", "held")


@pytest.mark.parametrize(
    ("held", "path"),
    [
        case("both lengths", {"at_least": "P1D", "less_than": "P2D"}, "held"),
        case("no length", {}, "held"),
        case("a month", {"at_least": "P1M"}, "held.at_least"),
        case("a number", {"less_than": 5}, "held.less_than"),
        case("a sign", {"at_least": "-P1D"}, "held.at_least"),
        case("an unknown key", {"more_than": "P1D"}, "held"),
        case("a text", "P1D", "held"),
    ],
)
def test_a_length_is_one_duration(held: Any, path: str) -> None:
    found = refused(about("a", "eq", 1, held=held))
    assert found is not None
    assert found[0] == "invalid_schema"
    assert found[1].startswith(path)


def test_held_is_refused_of_a_property() -> None:
    where = {"match": "all", "conditions": [{"property": "a", "operator": "is_set", **LONG}]}
    assert refused({"event": "buy", "where": where}) == ("invalid_schema", "where.conditions[0].held")


TAGLESS = {"attribute": "tags", "operator": "is_not_set", "held": {"at_least": "P7D"}}
VIP = {"attribute": "tags", "operator": "contains_any", "value": ["vip"], "held": {"at_least": "P7D"}}
ONLY_VIP = {"attribute": "tags", "operator": "eq", "value": ["vip"], "held": {"at_least": "P7D"}}
TAGGED: list[Line] = [
    update("05-01", tags={"add": ["vip", "a"]}),
    update("05-02", tags={"set": ["vip"]}),
    update("05-03", tags={"add": ["vip"]}),
]
TAG_HISTORIES: list[tuple[dict[str, Any], list[Line], list[str]]] = [
    (VIP, TAGGED, ["05-08 in"]),
    (ONLY_VIP, TAGGED, ["05-09 in"]),
    (TAGLESS, [*TAGGED, update("05-04", tags={"remove": ["vip"]})], ["05-11 in"]),
    (TAGLESS, [update("05-01", tags={"set": []}), update("05-02", tags={"set": []})], ["05-08 in"]),
    (
        TAGLESS,
        [*TAGGED[:1], update("05-02", tags={"set": []}), update("05-04", tags={"set": []})],
        ["05-09 in"],
    ),
    (
        VIP,
        [*TAGGED, update("05-04", tags={"set": ["b"]}), update("05-05", tags={"add": ["vip"]})],
        ["05-12 in"],
    ),
]


@pytest.mark.parametrize("made", ["before", "later"])
@pytest.mark.parametrize(("condition", "lines", "expected"), TAG_HISTORIES)
def test_tags_are_looked_back_on_as_they_were_seen(
    changes_of: Replayed, condition: dict[str, Any], lines: list[Line], expected: list[str], made: str
) -> None:
    definition = segment(condition, at="05-01" if made == "before" else "05-06")
    story = [definition, *lines] if made == "before" else [*lines, definition]
    assert flips(changes_of(*story, tick("06-01"))) == expected
