"""The segments of a run. Some stay as they are; others, static lists among them, are made, changed, renamed,
deleted and made again all the time. The seed decides them; only their times differ from run to run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from tests.chaos.traffic import NO_SUCH_LIST
from tests.chaos.writing import Written

Json = dict[str, Any]

TOPIC = "segment-definitions"
RECENT_WINDOW_MS = 10_000
EMAIL_WINDOW_MS = 20_000
SMS_WINDOW_MS = 10_000
LONGEST_WINDOW_SECONDS = 32.0
"""After this time without input nothing falls due any more."""
WINDOW_SETTINGS = {
    "STREAMSEG_EMAIL_WINDOW__LENGTH": "PT20S",
    "STREAMSEG_EMAIL_WINDOW__ALIGNMENT": "event",
    "STREAMSEG_SMS_WINDOW__LENGTH": "PT10S",
}

_CHANGING = 8
_LISTS = 3
_KEPT_LISTS = 8
_LIST_REST_SECONDS = 8.0


def all_of(*conditions: Json) -> list[Json]:
    return [{"match": "all", "conditions": list(conditions)}]


def standard(segment_id: str, *conditions: Json) -> Json:
    return {
        "segment_id": segment_id,
        "name": segment_id,
        "type": "standard",
        "clusters": all_of(*conditions),
    }


def static(segment_id: str) -> Json:
    return {"segment_id": segment_id, "name": segment_id, "type": "static"}


def did(event: str, seconds: int, **more: Any) -> Json:
    return {"event": event, "window": {"last": f"PT{seconds}S"}, **more}


def is_in(segment_id: str, member: bool = True) -> Json:
    return {"segment": segment_id, "member": member}


CHINA: Json = {"attribute": "location", "operator": "eq", "value": "中国"}
VIP: Json = {"attribute": "tags", "operator": "contains_any", "value": ["vip"]}
BLOCKED: Json = {"attribute": "tags", "operator": "contains_any", "value": ["blocked"]}


_SUBMITTED: Json = {"event": "form_submit"}


def at_least(count: int) -> Json:
    return {"operator": "ge", "value": count}


def push(segment_id: str) -> Json:
    return {
        "segment_id": segment_id,
        "name": segment_id,
        "type": "advanced",
        "parts": [
            {"name": "keen", "relation": "include", "clusters": all_of(is_in("keen"))},
            {"name": "vip", "relation": "include", "clusters": all_of(VIP)},
            {"name": "blocked", "relation": "exclude", "clusters": all_of(BLOCKED)},
            {"name": "opted out", "relation": "exclude", "clusters": all_of(is_in("email-unsubscribed"))},
        ],
    }


STANDING: tuple[Json, ...] = (
    standard("recent", did("scan", RECENT_WINDOW_MS // 1000)),
    standard("keen", CHINA, did("email_*", 20, count=at_least(2))),
    standard("silent", {**did("email_open", 15), "count": {"operator": "lt", "value": 1}}),
    standard("vip", VIP),
    standard("regular", {"attribute": "tags", "operator": "contains_any", "value": ["regular"]}),
    standard("rich", {"attribute": "member_points", "operator": "ge", "value": 100}),
    standard("settled-in-china", {**CHINA, "held": {"at_least": "PT8S"}}),
    standard("journey", {"sequence": [{"event": "form_open"}, {"event": "form_submit"}], "within": "PT15S"}),
    standard(
        "abandoned",
        {"sequence": [{"event": "form_open"}, {"absent": {"event": "form_submit"}}], "within": "PT6S"},
    ),
    standard(
        "spender",
        did(
            "order",
            30,
            aggregate={"function": "sum", "property": "order.amount", "operator": "ge", "value": 80},
        ),
    ),
    standard(
        "reachable", is_in("keen"), is_in("email-unsubscribed", False), is_in("global-unsubscribed", False)
    ),
    push("push"),
)
"""Segments that are in force before any worker starts, and are never changed."""

BORN_LIVE: tuple[Json, ...] = (
    static("fair"),
    static("press"),
    standard("late-vip", VIP),
    standard("quiet-ones", {"attribute": "tags", "operator": "contains_any", "value": ["quiet"]}),
    standard("at-the-fair", is_in("fair"), {**BLOCKED, "not": True}),
    push("late-push"),
)
"""Segments that are made while workers run, and are never changed. A worker's facts about them must not
depend on whether it ran when they were made."""

BORN_LIVE_LISTS = ("fair", "press")

FINALE = standard("finale", {"attribute": "contact_id", "operator": "is_set"})
"""A segment made at the very end: it makes every contact be evaluated once more."""


class Birth(NamedTuple):
    """The start of a static segment or (`deleted`) its end, by the record written at that time."""

    segment_id: str
    at_ms: int
    deleted: bool


class _List:
    """A static segment that is made and deleted again and again. All input is committed between its last
    entry and its end, so that each entry belongs to exactly one of its lives."""

    def __init__(self, segment_id: str) -> None:
        self.segment_id = segment_id
        self.alive = False
        self.closing: Mapping[tuple[str, int], int] | None = None
        self.rest_until_ms = 0


class Story:
    """The records written to `segment-definitions` in the course of a run.

    `ends` and `committed` return the offsets of the source topics, or None while no broker answers.
    """

    def __init__(
        self,
        seed: int,
        ends: Callable[[], Mapping[tuple[str, int], int] | None],
        committed: Callable[[], Mapping[tuple[str, int], int] | None],
        *,
        windows_only: bool = False,
    ) -> None:
        """`windows_only`: every event condition of a segment that changes has a window, so that the segment
        does not depend on how long events are kept."""
        self._seeded = random.Random(f"definitions {seed}")
        self._ends = ends
        self._committed = committed
        self._windows_only = windows_only
        self._count = 0
        self._formulas: dict[str, Json] = {}
        self.kept_lists: list[str] = []
        """Static segments that were made once and stay."""
        self._lists = [_List(f"list-{number}") for number in range(_LISTS)]
        self.births: list[Birth] = []
        self.open_lists: list[str] = []
        self.deleted: list[str] = []
        """The id of each deleted segment, once for each deletion."""
        self.bad: list[str] = []
        """The ids of the definitions that must be refused."""

    def standing(self, now_ms: int) -> Iterator[Written]:
        yield from (_written(each, now_ms) for each in STANDING)

    def born_live(self, now_ms: int) -> Iterator[Written]:
        for each in BORN_LIVE:
            yield _written(each, now_ms)
        for segment_id in BORN_LIVE_LISTS:
            self.births.append(Birth(segment_id, now_ms, deleted=False))

    def open_standing_lists(self) -> None:
        """Allow entries into these lists from now on."""
        self.open_lists += BORN_LIVE_LISTS
        self.kept_lists += BORN_LIVE_LISTS

    def finale(self, now_ms: int) -> list[Written]:
        return [_written(FINALE, now_ms)]

    def step(self, now_ms: int) -> list[Written]:
        """Return the records of the next change."""
        self._count += 1
        draw = self._seeded.random()
        if draw < 0.2:
            return list(self._change_list(now_ms))
        if draw < 0.27:
            return [self._bad(now_ms)]
        if draw < 0.33 and len(self.kept_lists) < _KEPT_LISTS:
            return [self._keep_list(now_ms)]
        return list(self._change(now_ms))

    # -- standard and advanced segments ----------------------------------------------------------------------

    def _change(self, now_ms: int) -> Iterator[Written]:
        seeded = self._seeded
        segment_id = f"changing-{seeded.randrange(_CHANGING)}"
        known = self._formulas.get(segment_id)
        draw = seeded.random()
        if known is None or draw < 0.5:
            yield self._put(segment_id, self._formula(segment_id), now_ms)
        elif draw < 0.65:
            yield self._put(segment_id, {**known, "name": f"name {self._count}"}, now_ms)
        elif not self._referred_to(segment_id):
            del self._formulas[segment_id]
            self.deleted.append(segment_id)
            yield _tombstone(segment_id, now_ms)
            if draw < 0.85:
                # The segment is made again at once, with the same definition or another one.
                again = known if draw < 0.75 else self._formula(segment_id)
                yield self._put(segment_id, again, now_ms)

    def _put(self, segment_id: str, formula: Json, now_ms: int) -> Written:
        self._formulas[segment_id] = formula
        version = {"version": self._count} if self._seeded.random() < 0.5 else {}
        return _written({**formula, **version}, now_ms)

    def _referred_to(self, segment_id: str) -> bool:
        mention = f'"segment":"{segment_id}"'.encode()
        return any(mention in orjson.dumps(formula) for formula in self._formulas.values())

    def _formula(self, segment_id: str) -> Json:
        seeded = self._seeded
        conditions: list[Callable[[], Json]] = [
            lambda: did(seeded.choice(["scan", "order", "email_*"]), seeded.randrange(5, 30)),
            lambda: did("email_open", seeded.randrange(5, 30), count=at_least(seeded.randrange(1, 4))),
            lambda: {**did("scan", seeded.randrange(5, 30)), "count": {"operator": "eq", "value": 0}},
            lambda: {"attribute": "member_points", "operator": "ge", "value": seeded.randrange(0, 200, 20)},
            lambda: {"attribute": "favourite", "operator": "in", "value": seeded.sample("abc", 2)},
            lambda: {"attribute": "location", "operator": "ne", "value": "美国"},
            self._without_window,
            lambda: {"event": "scan", "select": "last", "window": {"last": f"PT{seeded.randrange(5, 30)}S"}},
            lambda: {"event": "attribute_changed", "window": {"last": f"PT{seeded.randrange(5, 30)}S"}},
            lambda: {**VIP, "held": {"at_least": f"PT{seeded.randrange(3, 20)}S"}},
            lambda: {"sample": seeded.choice([0.3, 0.6])},
            lambda: is_in(
                seeded.choice(
                    ["keen", "rich", "vip", "recent", "mobile-unsubscribed", "global-unsubscribed"]
                ),
                seeded.random() < 0.7,
            ),
            lambda: is_in(self._lower(segment_id)),
        ]
        chosen = [seeded.choice(conditions)() for _ in range(seeded.randrange(1, 4))]
        if seeded.random() < 0.3:
            return {
                "segment_id": segment_id,
                "name": segment_id,
                "type": "advanced",
                "parts": [
                    {"name": "in", "relation": "include", "clusters": all_of(*chosen)},
                    {"name": "out", "relation": "exclude", "clusters": all_of(BLOCKED)},
                ],
            }
        return standard(segment_id, *chosen)

    def _without_window(self) -> Json:
        counted = at_least(self._seeded.randrange(1, 3))
        return (
            did("form_submit", 25, count=counted) if self._windows_only else {**_SUBMITTED, "count": counted}
        )

    def _lower(self, segment_id: str) -> str:
        """Return another changing segment with a lower number, so that references form no circle; `vip` if
        there is none."""
        lower = sorted(one for one in self._formulas if one < segment_id)
        return self._seeded.choice(lower) if lower else "vip"

    # -- static segments ------------------------------------------------------------------------------------

    def _keep_list(self, now_ms: int) -> Written:
        segment_id = f"kept-{self._count}"
        self.births.append(Birth(segment_id, now_ms, deleted=False))
        self.open_lists.append(segment_id)
        self.kept_lists.append(segment_id)
        return _written(static(segment_id), now_ms)

    def _change_list(self, now_ms: int) -> Iterator[Written]:
        one = self._lists[self._seeded.randrange(_LISTS)]
        if now_ms < one.rest_until_ms:
            return
        if not one.alive:
            one.alive = True
            one.rest_until_ms = now_ms + int(_LIST_REST_SECONDS * 1000)
            self.births.append(Birth(one.segment_id, now_ms, deleted=False))
            self.open_lists.append(one.segment_id)
            yield _written(static(one.segment_id), now_ms)
        elif one.closing is None:
            if one.segment_id in self.open_lists:
                self.open_lists.remove(one.segment_id)
            one.closing = self._ends()
        else:
            committed = self._committed()
            if committed is None or any(
                committed.get(place, 0) < end for place, end in one.closing.items() if end
            ):
                return
            one.alive, one.closing = False, None
            self.births.append(Birth(one.segment_id, now_ms, deleted=True))
            self.deleted.append(one.segment_id)
            yield _tombstone(one.segment_id, now_ms)

    # -- invalid definitions --------------------------------------------------------------------------------

    def _bad(self, now_ms: int) -> Written:
        """Return invalid definitions, each with its own id, so that none replaces another before it is
        checked."""
        segment_id = f"bad-{self._count}"
        self.bad.append(segment_id)
        faults: tuple[Json, ...] = (
            standard(segment_id, is_in(f"{NO_SUCH_LIST}-1")),
            standard(segment_id, is_in(segment_id)),
            standard(segment_id, {"attribute": "location", "operator": "resembles", "value": "中国"}),
            {**standard(segment_id, VIP), "clusters": []},
        )
        return _written(self._seeded.choice(faults), now_ms)


def _written(definition: Json, now_ms: int) -> Written:
    return Written(TOPIC, definition["segment_id"].encode(), orjson.dumps(definition), now_ms)


def _tombstone(segment_id: str, now_ms: int) -> Written:
    return Written(TOPIC, segment_id.encode(), None, now_ms)
