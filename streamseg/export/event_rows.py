"""The kept events of a contact as rows of a line, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streamseg.contact.first_values import FirstValues
from streamseg.json_text import Json
from streamseg.records.derived import DerivedEvents
from streamseg.records.inputs import Event
from streamseg.store import layout
from streamseg.times import format_ms, parse_timestamp_ms, time_zone

_UTC = time_zone("UTC")


_TIMES = ("occurred_at", "recorded_at")


def event_rows(contact_id: str, records: Iterable[tuple[bytes, bytes]]) -> list[Json]:
    """Return a row for each history record of a contact, in their order.

    A behaviour event is a BehaviorEvent of the contract without `contact_id`, and `number` and `recorded_at`
    of its record. The events derived from one record are one row."""
    prefix = layout.history_prefix(contact_id)
    return [_row(layout.read_history(prefix, key, value)) for key, value in records]


def event_records(contact_id: str, rows: Iterable[Json]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the history records of these rows. Raises KeyError, TypeError or ValueError for rows of another
    form."""
    for row in rows:
        occurred_ms, recorded_ms = (parse_timestamp_ms(row[name], _UTC) for name in _TIMES)
        number: int = row["number"]
        if "derived_from" in row:
            derived = DerivedEvents(row["derived_from"], occurred_ms, number, recorded_ms)
            if "first" in row:
                derived.set_first(FirstValues(row["first"]), unsubscribed=row["unsubscribed"])
            else:
                derived.rows = row["events"]
            key = layout.derived_key(contact_id, occurred_ms, derived.origin)
            yield key, layout.derived_value(derived)
        else:
            event = Event(
                row["event_id"], row["event"], occurred_ms, row["properties"], False, number, recorded_ms
            )
            yield layout.history_key(contact_id, occurred_ms, event.event_id), layout.event_value(event)


def _row(kept: Event | DerivedEvents) -> Json:
    if isinstance(kept, Event):
        row: dict[str, Any] = {
            "event_id": kept.event_id,
            "event": kept.name,
            "occurred_at": format_ms(kept.occurred_ms),
            "properties": kept.properties,
        }
    else:
        row = {"derived_from": kept.origin, "occurred_at": format_ms(kept.occurred_ms)}
        if kept.first is not None:
            row |= {"first": kept.first.values, "unsubscribed": kept.unsubscribed}
        else:
            row["events"] = kept.rows
    return {**row, "number": kept.offset, "recorded_at": format_ms(kept.recorded_ms)}
