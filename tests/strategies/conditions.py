"""Conditions of every kind, and the clusters and definitions made of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies.operators import (
    any_still_tests,
    bounds_of_times,
    element_groups,
    flag_tests,
    list_tests,
    moving_time_tests,
    number_tests,
    periods,
    set_tests,
    still_element_groups,
    still_time_tests,
    tag_groups,
    text_tests,
    value_test,
)
from tests.strategies.values import (
    BUILT_IN,
    CLOSE_EVENTS,
    DERIVED_EVENTS,
    EVENTS,
    SEGMENTS,
    ZONES,
    Json,
    durations,
)


def merged(*parts: Json) -> Json:
    return {key: value for part in parts for key, value in part.items()}


def some(one: SearchStrategy[Any], most: int) -> SearchStrategy[list[Any]]:
    return st.lists(one, min_size=1, max_size=most)


def perhaps(key: str, values: SearchStrategy[Any]) -> SearchStrategy[Json]:
    """{} or {key: value}."""
    return st.one_of(st.just({}), values.map(lambda value: {key: value}))


# --- attributes -----------------------------------------------------------------------------------

_held = st.builds(
    lambda kind, length: {"held": {kind: length}}, st.sampled_from(("at_least", "less_than")), durations
)


def _on(name: str, tests: SearchStrategy[Json], *extra: SearchStrategy[Json]) -> SearchStrategy[Json]:
    return st.builds(merged, st.just({"attribute": name}), tests, *extra)


_still_attributes = {
    "location": st.one_of(set_tests, text_tests),
    "member_points": st.one_of(set_tests, number_tests),
    "imported_at": st.one_of(set_tests, still_time_tests),
    "member_day": st.one_of(set_tests, still_time_tests),
    "subscribed": st.one_of(set_tests, flag_tests),
    "tags": st.one_of(set_tests, list_tests),
    "contact_id": set_tests,
    "level": any_still_tests,
    "address.city": any_still_tests,
    "address": any_still_tests,
    "cart": any_still_tests,
}
_grouped_attributes = {"tags": tag_groups, "cart": still_element_groups, "level": still_element_groups}


def _on_elements(
    name: str, groups: SearchStrategy[Json], *extra: SearchStrategy[Json]
) -> SearchStrategy[Json]:
    return _on(name, groups.map(lambda group: {"elements": group}), *extra)


_moving_attributes = ("imported_at", "member_day", "level", "address.city")
attribute_conditions = st.one_of(
    *(_on(name, tests) for name, tests in _still_attributes.items()),
    *(_on(name, tests, _held) for name, tests in _still_attributes.items()),
    *(_on(name, moving_time_tests) for name in _moving_attributes),
    *(_on_elements(name, groups) for name, groups in _grouped_attributes.items()),
    *(_on_elements(name, groups, _held) for name, groups in _grouped_attributes.items()),
    _on_elements("cart", element_groups),
    _on("known_since", st.one_of(set_tests, still_time_tests, moving_time_tests, moving_time_tests)),
)


def conditions_on(name: str) -> SearchStrategy[Json]:
    """Conditions on one attribute, as often held or moving with the clock as not."""
    moving = [_on(name, moving_time_tests)] * 2 if name in _moving_attributes else []
    tests = _still_attributes[name]
    grouped: list[SearchStrategy[Json]] = []
    if name in _grouped_attributes:
        groups = _grouped_attributes[name]
        grouped = [_on_elements(name, groups), _on_elements(name, groups, _held)]
    if name == "cart":
        grouped = [*grouped, _on_elements(name, element_groups)] * 2
    return st.one_of(_on(name, tests), _on(name, tests, _held), *moving, *grouped)


# --- events ---------------------------------------------------------------------------------------

_plain_property_tests = st.one_of(
    st.builds(
        merged,
        st.sampled_from(("form", "amount", "order.amount", "at", "a\\.b", "new")).map(
            lambda name: {"property": name}
        ),
        any_still_tests,
    ),
    text_tests.map(lambda test: {"property": "form", **test}),
    number_tests.map(lambda test: {"property": "amount", **test}),
    st.sampled_from(
        (
            {"property": "attribute", "operator": "eq", "value": "level"},
            {"property": "attribute", "operator": "ne", "value": "location"},
            {"property": "tag", "operator": "eq", "value": "vip"},
        )
    ),
)
_property_tests = st.one_of(
    *[_plain_property_tests] * 6,
    _plain_property_tests.map(lambda test: {**test, "not": True}),
    moving_time_tests.map(lambda test: {"property": "at", **test}),
    *[
        st.builds(
            merged,
            st.sampled_from(("lines", "lines", "form", "order")).map(lambda name: {"elements": name}),
            element_groups,
            perhaps("not", st.just(True)),
        )
    ]
    * 2,
)
property_groups = st.builds(
    lambda match, tests: {"match": match, "conditions": tests},
    st.sampled_from(("all", "any")),
    some(_property_tests, 2),
)
_lasts = durations.map(lambda length: {"last": length})
windows = st.one_of(
    _lasts,
    _lasts,
    bounds_of_times.map(lambda bounds: {"between": bounds}),
    st.sampled_from(
        (
            {"from": "-P2D", "to": "-P1D"},
            {"from": "-P1W", "to": "-P1D"},
            {"from": "-P1W", "to": "PT0S"},
            {"from": "-P1D", "to": "-PT1H"},
        )
    ),
    periods(0).map(lambda period: {"period": period}),
)


def _occurrences(names: tuple[str, ...]) -> SearchStrategy[Json]:
    """Event conditions without window and count."""
    return st.builds(
        merged,
        st.sampled_from(names).map(lambda name: {"event": name}),
        st.one_of(st.just({}), perhaps("where", property_groups)),
    )


_counts = st.builds(
    value_test,
    st.sampled_from(("ge", "ge", "eq", "lt", "le", "gt", "ne")),
    st.sampled_from((0, 1, 1, 2, 3)),
)
_aggregates = st.builds(
    merged,
    st.sampled_from(("sum", "avg", "min", "max", "distinct")).map(lambda name: {"function": name}),
    st.one_of(
        st.sampled_from(("amount", "amount", "order.amount", "form")).map(lambda name: {"property": name}),
        st.builds(
            merged,
            st.sampled_from(("price", "price", "", "code")).map(
                lambda name: {"elements": "lines", "property": name}
            ),
            perhaps("where", element_groups),
        ),
    ),
    number_tests.filter(lambda test: test["operator"] not in ("in", "not_in")),
    perhaps("as", st.just("number")),
)


def _counted(names: tuple[str, ...]) -> SearchStrategy[Json]:
    return st.builds(
        merged,
        _occurrences(names),
        st.one_of(
            perhaps("count", _counts),
            _aggregates.map(lambda aggregate: {"aggregate": aggregate}),
        ),
        perhaps("window", windows),
    )


def _selected(names: tuple[str, ...]) -> SearchStrategy[Json]:
    return st.builds(
        merged,
        _occurrences(names),
        st.sampled_from(({"select": "first"}, {"select": "last"})),
        perhaps("window", windows),
        perhaps("has", property_groups),
    )


def _sequence(names: tuple[str, ...]) -> SearchStrategy[Json]:
    step = _occurrences(names)
    return st.builds(
        merged,
        st.one_of(
            st.lists(step, min_size=2, max_size=3),
            st.builds(lambda steps, absent: [*steps, {"absent": absent}], some(step, 2), step),
        ).map(lambda steps: {"sequence": steps}),
        durations.map(lambda length: {"within": length}),
        perhaps("window", windows),
        perhaps("step_within", durations),
    )


# Which of two derived events of one instant is the later is nobody's business: none is selected.
_selectable = (*EVENTS, *EVENTS, "b*", "buy*", "email_*", "email_unsubscribe")
_many = _counted((*_selectable, *DERIVED_EVENTS))
event_conditions = st.one_of(_many, _many, _many, _selected(_selectable))
sequence_conditions = _sequence((*EVENTS, *EVENTS, "b*", "tag_added", "tag_removed"))
close_conditions = st.one_of(_counted(CLOSE_EVENTS), _selected(CLOSE_EVENTS), _sequence(CLOSE_EVENTS))

# --- the others -----------------------------------------------------------------------------------

reference_conditions = st.builds(
    merged,
    st.sampled_from((*SEGMENTS, *SEGMENTS, *BUILT_IN)).map(lambda segment: {"segment": segment}),
    perhaps("member", st.booleans()),
)
sample_conditions = st.builds(
    merged,
    st.sampled_from((0.25, 0.5, 1)).map(lambda share: {"sample": share}),
    perhaps("salt", st.sampled_from(("x", "盐"))),
)
_positive = st.one_of(
    attribute_conditions,
    attribute_conditions,
    event_conditions,
    event_conditions,
    sequence_conditions,
    reference_conditions,
    sample_conditions,
)
conditions = st.one_of(
    _positive, _positive, _positive, _positive.map(lambda condition: {**condition, "not": True})
)

# --- definitions ----------------------------------------------------------------------------------

_clusters = st.builds(
    lambda match, tests: {"match": match, "conditions": tests},
    st.sampled_from(("all", "any")),
    some(conditions, 2),
)
_standard = some(_clusters, 2).map(lambda clusters: {"type": "standard", "clusters": clusters})
_includes, _parts = (
    st.builds(
        lambda relation, clusters: {"name": "part", "relation": relation, "clusters": clusters},
        st.sampled_from(relations),
        some(_clusters, 1),
    )
    for relations in (("include",), ("include", "exclude"))
)
_advanced = st.builds(
    lambda include, parts: {"type": "advanced", "parts": [include, *parts]},
    _includes,
    st.lists(_parts, max_size=2),
)
definitions_without_id = st.builds(
    merged,
    st.one_of(_standard, _standard, _advanced),
    perhaps("timezone", st.sampled_from(ZONES)),
    st.one_of(st.just({}), perhaps("version", st.integers(1, 9))),
)


def definition_of(segment_id: str, body: Json) -> Json:
    """The definition of a segment; that of `list` is a static one."""
    if segment_id == "list":
        body = {"type": "static"}
    return {"segment_id": segment_id, "name": segment_id, **body}
