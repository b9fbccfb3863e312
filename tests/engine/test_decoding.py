"""Events that are let pass without the model are those that the model lets pass."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.events import BehaviorEvent
from schemas.paths import first_error
from streamseg.engine.decoding import Decoder
from streamseg.errors import RejectedError
from streamseg.records.inputs import Event, Record
from streamseg.settings import Settings

AT_MS = 1_777_622_400_000
RIGHT: dict[str, Any] = {
    "event_id": "e-1",
    "contact_id": "c1",
    "event": "scan",
    "occurred_at": AT_MS,
    "properties": {"form": "f"},
}

VALUES: list[Any] = [None, "", "c1", 0, AT_MS, -1, 1.5, True, False, [], {}, {"a": None}, 10**18]
LEFT_OPEN = ("2026-02-30",)
"""What has the form of a time, and is none."""
TIMES = ["2026-05-01", "2026-05-01T08:00:00Z", "2026-02-30", "2026-05-01T08:00:00.1234567890Z", "٢٠٢٦-05-01"]
BODIES = [
    *VALUES,
    RIGHT,
    *[{name: value for name, value in RIGHT.items() if name != left_out} for left_out in RIGHT],
    *[RIGHT | {name: value} for name in (*RIGHT, "extra") for value in [*VALUES, *TIMES]],
    {"extra": {}} | {name: value for name, value in RIGHT.items() if name != "properties"},
]


def _record(value: bytes) -> Record:
    return Record("behavior-events", 0, 7, AT_MS + 1_000, b"c1", value)


def _fault(body: Any) -> tuple[str, str] | None:
    """Path and message of what the model finds wrong."""
    try:
        BehaviorEvent.model_validate(body)
    except ValidationError as error:
        return first_error(error)
    return None


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_an_event_is_taken_if_the_model_takes_it(body: Any) -> None:
    record = _record(orjson.dumps(body))
    fault = _fault(body)
    if fault is not None or body["contact_id"] != "c1" or body["occurred_at"] in LEFT_OPEN:
        with pytest.raises(RejectedError) as refusal:
            Decoder(Settings()).event(record)
        assert fault is None or fault == (refusal.value.path, refusal.value.message)
        return
    contact_id, event = Decoder(Settings()).event(record)
    model = BehaviorEvent.model_validate(body)
    assert contact_id == model.contact_id
    assert event == Event(
        model.event_id,
        model.event,
        event.occurred_ms,
        model.properties or {},
        offset=record.offset,
        recorded_ms=record.timestamp_ms,
    )
