"""Tests of a value: an operator with an operand that it takes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.values import DAY, TAGS, TEXTS, Json, Moment, durations, numbers, shifts, texts

DRAWN = {"is_set", "is_not_set"}
"""The operators of which there are random tests; `tests` adds its own."""


def value_test(operator: str, value: Any) -> Json:
    return {"operator": operator, "value": value}


def tests(operators: str, operands: SearchStrategy[Any]) -> SearchStrategy[Json]:
    """Tests with one of the operators (and, for a name with `~`, its `not_` twin too)."""
    names = [
        name
        for word in operators.split()
        for name in ((word[1:], f"not_{word[1:]}") if word[0] == "~" else (word,))
    ]
    DRAWN.update(names)
    return st.builds(value_test, st.sampled_from(names), operands)


set_tests = st.sampled_from(({"operator": "is_set"}, {"operator": "is_not_set"}))


def _in_some_form(test: SearchStrategy[Json]) -> SearchStrategy[Json]:
    """Tests that compare text, as it is or in another form."""
    ignore_case, normalize = {"ignore_case": True}, {"normalize": True}
    forms: tuple[Json, ...] = ({}, {}, ignore_case, normalize, ignore_case | normalize)
    return st.builds(lambda one, form: {**one, **form}, test, st.sampled_from(forms))


text_tests = _in_some_form(
    st.one_of(
        tests(
            "eq ne ~contains ~starts_with ~ends_with",
            st.one_of(st.sampled_from((*TEXTS, "n", "SS", "")), texts),
        ),
        tests("~in", st.lists(texts, min_size=1, max_size=2)),
        tests("~matches", st.sampled_from(("^c", "n.?$", "[A-Z]", "^fi", "c n"))),
    )
)
number_tests = st.one_of(
    tests("eq ne gt ge lt le", numbers),
    tests("~in", st.lists(numbers, min_size=1, max_size=2)),
    tests("~between", st.tuples(numbers, numbers).map(sorted)),
)
as_number_tests = number_tests.map(lambda test: {**test, "as": "number"})
flag_tests = tests("eq ne", st.booleans())
list_tests = _in_some_form(
    tests(
        "contains_any contains_all contains_none eq ne ~in",
        st.lists(st.sampled_from((*TAGS, "VIP", "ｖｉｐ")), min_size=1, max_size=2, unique=True),
    )
)
mixed_tests = _in_some_form(
    tests(
        "contains_any contains_all contains_none eq ne ~in",
        st.lists(st.sampled_from((*TAGS, *TEXTS, 1, 2, True)), min_size=1, max_size=3),
    )
)

calendars = st.one_of(
    *(
        st.builds(
            lambda unit, values: {"unit": unit, "values": values},
            st.just(unit),
            st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True),
        )
        for unit, values in {
            "minute": (0, 1, 59),
            "hour": (0, 8, 11, 12, 23),
            "day": (1, 2, 3, 28, 29, 30, 31),
            "weekday": (1, 4, 5, 6, 7),
            "month": (1, 2, 3, 4, 5, 10, 12),
            "quarter": (1, 2, 4),
        }.items()
    )
)


def _bounds(low: int, length: int, open_end: int | None) -> list[Any]:
    bounds: list[Any] = [Moment(low, "utc"), Moment(low + length, "utc")]
    if open_end is not None:
        bounds[open_end] = None
    return bounds


bounds_of_times = st.builds(
    _bounds, shifts, st.sampled_from((1, DAY, 7 * DAY)), st.sampled_from((None, None, 0, 1))
)
still_time_tests = st.one_of(
    tests(
        "before after",
        st.builds(Moment, shifts, st.sampled_from(("utc", "naive", "date", "spaced", "minute"))),
    ),
    tests("~between", bounds_of_times),
    tests("~calendar", calendars),
)


def periods(latest: int) -> SearchStrategy[Json]:
    units = st.sampled_from(("day", "week", "month", "quarter", "year")).map(lambda unit: {"unit": unit})
    weeks = st.integers(2, 7).map(lambda day: {"unit": "week", "week_start": day})
    return st.builds(
        lambda unit, ends: {**unit, "from": min(ends), "to": max(ends)},
        st.one_of(units, units, weeks),
        st.tuples(st.integers(-3, latest), st.integers(-1, latest)),
    )


_DISTANCES = ("-P1W", "-P2D", "-P1D", "-PT1H", "PT0S", "PT1H", "P1D", "P2D", "P1W")
relative_bounds = st.tuples(*[st.sampled_from(_DISTANCES)] * 2).map(
    lambda pair: sorted(pair, key=_DISTANCES.index)
)
moving_time_tests = st.one_of(
    tests("~within_last ~within_next", durations),
    tests("~relative_between", relative_bounds),
    tests("~in_period", periods(2)),
    tests("~anniversary", st.sampled_from(({"in_next": "P1D"}, {"in_next": "P1W"}, {"in_next": "P30D"}))),
    tests("~age_between", st.sampled_from(([0, 0], [1, None], [None, 0], [26, 26], [27, 36], [None, 25]))),
)
any_still_tests = st.one_of(
    set_tests,
    text_tests,
    number_tests,
    as_number_tests,
    flag_tests,
    list_tests,
    mixed_tests,
    still_time_tests,
)

# --- elements -------------------------------------------------------------------------------------


def _group(tests_inside: SearchStrategy[Json]) -> SearchStrategy[Json]:
    return st.builds(
        lambda match, conditions: {"match": match, "conditions": conditions},
        st.sampled_from(("all", "any")),
        st.lists(tests_inside, min_size=1, max_size=2),
    )


def _perhaps_not(test: SearchStrategy[Json]) -> SearchStrategy[Json]:
    return st.one_of(test, test, test.map(lambda one: {**one, "not": True}))


def _about(names: tuple[str, ...], test: SearchStrategy[Json]) -> SearchStrategy[Json]:
    return st.builds(lambda name, one: {"property": name, **one}, st.sampled_from(names), test)


_inner = _about(("", "code"), st.one_of(text_tests, as_number_tests, any_still_tests))
_still_inside = st.one_of(
    _about(("code", ""), text_tests),
    _about(("price", ""), st.one_of(number_tests, as_number_tests)),
    _about(("code", "price", "at", "sub", ""), any_still_tests),
    st.builds(lambda path, group: {"elements": path, **group}, st.sampled_from(("sub", "")), _group(_inner)),
)
still_element_groups = _group(_perhaps_not(_still_inside))
element_groups = st.one_of(
    still_element_groups,
    still_element_groups,
    _group(_perhaps_not(st.one_of(_still_inside, _about(("at", ""), moving_time_tests)))),
)
tag_groups = _group(_perhaps_not(_about(("",), st.one_of(set_tests, text_tests))))
