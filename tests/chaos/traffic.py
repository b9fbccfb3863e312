"""The input of a run: updates, events, opt-outs, list entries, erasures and bad records, made from the seed.

Only times depend on when a record is written. Window lengths are those of `definitions`.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from schemas.topics import BEHAVIOR_EVENTS, CONTACT_UPDATES
from streamseg.times import HOUR_MS, format_ms
from tests.chaos.writing import Mode, Written

_REPEATABLE = 200
_MODES = (Mode.PLAIN, Mode.COMMITTED, Mode.ABORTED)
_MODE_WEIGHTS = (75, 17, 8)
_EVENTS = (
    ("scan", 22),
    ("email_open", 16),
    ("email_click", 14),
    ("form_open", 9),
    ("form_submit", 9),
    ("order", 12),
    ("email_unsubscribe", 6),
    ("email_resubscribe", 4),
    ("sms_unsubscribe", 5),
    ("sms_resubscribe", 3),
)
# How long before its record an event occurred; an event with a negative value is clamped.
_LATENESS_MS = (0, 0, 0, 0, 300, 3_000, 20_000, -2_000)
NO_SUCH_LIST = "nowhere"


class Traffic:
    """The records of active contacts. `open_lists` are the static segments that accept entries now."""

    def __init__(self, seed: int, contacts: int) -> None:
        self._seeded = random.Random(f"traffic {seed}")
        self._contacts = [f"联系人-{number}" for number in range(contacts)]
        self._count = 0
        self._recent: deque[Written] = deque(maxlen=_REPEATABLE)
        self._turned: dict[str, bool] = {}
        self.open_lists: Sequence[str] = ()

    def batch(self, size: int, now_ms: int) -> tuple[list[Written], Mode]:
        """Return roughly this many current records, and how to write them."""
        records: list[Written] = []
        while len(records) < size:
            records += self._some(now_ms)
        return records, self._seeded.choices(_MODES, _MODE_WEIGHTS)[0]

    def _some(self, now_ms: int) -> Iterator[Written]:
        """Yield a record, or a few that belong together."""
        seeded = self._seeded
        self._count += 1
        # A tenth of the contacts cause half of the records.
        few = max(1, len(self._contacts) // 10)
        contact_id = self._contacts[seeded.randrange(few if seeded.random() < 0.5 else len(self._contacts))]
        draw = seeded.random()
        if draw < 0.62:
            yield self._event(contact_id, now_ms)
        elif draw < 0.84:
            yield _update(contact_id, now_ms, self._change(now_ms))
        elif draw < 0.90:
            yield from self._entry(contact_id, now_ms)
        elif draw < 0.92 and self._recent:
            # The same bytes again, in a record with its own time.
            yield seeded.choice(self._recent)._replace(at_ms=now_ms)
        elif draw < 0.93:
            keep = seeded.random() < 0.5
            yield _update(
                contact_id, now_ms, {"deleted": True, **({"keep_suppressions": True} if keep else {})}
            )
        else:
            yield self._bad(contact_id, now_ms)
            # A bad record is followed by an update of the same contact that causes a change at once, since it
            # reverses the one before.
            turned = self._turned[contact_id] = not self._turned.get(contact_id, False)
            yield _update(contact_id, now_ms, {"tags": {"add" if turned else "remove": ["regular"]}})

    def _event(self, contact_id: str, now_ms: int) -> Written:
        seeded = self._seeded
        names, weights = zip(*_EVENTS, strict=True)
        name = seeded.choices(names, weights)[0]
        occurred_ms = now_ms - seeded.choice(_LATENESS_MS)
        value: dict[str, Any] = {
            "event_id": f"e-{self._count}",
            "contact_id": contact_id,
            "event": name,
            "occurred_at": occurred_ms if seeded.random() < 0.5 else format_ms(occurred_ms),
        }
        if name == "order":
            value["properties"] = {"order": {"amount": seeded.randrange(1, 60)}}
        elif name == "form_submit":
            answer = seeded.choice([None, None, False, "no", "否"])
            value["properties"] = {"form": "会员注册", **({} if answer is None else {"subscribed": answer})}
        written = Written(BEHAVIOR_EVENTS, contact_id.encode(), orjson.dumps(value), now_ms)
        if occurred_ms <= now_ms:
            # A clamped event would be another event when repeated.
            self._recent.append(written)
        return written

    def _change(self, now_ms: int) -> dict[str, Any]:
        seeded = self._seeded
        draw = seeded.randrange(10)
        if draw < 4:
            attributes: dict[str, Any] = {"location": seeded.choice(["中国", "美国", None])}
        elif draw < 6:
            attributes = {"member_points": seeded.randrange(200), "favourite": seeded.choice("abc")}
        elif draw < 7:
            attributes = {"subscribed": seeded.choice([True, False])}
        else:
            tags = seeded.sample(["vip", "blocked", "trial"], 2)
            return {"tags": {"add": tags[:1], "remove": tags[1:]}}
        change: dict[str, Any] = {"attributes": attributes}
        if seeded.random() < 0.2:
            change["updated_at"] = now_ms - seeded.choice([0, 1_000, 15_000])
        return change

    def _entry(self, contact_id: str, now_ms: int) -> Iterator[Written]:
        """Return an entry into a list, or out of it, in its own update."""
        seeded = self._seeded
        place, verb = seeded.random(), seeded.choice(["add", "add", "remove"])
        if self.open_lists:
            chosen = self.open_lists[int(place * len(self.open_lists))]
            yield _update(contact_id, now_ms, {"lists": {verb: [chosen]}})

    def _bad(self, contact_id: str, now_ms: int) -> Written:
        seeded = self._seeded
        key = contact_id.encode()
        event = {"event_id": f"bad-{self._count}", "contact_id": contact_id, "event": "scan"}
        draw = seeded.randrange(14)
        if draw < 7:
            unknown = {"lists": {"add": [f"{NO_SUCH_LIST}-{seeded.randrange(3)}"]}}
            return _update(contact_id, now_ms, unknown)
        values: list[tuple[str, bytes | None, Any]] = [
            (CONTACT_UPDATES, key, {"contact_id": contact_id, "attributes": {"member_points": "many"}}),
            (CONTACT_UPDATES, key, {"contact_id": contact_id, "surprise": 1}),
            (CONTACT_UPDATES, b"another", {"contact_id": contact_id}),
            (BEHAVIOR_EVENTS, key, {**event, "occurred_at": now_ms + HOUR_MS}),
            (BEHAVIOR_EVENTS, key, {"contact_id": contact_id, "event": "scan"}),
            (BEHAVIOR_EVENTS, key, b'{"event_id": "cut o'),
            (CONTACT_UPDATES, key, b"\xff\xfe"),
        ]
        topic, key_or_not, value = values[draw - 7]
        raw = value if isinstance(value, bytes) else orjson.dumps(value)
        return Written(topic, key_or_not, raw, now_ms)


def _update(contact_id: str, now_ms: int, change: dict[str, Any]) -> Written:
    value = {"contact_id": contact_id, **change}
    return Written(CONTACT_UPDATES, contact_id.encode(), orjson.dumps(value), now_ms)


def quiet_contacts(count: int, now_ms: int) -> Iterator[Written]:
    """Contacts that are written once and then left alone. They make the changelog long, and any later change
    of them is a fault."""
    padding = "x" * 200
    for number in range(count):
        attributes = {
            "location": "中国" if number % 2 else "美国",
            "member_points": number % 200,
            "note": padding,
        }
        yield _update(quiet_contact(number), now_ms, {"attributes": attributes, "tags": {"add": ["quiet"]}})


def quiet_contact(number: int) -> str:
    return f"quiet-{number}"


def quiet_entries(segment_id: str, numbers: range, now_ms: int) -> Iterator[Written]:
    """Return updates that put quiet contacts into a static segment, once."""
    for number in numbers:
        yield _update(quiet_contact(number), now_ms, {"lists": {"add": [segment_id]}})


def last_words(seed: int, count: int, now_ms: int) -> Iterator[Written]:
    """Return a record of each topic for every partition, so that a topic ends with a record and not with a
    transaction marker."""
    for number in range(count):
        contact_id = f"last-{seed}-{number}"
        event = {
            "event_id": f"last-{number}",
            "contact_id": contact_id,
            "event": "seen",
            "occurred_at": now_ms,
        }
        yield _update(contact_id, now_ms, {"attributes": {"favourite": "z"}})
        yield Written(BEHAVIOR_EVENTS, contact_id.encode(), orjson.dumps(event), now_ms)
