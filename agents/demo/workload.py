"""The input of the demonstration: segments, and a few thousand contacts with their events."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from streamseg.times import DAY_MS, MINUTE_MS, SECOND_MS

CASE = "cn-members"
POINTS = "points-1000"

_CITIES = ("中国", "中国", "中国", "日本", "Deutschland", "Brasil")
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈", "雷梅伟芳娜敏静强磊洋"
_LEAVING = 40
_BUYING = 0.2

DEFINITIONS: tuple[dict[str, Any], ...] = (
    {
        "segment_id": CASE,
        "name": "案例分群",
        "type": "standard",
        "clusters": [
            {
                "match": "all",
                "conditions": [
                    {"attribute": "location", "operator": "eq", "value": "中国"},
                    {"attribute": "imported_at", "operator": "within_last", "value": "P7D"},
                ],
            },
            {
                "match": "any",
                "conditions": [
                    {
                        "event": "form_submit",
                        "where": {
                            "match": "all",
                            "conditions": [
                                {"property": "form", "operator": "eq", "value": "会员注册"},
                                {"property": "name", "operator": "is_set"},
                                {"property": "email", "operator": "is_set"},
                            ],
                        },
                    },
                    {
                        "event": "wechat_scan",
                        "where": {
                            "match": "all",
                            "conditions": [
                                {"property": "scene", "operator": "eq", "value": "会员注册二维码"}
                            ],
                        },
                    },
                ],
            },
        ],
    },
    {
        "segment_id": POINTS,
        "name": "高积分会员",
        "type": "standard",
        "clusters": [
            {
                "match": "all",
                "conditions": [{"attribute": "member_points", "operator": "ge", "value": 1000}],
            }
        ],
    },
    {
        "segment_id": "push",
        "name": "邮件推送",
        "type": "advanced",
        "parts": [
            {
                "name": "案例分群",
                "relation": "include",
                "clusters": [{"match": "all", "conditions": [{"segment": CASE}]}],
            },
            {
                "name": "邮件退订",
                "relation": "exclude",
                "clusters": [{"match": "all", "conditions": [{"segment": "email-unsubscribed"}]}],
            },
        ],
    },
)


class Workload:
    """Contacts and events, the same in every run except for their times, which end at `now_ms`.

    A few contacts were imported seven days minus some seconds ago: they leave the segment `CASE` during the
    demonstration, by time alone.
    """

    def __init__(self, *, contacts: int, events: int, now_ms: int) -> None:
        self._random = random.Random(7)  # noqa: S311 - a workload, not a secret
        self._contacts = contacts
        self._events = events
        self._now_ms = now_ms

    def updates(self) -> Iterator[dict[str, Any]]:
        """Yield ContactUpdate values."""
        for number in range(self._contacts):
            yield {"contact_id": _contact_id(number), "attributes": self._attributes(number)}

    def _attributes(self, number: int) -> dict[str, Any]:
        pick = self._random
        if number < _LEAVING:
            age_ms = 7 * DAY_MS - (8 * SECOND_MS + number * 100)
        else:
            age_ms = pick.randrange(MINUTE_MS, 10 * DAY_MS)
        return {
            "name": pick.choice(_SURNAMES) + pick.choice(_GIVEN),
            "email": f"{_contact_id(number)}@example.cn",
            "location": "中国" if number < _LEAVING else pick.choice(_CITIES),
            "imported_at": self._now_ms - age_ms,
            "member_points": int(pick.paretovariate(1.2) * 50),
        }

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield BehaviorEvent values."""
        for number in range(self._events):
            contact = number if number < _LEAVING else self._random.randrange(self._contacts)
            name, properties = ("wechat_scan", _SCAN) if number < _LEAVING else self._occurrence(contact)
            # Unsubscribes happen now, so that their batch window is still open.
            age_ms = 0 if name == "email_unsubscribe" else self._random.randrange(MINUTE_MS)
            yield {
                "event_id": f"demo-{number}",
                "contact_id": _contact_id(contact),
                "event": name,
                "occurred_at": self._now_ms - age_ms,
                "properties": properties,
            }

    def arrival(self, number: int, now_ms: int) -> dict[str, Any]:
        """Return the ContactUpdate of a contact that is imported now, or again; `number` counts them."""
        self._now_ms = now_ms
        contact = self._contacts + number if number % 2 else self._random.randrange(self._contacts)
        attributes = self._attributes(max(contact, _LEAVING))
        attributes |= {"email": f"{_contact_id(contact)}@example.cn", "imported_at": now_ms}
        return {"contact_id": _contact_id(contact), "attributes": attributes}

    def occurrence(self, number: int, now_ms: int) -> dict[str, Any]:
        """Return a BehaviorEvent that happens now; `number` counts them."""
        contact = self._random.randrange(self._contacts)
        if self._random.random() < _BUYING:
            name, properties = "order_paid", {"amount": round(self._random.paretovariate(1.5) * 40, 2)}
        else:
            name, properties = self._occurrence(contact)
        return {
            "event_id": f"live-{number}",
            "contact_id": _contact_id(contact),
            "event": name,
            "occurred_at": now_ms,
            "properties": properties,
        }

    def _occurrence(self, contact: int) -> tuple[str, dict[str, Any]]:
        draw = self._random.random()
        if draw < 0.12:
            email = f"{_contact_id(contact)}@example.cn" if draw < 0.09 else ""
            return "form_submit", {"form": "会员注册", "name": "已填写", "email": email}
        if draw < 0.20:
            return "wechat_scan", _SCAN
        if draw < 0.22:
            return "email_unsubscribe", {}
        return self._random.choice(("email_open", "email_click", "wechat_reply", "page_view")), {}


_SCAN = {"scene": "会员注册二维码"}


def _contact_id(number: int) -> str:
    return f"c{number:05d}"
