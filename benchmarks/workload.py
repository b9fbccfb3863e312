"""Makes a realistic workload of any size: contacts, their events and updates, and segments.

    python -m benchmarks.workload --contacts 1000 --records 10000 --segments 100 > workload.ndjson
    streamseg replay workload.ndjson

The same seed gives the same workload. Contacts have 20 attributes. The number of records of a contact follows
Zipf's law; the numbers of events about a campaign, page or product follow it more steeply. 3 of 100 records
are contact updates; 1 of 100 events comes late, up to two days. Segments are of the kinds that marketers
define, with different constants, so that no two are alike.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.records.inputs import Record

Json = dict[str, Any]

START_MS = 1_777_593_600_000  # 2026-05-01T00:00:00Z
DAY_MS = 86_400_000

CITIES = 300
CAMPAIGNS = 5_000
FORMS = 2_000
PAGES = 20_000
PRODUCTS = 5_000
SCENES = 2_000
POINTS = (100, 200, 500, 1_000, 2_000, 5_000)
DAYS = (1, 3, 7, 14, 30)

_LATE_SHARE = 0.01
_UPDATE_SHARE = 0.03
_LONGEST_DELAY_MS = 2 * DAY_MS
_SKEW_OF_CONTACTS = 0.7
_SKEW_OF_CONTENT = 1.07

# The numbers of each event among 100 events; the others are page views.
_MIX = (
    ("email_send", 20),
    ("email_open", 14),
    ("email_click", 6),
    ("sms_send", 6),
    ("wechat_menu_click", 6),
    ("wechat_scan", 4),
    ("form_open", 5),
    ("form_submit", 3),
    ("purchase", 4),
)
_EVENT_NAMES = [name for name, share in _MIX for _ in range(share)]
_EVENT_NAMES += ["page_view"] * (100 - len(_EVENT_NAMES))


@dataclass(frozen=True)
class Workload:
    """`records` inputs of `contacts` contacts, evenly over `days` of stream time from `start_ms` (epoch
    ms)."""

    contacts: int = 100_000
    records: int = 1_000_000
    days: float = 10
    seed: int = 1
    start_ms: int = START_MS

    def updates(self) -> Iterator[Record]:
        """Return an update with all attributes for each contact, in the second before `start_ms`."""
        seeded = random.Random(self.seed)
        for number in range(self.contacts):
            body = {"contact_id": _contact_id(number), "attributes": _attributes(seeded, self.start_ms)}
            yield _record(CONTACT_UPDATES, number, self.start_ms - 1_000, body)

    def stream(self) -> Iterator[Record]:
        """Return the records from `start_ms` on, in the order of time."""
        seeded = random.Random(self.seed + 1)
        who = Zipf(self.contacts, _SKEW_OF_CONTACTS, seeded)
        about = {
            name: Zipf(size, _SKEW_OF_CONTENT, seeded)
            for name, size in (
                ("campaign", CAMPAIGNS),
                ("page", PAGES),
                ("product", PRODUCTS),
                ("form", FORMS),
                ("scene", SCENES),
            )
        }
        step_ms = self.days * DAY_MS / self.records
        offsets = {BEHAVIOR_EVENTS: 0, CONTACT_UPDATES: self.contacts}
        for index in range(self.records):
            at_ms = self.start_ms + int(index * step_ms)
            contact_id = _contact_id(who.draw())
            if seeded.random() < _UPDATE_SHARE:
                topic, body = CONTACT_UPDATES, {"attributes": _changed(seeded)}
            else:
                topic, body = BEHAVIOR_EVENTS, _event(seeded, about, index, at_ms)
            offset = offsets[topic]
            offsets[topic] = offset + 1
            yield _record(topic, offset, at_ms, {"contact_id": contact_id, **body})


class Zipf:
    """Draws numbers below `size`, a few of them often: the n-th most frequent in proportion to n ** -skew.

    A draw uses the inverse of the distribution's continuous form. The ranks are shuffled over the numbers."""

    def __init__(self, size: int, skew: float, seeded: random.Random) -> None:
        self._size = size
        self._seeded = seeded
        self._power = 1 - skew
        self._span = (size + 1) ** self._power - 1
        self._stride = _coprime(size)

    def draw(self) -> int:
        rank = int((self._seeded.random() * self._span + 1) ** (1 / self._power)) - 1
        return min(rank, self._size - 1) * self._stride % self._size


def _coprime(size: int) -> int:
    stride = 7_919
    while size % stride == 0:
        stride += 2
    return stride


def _contact_id(number: int) -> str:
    return f"contact-{number:07}"


def _record(topic: str, offset: int, at_ms: int, body: Json) -> Record:
    return Record(topic, 0, offset, at_ms, body["contact_id"].encode(), orjson.dumps(body))


def _attributes(seeded: random.Random, at_ms: int) -> Json:
    number = seeded.randrange
    return {
        "email": f"person{number(10**9)}@example.cn",
        "mobile": f"+86138{number(10**8):08}",
        "name": f"联系人{number(10**6)}",
        "gender": seeded.choice(("男", "女")),
        "location": f"城市{number(CITIES)}",
        "created_at": at_ms - number(400 * DAY_MS),
        "imported_at": at_ms - number(30 * DAY_MS),
        "member_points": number(8_000),
        "member_id": f"m{number(10**9)}",
        "member_day": at_ms - number(5_000 * DAY_MS),
        "order_count": number(40),
        "order_amount": number(1_000_000) / 100,
        "last_purchase_at": at_ms - number(300 * DAY_MS),
        "overall_rating": number(100),
        "activity_index": number(100),
        "consumption_index": number(100),
        "subscribed": seeded.random() > 0.05,
        "channel": seeded.choice(("app", "web", "store", "partner")),
        "level": number(10),
        "language": seeded.choice(("zh", "zh", "zh", "en")),
    }


def _changed(seeded: random.Random) -> Json:
    number = seeded.randrange
    return seeded.choice(
        (
            {"member_points": number(8_000)},
            {"location": f"城市{number(CITIES)}"},
            {"activity_index": number(100), "overall_rating": number(100)},
            {"order_count": number(40), "order_amount": number(1_000_000) / 100},
        )
    )


def _event(seeded: random.Random, about: dict[str, Zipf], index: int, at_ms: int) -> Json:
    name = _EVENT_NAMES[seeded.randrange(100)]
    late = seeded.random() < _LATE_SHARE
    return {
        "event_id": f"e-{index}",
        "event": name,
        "occurred_at": at_ms - seeded.randrange(_LONGEST_DELAY_MS) if late else at_ms,
        "properties": _properties(seeded, about, name),
    }


def _properties(seeded: random.Random, about: dict[str, Zipf], name: str) -> Json:
    if name.startswith(("email_", "sms_")):
        return {
            "campaign": f"campaign-{about['campaign'].draw()}",
            "device": seeded.choice(("ios", "android")),
        }
    if name.startswith("form_"):
        filled = {"name": "李雷", "email": "a@example.cn"} if name == "form_submit" else {}
        return {"form": f"form-{about['form'].draw()}", **filled}
    if name == "wechat_scan":
        return {"scene": f"scene-{about['scene'].draw()}"}
    if name == "wechat_menu_click":
        return {"menu": f"menu-{seeded.randrange(20)}"}
    if name == "purchase":
        order = {"amount": seeded.randrange(100_000) / 100, "currency": "CNY"}
        return {"product": f"product-{about['product'].draw()}", "order": order}
    return {"page": f"page-{about['page'].draw()}", "referrer": seeded.choice(("search", "mail", "ad"))}


# --- segments -------------------------------------------------------------------------------------


def definitions(count: int, *, matching: int | None = None) -> list[Json]:
    """Return `count` segments, no two alike. If `matching` is given, only the first `matching` segments test
    values that occur, so that an input touches no more segments although there are more."""
    touched = count if matching is None else matching
    return [_definition(index, index if index < touched else None) for index in range(count)]


def _definition(index: int, value: int | None) -> Json:
    """Return a segment of the kind that the index chooses; None is a value that never occurs."""
    kind = index % 6
    number = index // 6 if value is None else value // 6
    never = value is None
    days = f"P{DAYS[number % len(DAYS)]}D"
    body: Json = {"segment_id": f"segment-{index:05}", "name": f"分群 {index}", "type": "standard"}
    city = _asked("城市", number, CITIES, never)
    if kind == 0:
        points = {"operator": "ge", "value": POINTS[number // CITIES % len(POINTS)]}
        lives = {"attribute": "location", "operator": "eq", "value": city}
        return {**body, "clusters": [_all(lives, {"attribute": "member_points", **points})]}
    if kind == 1:
        page = _did("page_view", "page", _asked("page-", number, PAGES, never), days)
        return {**body, "clusters": [_all(page)]}
    if kind == 2:
        campaign = _asked("campaign-", number, CAMPAIGNS, never)
        clicked = _did("email_click", "campaign", campaign, "P14D", operator="lt", least=1)
        return {**body, "clusters": [_all(_did("email_open", "campaign", campaign, "P30D"), clicked)]}
    if kind == 3:
        product = _asked("product-", number, PRODUCTS, never)
        bought = _did("purchase", "product", product, "P30D", least=1 + number % 3)
        return {**body, "clusters": [_all(bought)]}
    if kind == 4:
        form = _did("form_submit", "form", _asked("form-", number, FORMS, never), days)
        form["where"]["conditions"] += [
            {"property": "name", "operator": "is_set"},
            {"property": "email", "operator": "is_set"},
        ]
        scan = _did("wechat_scan", "scene", _asked("scene-", number, SCENES, never), days)
        subscribed = {"attribute": "subscribed", "operator": "eq", "value": True}
        return {**body, "clusters": [_all(subscribed), {"match": "any", "conditions": [form, scan]}]}
    campaign = _asked("campaign-", number + CAMPAIGNS // 2, CAMPAIGNS, never)
    reached = _did("email_open", "campaign", campaign, days)
    lives = {"attribute": "location", "operator": "eq", "value": city}
    active = {"attribute": "activity_index", "operator": "ge", "value": 90}
    gone = {"attribute": "subscribed", "operator": "eq", "value": False}
    parts = [
        {"name": "打开邮件", "relation": "include", "clusters": [_all(reached)]},
        {"name": "活跃", "relation": "include", "clusters": [_all(lives, active)]},
        {"name": "已退订", "relation": "exclude", "clusters": [_all(gone)]},
    ]
    return {**body, "type": "advanced", "parts": parts}


def _asked(prefix: str, number: int, size: int, never: bool) -> str:
    return f"{prefix}never-{number}" if never else f"{prefix}{number % size}"


def _all(*conditions: Json) -> Json:
    return {"match": "all", "conditions": list(conditions)}


def _did(event: str, name: str, value: str, last: str, *, operator: str = "ge", least: int = 1) -> Json:
    return {
        "event": event,
        "where": _all({"property": name, "operator": "eq", "value": value}),
        "count": {"operator": operator, "value": least},
        "window": {"last": last},
    }


def definition_records(bodies: list[Json]) -> list[Record]:
    """Return the definitions as records of their topic, with the timestamp 0."""
    return [
        Record("segment-definitions", 0, index, 0, body["segment_id"].encode(), orjson.dumps(body))
        for index, body in enumerate(bodies)
    ]


def _line(record: Record) -> bytes:
    value = orjson.Fragment(record.value or b"null")
    line = {
        "topic": record.topic,
        "timestamp": record.timestamp_ms,
        "key": (record.key or b"").decode(),
        "value": value,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--days", type=float, default=10, help="of stream time that the records cover")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    workload = Workload(wanted.contacts, wanted.records, wanted.days, wanted.seed)
    write = sys.stdout.buffer.write
    for source in (definition_records(definitions(wanted.segments)), workload.updates(), workload.stream()):
        for record in source:
            write(_line(record))


if __name__ == "__main__":
    main()
