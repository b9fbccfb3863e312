"""The header `traceparent` of W3C Trace Context, which passes from a record to the outputs that it causes.

Only outputs that the record causes at once have it. Changes by time and by definitions have none: no record
caused them, or many did.
"""

from __future__ import annotations

import re
from typing import Final

from streamseg.records.inputs import Headers

TRACEPARENT: Final = "traceparent"

# Version, trace id, parent id and flags in lowercase hexadecimal digits. Version ff and ids of zeros only are
# not valid. Later versions may append fields, which are not passed on with an unknown meaning.
_VALID: Final = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(headers: Headers) -> bytes | None:
    """Return the value of the header `traceparent`, unchanged; None if there is none, more than one, or one
    that is not valid."""
    values = [value for name, value in headers if name == TRACEPARENT]
    if len(values) != 1 or values[0] is None or _VALID.fullmatch(values[0]) is None:
        return None
    return values[0]


def trace_headers(trace: bytes) -> list[tuple[str, bytes]]:
    """Return the Kafka headers that pass the value on."""
    return [(TRACEPARENT, trace)]
