"""The records of a topic with one partition as lines, and back."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from streamseg.errors import MoveCode, StateMoveError
from streamseg.json_text import dumps, loads
from streamseg.records.inputs import Headers, Record


class Kept(NamedTuple):
    """A record as it stood on a topic."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def line(record: Record) -> bytes:
    """Return the line of a record, with its line feed. Bytes that are UTF-8 are text in it; others are an
    object with the member `base64`."""
    row = {
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": [[name, _text(value)] for name, value in record.headers],
    }
    return dumps(row) + b"\n"


def read(data: bytes) -> Kept:
    """Return the record in a line. Raises StateMoveError for a line of another form."""
    try:
        row = loads(data)
        headers = tuple((str(name), _bytes(value) or b"") for name, value in row["headers"])
        return Kept(
            int(row["offset"]), int(row["timestamp_ms"]), _bytes(row["key"]), _bytes(row["value"]), headers
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StateMoveError(
            MoveCode.EXPORT_UNREADABLE,
            f"a record of a topic has another form ({type(error).__name__}); import it with the release that "
            "wrote it",
        ) from error


def _text(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _bytes(text: Any) -> bytes | None:
    if text is None:
        return None
    return text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])
