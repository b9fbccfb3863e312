"""Section 3, aggregates: exact in decimal, over nothing, of what is no number, and as the window moves on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ABSENT, case, flips, heard, refused
from tests.engine.story import Line, Replayed, all_of, event, segment, tick, update


def figure(function: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    aggregate = {"function": function, "property": "n", "operator": operator, "value": value}
    return {"event": "buy", "aggregate": aggregate, **more}


def buy(at: str, n: Any, **more: Any) -> Line:
    return event(at, "buy", {} if n is ABSENT else {"n": n}, **more)


# function, the numbers of the occurrences, the figure
FIGURES = [
    case("tenths add up", "sum", [0.1] * 10, 1),
    case("a tenth and two are three", "sum", [0.1, 0.2], 0.3),
    case("small beside big", "sum", [10**15, 0.5, -(10**15)], 0.5),
    case("whole numbers beyond 2^53", "sum", [2**53, 1, -(2**53)], 1),
    case("prices", "sum", [19.99, 5.01, -25], 0),
    case("what was taken back", "sum", [100, -100.0], 0),
    case("an exponent", "sum", [1e-7, 2e-7], 3e-7),
    case("nothing at all", "sum", [], 0),
    case("nothing that is a number", "sum", ["5", True, None, [5], {"n": 5}, ABSENT], 0),
    case("a mean of tenths", "avg", [0.1, 0.2, 0.3], 0.2),
    case("a mean of one", "avg", [7], 7),
    case("a mean leaves out what is no number", "avg", [1, "100", 2, True], 1.5),
    case("the least", "min", [3, 1.5, 2], 1.5),
    case("the least of less than nothing", "min", [-3, 0], -3),
    case("the greatest", "max", [3, 1.5, 10], 10),
    case("text is not greater", "max", [3, "9", True], 3),
    case("different texts", "distinct", ["a", "b", "a", "A"], 3),
    case("one number in two spellings", "distinct", [1, 1.0, 2], 2),
    case("a text, a number and a boolean", "distinct", ["1", 1, True], 3),
    case("zero and false", "distinct", [0, False], 2),
    case("what is missing is left out", "distinct", ["a", "", None, ABSENT, [], {}], 1),
    case("nothing different at all", "distinct", [], 0),
]


@pytest.mark.parametrize(("function", "numbers", "figure_is"), FIGURES)
def test_a_figure_is_exact(changes_of: Replayed, function: str, numbers: list[Any], figure_is: Any) -> None:
    is_it = {
        "eq": ("eq", figure_is),
        "ge": ("ge", figure_is),
        "le": ("le", figure_is),
        "within": ("between", [figure_is, figure_is]),
    }
    is_not = {
        "ne": ("ne", figure_is),
        "gt": ("gt", figure_is),
        "lt": ("lt", figure_is),
        "without": ("not_between", [figure_is, figure_is]),
    }
    lines = [
        *(segment(figure(function, *test), of=name) for name, test in {**is_it, **is_not}.items()),
        update("05-01"),
        *(buy(f"05-02 {hour:02d}:00", number) for hour, number in enumerate(numbers)),
    ]
    members: dict[str, bool] = {}
    for change in changes_of.raw(*lines):
        members[change["segment_id"]] = change["change"] == "entered"
    assert {name for name, member in members.items() if member} == set(is_it)


@pytest.mark.parametrize(
    ("bounds", "inside"),
    [([5, None], True), ([5.1, None], False), ([None, 5], True), ([None, 4.9], False)],
)
def test_a_range_may_be_open_at_one_end(bounds: list[Any], inside: bool) -> None:
    lines = [
        segment(figure("sum", "between", bounds), of="within"),
        segment(figure("sum", "not_between", bounds), of="without"),
        buy("05-01", 5),
    ]
    assert heard(*lines).members() == [("within" if inside else "without", "c1")]


@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "ge", "lt", "le"])
@pytest.mark.parametrize("function", ["avg", "min", "max"])
def test_over_no_number_a_mean_and_an_extreme_match_nothing(
    changes_of: Replayed, function: str, operator: str
) -> None:
    lines = [segment(figure(function, operator, 0)), update("05-01"), buy("05-02", "5"), buy("05-03", ABSENT)]
    assert changes_of(*lines) == []


def test_not_makes_it_true_of_everybody_without_a_number(changes_of: Replayed) -> None:
    lines = [segment({**figure("avg", "ge", 5), "not": True}), update("05-01"), buy("05-02", 5)]
    assert changes_of(*lines) == ["05-01 s entered (contact_update)", "05-02 s exited (behavior_event)"]


TWO_DAYS: dict[str, Any] = {"window": {"last": "P2D"}}
AGEING = [
    case("a sum falls", "sum", ("ge", 5), [buy("05-01", 2), buy("05-02", 3)], ["05-02 in", "05-03 out"]),
    case(
        "a sum rises when a refund ages",
        "sum",
        ("ge", 5),
        [buy("05-01", -1), buy("05-02", 5)],
        ["05-03 in", "05-04 out"],
    ),
    case(
        "a sum ends at nothing",
        "sum",
        ("le", 0),
        [buy("05-01", 2), buy("05-02", 3)],
        ["04-30 in", "05-01 out", "05-04 in"],
    ),
    case(
        "tenths are taken away exactly",
        "sum",
        ("eq", 0.3),
        [buy("05-01", 0.1), buy("05-02", 0.1), buy("05-02", 0.2)],
        ["05-03 in", "05-04 out"],
    ),
    case(
        "a mean follows those inside",
        "avg",
        ("gt", 4),
        [buy("05-01", 1), buy("05-02", 5)],
        ["05-03 in", "05-04 out"],
    ),
    case("a mean of nothing is none", "avg", ("lt", 4), [buy("05-01", 1)], ["05-01 in", "05-03 out"]),
    case("the least goes", "min", ("ge", 2), [buy("05-01", 1), buy("05-02", 3)], ["05-03 in", "05-04 out"]),
    case(
        "the greatest goes", "max", ("ge", 9), [buy("05-01", 9), buy("05-02", 3)], ["05-01 in", "05-03 out"]
    ),
    case(
        "of two greatest the later stays",
        "max",
        ("eq", 9),
        [buy("05-01", 9), buy("05-02", 9)],
        ["05-01 in", "05-04 out"],
    ),
    case(
        "a different one goes",
        "distinct",
        ("ge", 2),
        [buy("05-01", "a"), buy("05-02", "b")],
        ["05-02 in", "05-03 out"],
    ),
    case(
        "the same again keeps it",
        "distinct",
        ("ge", 2),
        [buy("05-01", "a"), buy("05-02", "b"), buy("05-02 12:00", "a")],
        ["05-02 in", "05-04 out"],
    ),
    case(
        "nothing different any more",
        "distinct",
        ("eq", 0),
        [buy("05-01", "a")],
        ["04-30 in", "05-01 out", "05-03 in"],
    ),
    case(
        "a late one counts from when it is told",
        "sum",
        ("ge", 5),
        [buy("05-02", 2), buy("05-02 12:00", 3, occurred="05-01")],
        ["05-02 12:00 in", "05-03 out"],
    ),
    case("one that is too late does not", "max", ("ge", 9), [buy("05-03", 9, occurred="05-01")], []),
]


@pytest.mark.parametrize(("function", "test", "lines", "expected"), AGEING)
def test_a_figure_moves_as_occurrences_age(
    changes_of: Replayed, function: str, test: tuple[str, Any], lines: list[Line], expected: list[str]
) -> None:
    found = changes_of(segment(figure(function, *test, **TWO_DAYS)), update("04-30"), *lines, tick("06-01"))
    assert flips(found) == expected


def test_a_figure_in_each_form_of_window(changes_of: Replayed) -> None:
    forms = {
        "ended": {"from": "-P3D", "to": "-P1D"},
        "fixed": {"between": ["2026-05-02", "2026-05-03"]},
        "yesterday": {"period": {"unit": "day", "from": -1, "to": -1}},
    }
    lines = [
        *(segment(figure("sum", "ge", 5, window=form), of=name) for name, form in forms.items()),
        buy("05-01 10:00", 4),
        buy("05-02 10:00", 5),
        tick("06-01"),
    ]
    # ended: 4 from 05-02 10:00 to 05-04 10:00, 5 from 05-03 10:00 to 05-05 10:00
    assert changes_of(*lines) == [
        "05-02 10:00 fixed entered (behavior_event)",
        "05-03 yesterday entered (time)",
        "05-03 10:00 ended entered (time)",
        "05-04 yesterday exited (time)",
        "05-05 10:00 ended exited (time)",
    ]


def test_where_chooses_what_is_added_up(changes_of: Replayed) -> None:
    web = {"where": all_of({"property": "shop", "operator": "eq", "value": "web"})}
    lines = [
        segment(figure("sum", "ge", 5, **web)),
        event("05-01", "buy", {"n": 5, "shop": "store"}),
        event("05-02", "buy", {"n": 5, "shop": "web"}),
    ]
    assert changes_of(*lines) == ["05-02 s entered (behavior_event)"]


def test_a_sum_over_all_history_outlives_retention(changes_of: Replayed) -> None:
    lines = [segment(figure("sum", "ge", 5)), buy("05-01", 3), tick("06-01"), buy("06-02", 2)]
    assert changes_of(*lines, history_retention_ms=10 * 86_400_000) == ["06-02 s entered (behavior_event)"]


def test_the_order_in_which_they_come_plays_no_part() -> None:
    numbers = [0.1, 1e15, -0.3, 0.2, -1e15]
    test = segment(figure("sum", "eq", 0))
    for turn in range(len(numbers)):
        turned = numbers[turn:] + numbers[:turn]
        assert heard(test, *(buy("05-01", number) for number in turned)).members() == [("s", "c1")]


@pytest.mark.parametrize(
    ("aggregate", "path"),
    [
        case(
            "an unknown function",
            {"function": "median", "property": "n", "operator": "ge", "value": 1},
            "function",
        ),
        case("no property", {"function": "sum", "operator": "ge", "value": 1}, "property"),
        case(
            "an empty step", {"function": "sum", "property": "a..b", "operator": "ge", "value": 1}, "property"
        ),
        case(
            "an operator of texts",
            {"function": "sum", "property": "n", "operator": "contains", "value": "1"},
            "operator",
        ),
        case(
            "an operator of lists",
            {"function": "distinct", "property": "n", "operator": "in", "value": [1]},
            "operator",
        ),
        case("a text", {"function": "sum", "property": "n", "operator": "ge", "value": "1"}, "value"),
        case("a boolean", {"function": "sum", "property": "n", "operator": "eq", "value": True}, "value"),
        case(
            "bounds the wrong way round",
            {"function": "sum", "property": "n", "operator": "between", "value": [2, 1]},
            "value[1]",
        ),
        case(
            "times as bounds",
            {"function": "sum", "property": "n", "operator": "between", "value": ["2026-05-01", None]},
            "value[0]",
        ),
        case(
            "no bound",
            {"function": "sum", "property": "n", "operator": "between", "value": [None, None]},
            "value",
        ),
        case(
            "an unknown key",
            {"function": "sum", "property": "n", "operator": "ge", "value": 1, "of": 1},
            "of",
        ),
    ],
)
def test_what_makes_no_figure_is_refused(aggregate: dict[str, Any], path: str) -> None:
    assert refused({"event": "buy", "aggregate": aggregate}) == ("invalid_schema", f"aggregate.{path}")
