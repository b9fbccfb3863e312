"""Streams of records, ticks and definition changes: late, repeated, stale, refused ones among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from streamseg.settings import BatchWindow, Settings
from tests.strategies.conditions import (
    close_conditions,
    conditions_on,
    definition_of,
    definitions_without_id,
    merged,
    perhaps,
)
from tests.strategies.values import (
    BUILT_IN,
    CHANNEL_EVENTS,
    CLOSE_EVENTS,
    CONTACTS,
    DAY,
    DERIVED_EVENTS,
    EVENTS,
    HOUR,
    MINUTE,
    SEGMENTS,
    STARTS,
    TAGS,
    ZONES,
    Json,
    answers,
    attribute_values,
    attributes,
    durations,
    elements,
    jitters,
    ms_of,
    number_texts,
    numbers,
    properties,
    scalars,
    text_of,
    texts,
    written,
)


@dataclass(frozen=True)
class Scenario:
    """A replay file, the settings to replay it with and how far to run the clock at its end."""

    lines: list[Json]
    settings: Settings
    until_ms: int


def line(topic: str, at: int, key: str, value: Json | None) -> Json:
    return {"topic": topic, "timestamp": text_of(at), "key": key, "value": value}


steps_ms = st.builds(
    lambda length, jitter: max(0, length + jitter),
    st.sampled_from((0, 0, MINUTE, HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY)),
    jitters,
)
lags_ms = st.builds(
    lambda length, jitter: length + jitter,
    st.sampled_from((0, 0, 0, MINUTE, HOUR, DAY, 2 * DAY, 7 * DAY)),
    jitters,
)
contact_ids = st.sampled_from((*[CONTACTS[0]] * 4, *CONTACTS[1:]))
event_ids = st.integers(0, 25).map(lambda number: f"e{number}")
# Trackers may send events of the names of derived ones, and of a name that ends like a prefix.
event_names = st.sampled_from((*EVENTS * 3, *CHANNEL_EVENTS * 3, *DERIVED_EVENTS, "b*"))
events = st.tuples(
    st.fixed_dictionaries(
        {"event_id": event_ids, "contact_id": contact_ids, "event": event_names, "properties": properties}
    ),
    lags_ms,
)
_tag_changes = st.one_of(
    st.builds(
        lambda tags, cut: {"add": tags[:cut], "remove": tags[cut:]},
        st.permutations(TAGS),
        st.sampled_from((1, 2)),
    ),
    st.lists(st.sampled_from(TAGS), max_size=2, unique=True).map(lambda tags: {"set": tags}),
)
_spoiled_tag_changes: st.SearchStrategy[Json] = st.sampled_from(
    (
        {"add": ["vip", 1, ""], "remove": [None, "trial"]},
        {"set": ["vip", "\u3000"]},
        {"set": ["", 5]},
        {"set": [], "remove": []},
        {"set": ["vip2"], "add": ["trial"]},
        {"set": None, "add": None, "remove": ["vip"]},
        {"add": "vip", "remove": ["trial"]},
        {"put": ["vip"], "add": ["trial"]},
        ["vip"],
        "vip",
        None,
    )
)
_list_changes = st.sampled_from(({"add": ["list"]}, {"remove": ["list"]}))
_spoiled_list_changes = st.sampled_from(
    (
        {"add": ["nowhere", "list", "s1"]},
        {"remove": ["list", 1], "add": None, "set": ["list"]},
        {"remove": "list"},
        ["list"],
        None,
    )
)
_tags_as_attribute = st.sampled_from((["vip"], ["vip", "", 2], ["", 2], [], None, "vip", 1))
_merges = st.builds(
    merged,
    st.builds(
        lambda values, tags: {"attributes": {**values, **tags}},
        attributes,
        st.one_of(st.just({}), st.just({}), perhaps("tags", _tags_as_attribute)),
    ),
    perhaps("tags", st.one_of(_tag_changes, _tag_changes, _spoiled_tag_changes)),
    st.one_of(st.just({}), perhaps("lists", st.one_of(_list_changes, _list_changes, _spoiled_list_changes))),
    st.one_of(*[st.just({})] * 6, st.sampled_from(({"attributes": None}, {"attributes": [1]}))),
    st.one_of(
        *[st.just({})] * 6, st.sampled_from(({"deleted": None}, {"updated_at": None}, {"deleted": False}))
    ),
)
updates = st.tuples(
    st.builds(
        merged,
        contact_ids.map(lambda contact_id: {"contact_id": contact_id}),
        st.one_of(
            *[_merges] * 15,
            st.sampled_from(
                (
                    {"deleted": True, "attributes": 1, "tags": [1], "lists": None},
                    {"deleted": True, "keep_suppressions": True},
                )
            ),
        ),
    ),
    st.one_of(st.none(), lags_ms),
)
definition_changes = st.tuples(
    st.sampled_from(SEGMENTS), st.one_of(st.none(), definitions_without_id, definitions_without_id)
)
refused_updates: st.SearchStrategy[Json] = st.sampled_from(
    (
        {"attributes": {"contact_id": "c2"}},
        {"attributes": {"contact_id": None, "level": "cn"}},
        {"attributes": {"contact_id": "c2"}, "deleted": True},
        {"contact_id": "c2"},
        {"updated_at": "soon"},
        {"updated_at": 1_777_593_600},
        {"deleted": 0},
        {"deleted": "true"},
        {"keep_suppressions": 1},
        {"level": "cn"},
    )
)
refused_events: st.SearchStrategy[Json] = st.sampled_from(
    (
        {"occurred_at": None},
        {"occurred_at": 1_777_593_600},
        {"occurred_at": 0},
        {"occurred_at": "2026-05-01T08"},
        {"properties": []},
        {"contact_id": "c2"},
        {"event_id": None},
        {"level": "cn"},
    )
)
_kinds = st.sampled_from(
    ("event",) * 10 + ("update",) * 8 + ("tick", "definition", "repeat", "refused", "future")
)
_delays = st.sampled_from((0,) * 10 + (HOUR, DAY))


def event_line(at: int, event: Json, lag: int) -> Json:
    value = {**event, "occurred_at": text_of(at - lag)}
    return line("behavior-events", at, event["contact_id"], value)


def update_line(at: int, update: Json, lag: int | None) -> Json:
    value = update if lag is None else {**update, "updated_at": text_of(at - lag)}
    return line("contact-updates", at, update["contact_id"], value)


def _refused_line(at: int, update: Json | None, event: Json | None) -> Json:
    if update is not None:
        return line(
            "contact-updates", at, "c1", {"contact_id": "c1", "attributes": {"level": "cn"}, **update}
        )
    occurred = {"event_id": "odd", "contact_id": "c1", "event": "buy", "occurred_at": text_of(at)}
    return line("behavior-events", at, "c1", {**occurred, **(event or {})})


_PARTS_OF_A_DAY = ("PT3H", "PT6H", "PT7H", "PT45M")


def _unsubscribe_windows() -> st.SearchStrategy[tuple[BatchWindow, BatchWindow]]:
    zone = st.sampled_from((None, None, *ZONES))
    clock = st.tuples(
        *(
            st.builds(BatchWindow, length=st.sampled_from((usual, usual, *_PARTS_OF_A_DAY)), timezone=zone)
            for usual in ("P1D", "PT1H")
        )
    )
    own = durations.map(lambda length: BatchWindow(length=length, alignment="event"))
    return st.one_of(clock, clock, st.tuples(own, own))


starts = st.sampled_from([ms_of(text) for text in STARTS])
all_settings = st.builds(
    lambda zone, windows: Settings(timezone=zone, email_window=windows[0], sms_window=windows[1]),
    st.sampled_from(ZONES[:3]),
    _unsubscribe_windows(),
)
first_definitions = st.lists(definitions_without_id, min_size=1, max_size=4)
_ends = st.sampled_from((0, DAY, 20 * DAY, 45 * DAY))


def definition_lines(at: int, bodies: list[Json]) -> list[Json]:
    """The static segment `list` and then one segment a body."""
    return [line("segment-definitions", at, "list", definition_of("list", {}))] + [
        line("segment-definitions", at, segment_id, definition_of(segment_id, body))
        for segment_id, body in zip(SEGMENTS, bodies, strict=False)
    ]


@st.composite
def scenarios(draw: DrawFn) -> Scenario:
    """Definitions, then a stream of everything that may come, and the clock running on at its end."""
    start = draw(starts)
    lines = definition_lines(start, draw(first_definitions))
    clock = start
    for kind in draw(st.lists(_kinds, min_size=2, max_size=16)):
        clock += draw(steps_ms)
        at = clock - draw(_delays)
        match kind:
            case "event":
                lines.append(event_line(at, *draw(events)))
            case "update":
                lines.append(update_line(at, *draw(updates)))
            case "tick":
                lines.append({"tick": text_of(at)})
            case "definition":
                segment_id, body = draw(definition_changes)
                definition = None if body is None else definition_of(segment_id, body)
                lines.append(line("segment-definitions", at, segment_id, definition))
            case "refused":
                update = draw(st.one_of(st.none(), refused_updates))
                lines.append(_refused_line(at, update, draw(refused_events) if update is None else None))
            case "future":
                later = text_of(at + draw(st.sampled_from((5 * MINUTE, 5 * MINUTE + 1))))
                update = draw(st.sampled_from((None, {"updated_at": later})))
                lines.append(_refused_line(at, update, {"occurred_at": later}))
            case "repeat":
                earlier = draw(st.sampled_from(lines))
                if "topic" in earlier:
                    lines.append({**earlier, "timestamp": text_of(at)})
    return Scenario(written(lines, start), draw(all_settings), clock + draw(_ends))


_close_definitions = close_conditions.map(
    lambda condition: {"type": "standard", "clusters": [{"match": "all", "conditions": [condition]}]}
)
_close_lines = st.lists(
    st.tuples(
        st.sampled_from(CLOSE_EVENTS),
        st.fixed_dictionaries(
            {},
            optional={
                "amount": st.one_of(numbers, number_texts),
                "form": st.one_of(texts, scalars),
                "lines": elements,
            },
        ),
        steps_ms,
        lags_ms,
    ),
    min_size=3,
    max_size=24,
)


@st.composite
def close_scenarios(draw: DrawFn) -> Scenario:
    """One contact and two events that all conditions are about, so that windows hold many of them."""
    clock = start = draw(starts)
    lines = definition_lines(start, draw(st.lists(_close_definitions, min_size=1, max_size=3)))
    late = draw(st.lists(_close_definitions, max_size=1))
    for number, (name, values, step, lag) in enumerate(draw(_close_lines)):
        clock += step
        event = {"event_id": f"e{number}", "contact_id": "c1", "event": name, "properties": values}
        lines.append(event_line(clock, event, lag))
    lines += [line("segment-definitions", clock, "s4", definition_of("s4", body)) for body in late]
    return Scenario(written(lines, start), draw(all_settings), clock + draw(_ends))


def _clusters(conditions: list[Json]) -> Json:
    return {"type": "standard", "clusters": [{"match": "any", "conditions": conditions}]}


def _attribute_story(name: str) -> st.SearchStrategy[tuple[list[Json], Json | None, list[tuple[Any, ...]]]]:
    """Bodies of definitions about one attribute, one to be made late, and what is said of it and when."""
    root = name.partition(".")[0]
    body = conditions_on(name).map(lambda condition: _clusters([condition]))
    if root == "tags":
        said = _tag_changes.map(lambda change: {"tags": change})
    else:
        said = attribute_values[root].map(lambda value: {"attributes": {root: value}})
    lag = st.one_of(st.none(), lags_ms)
    return st.tuples(
        st.lists(body, min_size=1, max_size=3),
        st.one_of(st.none(), body),
        st.lists(st.tuples(said, steps_ms, lag), min_size=1, max_size=8),
    )


_attribute_stories = st.one_of(
    *(
        _attribute_story(name)
        for name in ("imported_at", "member_day", "member_points", "tags", "level", "address.city", "cart")
    )
)


@st.composite
def attribute_scenarios(draw: DrawFn) -> Scenario:
    """One contact and one attribute that all conditions are about."""
    clock = start = draw(starts)
    bodies, late, said = draw(_attribute_stories)
    lines = definition_lines(start, bodies)
    for values, step, lag in said:
        clock += step
        lines.append(update_line(clock, {"contact_id": "c1", **values}, lag))
    if late is not None:
        at = clock + draw(steps_ms)
        lines.append(line("segment-definitions", at, "s4", definition_of("s4", late)))
    return Scenario(written(lines, start), draw(all_settings), clock + draw(_ends))


@st.composite
def forgetting_scenarios(draw: DrawFn) -> Scenario:
    """As the close ones, with events that are forgotten soon, come again, and definitions made later."""
    clock = start = draw(starts)
    lines = definition_lines(start, draw(st.lists(_close_definitions, max_size=2)))
    for name, values, step, lag in draw(_close_lines):
        clock += step
        event = {"event_id": draw(event_ids), "contact_id": "c1", "event": name, "properties": values}
        lines.append(event_line(clock, event, lag))
        if draw(st.integers(0, 7)) == 0:
            segment_id, body = draw(st.sampled_from(("s1", "s4"))), draw(_close_definitions)
            lines.append(line("segment-definitions", clock, segment_id, definition_of(segment_id, body)))
    settings = Settings(
        history_retention_ms=draw(st.sampled_from((7 * DAY, 9 * DAY))),
        history_cap=draw(st.sampled_from((10_000, 10_000, 1, 2, 4))),
    )
    return Scenario(written(lines, start), settings, clock + draw(_ends))


_unsubscribe_names = st.sampled_from(
    (*CHANNEL_EVENTS, *["form_submit"] * 3, *["subscribed"] * 3, "buy", "erased", "erased but for opt-outs")
)
_erasures: dict[str, Json] = {
    "erased": {"deleted": True, "keep_suppressions": False},
    "erased but for opt-outs": {"deleted": True, "keep_suppressions": True},
}
_unsubscribed: st.SearchStrategy[Json] = st.sampled_from(
    (
        *({"segment": segment, "member": member} for segment in BUILT_IN for member in (True, False)),
        {"event": "global_unsubscribe"},
        {"event": "global_unsubscribe", "count": {"operator": "eq", "value": 2}, "window": {"last": "P2D"}},
        {"event": "global*"},
        {"event": "form_submit"},
        {"event": "email_*"},
        {"attribute": "subscribed", "operator": "ne", "value": False},
        {"attribute": "contact_id", "operator": "is_set"},
        {"sequence": [{"event": "form_submit"}, {"event": "buy"}], "within": "P1D"},
    )
)


@st.composite
def unsubscribe_scenarios(draw: DrawFn) -> Scenario:
    """One contact that unsubscribes, comes back and is erased in every way, and segments that follow it."""
    clock = start = draw(starts)
    lines = definition_lines(
        start, [_clusters([one]) for one in draw(st.lists(_unsubscribed, min_size=1, max_size=3))]
    )
    steps = st.tuples(_unsubscribe_names, answers, steps_ms, lags_ms)
    for number, (name, answer, step, lag) in enumerate(draw(st.lists(steps, min_size=1, max_size=12))):
        clock += step
        if name in _erasures:
            lines.append(update_line(clock, {"contact_id": "c1", **_erasures[name]}, lag))
        elif name == "subscribed":
            update = {"contact_id": "c1", "attributes": {"subscribed": answer}}
            lines.append(update_line(clock, update, lag))
        else:
            event = {"event_id": f"e{number}", "contact_id": "c1", "event": name}
            lines.append(event_line(clock, {**event, "properties": {"subscribed": answer}}, lag))
    return Scenario(lines, draw(all_settings), clock + draw(_ends))


any_scenarios = st.one_of(
    scenarios(), close_scenarios(), attribute_scenarios(), unsubscribe_scenarios(), forgetting_scenarios()
)


@dataclass(frozen=True)
class Interleavings:
    """Definitions, and two orders of the same records: each topic's own order per contact is kept."""

    definitions: list[Json]
    one: list[Json]
    other: list[Json]
    settings: Settings
    until_ms: int


@st.composite
def interleavings(draw: DrawFn) -> Interleavings:
    """The same updates and events twice, differently interleaved; an event id stands for one event."""
    clock = start = draw(starts)
    bodies = draw(st.one_of(first_definitions, st.lists(_close_definitions, min_size=1, max_size=3)))
    records: list[Json] = []
    for number, is_event in enumerate(draw(st.lists(st.booleans(), min_size=2, max_size=12))):
        clock += draw(steps_ms)
        if not is_event:
            records.append(update_line(clock, *draw(updates)))
        elif records and draw(st.integers(0, 5)) == 0:
            records.append(draw(st.sampled_from(records)))
        else:
            event, lag = draw(events)
            records.append(event_line(clock, {**event, "event_id": f"e{number}"}, lag))
    orders = []
    for _ in range(2):
        queues: dict[tuple[str, str], list[Json]] = {}
        for record in records:
            queues.setdefault((record["topic"], record["key"]), []).append(record)
        turns = draw(st.permutations([(record["topic"], record["key"]) for record in records]))
        orders.append([queues[turn].pop(0) for turn in turns])
    definitions, one, other = written([definition_lines(start, bodies), *orders], start)
    until_ms = clock + draw(st.sampled_from((0, HOUR, DAY, 8 * DAY)))
    return Interleavings(definitions, one, other, settings=draw(all_settings), until_ms=until_ms)
