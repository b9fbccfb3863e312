"""The segments as somebody who builds on a stream library would judge them by hand, one contact at a time.

Every peer that runs Python for each record shares these rules, so that they differ in what surrounds them.
A contact's state is one JSON value. Segments are found by what they ask for, so that a record costs what it
concerns and not what is defined.

Told to, the rules keep what streamseg keeps: every event, so that a segment defined tomorrow can look back,
and its id, so that a repeated event counts once. Otherwise only the events that some segment asks for, which
is what a program that knows its segments beforehand would do.

Only what `benchmarks.workload.definitions` uses is understood; anything else raises ValueError. Attributes
are taken in the order in which they come.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

Json = dict[str, Any]
State = dict[str, Any]
Test = Callable[[State, int], bool]

DAY_MS = 86_400_000


class Change(NamedTuple):
    """A contact entered or exited a segment at `at_ms`, epoch milliseconds."""

    segment_id: str
    contact_id: str
    at_ms: int
    entered: bool


class History(Protocol):
    """A contact's whole history by event id, [occurred at, name, properties] each, in a store of its own."""

    def __contains__(self, event_id: str, /) -> bool: ...

    def __setitem__(self, event_id: str, event: list[Any], /) -> None: ...


def new_state() -> State:
    """Of a contact of whom nothing is known yet.

    now         the latest time, epoch ms, of any of its records
    attributes  the latest value of each
    events      by the key under which they are asked for, oldest first: [occurred at, properties]
    due         a heap of [epoch ms, key]: when an event leaves a window
    members     the segments that it is in
    history     a `History`, if everything is to be kept and there is no better place
    """
    return {"now": 0, "attributes": {}, "events": {}, "due": [], "members": [], "history": {}}


class Rules:
    """All segments, compiled once."""

    def __init__(self, definitions: Iterable[Json], *, keep_all: bool = False) -> None:
        self._keep_all = keep_all
        self._tests: dict[str, Test] = {}
        self._windows: dict[str, set[int]] = defaultdict(set)
        self._by_event: dict[str, list[str]] = defaultdict(list)
        self._by_attribute: dict[str, set[str]] = defaultdict(set)
        self._by_anchor: dict[str, list[str]] = defaultdict(list)
        self._anchor_attributes: set[str] = set()
        self._unanchored: list[str] = []
        for definition in definitions:
            self._add(definition)

    def _add(self, definition: Json) -> None:
        segment_id = definition["segment_id"]
        self._tests[segment_id] = _segment_test(definition)
        for condition in _conditions(definition):
            if "attribute" in condition:
                self._by_attribute[condition["attribute"]].add(segment_id)
                continue
            key = _event_key(condition)
            self._windows[key].add(_duration_ms(condition["window"]["last"]))
            if segment_id not in self._by_event[key]:
                self._by_event[key].append(segment_id)
        anchors = _segment_anchors(definition)
        if anchors is None:
            self._unanchored.append(segment_id)
            return
        for attribute, key in anchors:
            self._by_anchor[key].append(segment_id)
            if attribute is not None:
                self._anchor_attributes.add(attribute)

    def judge(
        self, state: State, contact_id: str, at_ms: int, body: Json, history: History | None = None
    ) -> list[Change]:
        """What one record, of time `at_ms`, changes; what fell due before it comes first.

        A store that writes a value as a whole gives the contact's `history` a place outside `state`."""
        now_ms = state["now"] = max(state["now"], at_ms)
        changes = self.until(state, contact_id, now_ms)
        if "event" in body:
            kept = state["history"] if history is None else history
            touched = self._keep(state, now_ms, body, kept)
        else:
            touched = self._merge(state, body["attributes"])
        changes += self._check(state, contact_id, touched, now_ms)
        return changes

    def until(self, state: State, contact_id: str, now_ms: int) -> list[Change]:
        """What time alone has changed, each at the moment at which it fell due, up to `now_ms`."""
        due = state["due"]
        changes: list[Change] = []
        while due and due[0][0] <= now_ms:
            at_ms = due[0][0]
            touched: set[str] = set()
            while due and due[0][0] == at_ms:
                key = heappop(due)[1]
                touched.update(self._by_event[key])
                self._forget(state, key, at_ms)
            changes += self._check(state, contact_id, touched, at_ms)
        return changes

    def _keep(self, state: State, now_ms: int, body: Json, history: History) -> set[str]:
        touched: set[str] = set()
        occurred_ms = min(body["occurred_at"], now_ms)
        if self._keep_all:
            if body["event_id"] in history:
                return touched
            history[body["event_id"]] = [occurred_ms, body["event"], body["properties"]]
        for key in _keys_of(body):
            if key not in self._windows:
                continue
            ends = [end for span in self._windows[key] if (end := occurred_ms + span) > now_ms]
            if ends:
                insort(state["events"].setdefault(key, []), [occurred_ms, body["properties"]], key=_first)
                for end in ends:
                    heappush(state["due"], [end, key])
                touched.update(self._by_event[key])
        return touched

    def _forget(self, state: State, key: str, now_ms: int) -> None:
        since_ms = now_ms - max(self._windows[key])
        left = [event for event in state["events"].get(key, ()) if event[0] > since_ms]
        if left:
            state["events"][key] = left
        else:
            state["events"].pop(key, None)

    def _merge(self, state: State, attributes: Json) -> set[str]:
        latest = state["attributes"]
        changed = [name for name, value in attributes.items() if latest.get(name) != value]
        latest.update(attributes)
        using: set[str] = set()
        for name in changed:
            using |= self._by_attribute.get(name, set())
        return using.intersection(self._possible(state)) if using else using

    def _possible(self, state: State) -> Iterator[str]:
        """Every segment that the contact is in or may be in."""
        yield from state["members"]
        yield from self._unanchored
        for name in self._anchor_attributes:
            yield from self._by_anchor.get(_attribute_key(name, state["attributes"].get(name)), ())
        for key in state["events"]:
            yield from self._by_anchor.get(key, ())

    def _check(self, state: State, contact_id: str, segments: Iterable[str], now_ms: int) -> list[Change]:
        changes = []
        members = state["members"]
        for segment_id in segments:
            entered = self._tests[segment_id](state, now_ms)
            if entered != (segment_id in members):
                (members.append if entered else members.remove)(segment_id)
                changes.append(Change(segment_id, contact_id, now_ms, entered))
        return changes


def next_due(state: State) -> int | None:
    """When time alone may change something next, epoch ms."""
    return state["due"][0][0] if state["due"] else None


# --- one definition -------------------------------------------------------------------------------


def _parts(definition: Json) -> list[Json]:
    return definition.get("parts") or [{"relation": "include", "clusters": definition["clusters"]}]


def _conditions(definition: Json) -> Iterator[Json]:
    for part in _parts(definition):
        for cluster in part["clusters"]:
            yield from cluster["conditions"]


def _segment_test(definition: Json) -> Test:
    tests: dict[str, list[Test]] = {"include": [], "exclude": []}
    for part in _parts(definition):
        tests[part["relation"]].append(_all([_cluster_test(cluster) for cluster in part["clusters"]]))
    included, excluded = _any(tests["include"]), _any(tests["exclude"])
    return lambda state, now_ms: included(state, now_ms) and not excluded(state, now_ms)


def _cluster_test(cluster: Json) -> Test:
    tests = [_condition_test(condition) for condition in cluster["conditions"]]
    return _all(tests) if cluster["match"] == "all" else _any(tests)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda state, now_ms: all(test(state, now_ms) for test in tests)


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda state, now_ms: any(test(state, now_ms) for test in tests)


def _condition_test(condition: Json) -> Test:
    return _attribute_test(condition) if "attribute" in condition else _event_test(condition)


def _attribute_test(condition: Json) -> Test:
    name, operator, value = condition["attribute"], condition["operator"], condition["value"]
    if operator == "eq":
        return lambda state, _: state["attributes"].get(name) == value
    if operator == "ge":
        return lambda state, _: state["attributes"].get(name, float("-inf")) >= value
    raise ValueError(f"attribute operator {operator!r}")


def _event_test(condition: Json) -> Test:
    key = _event_key(condition)
    span_ms = _duration_ms(condition["window"]["last"])
    filled = [test["property"] for test in condition["where"]["conditions"] if test["operator"] == "is_set"]
    operator: str = condition["count"]["operator"]
    value: int = condition["count"]["value"]
    if operator not in ("ge", "lt"):
        raise ValueError(f"count operator {operator!r}")

    def holds(state: State, now_ms: int) -> bool:
        since_ms = now_ms - span_ms
        count = 0
        for occurred_ms, properties in state["events"].get(key, ()):
            if since_ms < occurred_ms <= now_ms and all(properties.get(name) for name in filled):
                count += 1
        return count >= value if operator == "ge" else count < value

    return holds


# --- what a segment is found by -------------------------------------------------------------------


def _event_key(condition: Json) -> str:
    where = condition["where"]
    equal = [test for test in where["conditions"] if test["operator"] == "eq"]
    if where["match"] != "all" or len(equal) != 1:
        raise ValueError(f"where {where!r}")
    return f"{condition['event']}|{equal[0]['property']}|{equal[0]['value']}"


def _keys_of(body: Json) -> list[str]:
    name = body["event"]
    return [f"{name}|{key}|{value}" for key, value in body["properties"].items() if isinstance(value, str)]


def _attribute_key(name: str, value: object) -> str:
    return f"{name}={value}"


Anchors = list[tuple[str | None, str]]


def _segment_anchors(definition: Json) -> Anchors | None:
    """Keys of which a member has at least one, each with its attribute if it is one; None: no such keys."""
    found: Anchors = []
    for part in _parts(definition):
        if part["relation"] == "include":
            anchors = next(filter(None, map(_cluster_anchors, part["clusters"])), None)
            if anchors is None:
                return None
            found += anchors
    return found


def _cluster_anchors(cluster: Json) -> Anchors | None:
    anchors = [_condition_anchor(condition) for condition in cluster["conditions"]]
    known = [anchor for anchor in anchors if anchor is not None]
    if cluster["match"] == "all":
        return known[:1] or None
    return known if len(known) == len(anchors) else None


def _condition_anchor(condition: Json) -> tuple[str | None, str] | None:
    if "attribute" in condition:
        name, value = condition["attribute"], condition["value"]
        # A truth value finds nobody in particular.
        if condition["operator"] == "eq" and isinstance(value, str):
            return name, _attribute_key(name, value)
        return None
    count = condition["count"]
    return (None, _event_key(condition)) if count["operator"] == "ge" and count["value"] >= 1 else None


def _duration_ms(text: str) -> int:
    if not (text.startswith("P") and text.endswith("D")):
        raise ValueError(f"duration {text!r}")
    return int(text[1:-1]) * DAY_MS


def _first(event: list[int]) -> int:
    return event[0]
