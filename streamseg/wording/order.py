"""JSON keys in the order in which a person writes a definition: first the subject, then the test, then the
options."""

from __future__ import annotations

from typing import Any, Final

WRITTEN_ORDER: Final = (
    *("segment_id", "name", "type", "group", "version", "timezone"),
    *("created_by", "created_at", "updated_by", "updated_at", "shared_with"),
    "relation",
    *("attribute", "event", "segment", "sequence", "sample", "absent"),
    *("function", "elements", "match"),
    *("property", "operator", "value"),
    *("as", "ignore_case", "normalize"),
    *("member", "salt", "where", "select", "has", "count", "aggregate", "held"),
    *("within", "step_within", "window"),
    *("at_least", "less_than", "last", "between", "period"),
    *("unit", "from", "to", "week_start", "values", "in_next"),
    "not",
    *("conditions", "clusters", "parts"),
)
"""Every key of a definition, in written order."""

_RANKS: Final = {name: rank for rank, name in enumerate(WRITTEN_ORDER)}


def in_written_order(value: Any) -> Any:
    """Return the same value with the keys of its objects in written order. Unknown keys follow in their own
    order."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: _RANKS.get(name, len(_RANKS)))
        return {name: in_written_order(value[name]) for name in names}
    if isinstance(value, list):
        return [in_written_order(item) for item in value]
    return value
