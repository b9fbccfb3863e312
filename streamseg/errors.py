"""Our errors.

StreamsegError
├── RejectedError          input that is refused: a code of the contract, a path, what to do
│   └── UnforeseenError    likewise, since we failed at it: the fault is ours
├── FileFormatError        a replay file that is not NDJSON
├── StateVersionError      state bytes of another layout
└── ConfigurationError     settings or topics that do not fit
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from schemas.paths import join_path


class Code(StrEnum):
    """The contract's stable codes for refused input."""

    INVALID_JSON = "invalid_json"
    INVALID_SCHEMA = "invalid_schema"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    INVALID_VALUE = "invalid_value"
    OCCURRED_IN_FUTURE = "occurred_in_future"
    UNKNOWN_REFERENCE = "unknown_reference"
    REFERENCE_CYCLE = "reference_cycle"
    NOT_PERMITTED = "not_permitted"
    IN_USE = "in_use"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"


class StreamsegError(Exception):
    """The root: catch it to catch everything of ours."""


class RejectedError(StreamsegError):
    """Input that was refused and changed nothing. `path` names the offending field, dotted, or is empty."""

    def __init__(self, code: Code, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.message = message
        self.path = path


class UnforeseenError(RejectedError):
    """Input that this release neither took nor refused, but failed at: report it. `fault` was raised."""

    def __init__(self, fault: Exception) -> None:
        # What it says may hold values, which belong into no dead letter.
        problem = f"a fault of this release ({type(fault).__name__}); the worker's log says more, report it"
        super().__init__(Code.INVALID_SCHEMA, problem)
        self.fault = fault


@contextmanager
def refusing_faults() -> Iterator[None]:
    """Around the judging of one input, which changes nothing: what nobody foresaw refuses that input, where
    it would end the worker, and every next one that reads it.

    Not around reading or writing: those fail at the broker or the disk, whatever the input.
    Raises UnforeseenError."""
    try:
        yield
    except RejectedError:
        raise
    except Exception as error:
        raise UnforeseenError(error) from error


@contextmanager
def located_below(field: str) -> Iterator[None]:
    """Around the judging of what stands in a field of a message: the path of what is refused in it begins
    with that field. Raises RejectedError."""
    try:
        yield
    except RejectedError as error:
        raise RejectedError(error.code, error.message, join_path(field, error.path)) from error


class FileFormatError(StreamsegError):
    """A replay file has a line that is no JSON object; mend or remove that line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line} {problem}")
        self.line = line


class StateVersionError(StreamsegError):
    """State written by another release: the local folder is rebuilt from a changelog of this release; where
    that is of another one too, a new application id begins anew from the input."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(
            f"state has layout version {found}, this release reads {wanted}; "
            "remove the state folder to rebuild it, give the workers a new STREAMSEG_APPLICATION_ID if the "
            "changelog is of that version too, or run the release that wrote it"
        )


class ConfigurationError(StreamsegError):
    """Settings, topics or a broker that do not fit; the message says which one and what to change."""
