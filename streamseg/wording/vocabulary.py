"""The parts of a definition that a form offers: operators, windows, names; in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from schemas.attributes import STANDARD_ATTRIBUTES
from schemas.operands import PART_RANGES, TABLE
from streamseg.catalogue.labels import Label
from streamseg.json_text import Json
from streamseg.wording import terms

_CONDITIONS: Final[Mapping[str, Label]] = {
    "attribute": Label("联系人属性", "Contact attribute"),
    "event": Label("行为事件", "Behaviour event"),
    "segment": Label("属于分群", "Membership of a segment"),
    "sequence": Label("行为顺序", "Sequence of events"),
    "sample": Label("固定抽样", "Stable sample"),
}
_WINDOWS: Final[Mapping[str, tuple[Label, Json]]] = {
    "last": (Label("最近一段时间", "A time up to now"), {"last": "P30D"}),
    "between": (
        Label("固定时间段", "Between two times"),
        {"between": ["2026-01-01T00:00:00+08:00", "2026-02-01T00:00:00+08:00"]},
    ),
    "from_to": (Label("相对时间段", "Between two relative times"), {"from": "-P30D", "to": "-P7D"}),
    "period": (Label("日历周期", "Calendar units"), {"period": {"unit": "month", "from": -1, "to": -1}}),
}
_BLANKS: Final = re.compile(r"\s*\{\w+\}\s*")


@cache
def fixed_vocabulary() -> Json:
    """Return everything that does not depend on the contacts. The caller must not change it."""
    return {
        "operators": _operators(),
        "count_operators": [
            {
                "name": name,
                "operand": "number_range" if name.endswith("between") else "number",
                **_worded(label),
            }
            for name, label in terms.COUNT_OPERATORS.items()
        ],
        "functions": _labelled(terms.FUNCTIONS),
        "units": _labelled(terms.UNITS),
        "calendar_parts": [
            {"name": name, "label": _both(label), "low": PART_RANGES[name][0], "high": PART_RANGES[name][1]}
            for name, label in terms.CALENDAR_PARTS.items()
        ],
        "conditions": [{"kind": kind, "label": _both(label)} for kind, label in _CONDITIONS.items()],
        "windows": [
            {"form": form, "label": _both(label), "example": example}
            for form, (label, example) in _WINDOWS.items()
        ],
    }


def attribute_label(name: str) -> Json | None:
    """Return the display names of a standard attribute; None for any other."""
    return _both(terms.ATTRIBUTES[name]) if name in STANDARD_ATTRIBUTES else None


def event_label(name: str) -> Json | None:
    """Return the display names of a standard event; None for any other."""
    label = terms.EVENTS.get(name)
    return None if label is None else _both(label)


def property_label(event: str, name: str) -> Json | None:
    """Return the display names of a property of a standard event; None for any other."""
    label = terms.PROPERTIES.get(name) if event in terms.EVENTS else None
    return None if label is None else _both(label)


def _operators() -> list[Json]:
    return [
        {
            "name": name,
            "positive": row.name,
            "operand": row.operand,
            "kinds": sorted(row.kinds),
            "moves": row.moves,
            "compares_text": row.compares_text,
            "compares_numbers": row.compares_numbers,
            **_worded(terms.OPERATORS[name]),
        }
        for row in TABLE
        for name in row.names
    ]


def _worded(sentence: Label) -> Json:
    """Return the sentence with its braces, and without them as a name."""
    plain = Label(*(_BLANKS.sub("…", text).strip("…") for text in sentence))
    return {"label": _both(plain), "sentence": _both(sentence)}


def _labelled(labels: Mapping[str, Label]) -> list[Json]:
    return [{"name": name, "label": _both(label)} for name, label in labels.items()]


def _both(label: Label) -> Json:
    return {"zh": label.zh, "en": label.en}
